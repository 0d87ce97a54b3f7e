/**
 * The batch: what a loss looks at. `resolveBatch` checks its structure (types, lengths, names) and fills in
 * defaults; the data itself (labels in range, finite targets) is checked in one pass by whoever reads it, with
 * the words at the end of this file.
 */
import { lengthOf, type NumberArray } from "./array.ts";
import { arrayType, rangeError, show, typeError } from "./error.ts";

/** `binary`: one channel, sigmoid. `multilabel`: sigmoid on each channel. `multiclass`: softmax over channels. */
export type Mode = "binary" | "multilabel" | "multiclass";

/** Floating-point arrays: the core reads float32, the reference either. */
export type Floats = Float32Array | Float64Array;

/** Integer labels. */
export type Labels = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array;

/** Logits, their targets, and how to read them. N images, C channels, P pixels per image. */
export interface Batch<F extends Floats = Float32Array> {
  /** N·C·P numbers, before the activation unless `fromLogits` is false. */
  readonly logits: F;
  /**
   * Integer labels: N·P class numbers in multiclass, N·C·P zeros and ones in binary and multilabel. Or soft
   * targets in [0, 1]: floats shaped like the logits.
   */
  readonly target: Labels | F;
  /** Shape of the logits in their own layout: [n, c, h, w] or [n, c, d, h, w]; channels-last [n, h, w, c] …. */
  readonly shape: readonly number[];
  /** By default binary when C = 1, else multiclass. */
  readonly mode?: Mode | undefined;
  /** Of every array shaped like the logits. Channels-first by default. */
  readonly layout?: "channels-first" | "channels-last" | undefined;
  /** False: the logits are probabilities in [0, 1], and the gradient is with respect to them. */
  readonly fromLogits?: boolean | undefined;
  /** Labels of this value leave every sum, sort, map and count. Needs integer labels. */
  readonly ignoreIndex?: number | undefined;
  /** N·P factors ≥ 0, one per pixel. */
  readonly pixelWeights?: F | undefined;
  /** Signed distance maps shaped like the logits, for `boundary`; computed from the target otherwise. */
  readonly distance?: F | undefined;
  /** Pixel size along each spatial axis, [y, x] or [z, y, x]; 1 by default. */
  readonly spacing?: readonly number[] | undefined;
  /** True: refuse infinite and NaN logits instead of computing with them. */
  readonly check?: boolean | undefined;
}

/** A batch of which every field is known to fit the others. 2D images have depth 1 and depth spacing 1. */
export interface ResolvedBatch<F extends Floats = Float32Array> {
  readonly logits: F;
  readonly target: Labels | F;
  /** Whether the target is soft (floats). */
  readonly soft: boolean;
  readonly images: number;
  readonly channels: number;
  /** Pixels per image. */
  readonly pixels: number;
  /** [depth, height, width]. */
  readonly spatial: Triple;
  /** Spatial axes given: 2 or 3. */
  readonly axes: 2 | 3;
  readonly mode: Mode;
  readonly channelsLast: boolean;
  readonly fromLogits: boolean;
  readonly ignoreIndex: number | null;
  readonly pixelWeights: F | null;
  readonly distance: F | null;
  /** [depth, height, width]. */
  readonly spacing: Triple;
  readonly check: boolean;
}

/** One number per axis: depth, height, width. */
export type Triple = readonly [depth: number, height: number, width: number];

const modes: readonly Mode[] = ["binary", "multilabel", "multiclass"];
const layouts = ["channels-first", "channels-last"] as const;
const labelTypes = ["Uint8Array", "Int8Array", "Uint16Array", "Int16Array", "Uint32Array", "Int32Array"];
const fields =
  "logits target shape mode layout fromLogits ignoreIndex pixelWeights distance spacing check".split(" ");

