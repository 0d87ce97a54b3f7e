/** Writes files whole or not at all. */
import { mkdtempSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { FileError, UsageError } from "../failure.ts";
import { systemReason } from "./read.ts";

export interface Output {
  readonly path: string;
  readonly bytes: Uint8Array | string;
}

/**
 * Fails if a file of this path could not be created or has the wrong ending: to be called before anything long is
 * computed.
 */
export function checkOutputs(
  outputs: readonly { readonly path: string | undefined; readonly ending?: string }[],
): void {
  for (const { path, ending = "" } of outputs) {
    if (path === undefined) continue;
    if (!path.toLowerCase().endsWith(ending)) {
      throw new UsageError(`the output ${path} must end in ${ending}`);
    }
    const folder = statSync(dirname(path), { throwIfNoEntry: false });
    if (!folder?.isDirectory()) throw new FileError(path, `there is no folder ${dirname(path)}`);
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw new FileError(path, "it is a folder");
  }
}

/**
 * Writes every file beside its place first, then moves them all there, so that a full disk or an interruption leaves
 * what was there before.
 */
export function writeOutputs(outputs: readonly Output[]): void {
  const staged: { folder: string; from: string; to: string }[] = [];
  try {
    for (const { path, bytes } of outputs) {
      attempt(path, () => {
        const existing = statSync(path, { throwIfNoEntry: false });
        const to = existing === undefined ? path : realpathSync(path);
        // Devices and pipes are written to, not replaced.
        if (existing !== undefined && !existing.isFile()) return writeFileSync(to, bytes);
        const folder = mkdtempSync(join(dirname(to), ".segrad-"));
        const from = join(folder, basename(to));
        staged.push({ folder, from, to });
        writeFileSync(from, bytes);
      });
    }
    for (const { from, to } of staged) attempt(to, () => renameSync(from, to));
  } finally {
    for (const { folder } of staged) rmSync(folder, { recursive: true, force: true });
  }
}

function attempt(path: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    throw new FileError(path, systemReason(error));
  }
}
