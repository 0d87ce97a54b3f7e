/** Painting on the grid. */
import { side } from "./grid.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Sets every pixel whose centre lies within `radius` of the way from one point to another. */
export function paintStroke(
  target: Uint8Array | Int8Array,
  from: Point,
  to: Point,
  radius: number,
  value: number,
): void {
  const [left, right] = range(from.x, to.x, radius);
  const [top, bottom] = range(from.y, to.y, radius);
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      if (distanceToSegment(x, y, from, to) <= radius) target[y * side + x] = value;
    }
  }
}

function range(a: number, b: number, radius: number): [first: number, last: number] {
  return [
    Math.max(0, Math.floor(Math.min(a, b) - radius)),
    Math.min(side - 1, Math.ceil(Math.max(a, b) + radius)),
  ];
}

function distanceToSegment(x: number, y: number, from: Point, to: Point): number {
  const along = { x: to.x - from.x, y: to.y - from.y };
  const squared = along.x * along.x + along.y * along.y;
  const projected = squared === 0 ? 0 : ((x - from.x) * along.x + (y - from.y) * along.y) / squared;
  const share = Math.min(1, Math.max(0, projected));
  return Math.hypot(x - from.x - share * along.x, y - from.y - share * along.y);
}
