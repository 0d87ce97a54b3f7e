import { defineLoss } from "../define.ts";
import { choice, classes, number } from "../option.ts";

/**
 * Focal Tversky loss: mean over (image, class) of (1 − T)^γ, with T = (TP + s)/(TP + α FP + β FN + s).
 *
 * Tversky that looks harder at badly segmented classes (γ > 1) or keeps pulling on good ones (γ < 1).
 *
 * Symbols as in `tversky`. γ = 1 is Tversky. 1 − T is computed as (α FP + β FN)/(…), never as a difference, and is
 * floored at 1e-7 with gradient 0 below, since a power γ < 1 is infinitely steep at 0.
 *
 * Shapes: any batch. Errors: `classes` must lie inside the channels.
 *
 * @example
 * focalTversky({ alpha: 0.3, beta: 0.7 })
 *
 * @remarks The paper writes the exponent as 1/γ with γ = 4/3, calls the weight of false negatives α, and sums over
 * the classes where we take the mean.
 * N. Abraham and N. M. Khan, A novel focal Tversky loss function, ISBI 2019.
 */
export const focalTversky = defineLoss("focalTversky", {
  /** Sums over each `"image"`, or pooled over the `"batch"`. */
  over: choice(["image", "batch"]),
  /** Classes in the mean: `"all"`, those `"present"` in the target, or a list. */
  classes: classes(),
  /** Weight α of false positives. */
  alpha: number(0.5, { min: 0 }),
  /** Weight β of false negatives. */
  beta: number(0.5, { min: 0 }),
  /** Exponent γ. */
  gamma: number(0.75, { above: 0 }),
  /** Added to numerator and denominator; keeps empty classes defined. */
  smooth: number(1, { min: 0 }),
});

export type FocalTversky = ReturnType<typeof focalTversky>;
