/** Folders of predictions and targets, paired by name. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { FileError } from "./failure.ts";
import { knownEndings, stemOf, systemReason } from "./files/read.ts";

/** A prediction and a target of the same name. */
export interface Pair {
  readonly name: string;
  readonly prediction: string;
  readonly target: string;
}

export interface Pairing {
  readonly pairs: readonly Pair[];
  /** Files without a partner. */
  readonly single: readonly string[];
}

/** Whether a path is a folder; an error if there is nothing. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    // `archive.npz:name` is no path of its own; whoever reads it will say what is wrong.
    if (/\.npz:/i.test(path)) return false;
    throw new FileError(path, systemReason(error));
  }
}

/** Pairs the files of two folders whose names agree up to their endings. */
export function pairFolders(predictions: string, targets: string): Pairing {
  const [from, to] = [listFiles(predictions), listFiles(targets)];
  const names = [...from.keys()].filter((name) => to.has(name)).sort(naturally);
  if (names.length === 0) {
    throw new FileError(predictions, `no file in it (${knownEndings}) has the name of a file in ${targets}`);
  }
  const single = (files: Map<string, string>, other: Map<string, string>) =>
    [...files].filter(([name]) => !other.has(name)).map(([, path]) => path);
  return {
    pairs: names.map((name) => ({ name, prediction: from.get(name)!, target: to.get(name)! })),
    single: [...single(from, to), ...single(to, from)],
  };
}

function listFiles(folder: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const stem = entry.isDirectory() || entry.name.startsWith(".") ? undefined : stemOf(entry.name);
    if (stem === undefined) continue;
    const path = join(folder, entry.name);
    const other = files.get(stem);
    if (other !== undefined) throw new FileError(path, `${other} has the same name`);
    files.set(stem, path);
  }
  return files;
}

/** 2 before 10. */
const naturally = new Intl.Collator("en", { numeric: true }).compare;
