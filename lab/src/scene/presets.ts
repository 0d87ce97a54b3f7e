/** Truths to start from. */
import { truth } from "../../../ts/cli/landscape/scene.ts";
import { maskOf } from "./grid.ts";

export interface Preset {
  readonly title: string;
  mask(): Uint8Array;
}

const disc = (centreX: number, centreY: number, radius: number) => (x: number, y: number) =>
  Math.hypot(x - centreX, y - centreY) < radius;

const threeSizes = [disc(44, 46, 24), disc(98, 36, 11), disc(92, 94, 5.5)];
const pair = [disc(45, 64, 20), disc(84, 64, 20)];

/** A thread that wanders across the grid, 2.5 pixels to either side of its middle. */
const isThread = (x: number, y: number) =>
  x > 10 && x < 118 && Math.abs(y - 64 - 22 * Math.sin(x / 15) - 8 * Math.sin(x / 6)) < 2.5;

/** In the order of the page. */
export const presets = {
  sizes: { title: "Three sizes", mask: () => maskOf((x, y) => threeSizes.some((part) => part(x, y))) },
  large: { title: "One large", mask: () => truth("large") },
  small: { title: "One small", mask: () => truth("small") },
  pair: { title: "A close pair", mask: () => maskOf((x, y) => pair.some((part) => part(x, y))) },
  ring: { title: "Ring", mask: () => maskOf((x, y) => disc(64, 64, 36)(x, y) && !disc(64, 64, 27)(x, y)) },
  thread: { title: "Thread", mask: () => maskOf(isThread) },
  empty: { title: "Nothing", mask: () => maskOf(() => false) },
} satisfies Record<string, Preset>;

export type PresetName = keyof typeof presets;
