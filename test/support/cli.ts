/** The command line as a function with its output caught, and a folder with a few files to run it on. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode } from "fast-png";
import type { Console } from "../../ts/cli/console.ts";
import { writeNpy } from "../../ts/cli/files/npy.ts";
import type { Tensor } from "../../ts/cli/files/tensor.ts";
import { run } from "../../ts/cli/program.ts";

/** Runs the program: its exit code, output and error output. */
export async function segrad(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const console: Console = {
    print: (text) => out.push(text),
    remark: (text) => err.push(text),
    progress: async (items, _, visit) => {
      for (const item of items) await visit(item);
    },
  };
  const code = await run(args, console);
  return { code, out: out.join("\n"), err: err.join("\n") };
}

/** A file that another program wrote: see test/data/cli/make.py. */
export const data = (name: string) => new URL(`../data/cli/${name}`, import.meta.url).pathname;

// A disc in 20 × 24 and a prediction that is off by two pixels; a volume of three classes.
export const [height, width] = [20, 24] as const;
const disc = (i: number, x: number) => 5 - Math.hypot((i % width) - x, Math.floor(i / width) - 9);
export const logits = Float32Array.from({ length: height * width }, (_, i) => disc(i, 13));
export const mask = Uint8Array.from({ length: height * width }, (_, i) => (disc(i, 11) > 0 ? 1 : 0));
export const batch = { logits, target: mask, shape: [1, 1, height, width] };
export const volumeShape = [3, 4, 5, 6];
export const volume = Float32Array.from({ length: 360 }, (_, i) => Math.sin(i));
export const volumeLabels = Uint8Array.from({ length: 120 }, (_, i) => i % 3);

/** A new folder with those as `logits.npy`, `mask.png`, `white.png`, `probabilities.png`, `volume.npy`, … */
export function makeFolder() {
  const folder = mkdtempSync(join(tmpdir(), "segrad-cli-"));
  const at = (name: string) => join(folder, name);
  const npy = (name: string, array: Pick<Tensor, "data" | "shape">) =>
    writeFileSync(at(name), writeNpy(array));
  const png = (name: string, pixels: Uint8Array) =>
    writeFileSync(
      at(name),
      encode({ width, height: pixels.length / width, data: pixels, channels: 1, depth: 8 }),
    );
  npy("logits.npy", { data: logits, shape: [height, width] });
  png("mask.png", mask);
  png(
    "white.png",
    mask.map((label) => 255 * label),
  );
  png(
    "probabilities.png",
    Uint8Array.from(logits, (z) => 255 / (1 + Math.exp(-z))),
  );
  npy("volume.npy", { data: volume, shape: volumeShape });
  npy("volume-labels.npy", { data: volumeLabels, shape: volumeShape.slice(1) });
  return { folder, at, npy, png, remove: () => rmSync(folder, { recursive: true }) };
}