/** Checks the structure of `batch`, which may be any value, and fills in defaults. Reads no array's contents. */
export function resolveBatch(batch: unknown): ResolvedBatch;
export function resolveBatch(batch: unknown, precision: "float64"): ResolvedBatch<Floats>;
export function resolveBatch(batch: unknown, precision?: "float64"): ResolvedBatch<Floats> {
  if (typeof batch !== "object" || batch === null) {
    throw typeError("invalid-batch", `the batch is ${show(batch)}; it must be { logits, target, shape, … }`);
  }
  const given: { [name: string]: unknown } = { ...batch };
  for (const name of Object.keys(given)) {
    if (!fields.includes(name)) {
      throw typeError("invalid-batch", `the batch has no field ${show(name)}; it has ${fields.join(", ")}`);
    }
  }
  const read = (name: string): unknown => (Object.hasOwn(given, name) ? given[name] : undefined);
  const floatTypes = ["Float32Array", ...(precision === undefined ? [] : ["Float64Array"])];

  const layout = oneOf("layout", read("layout") ?? "channels-first", layouts);
  const channelsLast = layout === "channels-last";
  const { images, channels, spatial, axes } = resolveShape(read("shape"), channelsLast);
  const pixels = spatial[0] * spatial[1] * spatial[2];
  const mode = oneOf("mode", read("mode") ?? (channels === 1 ? "binary" : "multiclass"), modes);
  if (mode === "binary" && channels !== 1) {
    throw rangeError("invalid-batch", `mode "binary" needs 1 channel and the shape has ${channels}`);
  }

  // A list may be a proxy, whose code could shrink an array: all lists are read before any array is measured.
  const spacing = resolveSpacing(read("spacing"), axes);

  const elements = images * channels * pixels;
  const logits = typed("logits", read("logits"), floatTypes, elements);
  const target = read("target");
  const soft = floatTypes.includes(arrayType(target) ?? "");
  const labels = mode === "multiclass" && !soft ? images * pixels : elements;
  const optional = (name: string, length: number) => {
    const array = read(name);
    return array === undefined || array === null ? null : typed(name, array, floatTypes, length);
  };

  return {
    logits,
    target: typed("target", target, [...labelTypes, ...floatTypes], labels),
    soft,
    images,
    channels,
    pixels,
    spatial,
    axes,
    mode,
    channelsLast,
    fromLogits: flag("fromLogits", read("fromLogits"), true),
    ignoreIndex: resolveIgnore(read("ignoreIndex"), soft),
    pixelWeights: optional("pixelWeights", images * pixels),
    distance: optional("distance", elements),
    spacing,
    check: flag("check", read("check"), false),
  };
}

/** Reads the shape of a batch: [n, c, …spatial], or [n, …spatial, c]. */
export function resolveShape(shape: unknown, channelsLast: boolean) {
  const list = dimensions("shape", shape, [4, 5]);
  const [images, channels, ...spatial] = channelsLast
    ? [list[0]!, list[list.length - 1]!, ...list.slice(1, -1)]
    : (list as [number, number, ...number[]]);
  const axes = spatial.length as 2 | 3;
  return { images, channels, spatial: toTriple(spatial), axes };
}

/**
 * Reads the shape of one image, [height, width] or [depth, height, width], and the spacing of its pixels: the
 * arguments of every map.
 */
export function resolveGrid(shape: unknown, spacing?: unknown) {
  const list = dimensions("shape", shape, [2, 3]);
  const axes = list.length as 2 | 3;
  const spatial = toTriple(list);
  return {
    spatial,
    axes,
    pixels: spatial[0] * spatial[1] * spatial[2],
    spacing: resolveSpacing(spacing, axes),
  };
}

/** A list of positive integers whose product is an exact number. */
function dimensions(name: string, shape: unknown, ranks: readonly number[]): number[] {
  if (!Array.isArray(shape)) {
    throw typeError(
      "invalid-shape",
      `${name} is ${show(shape)}; it must be an array of ${ranks.join(" or ")} integers`,
    );
  }
  if (!ranks.includes(shape.length)) {
    throw rangeError(
      "invalid-shape",
      `${name} has ${shape.length} entries; it must have ${ranks.join(" or ")}`,
    );
  }
  let product = 1;
  return Array.from(shape as unknown[], (size, axis) => {
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 1) {
      const message = `${name}[${axis}] is ${show(size)}; it must be a positive integer`;
      throw typeof size === "number"
        ? rangeError("invalid-shape", message)
        : typeError("invalid-shape", message);
    }
    product *= size;
    if (!Number.isSafeInteger(product)) {
      throw rangeError("invalid-shape", `the product of ${name} is beyond 2^53: no such array exists`);
    }
    return size;
  });
}

/** Spacing per axis as [depth, height, width]; 1 where not given. `axes` is the number of spatial axes. */
function resolveSpacing(spacing: unknown, axes: number): Triple {
  if (spacing === undefined || spacing === null) return [1, 1, 1];
  if (!Array.isArray(spacing)) {
    throw typeError("invalid-batch", `spacing is ${show(spacing)}; it must be an array of ${axes} numbers`);
  }
  if (spacing.length !== axes) {
    throw rangeError(
      "invalid-batch",
      `spacing has ${spacing.length} entries; it must have ${axes}, one per axis`,
    );
  }
  return toTriple(
    Array.from(spacing as unknown[], (size, axis) => {
      if (typeof size === "number" && size > 0 && size < Infinity) return size;
      const message = `spacing[${axis}] is ${show(size)}; it must be a finite number > 0`;
      throw typeof size === "number"
        ? rangeError("invalid-batch", message)
        : typeError("invalid-batch", message);
    }),
  );
}

/** Numbers per axis as [depth, height, width]; the depth of two axes is 1. */
export function toTriple(list: readonly number[]): Triple {
  return [list.length === 3 ? list[0]! : 1, list[list.length - 2]!, list[list.length - 1]!];
}

