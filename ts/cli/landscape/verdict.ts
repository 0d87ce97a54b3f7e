/** What a curve does, in words that a report and a test can share. */
import type { Curve } from "./experiment.ts";

/**
 * - `rises`: never falls, and still rises in the last tenth of the way.
 * - `flattens`: never falls, and says nothing new from some point on.
 * - `dips`: falls at the very start, then rises: its best prediction is not quite the truth that was drawn.
 * - `falls`: somewhere on the way a worse prediction costs less.
 */
export type Course = "rises" | "flattens" | "dips" | "falls";

export interface Verdict {
  readonly course: Course;
  /** Largest value minus smallest. */
  readonly range: number;
  /** Last value minus first. */
  readonly rise: number;
  /** The deepest fall as a share of the range, and the amount at its bottom; 0 for curves that never fall. */
  readonly fall: number;
  readonly fallsUntil: number;
  /** From this amount on the curve stays within 1 % of the range of its end. The last amount if it never settles. */
  readonly flatFrom: number;
  /** Share of the rise in the first quarter of the way: 0.25 on a straight line, more where the start is steep. */
  readonly early: number;
  /** Largest gradient norm of the wrong predictions, that is beyond the start. */
  readonly strongest: number;
}

/** Falls of less than this share of the range are rounding. */
export const tolerance = 1e-3;
/** A curve this close to its end, as a share of the range, has arrived. */
const settled = 0.01;
/** A fall that ends within this share of the way is a dip. */
const start = 0.15;
/** A curve that settles only in the last tenth of the way rises to the end. */
const late = 0.9;

export function judge({ amounts, values, norms }: Pick<Curve, "amounts" | "values" | "norms">): Verdict {
  const last = values.length - 1;
  const range = Math.max(...values) - Math.min(...values);
  const rise = values[last]! - values[0]!;
  const { fall, bottom } = deepestFall(values);
  const share = range > 0 ? fall / range : 0;

  let flat = last;
  while (flat > 0 && Math.abs(values[flat - 1]! - values[last]!) <= settled * range) flat -= 1;
  const quarter = values[Math.round(last / 4)]! - values[0]!;

  const isFlat = amounts[flat]! < late * amounts[last]!;
  const isDip =
    amounts[bottom]! <= start * amounts[last]! && deepestFall(values.slice(bottom)).fall <= tolerance * range;
  return {
    course: share > tolerance ? (isDip ? "dips" : "falls") : isFlat ? "flattens" : "rises",
    range,
    rise,
    fall: share > tolerance ? share : 0,
    fallsUntil: share > tolerance ? amounts[bottom]! : 0,
    flatFrom: amounts[flat]!,
    early: rise === 0 ? 0 : quarter / rise,
    strongest: norms.slice(1).reduce((most, norm) => Math.max(most, norm), 0),
  };
}

/** The largest drop from any value to a later one, and the index where it ends. */
function deepestFall(values: readonly number[]): { fall: number; bottom: number } {
  let peak = -Infinity;
  let [fall, bottom] = [0, 0];
  values.forEach((value, i) => {
    peak = Math.max(peak, value);
    if (peak - value > fall) [fall, bottom] = [peak - value, i];
  });
  return { fall, bottom };
}
