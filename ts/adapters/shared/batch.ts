/**
 * A batch whose arrays are those of another library, and what it is for segrad. Shared by the adapters: each reads
 * its arrays in its own way, and the shapes are compared here.
 */
import type { Batch, Labels, Mode } from "segrad";
import { resolveShape } from "../../batch.ts";
import { rangeError, show, typeError } from "../../error.ts";

/** How to read the arrays of a batch: the fields of `Batch` that are not arrays. */
export interface BatchSettings {
  /** By default binary when there is one channel, else multiclass. */
  readonly mode?: Mode | undefined;
  /** Where the channel axis is. */
  readonly layout?: "channels-first" | "channels-last" | undefined;
  /**
   * True by default: the network ends without an activation. False: its outputs are probabilities, and the gradient
   * is with respect to them.
   */
  readonly fromLogits?: boolean | undefined;
  /** Labels of this value count for nothing. Needs integer targets. */
  readonly ignoreIndex?: number | undefined;
  /** Pixel size along each spatial axis, [y, x] or [z, y, x]; 1 by default. */
  readonly spacing?: readonly number[] | undefined;
  /** True: infinite and NaN logits are an error. */
  readonly check?: boolean | undefined;
}

/** What the logits are compared with. `A` is the other library's array. */
export interface Truth<A> {
  /**
   * Class numbers shaped like the logits without their channel axis (or with one channel), or zeros and ones, or
   * soft targets in [0, 1], shaped like the logits. A plain typed array is taken as `Batch.target` is.
   */
  readonly target: A | Labels | Float32Array;
  /** Factors ≥ 0, one per pixel: shaped like the logits without their channel axis (or with one channel). */
  readonly pixelWeights?: A | Float32Array | undefined;
  /** Signed distance maps shaped like the logits, for `boundary`; computed from the target otherwise. */
  readonly distance?: A | Float32Array | undefined;
}

/** `Batch` with the arrays of another library. The shape is that of the logits: rank 4, or rank 5 in 3D. */
export interface ArrayBatch<A> extends BatchSettings, Truth<A> {
  /** The network's outputs, float32. */
  readonly logits: A;
}

/** The fields of a batch that are arrays. */
export type Field = "logits" | "target" | "pixelWeights" | "distance";

const fields: readonly Field[] = ["logits", "target", "pixelWeights", "distance"];

/** An array of the other library, read. */
export interface Shaped {
  readonly data: Labels | Float32Array;
  readonly shape: readonly number[];
}

/** Those fields of `batch` that hold arrays of the other library; typed arrays need no reading. */
export function arraysOf<A>(batch: object, isArray: (value: unknown) => value is A): [Field, A][] {
  const values = batch as { readonly [field in Field]?: unknown };
  return fields.flatMap((field): [Field, A][] => {
    const value = values[field];
    return isArray(value) ? [[field, value]] : [];
  });
}

/** The batch as segrad takes it, out of `batch` and those of its arrays that were read. */
export function toBatch(
  batch: object,
  read: { readonly [field in Field]?: Shaped },
  defaultLayout: "channels-first" | "channels-last",
): Batch {
  const given = batch as ArrayBatch<Shaped>;
  const layout = given.layout ?? defaultLayout;
  const logits = read.logits;
  if (logits === undefined) {
    throw typeError("invalid-batch", `logits is ${show(given.logits)}; it must be an array of the trainer's`);
  }
  const shape = [...logits.shape];
  const channelsLast = layout === "channels-last";
  const { channels } = resolveShape(shape, channelsLast);
  const axis = channelsLast ? shape.length - 1 : 1;
  const perPixel = [shape.toSpliced(axis, 1), shape.with(axis, 1)];
  const multiclass = (given.mode ?? (channels === 1 ? "binary" : "multiclass")) === "multiclass";

  const target = () => {
    if (read.target === undefined) return given.target as Labels | Float32Array;
    const { data } = read.target;
    if (sameShape(read.target.shape, shape)) return multiclass ? oneHot(data) : data;
    const isLabels = multiclass || channels === 1;
    requireShape("target", read.target, isLabels ? [shape, ...perPixel] : [shape]);
    return multiclass ? classNumbers(data) : data;
  };
  const floats = (field: "pixelWeights" | "distance", shapes: readonly number[][]) => {
    const array = read[field];
    if (array === undefined) return given[field] as Float32Array | undefined;
    requireShape(field, array, shapes);
    return array.data as Float32Array;
  };
  return {
    ...given,
    layout,
    shape,
    logits: logits.data as Float32Array,
    target: target(),
    pixelWeights: floats("pixelWeights", perPixel),
    distance: floats("distance", [shape]),
  };
}

/** Trainers hand over one-hot targets as integers too; for segrad a target shaped like the logits is floats. */
function oneHot(target: Labels | Float32Array): Float32Array {
  return target instanceof Float32Array ? target : Float32Array.from(target);
}

/** Trainers hand over class numbers as floats too. */
function classNumbers(target: Labels | Float32Array): Labels {
  if (!(target instanceof Float32Array)) return target;
  const wrong = target.findIndex((label) => !Number.isInteger(label));
  if (wrong < 0) return Int32Array.from(target);
  throw rangeError(
    "invalid-label",
    `target[${wrong}] is ${show(target[wrong])}; targets of this shape are class numbers`,
  );
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

function requireShape(name: Field, array: Shaped, allowed: readonly (readonly number[])[]): void {
  if (allowed.some((shape) => sameShape(shape, array.shape))) return;
  const shapes = allowed.map((shape) => `[${shape.join(", ")}]`).join(" or ");
  throw rangeError(
    "invalid-shape",
    `${name} has shape [${array.shape.join(", ")}]; with these logits it must be ${shapes}`,
  );
}