function resolveIgnore(ignoreIndex: unknown, soft: boolean): number | null {
  if (ignoreIndex === undefined || ignoreIndex === null) return null;
  if (typeof ignoreIndex !== "number") {
    throw typeError("invalid-batch", `ignoreIndex is ${show(ignoreIndex)}; it must be an integer`);
  }
  if (!Number.isSafeInteger(ignoreIndex)) {
    throw rangeError("invalid-batch", `ignoreIndex is ${show(ignoreIndex)}; it must be an integer`);
  }
  if (soft) {
    throw typeError(
      "incompatible",
      "ignoreIndex needs integer labels; with soft targets set pixelWeights to 0",
    );
  }
  return ignoreIndex;
}

function oneOf<T extends string>(name: string, value: unknown, words: readonly T[]): T {
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  const message = `${name} is ${show(value)}; it must be one of ${words.map(show).join(", ")}`;
  throw typeof value === "string"
    ? rangeError("invalid-batch", message)
    : typeError("invalid-batch", message);
}

function flag(name: string, value: unknown, initial: boolean): boolean {
  if (value === undefined || value === null) return initial;
  if (typeof value === "boolean") return value;
  throw typeError("invalid-batch", `${name} is ${show(value)}; it must be true or false`);
}

/** A typed array of one of the classes `types` with exactly `length` elements (any length if not given). */
// biome-ignore lint/suspicious/noExplicitAny: the caller names the classes, and so knows the type
export function typed(name: string, array: unknown, types: readonly string[], length?: number): any {
  if (!types.includes(arrayType(array) ?? "")) {
    throw typeError("invalid-array", `${name} is ${show(array)}; it must be a ${types.join(", ")}`);
  }
  const actual = lengthOf(array as NumberArray);
  if (length !== undefined && actual !== length) {
    const hint = actual === 0 ? " (is its buffer detached?)" : "";
    throw rangeError("invalid-length", `${name} has length ${actual}${hint}; the shape asks for ${length}`);
  }
  return array;
}

/** The classes of integer label arrays, for `typed`. */
export { labelTypes };

/** A label that is no class of this batch. */
export function labelError(batch: ResolvedBatch<Floats>, index: number): Error {
  const perPixel = batch.mode === "multiclass";
  const what = perPixel ? `a class from 0 to ${batch.channels - 1}` : "0 or 1";
  const ignore = batch.ignoreIndex === null ? "" : `, or ignoreIndex ${batch.ignoreIndex}`;
  const label = show(batch.target[index]);
  return rangeError(
    "invalid-label",
    `target${place(batch, index, perPixel)} is ${label}; it must be ${what}${ignore}`,
  );
}

/** A soft target that is no probability. */
export function targetError(batch: ResolvedBatch<Floats>, index: number): Error {
  const found = `target${place(batch, index, false)} is ${show(batch.target[index])}`;
  return rangeError("invalid-target", `${found}; soft targets must lie in [0, 1]`);
}

/** A pixel weight that is negative or not finite. */
export function weightError(batch: ResolvedBatch<Floats>, index: number): Error {
  const found = `pixelWeights${place(batch, index, true)} is ${show(batch.pixelWeights?.[index])}`;
  return rangeError("invalid-weight", `${found}; it must be a finite number ≥ 0`);
}

/** A given distance that is not finite. */
export function distanceError(batch: ResolvedBatch<Floats>, index: number): Error {
  const found = `distance${place(batch, index, false)} is ${show(batch.distance?.[index])}`;
  return rangeError("invalid-distance", `${found}; it must be a finite number`);
}

/** A probability outside [0, 1], or, where the batch asks to `check`, a logit that is not finite. */
export function logitsError(batch: ResolvedBatch<Floats>, index: number): Error {
  const what = batch.fromLogits
    ? "check: true asks for finite logits"
    : "with fromLogits: false it must be a probability in [0, 1]";
  const found = `logits${place(batch, index, false)} is ${show(batch.logits[index])}`;
  return rangeError("invalid-logits", `${found}; ${what}`);
}

/** Where an entry lies, for messages: `[17] (image 0, channel 1, y 2, x 3)`. */
function place(batch: ResolvedBatch<Floats>, index: number, perPixel: boolean): string {
  const { channels, pixels, spatial, axes, channelsLast } = batch;
  const [pixel, channel] = perPixel
    ? [index % pixels, null]
    : channelsLast
      ? [Math.floor(index / channels) % pixels, index % channels]
      : [index % pixels, Math.floor(index / pixels) % channels];
  const image = Math.floor(index / (perPixel ? pixels : channels * pixels));
  const [, height, width] = spatial;
  const parts = [
    `image ${image}`,
    ...(channel === null ? [] : [`channel ${channel}`]),
    ...(axes === 3 ? [`z ${Math.floor(pixel / (height * width))}`] : []),
    `y ${Math.floor(pixel / width) % height}`,
    `x ${pixel % width}`,
  ];
  return `[${index}] (${parts.join(", ")})`;
}
