/** Pictures of numbers as PNG. */
import { encode } from "fast-png";
import { type Colour, diverging, grey, sequential, white } from "./colour.ts";

/** One plane of numbers. */
export interface Plane {
  readonly values: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
}

/** Paints a plane. Small ones are enlarged, pixel by pixel, until they can be looked at. */
export function paint(
  { height, width }: Plane,
  colourOf: (pixel: number) => Colour,
  about: string,
): Uint8Array {
  const zoom = Math.max(1, Math.ceil(384 / Math.max(height, width)));
  const data = new Uint8Array(3 * zoom * height * zoom * width);
  for (let i = 0; i < height * width; i++) {
    const colour = colourOf(i);
    const [top, left] = [zoom * Math.floor(i / width), zoom * (i % width)];
    for (let y = top; y < top + zoom; y++) {
      for (let x = left; x < left + zoom; x++) data.set(colour, 3 * (y * zoom * width + x));
    }
  }
  // PNG texts are Latin-1.
  const latin = about.replaceAll("−", "-").replace(/[^ -~\u00a0-\u00ff]/g, "?");
  const text = { Software: "segrad", Description: latin };
  return encode({ height: zoom * height, width: zoom * width, data, channels: 3, depth: 8, text });
}

/** A plane of positive and negative numbers: blue below zero, red above. `limit` has the full colour. */
export function paintDiverging(
  plane: Plane,
  limit: number,
  about: string,
  image?: ArrayLike<number>,
): Uint8Array {
  const groundOf = image === undefined ? () => white : groundFrom(image);
  return paint(plane, (i) => diverging(limit > 0 ? plane.values[i]! / limit : 0, groundOf(i)), about);
}

/** A plane of numbers ≥ 0: dark for 0, bright for `limit`. */
export function paintSequential(plane: Plane, limit: number, about: string): Uint8Array {
  return paint(plane, (i) => sequential(limit > 0 ? plane.values[i]! / limit : 0), about);
}

/** The brightness of an image, paled so that colours stand out on it. */
function groundFrom(image: ArrayLike<number>): (pixel: number) => Colour {
  const sorted = finite(image);
  const [low, high] = [sorted[0] ?? 0, sorted[Math.floor(0.998 * (sorted.length - 1))] ?? 1];
  return (i) => grey(0.15 + (0.8 * (image[i]! - low)) / (high - low || 1));
}

/** The size that all but one number in 500 of those that are not 0 stay below: outliers do not pale the rest. */
export function usualLimit(values: ArrayLike<number>): number {
  const sizes = finite(values)
    .map(Math.abs)
    .filter((size) => size > 0);
  sizes.sort();
  return sizes[Math.floor(0.998 * (sizes.length - 1))] ?? 0;
}

function finite(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(values)
    .filter((value) => Number.isFinite(value))
    .sort();
}
