/**
 * What is timed: blobs as masks, logits N(0, 2) shifted towards the truth. The recipe is that of
 * `peers/time_peers.py`, so that both sides see the same kind of data.
 */
import { random } from "../demo/random.ts";
import { classBlobs, smoothNoise } from "./blobs.ts";

/** A batch as plain arrays; every engine makes its own from them. */
export interface Workload {
  readonly name: string;
  /** Shape of the logits, channels first: [n, c, …spatial]. */
  readonly shape: readonly number[];
  readonly logits: Float32Array<ArrayBuffer>;
  /** One class per pixel; 0 or 1 where there is one channel. */
  readonly target: Uint8Array;
  /** The label that is ignored, if one is. */
  readonly ignoreIndex?: number;
  /** One weight per pixel, if they are weighted. */
  readonly pixelWeights?: Float32Array;
  /** Stands for the signed distance maps of the boundary loss: N(0, 1), shaped like the logits. */
  readonly distance: Float32Array<ArrayBuffer>;
}

/** A mask of one image, 0 or 1 per pixel, for the maps. */
export interface Mask {
  readonly shape: readonly number[];
  readonly pixels: Uint8Array;
}

/** Small sizes try every row; full sizes are those of the issue on speed. */
export type Size = "full" | "quick";

const shapes = {
  W1: { full: [8, 1, 512, 512], quick: [2, 1, 32, 32] },
  W2: { full: [4, 21, 256, 256], quick: [2, 21, 16, 16] },
  W3: { full: [1, 4, 128, 128, 128], quick: [1, 4, 8, 8, 8] },
} as const;

export type WorkloadName = keyof typeof shapes;
export const workloadNames = Object.keys(shapes) as WorkloadName[];

const maskShapes = {
  "8 x 512^2": { full: { images: 8, shape: [512, 512] }, quick: { images: 2, shape: [32, 32] } },
  "128^3": { full: { images: 1, shape: [128, 128, 128] }, quick: { images: 1, shape: [40, 40, 40] } },
  "256^3": { full: { images: 1, shape: [256, 256, 256] }, quick: { images: 1, shape: [48, 48, 48] } },
} as const;

export type MasksName = keyof typeof maskShapes;
export const masksNames = Object.keys(maskShapes) as MasksName[];

/** The share of foreground follows from these thresholds on the smoothed noise. */
const [threshold2D, threshold3D] = [0.02, 0.002];

export const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

export function makeWorkload(name: WorkloadName, size: Size): Workload {
  const shape = shapes[name][size];
  const [images, channels, ...spatial] = shape;
  const generator = random(1 + workloadNames.indexOf(name));
  const pixels = product(spatial);
  const target = new Uint8Array(images * pixels);
  for (let image = 0; image < images; image++) {
    const part = target.subarray(image * pixels, (image + 1) * pixels);
    part.set(
      channels === 1
        ? above(threshold2D, smoothNoise(spatial, generator))
        : classBlobs(channels, spatial, generator),
    );
  }
  const logits = new Float32Array(images * channels * pixels);
  for (let at = 0; at < logits.length; at++) {
    const pixel = Math.floor(at / (channels * pixels)) * pixels + (at % pixels);
    const label = target[pixel]!;
    const shift = channels === 1 ? label * 2 - 1 : label === Math.floor(at / pixels) % channels ? 2 : 0;
    logits[at] = 2 * generator.normal() + shift;
  }
  const distance = Float32Array.from(logits, () => generator.normal());
  return { name, shape, logits, target, distance };
}

/** Binary masks for the distance transforms. */
export function makeMasks(name: MasksName, size: Size): Mask[] {
  const { images, shape } = maskShapes[name][size];
  const generator = random(11 + masksNames.indexOf(name));
  const threshold = shape.length === 2 ? threshold2D : threshold3D;
  return Array.from({ length: images }, () => ({
    shape,
    pixels: above(threshold, smoothNoise(shape, generator)),
  }));
}

