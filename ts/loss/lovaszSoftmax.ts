import { defineLoss } from "../define.ts";
import { choice, classes } from "../option.ts";

/**
 * Lovász-Softmax: mean over classes of the Lovász extension of the Jaccard loss, applied to the errors |y − p|.
 *
 * Optimises mean intersection over union directly; the errors are those of the probabilities.
 *
 * For each class the errors m = |y − p| are sorted in descending order; the k-th weighs g_k, the growth of
 * 1 − (G − positives)/(G + negatives) when the k-th pixel is added, where G counts the pixels of the class. Equal
 * errors: the positives of the group first, each with the same share, then its negatives. A class without a pixel
 * (under `all`) costs its largest error. `pixelWeights` multiply the error before sorting. Soft targets count as
 * labels: y = 1 where y > 0.5.
 *
 * Shapes: any batch; binary and multilabel take the sigmoid. Value in [0, 1] without weights. Errors: `classes` must
 * lie inside the channels.
 *
 * @example
 * lovaszSoftmax({ over: "image", classes: "all" })
 *
 * @remarks The official code breaks ties by the order of the pixels, and with `per_image` averages the classes of
 * each image first; here every (image, class) pair has the same weight.
 * M. Berman et al., The Lovász-Softmax loss, CVPR 2018.
 */
export const lovaszSoftmax = defineLoss("lovaszSoftmax", {
  /** Sorted over the whole `"batch"`, or per `"image"`. */
  over: choice(["image", "batch"], "batch"),
  /** Classes in the mean: those `"present"` in the target, `"all"`, or a list. */
  classes: classes("present"),
});

export type LovaszSoftmax = ReturnType<typeof lovaszSoftmax>;
