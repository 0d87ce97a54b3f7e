import { defineLoss } from "../define.ts";
import { choice, classes, number } from "../option.ts";

/**
 * Generalized Dice: mean over images of 1 − (2 Σ_c w_c I_c + s)/(Σ_c w_c (Σp_c + Σy_c) + s).
 *
 * One Dice for all classes together, in which small classes weigh as much as large ones.
 *
 * I_c = Σ p y over the valid pixels of class c, weighted by `pixelWeights`; s `smooth`. w_c = 1/(Σy_c)² (`square`),
 * 1/Σy_c (`simple`) or 1 (`uniform`). A class absent from the target takes the largest finite weight of that image;
 * if all are absent every weight is 1. An image without a selected class or a valid pixel leaves the mean.
 *
 * Shapes: any batch. Value in [0, 1]. Errors: `classes` must lie inside the channels.
 *
 * @example
 * generalizedDice({ weighting: "simple" })
 *
 * @remarks The paper leaves absent classes undefined; the rule here is MONAI's `GeneralizedDiceLoss`.
 * C. H. Sudre et al., Generalised Dice overlap as a deep learning loss function for highly unbalanced segmentations,
 * DLMIA 2017.
 */
export const generalizedDice = defineLoss("generalizedDice", {
  /** Sums over each `"image"`, or pooled over the `"batch"`. */
  over: choice(["image", "batch"]),
  /** Classes that take part: `"all"`, those `"present"` in the target, or a list. */
  classes: classes(),
  /** Class weights from the volume of the target. */
  weighting: choice(["square", "simple", "uniform"]),
  /** Added to numerator and denominator; keeps empty classes defined. */
  smooth: number(1e-5, { min: 0 }),
});

export type GeneralizedDice = ReturnType<typeof generalizedDice>;
