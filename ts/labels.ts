/** Labels and scores: from one to the other, and how often each label occurs. */
import {
  mostOfMatrix,
  readClasses,
  readCount,
  readIgnoreIndex,
  readLabels,
  readOptions,
  zeros,
} from "./arguments.ts";
import { plain } from "./array.ts";
import { type Floats, type Labels, labelTypes, resolveShape, typed } from "./batch.ts";
import { rangeError } from "./error.ts";
import { choice } from "./option.ts";

/**
 * One-hot planes: y_k = 1 where the label is k, else 0.
 *
 * The losses take integer labels as they are and never make these planes; this is for other programs, and for soft
 * targets to start from.
 *
 * @param labels N·P class numbers, any integer array
 * @param classes number of classes C
 * @param options.images number of images N, 1 by default; must divide the number of labels
 * @param options.ignoreIndex pixels of this label are 0 in every plane; none by default
 * @returns N·C·P zeros and ones, [image][class][pixel], channels first
 * @throws SegradError for labels outside 0…C−1 (named by their index), and options that are no counts
 *
 * @example
 * oneHot(Uint8Array.of(0, 2, 1), 3); // 1 0 0   0 0 1   0 1 0
 */
export function oneHot(
  labels: Labels,
  classes: number,
  options: { readonly images?: number | undefined; readonly ignoreIndex?: number | undefined } = {},
): Uint8Array {
  const given = readOptions(options, ["images", "ignoreIndex"]);
  const count = readClasses(classes);
  const ignoreIndex = readIgnoreIndex(given.ignoreIndex);
  const checked = readLabels("labels", labels, count, ignoreIndex);
  const images = readCount("images", given.images ?? 1, 1);
  const pixels = checked.length / images;
  if (!Number.isInteger(pixels)) {
    const message = `images is ${images}; it must divide the number of labels, ${checked.length}`;
    throw rangeError("invalid-argument", message);
  }
  const planes = zeros(Uint8Array, checked.length * count);
  for (let image = 0; image < images; image++) {
    for (let pixel = 0; pixel < pixels; pixel++) {
      const label = checked[image * pixels + pixel]!;
      if (label !== ignoreIndex) planes[(image * count + label) * pixels + pixel] = 1;
    }
  }
  return planes;
}

const layouts = choice(["channels-first", "channels-last"]);

/**
 * The channel with the largest score of every pixel: the labels that logits or probabilities stand for.
 *
 * A single channel has no rival, and its label is 0 everywhere: threshold binary logits at 0 instead.
 *
 * Of equal scores the first channel wins. A NaN is larger than nothing, and nothing is larger than a NaN in the
 * first channel.
 *
 * @param scores N·C·P numbers, before or after the activation: it keeps their order
 * @param options.shape of the scores in their own layout: [n, c, h, w] or [n, c, d, h, w]
 * @param options.layout `"channels-first"` (default) or `"channels-last"`
 * @returns N·P labels from 0 to C − 1
 * @throws SegradError for a shape that is none, and scores of another length or type
 *
 * @example
 * const labels = argmax(logits, { shape: [n, c, h, w] });
 */
export function argmax(
  scores: Floats,
  options: {
    readonly shape: readonly number[];
    readonly layout?: "channels-first" | "channels-last" | undefined;
  },
): Int32Array {
  const given = readOptions(options, ["shape", "layout"]);
  const channelsLast = layouts.parse(given.layout ?? layouts.default, "layout") === "channels-last";
  const { images, channels, spatial } = resolveShape(given.shape, channelsLast);
  const pixels = spatial[0] * spatial[1] * spatial[2];
  typed("scores", scores, ["Float32Array", "Float64Array"], images * channels * pixels);

  const labels = zeros(Int32Array, images * pixels);
  const [pixelStride, channelStride] = channelsLast ? [channels, 1] : [1, pixels];
  for (let site = 0; site < labels.length; site++) {
    const image = Math.floor(site / pixels);
    const first = image * channels * pixels + (site - image * pixels) * pixelStride;
    let best = scores[first]!;
    for (let k = 1; k < channels; k++) {
      const score = scores[first + k * channelStride]!;
      if (score > best) {
        best = score;
        labels[site] = k;
      }
    }
  }
  return labels;
}

