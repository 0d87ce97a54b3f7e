import { defineLoss } from "../define.ts";
import { choice, number, numbers } from "../option.ts";

/**
 * Cross-entropy: mean of u_l = −ln p_l, the surprise of the true class l.
 *
 * The default loss of segmentation: convex in the logits, a gradient p − y that never vanishes on wrong pixels.
 *
 * Multiclass: u_l = logsumexp(z) − z_l. Binary and multilabel: y u⁺ + (1−y) u⁻ with u⁺ = −ln p, u⁻ = −ln(1−p).
 * Soft targets: Σ_k y_k u_k. Everything is computed from the logits in log space, so no value is clamped.
 *
 * With label smoothing ε the target becomes (1−ε) y + ε/C (binary and multilabel: (1−ε) y + ε/2).
 * The mean divides by the sum of the class weights of the valid labels, as PyTorch does; by the number of valid
 * labels without class weights; by the number of pixels for soft multiclass targets. Nothing valid: value 0.
 * `pixelWeights` multiply each pixel's loss and stay out of the divisor.
 *
 * Shapes: any batch. Value in nats. Errors: `classWeights` must have one entry per channel.
 *
 * @example
 * crossEntropy({ classWeights: [0.2, 1, 1], labelSmoothing: 0.1 })
 *
 * @remarks PyTorch's `cross_entropy` is the same, except that its mean over no valid pixel is NaN.
 * Class-balanced `pixelWeights` times a distance map make it the U-Net loss (Ronneberger et al., MICCAI 2015).
 */
export const crossEntropy = defineLoss("crossEntropy", {
  /** Weight of each class (multiclass) or channel; none: all 1. */
  classWeights: numbers("class", { min: 0 }),
  /** Share of the target spread over all classes. */
  labelSmoothing: number(0, { min: 0, max: 1 }),
  /** `"mean"` over valid labels, or their `"sum"`. */
  reduction: choice(["mean", "sum"]),
});

export type CrossEntropy = ReturnType<typeof crossEntropy>;
