import { defineLoss } from "../define.ts";
import { choice, classes, number } from "../option.ts";

/**
 * Jaccard loss: mean over (image, class) of 1 − (I + s/2)/(U + s/2), with I = Σ p y and U = Σp + Σy − I.
 *
 * One minus soft intersection over union: ranks like Dice, punishes small overlaps harder.
 *
 * p probability, y target, s `smooth`; every sum runs over the valid pixels and is weighted by `pixelWeights`.
 * A pair without valid pixels leaves the mean.
 *
 * Shapes: any batch. Value in [0, 1]. Errors: `classes` must lie inside the channels.
 *
 * @example
 * jaccard({ classes: "present" })
 *
 * @remarks MONAI's `DiceLoss(jaccard=True)` is the same: its smoothing is added to 2I and 2U.
 * M. A. Rahman and Y. Wang, Optimizing intersection-over-union in deep neural networks, ISVC 2016.
 */
export const jaccard = defineLoss("jaccard", {
  /** Sums over each `"image"`, or pooled over the `"batch"`. */
  over: choice(["image", "batch"]),
  /** Classes in the mean: `"all"`, those `"present"` in the target, or a list. */
  classes: classes(),
  /** Added to numerator and denominator; keeps empty classes defined. */
  smooth: number(1e-5, { min: 0 }),
});

export type Jaccard = ReturnType<typeof jaccard>;
