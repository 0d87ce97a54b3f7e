import { defineLoss } from "../define.ts";
import { classes, numbers } from "../option.ts";

/**
 * Boundary loss: mean over images, classes and pixels of p φ, with φ the signed distance to the class.
 *
 * Pulls the outline, not the area: useful with a regional loss for small structures, under `alphaSchedule`.
 *
 * φ = distance to the class outside of it, −(distance to its outside − 1) inside, so that its inner rim is 0; it is 0
 * for a class that is absent from the image or fills it. Distances are exact and Euclidean, in the unit of
 * `spacing`; the "− 1" is literal, whatever the spacing. `distance` in the batch replaces φ. The mean runs over the
 * valid (image, selected class, pixel) triples; ignored pixels are neither inside nor outside. Soft targets are
 * inside where y > 0.5. `pixelWeights` multiply each pixel's term.
 *
 * Shapes: any batch. Value in the unit of spacing, negative for good predictions. Errors: `spacing` must have one
 * entry per spatial axis, `classes` must lie inside the channels.
 *
 * @example
 * sum([[0.9, generalizedDice()], [0.1, boundary({ classes: [1, 2] })]])
 *
 * @remarks The official pipeline truncates φ to integers by accident; here φ is a float.
 * H. Kervadec et al., Boundary loss for highly unbalanced segmentation, MIDL 2019.
 */
export const boundary = defineLoss("boundary", {
  /** Classes in the mean: `"all"`, those `"present"` in the target, or a list. */
  classes: classes(),
  /** Pixel size per axis, [y, x] or [z, y, x]; none: that of the batch, or 1. */
  spacing: numbers("axis", { above: 0 }),
});

export type Boundary = ReturnType<typeof boundary>;
