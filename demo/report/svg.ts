import type { Point } from "./chart.ts";

/** A linear map from one range to another; what lies outside is held at the ends. */
export function scaleLinear(
  [low, high]: readonly [number, number],
  [from, to]: readonly [number, number],
): (value: number) => number {
  return (value) => {
    const share = high === low ? 0.5 : Math.min(1, Math.max(0, (value - low) / (high - low)));
    return from + share * (to - from);
  };
}

/** The path through points; points that are not finite interrupt it. */
export function line(points: readonly Point[]): string {
  let isOpen = false;
  return points
    .map(({ x, y }) => {
      const command = Number.isFinite(x + y) ? `${isOpen ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}` : "";
      isOpen = command !== "";
      return command;
    })
    .join("");
}
