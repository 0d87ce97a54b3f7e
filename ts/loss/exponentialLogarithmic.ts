import { defineLoss } from "../define.ts";
import { choice, classes, number, numbers } from "../option.ts";

/**
 * Exponential logarithmic loss: w_D · mean (−ln D)^γ_D + w_X · mean w_l u_l^γ_X.
 *
 * For structures of very different sizes: both parts bend so that middling predictions are pulled hardest.
 *
 * D = (2I + s)/(Σp + Σy + s) per (image, class), u_l = −ln p_l per valid label, w_l `classWeights`
 * (`classFrequencyWeights` gives the paper's). w_D `diceWeight`, w_X `crossWeight`, γ_D `diceGamma`, γ_X
 * `crossGamma`, s `smooth`. Both powers have their base floored at 1e-7 with gradient 0 below, so that a perfect
 * pixel does not divide by zero. The pixel mean divides by the number of valid labels.
 *
 * Shapes: any batch; soft targets weigh each possible label by its share. Errors: `classWeights` must have one
 * entry per channel, `classes` must lie inside the channels.
 *
 * @example
 * exponentialLogarithmic({ classWeights: [0.5, 2, 2] })
 *
 * @remarks The paper uses s = 1 and one γ for both parts; it does not say what happens to a perfect pixel.
 * K. C. L. Wong et al., 3D segmentation with exponential logarithmic loss for highly unbalanced object sizes,
 * MICCAI 2018.
 */
export const exponentialLogarithmic = defineLoss("exponentialLogarithmic", {
  /** Sums over each `"image"`, or pooled over the `"batch"`. */
  over: choice(["image", "batch"]),
  /** Classes in the Dice part: `"all"`, those `"present"` in the target, or a list. */
  classes: classes(),
  /** Weight of the Dice part. */
  diceWeight: number(0.8, { min: 0 }),
  /** Weight of the cross-entropy part. */
  crossWeight: number(0.2, { min: 0 }),
  /** Exponent of −ln D. */
  diceGamma: number(0.3, { above: 0 }),
  /** Exponent of −ln p. */
  crossGamma: number(0.3, { above: 0 }),
  /** Weight of each class (multiclass) or channel in the cross-entropy part; none: all 1. */
  classWeights: numbers("class", { min: 0 }),
  /** Added to numerator and denominator; keeps empty classes defined. */
  smooth: number(1, { min: 0 }),
});

export type ExponentialLogarithmic = ReturnType<typeof exponentialLogarithmic>;
