import { defineLoss } from "../define.ts";
import { choice, classes, number } from "../option.ts";

/**
 * Combo loss: α · mean[β y u⁺ + (1−β)(1−y) u⁻] − (1−α) · mean D, with D = (2I + s)/(Σp + Σy + s).
 *
 * Cross-entropy steered by β between misses (β > 0.5) and false alarms (β < 0.5), with Dice to hold the overlap.
 *
 * u⁺ = −ln p, u⁻ = −ln(1−p), y target, I = Σ p y, s `smooth`. The first mean runs over the valid labels, the second
 * over the (image, class) pairs; by default the sums of D are pooled over the batch. The value is negative for good
 * predictions: it tends to α − 1.
 *
 * Shapes: binary, and multilabel per channel. Errors: multiclass, which has
 * `sum([crossEntropy(), dice()])` for the same purpose.
 *
 * @example
 * combo({ alpha: 0.5, beta: 0.4 })
 *
 * @remarks The official code gives the false-positive term the wrong sign; this is the paper's formula, with the
 * mean over classes in place of its sum.
 * S. A. Taghanaki et al., Combo loss: handling input and output imbalance in multi-organ segmentation, CMIG 2019.
 */
export const combo = defineLoss(
  "combo",
  {
    /** Sums pooled over the `"batch"`, or over each `"image"`. */
    over: choice(["image", "batch"], "batch"),
    /** Classes in the Dice part: `"all"`, those `"present"` in the target, or a list. */
    classes: classes(),
    /** Share α of cross-entropy; 1−α is the share of Dice. */
    alpha: number(0.5, { min: 0, max: 1 }),
    /** Weight β of the foreground in cross-entropy; 1−β is that of the background. */
    beta: number(0.5, { min: 0, max: 1 }),
    /** Added to numerator and denominator; keeps empty classes defined. */
    smooth: number(1, { min: 0 }),
  },
  { modes: ["binary", "multilabel"], instead: "sum([crossEntropy(), dice()])" },
);

export type Combo = ReturnType<typeof combo>;
