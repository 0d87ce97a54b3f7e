/** NumPy's `.npz`: a zip archive of `.npy` files. `file.npz:name` picks one of them. */
import { unzipSync, zipSync } from "fflate";
import { FileError } from "../failure.ts";
import { readNpy, writeNpy } from "./npy.ts";
import type { Tensor } from "./tensor.ts";

/** Reads the array `name`; the only array if no name is given. */
export function readNpz(file: string, bytes: Uint8Array, name: string | undefined): Tensor {
  const archive = unzip(file, bytes);
  const names = Object.keys(archive)
    .filter((entry) => entry.endsWith(".npy"))
    .map((entry) => entry.slice(0, -4));
  if (names.length === 0) throw new FileError(file, "there is no array in it");
  const wanted = name ?? (names.length === 1 ? names[0]! : undefined);
  const list = names.join(", ");
  if (wanted === undefined)
    throw new FileError(file, `it holds several arrays; write ${file}:NAME with one of ${list}`);
  if (!names.includes(wanted))
    throw new FileError(file, `there is no array ${wanted} in it; there is ${list}`);
  return readNpy(`${file}:${wanted}`, archive[`${wanted}.npy`]!);
}

function unzip(file: string, bytes: Uint8Array) {
  try {
    return unzipSync(bytes);
  } catch (error) {
    throw new FileError(file, `it is no zip archive of arrays (${(error as Error).message})`);
  }
}

/** Writes arrays by name. */
export function writeNpz(arrays: { readonly [name: string]: Pick<Tensor, "data" | "shape"> }): Uint8Array {
  return zipSync(
    Object.fromEntries(Object.entries(arrays).map(([name, array]) => [`${name}.npy`, writeNpy(array)])),
  );
}
