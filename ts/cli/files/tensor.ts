/** Numbers read from a file. */

export type Numbers =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** An array from a file, in C order: the last axis varies fastest. */
export interface Tensor {
  /** The file, for messages. */
  readonly file: string;
  readonly data: Numbers;
  readonly shape: readonly number[];
  /** Pixel size per spatial axis, from a header that knows it; [y, x] or [z, y, x]. */
  readonly spacing?: readonly number[];
  /** From voxels [x, y, z, 1] to space, in three rows, from a header that knows it. */
  readonly affine?: readonly (readonly number[])[];
  /** Of images: the number that stands for white, where the type has one (255, 65 535). */
  readonly white?: number;
  /** Which axes there are, of formats that know: `yx`, `zyx`, `czyx`. */
  readonly axes?: string;
}

/** Whether the numbers are integers by type. */
export function isInteger({ data }: Pick<Tensor, "data">): boolean {
  return !(data instanceof Float32Array || data instanceof Float64Array);
}

/** `512 × 512`. */
export function showShape(shape: readonly number[]): string {
  return shape.length === 0 ? "a single number" : shape.join(" × ");
}

/** The number of elements of an array of this shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}
