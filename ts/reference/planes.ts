/**
 * A batch unfolded for reading: every array in float64 and in planes, [image][channel][pixel] whatever the layout
 * of the batch, labels as one-hot planes, and the probabilities as vectors on a tape.
 */
import {
  distanceError,
  type Floats,
  labelError,
  logitsError,
  type ResolvedBatch,
  targetError,
  weightError,
} from "../batch.ts";
import { activate, type Outcome } from "./activation.ts";
import { Tape, type Vector } from "./tape.ts";

/** All arrays have N·C·P entries, in planes. */
export interface Planes {
  readonly batch: ResolvedBatch<Floats>;
  /** What the batch holds as logits: logits, or probabilities. */
  readonly logits: Vector;
  /** Probabilities p. */
  readonly p: Vector;
  /** 1 − p, accurate where p is near 1. */
  readonly q: Vector;
  /** The target y: one-hot, multi-hot or soft; 0 where ignored. */
  readonly y: Float64Array;
  /** 1 where the label counts, 0 where it is ignored. */
  readonly valid: Float64Array;
  /** The pixel's weight ω where valid, else 0. */
  readonly weight: Float64Array;
  /** What a label can be: a class (multiclass), or foreground and background. */
  readonly outcomes: readonly Outcome[];
  /** Valid labels: pixels in multiclass, (pixel, channel) pairs otherwise. */
  readonly labels: number;
  /** Image and channel of entry i. */
  image(i: number): number;
  channel(i: number): number;
}

/** Checks the data of `batch` and unfolds it onto a new tape. */
export function unfold(batch: ResolvedBatch<Floats>): Planes {
  checkData(batch);
  const { channels, pixels, mode, target, soft, ignoreIndex, pixelWeights } = batch;
  const size = batch.images * channels * pixels;
  const image = (i: number) => Math.floor(i / (channels * pixels));
  const channel = (i: number) => Math.floor(i / pixels) % channels;
  const pixel = (i: number) => image(i) * pixels + (i % pixels);

  const oneLabelPerPixel = mode === "multiclass" && !soft;
  const label = oneLabelPerPixel
    ? Float64Array.from({ length: size }, (_, i) => target[pixel(i)]!)
    : toPlanes(target, batch);
  const valid = label.map((l) => (ignoreIndex !== null && l === ignoreIndex ? 0 : 1));
  const y = label.map((l, i) => (valid[i] === 0 ? 0 : oneLabelPerPixel ? Number(l === channel(i)) : l));
  const weight = valid.map((v, i) => (pixelWeights === null ? v : v * pixelWeights[pixel(i)]!));
  const counted = valid.reduce((sum, v) => sum + v, 0);

  // What stands under an ignored label must not matter, so it is not even read.
  const read = toPlanes(batch.logits, batch).map((z, i) => (valid[i] === 0 ? 0 : z));
  const logits = new Tape().variable(read);
  return {
    batch,
    logits,
    ...activate(batch, logits, y),
    y,
    valid,
    weight,
    labels: mode === "multiclass" ? counted / channels : counted,
    image,
    channel,
  };
}

/** The entries of an array shaped like the logits, in planes. */
export function toPlanes(array: ArrayLike<number>, batch: ResolvedBatch<Floats>): Float64Array {
  return Float64Array.from(array, (_, i) => array[batch.channelsLast ? lastIndex(batch, i) : i]!);
}

/** Writes planes into an array shaped like the logits, in the layout of the batch. */
export function fromPlanes(planes: Float64Array, batch: ResolvedBatch<Floats>, out: Floats): void {
  planes.forEach((x, i) => {
    out[batch.channelsLast ? lastIndex(batch, i) : i] = x;
  });
}

/** Where entry i of the planes lies in a channels-last array. */
function lastIndex({ channels, pixels }: ResolvedBatch<Floats>, i: number): number {
  const image = Math.floor(i / (channels * pixels));
  const channel = Math.floor(i / pixels) % channels;
  return (image * pixels + (i % pixels)) * channels + channel;
}

/** Throws at the first entry that is no weight, distance, logit, soft target or label. */
function checkData(batch: ResolvedBatch<Floats>): void {
  const { logits, target, soft, mode, channels, ignoreIndex, pixelWeights, distance, fromLogits, check } =
    batch;
  const find = (array: ArrayLike<number> | null, isBad: (x: number) => boolean, error: typeof labelError) => {
    const index = array === null ? -1 : Array.prototype.findIndex.call(array, isBad);
    if (index >= 0) throw error(batch, index);
  };
  const isFraction = (x: number) => x >= 0 && x <= 1;
  const classes = mode === "multiclass" ? channels : 2;
  find(pixelWeights, (weight) => !(weight >= 0 && weight < Infinity), weightError);
  find(distance, (x) => !Number.isFinite(x), distanceError);
  if (check) find(logits, (z) => !Number.isFinite(z), logitsError);
  if (!fromLogits) find(logits, (p) => !isFraction(p) && !Number.isNaN(p), logitsError);
  if (soft) find(target, (y) => !isFraction(y), targetError);
  else find(target, (label) => !(label >= 0 && label < classes) && label !== ignoreIndex, labelError);
}