/**
 * Class weights from how often classes occur: w_l = √(Σ f / f_l), f_l the number of pixels labelled l.
 *
 * Meant for `classWeights` of `exponentialLogarithmic` and `crossEntropy`: rare classes weigh more. A class
 * without a pixel takes the largest weight of the others; 1 for all if there is no pixel at all.
 *
 * @param labels of one image or of a whole data set, any integer array
 * @param options.classes number of classes C; by default the largest label + 1
 * @param options.ignoreIndex label that is not counted; none by default
 * @returns C weights ≥ 1
 * @throws SegradError for labels outside 0…C−1, named by their index
 *
 * @example
 * exponentialLogarithmic({ classWeights: classFrequencyWeights(target, { classes: 4 }) });
 *
 * @remarks K. C. L. Wong et al., 3D segmentation with exponential logarithmic loss for highly unbalanced object
 * sizes, MICCAI 2018.
 */
export function classFrequencyWeights(
  labels: Labels,
  options: { readonly classes?: number | undefined; readonly ignoreIndex?: number | undefined } = {},
): number[] {
  const given = readOptions(options, ["classes", "ignoreIndex"]);
  const ignoreIndex = readIgnoreIndex(given.ignoreIndex);
  const found: Labels = plain(typed("labels", labels, labelTypes));
  const classes = readClasses(given.classes ?? largestLabel(found, ignoreIndex) + 1);
  const checked = readLabels("labels", found, classes, ignoreIndex);

  const counts = zeros(Float64Array, classes);
  let total = 0;
  for (const label of checked) {
    if (label === ignoreIndex) continue;
    counts[label]! += 1;
    total += 1;
  }
  const rarest = counts.reduce((least, count) => (count > 0 ? Math.min(least, count) : least), total);
  return Array.from(counts, (count) => (total === 0 ? 1 : Math.sqrt(total / (count || rarest))));
}

function largestLabel(labels: Labels, ignoreIndex: number | null): number {
  let largest = 0;
  for (const label of labels) if (label > largest && label !== ignoreIndex) largest = label;
  return largest;
}

/**
 * Confusion matrix: `matrix[t][p]` pixels of class t were predicted as class p.
 *
 * Everything that counts pixels follows from it: TP of class k is `matrix[k][k]`, FN the rest of row k, FP the rest
 * of column k. Matrices of several images add up, entry by entry.
 *
 * @param prediction one label per pixel, any integer array; `argmax` makes them from scores
 * @param target as many labels
 * @param options.classes number of classes C
 * @param options.ignoreIndex pixels whose target has this label are not counted; none by default. Options of
 * `metrics` may be there too; they have no effect
 * @returns C rows of C counts
 * @throws SegradError for arrays of different lengths and labels outside 0…C−1, named by their index
 */
export function confusionMatrix(
  prediction: Labels,
  target: Labels,
  options: { readonly classes: number; readonly ignoreIndex?: number | undefined },
): number[][] {
  const given = readOptions(options, ["classes", "ignoreIndex", "shape", "spacing", "tolerance"]);
  const classes = readClasses(given.classes, mostOfMatrix);
  const ignoreIndex = readIgnoreIndex(given.ignoreIndex);
  const wanted = readLabels("target", target, classes, ignoreIndex);
  const predicted = readLabels("prediction", prediction, classes, null, wanted.length);

  const counts = zeros(Float64Array, classes * classes);
  for (let i = 0; i < wanted.length; i++) {
    const label = wanted[i]!;
    if (label !== ignoreIndex) counts[label * classes + predicted[i]!]! += 1;
  }
  return Array.from({ length: classes }, (_, t) => [...counts.subarray(t * classes, (t + 1) * classes)]);
}
