/** Smoothed noise, and the blobs it makes. */
import type { Random } from "../demo/random.ts";

/** Standard deviation of the smoothing, in pixels, and how far the kernel reaches: 4 σ, as in SciPy. */
const sigma = 8;
const radius = 4 * sigma;

const weights = Float64Array.from({ length: radius + 1 }, (_, i) => Math.exp(-(i * i) / (2 * sigma * sigma)));
const total = weights.reduce((sum, weight, i) => sum + (i === 0 ? weight : 2 * weight), 0);
const kernel = weights.map((weight) => weight / total);

/** Standard normal noise behind a Gaussian filter along every axis; the image is mirrored at its edges. */
export function smoothNoise(shape: readonly number[], random: Random): Float32Array<ArrayBuffer> {
  const length = shape.reduce((a, b) => a * b, 1);
  const image = Float32Array.from({ length }, () => random.normal());
  let stride = length;
  for (const side of shape) {
    stride /= side;
    smoothAxis(image, side, stride);
  }
  return image;
}

/** Filters along the axis of `side` places that lie `stride` numbers apart, in place and line by line. */
function smoothAxis(image: Float32Array, side: number, stride: number): void {
  const line = new Float64Array(side + 2 * radius);
  for (let at = 0; at < image.length; at++) {
    const place = Math.floor(at / stride) % side;
    if (place !== 0) continue; // `at` starts no line
    for (let i = -radius; i < side + radius; i++) line[i + radius] = image[at + mirror(i, side) * stride]!;
    for (let i = 0; i < side; i++) image[at + i * stride] = weightedSum(line, i + radius);
  }
}

/** The kernel on one place of a line. */
function weightedSum(line: Float64Array, place: number): number {
  let sum = kernel[0]! * line[place]!;
  for (let offset = 1; offset <= radius; offset++) {
    sum += kernel[offset]! * (line[place - offset]! + line[place + offset]!);
  }
  return sum;
}

/** The place in 0 … side − 1 that a place outside is the mirror image of: d c b a | a b c d | d c b a. */
function mirror(place: number, side: number): number {
  const period = 2 * side;
  const folded = ((place % period) + period) % period;
  return folded < side ? folded : period - 1 - folded;
}

/** The class of the largest of `classes` images of smoothed noise, pixel by pixel. */
export function classBlobs(classes: number, shape: readonly number[], random: Random): Uint8Array {
  const largest = smoothNoise(shape, random);
  const labels = new Uint8Array(largest.length);
  for (let label = 1; label < classes; label++) {
    smoothNoise(shape, random).forEach((x, i) => {
      if (x <= largest[i]!) return;
      largest[i] = x;
      labels[i] = label;
    });
  }
  return labels;
}
