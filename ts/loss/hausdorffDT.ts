import { defineLoss } from "../define.ts";
import { classes, number, numbers } from "../option.ts";

/**
 * Hausdorff loss by distance transforms: mean of (p − y)² (d_p^α + d_y^α).
 *
 * Weighs each wrong pixel by how far it lies from both outlines: an estimate of the Hausdorff distance that can be
 * trained.
 *
 * d of a mask is the distance to its outline, inside and outside: to the nearest outside pixel within the mask, to
 * the nearest inside pixel beyond it, 0 when the mask is empty or full. d_p uses p > 0.5, d_y uses y > 0.5; both are
 * constants for the gradient. Distances are in the unit of `spacing`. The mean runs over the valid (image, selected
 * class, pixel) triples; ignored pixels are neither inside nor outside. `pixelWeights` multiply each pixel's term.
 *
 * Shapes: any batch. Errors: `spacing` must have one entry per spatial axis, `classes` must lie inside the channels.
 *
 * @example
 * hausdorffDT({ classes: "present" })
 *
 * @remarks The same as MONAI's `HausdorffDTLoss` with its background included.
 * D. Karimi and S. E. Salcudean, Reducing the Hausdorff distance in medical image segmentation with convolutional
 * neural networks, TMI 2019.
 */
export const hausdorffDT = defineLoss("hausdorffDT", {
  /** Classes in the mean: `"all"`, those `"present"` in the target, or a list. */
  classes: classes(),
  /** Exponent α of the distances. */
  alpha: number(2, { min: 0 }),
  /** Pixel size per axis, [y, x] or [z, y, x]; none: that of the batch, or 1. */
  spacing: numbers("axis", { above: 0 }),
});

export type HausdorffDT = ReturnType<typeof hausdorffDT>;