const above = (threshold: number, noise: Float32Array): Uint8Array =>
  Uint8Array.from(noise, (x) => Number(x > threshold));

/** A corner of the first image, at most `pixels` large: for engines that need a microsecond per element. */
export function crop(workload: Workload, pixels: number): Workload {
  let corner = workload.shape.slice(2);
  while (product(corner) > pixels) corner = corner.map((side) => Math.ceil(side / 2));
  return cornersOf(workload, 1, corner);
}

/** The same batch, three pixels less of every side: its rows and planes do not end where vectors do. */
export const oddSized = (workload: Workload): Workload =>
  cornersOf(
    workload,
    workload.shape[0]!,
    workload.shape.slice(2).map((side) => side - 3),
  );

/** A void band along the borders of objects, as in Pascal VOC: about a tenth of the pixels. */
export const withBorders = (workload: Workload): Workload => ({
  ...workload,
  ignoreIndex: 255,
  target: workload.target.map((label, i, labels) => (label === (labels[i + 5] ?? label) ? label : 255)),
});

/** A weight for every pixel. */
export const withWeights = (workload: Workload): Workload => ({
  ...workload,
  pixelWeights: Float32Array.from(workload.target, (_, i) => 1 + Math.abs(workload.distance[i]!)),
});

/** A corner of each of the first images. */
function cornersOf(workload: Workload, images: number, corner: readonly number[]): Workload {
  const [, channels, ...spatial] = workload.shape as [number, number, ...number[]];
  const [depth, height, width] = [1, 1, ...corner].slice(-3) as [number, number, number];
  const [, fullHeight, fullWidth] = [1, 1, ...spatial].slice(-3) as [number, number, number];
  const cut = <T extends Float32Array | Uint8Array>(from: T, to: T): T => {
    for (let i = 0; i < to.length; i++) {
      const [x, y, z] = [i % width, Math.floor(i / width) % height, Math.floor(i / (width * height)) % depth];
      const plane = Math.floor(i / (width * height * depth));
      to[i] =
        from[((plane * (product(spatial) / (fullHeight * fullWidth)) + z) * fullHeight + y) * fullWidth + x]!;
    }
    return to;
  };
  const pixels = images * product(corner);
  const elements = channels * pixels;
  return {
    name: workload.name,
    shape: [images, channels, ...corner],
    logits: cut(workload.logits, new Float32Array(elements)),
    target: cut(workload.target, new Uint8Array(pixels)),
    distance: cut(workload.distance, new Float32Array(elements)),
  };
}

/** The same batch with the channels as the last axis. */
export function channelsLast(workload: Workload): Workload {
  const [images, channels, ...spatial] = workload.shape as [number, number, ...number[]];
  const pixels = product(spatial);
  const turn = (from: Float32Array): Float32Array<ArrayBuffer> => {
    const to = new Float32Array(from.length);
    for (let image = 0; image < images; image++) {
      for (let channel = 0; channel < channels; channel++) {
        const [start, plane] = [image * channels * pixels + channel, (image * channels + channel) * pixels];
        for (let p = 0; p < pixels; p++) to[start + p * channels] = from[plane + p]!;
      }
    }
    return to;
  };
  return {
    ...workload,
    shape: [images, ...spatial, channels],
    logits: turn(workload.logits),
    distance: turn(workload.distance),
  };
}

/** The labels as one plane per class, channels first; a binary mask as it is. */
export function oneHotPlanes(workload: Workload): Float32Array<ArrayBuffer> {
  const [, channels, ...spatial] = workload.shape as [number, number, ...number[]];
  const pixels = product(spatial);
  if (channels === 1) return Float32Array.from(workload.target);
  const planes = new Float32Array(workload.target.length * channels);
  workload.target.forEach((label, i) => {
    planes[(Math.floor(i / pixels) * channels + label) * pixels + (i % pixels)] = 1;
  });
  return planes;
}
