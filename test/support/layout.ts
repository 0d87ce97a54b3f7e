/** Batches in the other layout, or with their pixels in another order, for tests that compare the two. */
import type { Batch, Floats, Labels } from "../../ts/batch.ts";
import { randomNumbers } from "./arbitrary.ts";

type Shaped = Pick<Batch<Floats>, "shape" | "layout">;

/** The number of channels. */
export function channelsOf({ shape, layout }: Shaped): number {
  return layout === "channels-last" ? shape[shape.length - 1]! : shape[1]!;
}

/** The number of pixels of one image. */
export function pixelsOf(batch: Shaped): number {
  return batch.shape.reduce((product, size) => product * size, 1) / batch.shape[0]! / channelsOf(batch);
}

/** Whether the target is shaped like the logits: soft, or one label per channel. */
export function hasShapedTarget({ mode, target }: Pick<Batch<Floats>, "mode" | "target">): boolean {
  return mode !== "multiclass" || target instanceof Float32Array || target instanceof Float64Array;
}

/** The same batch in the other layout. */
export function transposed<F extends Floats>(batch: Batch<F>): Batch<F> {
  const { shape, target, distance, layout } = batch;
  const swap = <T extends Labels | Floats>(array: T) => transpose(array, batch);
  return {
    ...batch,
    logits: swap(batch.logits),
    target: hasShapedTarget(batch) ? swap(target) : target,
    shape:
      layout === "channels-last"
        ? [shape[0]!, shape[shape.length - 1]!, ...shape.slice(1, -1)]
        : [shape[0]!, ...shape.slice(2), shape[1]!],
    layout: layout === "channels-last" ? "channels-first" : "channels-last",
    ...(distance === undefined ? {} : { distance: swap(distance) }),
  };
}

/** An array shaped like the logits of `batch`, in the other layout. */
export function transpose<T extends Labels | Floats>(array: T, batch: Shaped): T {
  const [channels, pixels] = [channelsOf(batch), pixelsOf(batch)];
  const [inner, outer] = batch.layout === "channels-last" ? [channels, pixels] : [pixels, channels];
  const result = array.slice() as T;
  result.forEach((_, i) => {
    const image = Math.floor(i / (inner * outer));
    const [a, b] = [Math.floor(i / outer) % inner, i % outer];
    result[i] = array[image * inner * outer + b * inner + a]!;
  });
  return result;
}

/** Which label of the target the logit `i` belongs to. */
export function labelOf(batch: Shaped & Pick<Batch<Floats>, "mode" | "target">, i: number): number {
  return hasShapedTarget(batch) ? i : pixelOf(batch, i);
}

/** The pixel, counted over all images, of the i-th logit. */
export function pixelOf(batch: Shaped, i: number): number {
  const [channels, pixels] = [channelsOf(batch), pixelsOf(batch)];
  if (batch.layout === "channels-last") return Math.floor(i / channels);
  return Math.floor(i / (channels * pixels)) * pixels + (i % pixels);
}

/** A random order of so many pixels. */
export function shuffle(length: number, seed: number): number[] {
  const random = randomNumbers(seed + 1);
  const order = [...Array(length).keys()];
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor((i + 1) * random());
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** The entries of an array of pixels with so many channels, pixel i taken from pixel order[i] of its image. */
export function reorder<T extends Labels | Float32Array>(
  array: T,
  batch: Batch,
  order: readonly number[],
  channels: number,
): T {
  const pixels = order.length;
  const result = array.slice() as T;
  for (let i = 0; i < array.length; i++) {
    const image = Math.floor(i / (channels * pixels)) * channels * pixels;
    const [pixel, channel] =
      batch.layout === "channels-last"
        ? [Math.floor((i - image) / channels), (i - image) % channels]
        : [(i - image) % pixels, Math.floor((i - image) / pixels)];
    const from = order[pixel]!;
    const at = batch.layout === "channels-last" ? from * channels + channel : channel * pixels + from;
    result[i] = array[image + at]!;
  }
  return result;
}

/** The batch with the pixels of every image in another order. */
export function reordered(batch: Batch, order: readonly number[]): Batch {
  const channels = channelsOf(batch);
  const { logits, target, pixelWeights, distance } = batch;
  return {
    ...batch,
    logits: reorder(logits, batch, order, channels),
    target: reorder(target, batch, order, hasShapedTarget(batch) ? channels : 1),
    ...(pixelWeights === undefined ? {} : { pixelWeights: reorder(pixelWeights, batch, order, 1) }),
    ...(distance === undefined ? {} : { distance: reorder(distance, batch, order, channels) }),
  };
}
