import { defineLoss } from "../define.ts";
import { choice, number } from "../option.ts";

/**
 * Weighted cross-entropy: mean of β y u⁺ + (1−y) u⁻, with u⁺ = −ln p and u⁻ = −ln(1−p).
 *
 * Makes a rare foreground count more: β > 1 punishes misses (recall rises), β < 1 false alarms.
 *
 * y target, p probability, β `positiveWeight`. β = 1 is `crossEntropy`. The mean divides by the number of valid
 * labels, whatever β.
 *
 * Shapes: binary, and multilabel per channel. Value in nats. Errors: multiclass, which has
 * `crossEntropy({ classWeights })` for the same purpose.
 *
 * @example
 * weightedCrossEntropy({ positiveWeight: 3 })
 *
 * @remarks The `pos_weight` of PyTorch's `binary_cross_entropy_with_logits`.
 */
export const weightedCrossEntropy = defineLoss(
  "weightedCrossEntropy",
  {
    /** Weight β of the foreground. */
    positiveWeight: number(1, { min: 0 }),
    /** `"mean"` over valid labels, or their `"sum"`. */
    reduction: choice(["mean", "sum"]),
  },
  { modes: ["binary", "multilabel"], instead: "crossEntropy({ classWeights })" },
);

export type WeightedCrossEntropy = ReturnType<typeof weightedCrossEntropy>;
