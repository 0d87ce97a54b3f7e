import { defineLoss } from "../define.ts";
import { choice, classes, flag, number } from "../option.ts";

/**
 * Dice loss: mean over (image, class) of 1 − (2I + s)/(Σp + Σy + s), with I = Σ p y.
 *
 * Overlap as a whole, indifferent to how large the background is: the usual partner of cross-entropy.
 *
 * p probability, y target, s `smooth`; every sum runs over the valid pixels and is weighted by `pixelWeights`.
 * `squared` takes Σp² + Σy² below (V-Net). A class without foreground has loss near 1 unless nothing is predicted;
 * leave it out by `classes: "present"`. A pair without valid pixels leaves the mean.
 *
 * Shapes: any batch. Value in [0, 1]. Errors: `classes` must lie inside the channels.
 *
 * @example
 * dice({ over: "batch", classes: [1, 2], smooth: 1 })
 *
 * @remarks The V-Net paper squares and has no smoothing. MONAI's `DiceLoss` is the same with its two smooths equal.
 * F. Milletari et al., V-Net, 3DV 2016.
 */
export const dice = defineLoss("dice", {
  /** Sums over each `"image"`, or pooled over the `"batch"`. */
  over: choice(["image", "batch"]),
  /** Classes in the mean: `"all"`, those `"present"` in the target, or a list. */
  classes: classes(),
  /** Added to numerator and denominator; keeps empty classes defined. */
  smooth: number(1e-5, { min: 0 }),
  /** Squares in the denominator (V-Net). */
  squared: flag(false),
});

export type Dice = ReturnType<typeof dice>;
