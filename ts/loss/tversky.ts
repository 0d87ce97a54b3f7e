import { defineLoss } from "../define.ts";
import { choice, classes, number } from "../option.ts";

/**
 * Tversky loss: mean over (image, class) of 1 − (TP + s)/(TP + α FP + β FN + s).
 *
 * Dice with a knob between precision and recall: β > α punishes misses more than false alarms.
 *
 * TP = Σ p y, FP = Σ p (1−y), FN = Σ (1−p) y over the valid pixels, weighted by `pixelWeights`; s `smooth`.
 * α = β = 0.5 is Dice with twice the smoothing, α = β = 1 is Jaccard with twice the smoothing.
 * A pair without valid pixels leaves the mean.
 *
 * Shapes: any batch. Value in [0, 1]. Errors: `classes` must lie inside the channels.
 *
 * @example
 * tversky({ alpha: 0.3, beta: 0.7 })
 *
 * @remarks The same as MONAI's `TverskyLoss`. Some reviews know one "β" for false positives and give 1−β to false
 * negatives: that is `alpha: b, beta: 1 - b`.
 * S. S. M. Salehi et al., Tversky loss function for image segmentation using 3D fully convolutional deep networks,
 * MLMI 2017.
 */
export const tversky = defineLoss("tversky", {
  /** Sums over each `"image"`, or pooled over the `"batch"`. */
  over: choice(["image", "batch"]),
  /** Classes in the mean: `"all"`, those `"present"` in the target, or a list. */
  classes: classes(),
  /** Weight α of false positives. */
  alpha: number(0.5, { min: 0 }),
  /** Weight β of false negatives. */
  beta: number(0.5, { min: 0 }),
  /** Added to numerator and denominator; keeps empty classes defined. */
  smooth: number(1e-5, { min: 0 }),
});

export type Tversky = ReturnType<typeof tversky>;
