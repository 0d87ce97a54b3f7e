/** Exact Euclidean distances on small grids. */
import type { Triple } from "../batch.ts";

/** The shape of one image and the size of its pixels, [depth, height, width]. */
export interface Grid {
  readonly spatial: Triple;
  readonly spacing: Triple;
}

/**
 * Distance of every pixel to the nearest pixel where `isGoal`; Infinity without one.
 *
 * Along one axis after the other, each entry takes the least of (what stands anywhere on its line) + (the squared
 * distance to there): plain search, O(pixels · (depth + height + width)).
 */
export function distanceTo(isGoal: (i: number) => boolean, { spatial, spacing }: Grid): Float64Array {
  const [depth, height, width] = spatial;
  let squared = Float64Array.from({ length: depth * height * width }, (_, i) => (isGoal(i) ? 0 : Infinity));
  const strides = [height * width, width, 1];
  for (const axis of [0, 1, 2] as const) {
    const [size, stride, unit] = [spatial[axis], strides[axis]!, spacing[axis]];
    squared = squared.map((_, i) => {
      const position = Math.floor(i / stride) % size;
      const first = i - position * stride;
      let least = Infinity;
      for (let k = 0; k < size; k++) {
        least = Math.min(least, squared[first + k * stride]! + (unit * (k - position)) ** 2);
      }
      return least;
    });
  }
  return squared.map(Math.sqrt);
}

/**
 * Distance of every pixel to the nearest one on the other side of the mask's outline: 0 everywhere if the mask is
 * empty or full, and at pixels that are not valid, which are on neither side.
 */
export function distanceAcross(
  isInside: readonly boolean[],
  isValid: readonly boolean[],
  grid: Grid,
): Float64Array {
  const toInside = distanceTo((i) => isValid[i]! && isInside[i]!, grid);
  const toOutside = distanceTo((i) => isValid[i]! && !isInside[i]!, grid);
  return toInside.map((outer, i) => {
    const distance = isInside[i] ? toOutside[i]! : outer;
    return isValid[i] && distance < Infinity ? distance : 0;
  });
}

/** φ: the distance outside of the mask, 1 − the distance within, so that its inner rim is 0. */
export function signedDistanceOf(
  isInside: readonly boolean[],
  isValid: readonly boolean[],
  grid: Grid,
): Float64Array {
  return distanceAcross(isInside, isValid, grid).map((d, i) => (d > 0 && isInside[i] ? 1 - d : d));
}
