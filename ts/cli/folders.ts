/** Folders of predictions and targets, paired by name. */
import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
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

/**
 * Pairs the files of two folders whose names agree up to their endings: `img01.npy` and `img01.png`. What is left then
 * pairs where names agree up to a last word that only says what a file is: `img01_pred.npy` and `img01_mask.png`.
 */
export function pairFolders(predictions: string, targets: string): Pairing {
  const [from, to] = [listFiles(predictions), listFiles(targets)];
  const exact = match(
    group(from, (stem) => stem),
    group(to, (stem) => stem),
  );
  const isLeft = (side: "prediction" | "target") => {
    const taken = new Set(exact.map((pair) => pair[side]));
    return (file: File) => !taken.has(file.path);
  };
  const [fewer, others] = [from.filter(isLeft("prediction")), to.filter(isLeft("target"))];
  const pairs = [...exact, ...match(group(fewer, withoutRole), group(others, withoutRole))];
  if (pairs.length === 0) {
    throw new FileError(predictions, `no file in it (${knownEndings}) has the name of a file in ${targets}`);
  }
  const taken = new Set(pairs.flatMap(({ prediction, target }) => [prediction, target]));
  return {
    pairs: pairs.sort((a, b) => naturally(a.name, b.name)),
    single: [...from, ...to].map(({ path }) => path).filter((path) => !taken.has(path)),
  };
}

/** Words at the end of a name that say what a file is, not of what. */
const role =
  /[-_. ](pred|preds|predicted|predictions?|prob|probs|probabilit(y|ies)|logits?|scores?|out|outputs?|seg|segmentations?|mask|masks|labels?|lbl|gt|truth|targets?|annotations?|manual)$/i;

const withoutRole = (stem: string) => stem.replace(role, "");

/** Pairs of the same name. Several files of one name are an error only where they have a partner to fight for. */
function match(from: ReadonlyMap<string, File[]>, to: ReadonlyMap<string, File[]>): Pair[] {
  return [...from].flatMap(([name, predictions]) => {
    const targets = to.get(name);
    if (targets === undefined) return [];
    for (const [files, partners] of [
      [predictions, targets],
      [targets, predictions],
    ] as const) {
      if (files.length < 2) continue;
      const names = files.map(({ path }) => basename(path)).join(" and ");
      throw new FileError(partners[0]!.path, `${names} both have the name of it; which one is meant?`);
    }
    return [{ name, prediction: predictions[0]!.path, target: targets[0]!.path }];
  });
}

interface File {
  readonly path: string;
  /** Its name without folder and ending. */
  readonly stem: string;
}

function group(files: readonly File[], nameOf: (stem: string) => string): Map<string, File[]> {
  const groups = new Map<string, File[]>();
  for (const file of files) {
    const name = nameOf(file.stem);
    groups.set(name, [...(groups.get(name) ?? []), file]);
  }
  return groups;
}

/** The files of a folder that can be read, in the order of their names. */
function listFiles(folder: string): File[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry): File[] => {
      const stem = entry.isDirectory() || entry.name.startsWith(".") ? undefined : stemOf(entry.name);
      return stem === undefined ? [] : [{ path: join(folder, entry.name), stem }];
    })
    .sort((a, b) => naturally(a.path, b.path));
}

/** 2 before 10. */
const naturally = new Intl.Collator("en", { numeric: true }).compare;
