/** Reads an array from a file of any supported format. */
import { readFileSync } from "node:fs";
import { FileError } from "../failure.ts";
import { readNifti } from "./nifti.ts";
import { readNpy } from "./npy.ts";
import { readNpz } from "./npz.ts";
import { readBrightness, readPng } from "./png.ts";
import { sizeOf, type Tensor } from "./tensor.ts";
import { readTiff } from "./tiff.ts";

/** File endings, the longer before the shorter. */
const formats: readonly {
  ending: string;
  read: (file: string, bytes: Uint8Array, name?: string) => Tensor;
}[] = [
  { ending: ".nii.gz", read: readNifti },
  { ending: ".nii", read: readNifti },
  { ending: ".npy", read: readNpy },
  { ending: ".npz", read: readNpz },
  { ending: ".png", read: readPng },
  { ending: ".tiff", read: readTiff },
  { ending: ".tif", read: readTiff },
];

/** For help texts and messages. */
export const knownEndings = formats.map(({ ending }) => ending).join(" ");

/** The name of a file without its folder and ending, if the ending is known. */
export function stemOf(name: string): string | undefined {
  const format = formats.find(({ ending }) => name.toLowerCase().endsWith(ending));
  return format === undefined ? undefined : name.slice(0, -format.ending.length);
}

/** Reads `path`, which for `.npz` may end in `:name`. */
export function readTensor(path: string): Tensor {
  const [, archive, name] = /^(.*\.npz):([^/\\]+)$/i.exec(path) ?? [];
  const file = archive ?? path;
  const format = formats.find(({ ending }) => file.toLowerCase().endsWith(ending));
  if (format === undefined) throw new FileError(file, `unknown kind of file; known are ${knownEndings}`);
  const tensor = format.read(file, readBytes(file), name);
  if (sizeOf(tensor.shape) === 0) throw new FileError(tensor.file, "it is empty");
  return tensor;
}

/** Reads an image to paint over: as `readTensor`, and colour PNG becomes brightness. */
export function readImage(path: string): Tensor {
  return path.toLowerCase().endsWith(".png") ? readBrightness(path, readBytes(path)) : readTensor(path);
}

function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new FileError(file, systemReason(error));
  }
}

/** What the operating system said, in words. */
export function systemReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case "ENOENT":
      return "there is no such file or folder";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "EISDIR":
      return "it is a folder";
    case "ENOTDIR":
      return "a part of its path is no folder";
    case "ENOSPC":
      return "no space left on the device";
    default:
      return message;
  }
}
