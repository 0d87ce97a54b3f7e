/** Random images for tests of maps and metrics: any rank, side, spacing and type of labels. */
import fc from "fast-check";
import type { Labels } from "../../ts/batch.ts";
import { labelArraysByType, randomNumbers } from "./arbitrary.ts";

export const labelArrays = Object.values(labelArraysByType);

/** The shape of an image, the size of its pixels, and a seed for what is in it. */
export interface Image {
  readonly shape: readonly number[];
  readonly spacing: readonly number[];
  readonly seed: number;
}

/** Images, lines and volumes whose pixels are of one of these sizes along each axis. */
export function images(spacings: readonly number[]): fc.Arbitrary<Image> {
  const side = (max: number) => fc.integer({ min: 1, max });
  const shape = fc.oneof(
    fc.tuple(side(24), side(24)),
    fc.tuple(fc.constant(1), side(150)),
    fc.tuple(side(150), fc.constant(1)),
    fc.tuple(side(7), side(9), side(20)),
  );
  const sizes = fc.constantFrom(...spacings);
  return fc
    .record({ shape, spacing: fc.tuple(sizes, sizes, sizes), seed: fc.integer({ min: 1 }) })
    .map(({ shape, spacing, seed }) => ({ shape, spacing: spacing.slice(0, shape.length), seed }));
}

/** Number of pixels. */
export function pixelsOf({ shape }: Pick<Image, "shape">): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** One label per pixel: `draw` as an array of any type that holds them. */
export function labelsOf(image: Image, draw: (random: () => number) => number): fc.Arbitrary<Labels> {
  return fc.constantFrom(...labelArrays).map((array) => {
    const random = randomNumbers(image.seed);
    return (array as typeof Int32Array).from({ length: pixelsOf(image) }, () => draw(random));
  });
}

/** Boxes of labels up to `most` on a background of 0: they touch, cover each other, and leave gaps. */
export function boxesOf(image: Image, most: number): Int32Array {
  const random = randomNumbers(image.seed);
  const below = (limit: number) => Math.floor(limit * random());
  const labels = new Int32Array(pixelsOf(image));
  const count = below(12);
  for (let box = 0; box < count; box++) {
    const corner = image.shape.map(below);
    const extent = image.shape.map((size) => 1 + below(Math.min(8, size)));
    const label = 1 + below(most);
    for (let i = 0; i < labels.length; i++) {
      let rest = i;
      let isInside = true;
      for (let axis = image.shape.length - 1; axis >= 0; axis--) {
        const position = rest % image.shape[axis]!;
        rest = (rest - position) / image.shape[axis]!;
        isInside &&= position >= corner[axis]! && position < corner[axis]! + extent[axis]!;
      }
      if (isInside) labels[i] = label;
    }
  }
  return labels;
}
