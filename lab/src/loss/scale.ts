/** The slider of a number option: where its bounds and its default put the ends, and how its positions are spaced. */
import type { Bounds } from "../../../ts/option.ts";

export interface Scale {
  /** The slider runs from 0 to this, in whole positions. */
  readonly last: number;
  valueAt(position: number): number;
  positionOf(value: number): number;
}

/** Defaults below this are small by nature: their slider counts powers of ten. */
const tiny = 0.01;

export function scaleOf(bounds: Bounds, initial: number): Scale {
  return initial > 0 && initial < tiny ? powers(bounds, initial) : linear(bounds, initial);
}

function linear({ min, max, above, below }: Bounds, initial: number): Scale {
  const floor = min ?? above ?? 0;
  const ceiling = max ?? below ?? floor + Math.max(1, 4 * (initial - floor));
  const step = ceiling - floor <= 2 ? 0.01 : 0.05;
  // An open end is not a value itself: the slider stops one step before it.
  const low = min === undefined && above !== undefined ? floor + step : floor;
  const high = max === undefined && below !== undefined ? ceiling - step : ceiling;
  const last = Math.round((high - low) / step);
  return {
    last,
    valueAt: (position) => Number((low + position * step).toFixed(2)),
    positionOf: (value) => Math.round(Math.min(last, Math.max(0, (value - low) / step))),
  };
}

/** Ten positions per power of ten, from a hundredth of the default; position 0 is 0 where that is allowed. */
function powers({ min, max }: Bounds, initial: number): Scale {
  const low = Math.round(Math.log10(initial)) - 2;
  const high = Math.round(Math.log10(max ?? 100));
  const last = 10 * (high - low);
  return {
    last,
    valueAt: (position) =>
      position === 0 && min === 0 ? 0 : Number((10 ** (low + position / 10)).toPrecision(2)),
    positionOf: (value) =>
      value <= 0 ? 0 : Math.round(Math.min(last, Math.max(0, 10 * (Math.log10(value) - low)))),
  };
}
