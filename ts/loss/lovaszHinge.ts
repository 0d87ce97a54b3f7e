import { defineLoss } from "../define.ts";
import { choice } from "../option.ts";

/**
 * Lovász hinge: the Lovász extension of the Jaccard loss, applied to the hinge errors max(0, 1 − t z), t = ±1.
 *
 * Optimises intersection over union itself, by a convex surrogate on the logits: for the last percents of IoU,
 * usually after training with cross-entropy.
 *
 * Errors are sorted in descending order; the k-th weighs g_k, the growth of 1 − (G − positives)/(G + negatives)
 * when the k-th pixel is added, where G counts the foreground. z logit, t = +1 for foreground. Equal errors: the
 * positives of the group first, each with the same share, then its negatives, so that the gradient is a subgradient
 * and does not depend on the order of pixels. `pixelWeights` multiply the error before sorting. Soft targets count
 * as foreground where y > 0.5. An image without valid pixels leaves the mean.
 *
 * Shapes: binary batches of logits. Errors: other modes (use `lovaszSoftmax`) and `fromLogits: false`.
 *
 * @example
 * lovaszHinge({ over: "batch" })
 *
 * @remarks The official code breaks ties by the order of the pixels and counts an image without valid pixels as 0.
 * M. Berman et al., The Lovász-Softmax loss, CVPR 2018.
 */
export const lovaszHinge = defineLoss(
  "lovaszHinge",
  {
    /** Sorted per `"image"`, or over the whole `"batch"`. */
    over: choice(["image", "batch"]),
  },
  { modes: ["binary"], logits: true, instead: "lovaszSoftmax()" },
);

export type LovaszHinge = ReturnType<typeof lovaszHinge>;
