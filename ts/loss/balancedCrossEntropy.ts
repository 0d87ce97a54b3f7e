import { defineLoss } from "../define.ts";
import { choice, numberOrAuto } from "../option.ts";

/**
 * Balanced cross-entropy: mean of β y u⁺ + (1−β)(1−y) u⁻, with u⁺ = −ln p and u⁻ = −ln(1−p).
 *
 * For thin or rare foreground such as edges: foreground and background get the same total weight.
 *
 * y target, p probability. `beta: "auto"` takes β = 1 − mean(y), the share of negatives among the valid labels
 * of each image (and channel), clamped to [0.01, 0.99] so that an image without foreground still teaches.
 * β = 0.5 is half of `crossEntropy`.
 *
 * Shapes: binary, and multilabel per channel. Value in nats. Errors: multiclass, which has
 * `crossEntropy({ classWeights })`.
 *
 * @example
 * balancedCrossEntropy()
 * balancedCrossEntropy({ beta: 0.9 })
 *
 * @remarks The paper and its Caffe code sum over the pixels and do not clamp β; here the mean is the default.
 * S. Xie and Z. Tu, Holistically-nested edge detection, ICCV 2015.
 */
export const balancedCrossEntropy = defineLoss(
  "balancedCrossEntropy",
  {
    /** Weight β of the foreground, or `"auto"` for the share of negatives. */
    beta: numberOrAuto({ min: 0, max: 1 }),
    /** `"mean"` over valid labels, or their `"sum"`. */
    reduction: choice(["mean", "sum"]),
  },
  { modes: ["binary", "multilabel"], instead: "crossEntropy({ classWeights })" },
);

export type BalancedCrossEntropy = ReturnType<typeof balancedCrossEntropy>;
