/** How much a boundary loss counts, epoch by epoch. */
import { readOptions } from "./arguments.ts";
import { choice, parseNumber } from "./option.ts";

/** How the weight α of a boundary loss grows. */
export interface Schedule {
  /** `constant`: (1, start). `increase`: (1, α). `rebalance`: (1 − α, α). */
  readonly kind: "constant" | "increase" | "rebalance";
  /** α of epoch 0; 0.01 by default. */
  readonly start?: number | undefined;
  /** What α grows by per epoch; 0.01 by default, without effect on `constant`. */
  readonly step?: number | undefined;
  /** Where α stops; 1 by default, and at most 1 for `rebalance`. */
  readonly max?: number | undefined;
}

const kinds = choice(["constant", "increase", "rebalance"]);

/**
 * Weights of the regional and the boundary loss for each epoch: α = min(start + step · epoch, max).
 *
 * A boundary loss alone may shrink everything to nothing, so training starts with a regional loss (generalized Dice,
 * cross-entropy) and lets the boundary come in. The defaults are the paper's: α grows by 0.01 from 0.01.
 *
 * @returns a function of the epoch (≥ 0, counted from 0): [regional weight, boundary weight]
 * @throws SegradError for an unknown kind or option, numbers below 0, and `start` or `max` out of range; and,
 * later, for an epoch that is no number ≥ 0
 *
 * @example
 * const weights = alphaSchedule({ kind: "rebalance", start: 0.01, step: 0.01 });
 * const [regional, border] = weights(epoch);
 * const loss = sum([[regional, generalizedDice()], [border, boundary({ classes: [1] })]]);
 *
 * @remarks H. Kervadec et al., Boundary loss for highly unbalanced segmentation, MIDL 2019.
 */
export function alphaSchedule(schedule: Schedule): (epoch: number) => [regional: number, boundary: number] {
  const given = readOptions(schedule, ["kind", "start", "step", "max"]);
  const kind = kinds.parse(given.kind, "kind");
  const max = parseNumber(given.max ?? 1, "max", kind === "rebalance" ? { min: 0, max: 1 } : { min: 0 });
  const start = parseNumber(given.start ?? Math.min(0.01, max), "start", { min: 0, max });
  const step = parseNumber(given.step ?? 0.01, "step", { min: 0 });
  return (epoch) => {
    const elapsed = parseNumber(epoch, "epoch", { min: 0 });
    const alpha = kind === "constant" ? start : Math.min(start + step * elapsed, max);
    return [kind === "rebalance" ? 1 - alpha : 1, alpha];
  };
}
