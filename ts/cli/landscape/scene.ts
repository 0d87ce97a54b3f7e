/**
 * The scenes of the landscape experiment: one round object, large or small, and a prediction that drifts away from it.
 *
 * Everything is drawn from signed distances to shapes (negative inside), so that the same drift exists as a hard
 * prediction and as a soft one whose probability falls off across the contour.
 */

export type Size = "large" | "small";
export type DriftName = "shift" | "growth" | "shrinkage" | "scatter";
export type Sharpness = "hard" | "soft";

/** Pixels of the image along each side. */
export const side = 128;

/** Radius of each object in pixels: 11 % and 0.3 % of the image. */
export const radius: Readonly<Record<Size, number>> = { large: 24, small: 4 };

export const sizes: readonly Size[] = ["large", "small"];
export const sharpnesses: readonly Sharpness[] = ["hard", "soft"];

/** A hard prediction's logits are ± this: probabilities within 10⁻⁷ of 0 and 1. */
export const hardLogit = 16;

/** A soft prediction's logit falls by 1 per pixel across the contour and stays within ± this. */
export const softLogit = 6;

/** Left of the middle, so that the large object has room to leave its place; off the grid, so that pixels leave singly. */
export const centre = { x: 44.3, y: 63.8 };

/** A way for a prediction to go wrong, step by step. */
export interface Drift {
  readonly name: DriftName;
  readonly title: string;
  /** What its amount counts, in the singular. */
  readonly unit: string;
  /** The amounts along the way, from 0 upwards. */
  amounts(size: Size): readonly number[];
  /** Signed distance of every pixel to what is predicted. */
  distances(size: Size, amount: number): Float64Array;
}

export const drifts: Readonly<Record<DriftName, Drift>> = {
  shift: {
    name: "shift",
    title: "Shift",
    unit: "pixel",
    amounts: () => evenly(56, 56),
    distances: (size, amount) => disc(centre.x + amount, centre.y, radius[size]),
  },
  growth: {
    name: "growth",
    title: "Growth",
    unit: "pixel of radius",
    amounts: () => evenly(20, 40),
    distances: (size, amount) => disc(centre.x, centre.y, radius[size] + amount),
  },
  shrinkage: {
    name: "shrinkage",
    title: "Shrinkage",
    unit: "pixel of radius",
    // Two pixels beyond nothing: a hard prediction is empty before that, a soft one fades.
    amounts: (size) => evenly(radius[size] + 2, 40),
    distances: (size, amount) => disc(centre.x, centre.y, radius[size] - amount),
  },
  scatter: {
    name: "scatter",
    title: "Scattered false positives",
    unit: "speck",
    amounts: () => evenly(40, 40),
    distances: (size, amount) => withSpecks(disc(centre.x, centre.y, radius[size]), amount),
  },
};

/** 1 inside the object. */
export function truth(size: Size): Uint8Array {
  return Uint8Array.from(disc(centre.x, centre.y, radius[size]), inside);
}

const inside = (distance: number) => (distance < 0 ? 1 : 0);

/** The logits of a prediction at these signed distances. */
export function logits(distances: Float64Array, sharpness: Sharpness): Float32Array {
  const z = new Float32Array(distances.length);
  for (let i = 0; i < z.length; i++) {
    const depth = -distances[i]!;
    z[i] =
      sharpness === "hard"
        ? depth > 0
          ? hardLogit
          : -hardLogit
        : Math.min(softLogit, Math.max(-softLogit, depth));
  }
  return z;
}

function evenly(last: number, steps: number): number[] {
  return Array.from({ length: steps + 1 }, (_, step) => (step * last) / steps);
}

function disc(centreX: number, centreY: number, r: number): Float64Array {
  const distances = new Float64Array(side * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      distances[y * side + x] = Math.sqrt((x - centreX) ** 2 + (y - centreY) ** 2) - r;
    }
  }
  return distances;
}

/** Radius of a speck: 9 pixels. */
const speckRadius = 1.5;

/** The union of a shape and the first few specks. */
function withSpecks(shape: Float64Array, count: number): Float64Array {
  for (const speck of specks.slice(0, count)) {
    // Beyond this window a speck's distance changes no logit.
    const reach = Math.ceil(speckRadius + softLogit);
    for (let y = Math.max(0, speck.y - reach); y <= Math.min(side - 1, speck.y + reach); y++) {
      for (let x = Math.max(0, speck.x - reach); x <= Math.min(side - 1, speck.x + reach); x++) {
        const distance = Math.hypot(x - speck.x, y - speck.y) - speckRadius;
        shape[y * side + x] = Math.min(shape[y * side + x]!, distance);
      }
    }
  }
  return shape;
}

/** Where the specks appear, in order: anywhere but near the large object, the border and each other. */
const specks = placeSpecks(40);

function placeSpecks(count: number): { x: number; y: number }[] {
  const random = linearCongruential(7);
  const placed: { x: number; y: number }[] = [];
  while (placed.length < count) {
    const [x, y] = [Math.floor(random() * side), Math.floor(random() * side)];
    const margin = Math.min(x, y, side - 1 - x, side - 1 - y);
    const isFree = placed.every((other) => Math.hypot(x - other.x, y - other.y) >= 8);
    if (margin >= 4 && isFree && Math.hypot(x - centre.x, y - centre.y) >= radius.large + 8)
      placed.push({ x, y });
  }
  return placed;
}

/** Numbers in [0, 1), the same ones on every machine. */
function linearCongruential(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
