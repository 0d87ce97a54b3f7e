import { defineLoss } from "../define.ts";
import { choice, number, numberOrNumbers } from "../option.ts";

/**
 * Focal loss: mean of α_t (1−p_t)^γ u_t, with p_t the probability of the true label and u_t = −ln p_t.
 *
 * Cross-entropy that lets go of pixels it already gets right, so that few hard pixels are not drowned by many
 * easy ones.
 *
 * Binary and multilabel: p_t is p where y = 1 and 1−p where y = 0. Multiclass: p_t is the softmax probability of
 * the label. Soft targets weigh the loss of each possible label by its share. γ = 0 without α is `crossEntropy`.
 * 1−p keeps its relative accuracy as p → 1, so gradients of sure pixels are right, not zero or NaN.
 *
 * α as a number: α for foreground, 1−α for background; in multiclass class 0 is the background.
 * α as a list: one factor per class (multiclass) or channel. α never enters the divisor of the mean, which is the
 * number of valid labels.
 *
 * Shapes: any batch. Errors: a list `alpha` must have one entry per channel.
 *
 * @example
 * focal({ gamma: 2, alpha: 0.25 })
 *
 * @remarks The paper divides by the number of foreground anchors. MONAI agrees in the sigmoid form; with softmax it
 * averages over classes too, so its mean is C times smaller. kornia reads a number α in multiclass as we do.
 * T.-Y. Lin et al., Focal loss for dense object detection, ICCV 2017.
 */
export const focal = defineLoss("focal", {
  /** Focus γ: the larger, the less easy pixels count. */
  gamma: number(2, { min: 0 }),
  /** Foreground share in [0, 1], or a factor per class; none: all 1. */
  alpha: numberOrNumbers({ min: 0, max: 1 }, "class", { min: 0 }),
  /** `"mean"` over valid labels, or their `"sum"`. */
  reduction: choice(["mean", "sum"]),
});

export type Focal = ReturnType<typeof focal>;
