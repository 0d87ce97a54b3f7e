/** Predictions that are the truth gone wrong: moved, grown, blurred, noisy, more or less sure. */
import { distanceTransform } from "segrad";
import { pixels, side } from "./grid.ts";

export interface Distortion {
  /** Pixels to the right, and down. */
  readonly shiftX: number;
  readonly shiftY: number;
  /** Pixels by which the outline moves outwards. */
  readonly grow: number;
  /** Pixels from the outline to full confidence; 0 is a hard edge. */
  readonly blur: number;
  /** Standard deviation of blotches added to the logits. */
  readonly noise: number;
  /** The largest logit before noise, and minus the smallest. */
  readonly confidence: number;
}

/** Logits: confidence · clamp(depth / blur, ±1) + noise, with the depth below the outline in pixels. */
export function distort(mask: Uint8Array, distortion: Distortion): Float32Array {
  const { shiftX, shiftY, grow, blur, noise, confidence } = distortion;
  const depth = depths(mask);
  const logits = new Float32Array(pixels);
  for (let i = 0; i < pixels; i++) {
    const x = (i % side) - shiftX;
    const y = Math.floor(i / side) - shiftY;
    const isThere = x >= 0 && x < side && y >= 0 && y < side;
    const inside = (isThere ? depth[y * side + x]! : -side) + grow;
    const sureness = blur === 0 ? Math.sign(inside) : Math.min(1, Math.max(-1, inside / blur));
    logits[i] = confidence * sureness + noise * blotches[i]!;
  }
  return logits;
}

/** Distance below the outline, which runs between pixels: ½ just inside, −½ just outside. */
function depths(mask: Uint8Array): Float32Array {
  const options = { shape: [side, side] };
  const inside = distanceTransform(mask, options);
  const outside = distanceTransform(
    mask.map((label) => 1 - label),
    options,
  );
  // A mask without an outline is infinitely far from it; the width of the grid is far enough.
  return inside.map((distance, i) =>
    mask[i] === 1 ? Math.min(side, distance) - 0.5 : 0.5 - Math.min(side, outside[i]!),
  );
}

/** Noise with mean 0 and variance 1 in patches of a few pixels, as networks err; the same on every visit. */
const blotches = makeBlotches(11);

function makeBlotches(seed: number): Float64Array {
  let state = seed;
  const white = Float64Array.from({ length: pixels }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
  const soft = average(average(white, 1), side);
  const deviation = Math.sqrt(soft.reduce((sum, value) => sum + value * value, 0) / pixels);
  return soft.map((value) => value / deviation);
}

/** The mean of seven neighbours along an axis whose ends meet. */
function average(values: Float64Array, stride: number): Float64Array {
  return values.map((_, i) => {
    const start = i - (Math.floor(i / stride) % side) * stride;
    const place = Math.floor((i - start) / stride);
    let sum = 0;
    for (let offset = -3; offset <= 3; offset++) {
      sum += values[start + ((place + offset + side) % side) * stride]!;
    }
    return sum / 7;
  });
}
