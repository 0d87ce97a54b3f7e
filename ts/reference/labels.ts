/** Labels, one-hot planes, class counts, and the schedule of boundary losses. */
import { type Floats, type Labels, labelTypes, resolveShape, typed } from "../batch.ts";
import { rangeError, show, typeError } from "../error.ts";
import { choice, parseNumber } from "../option.ts";

/** A number of classes. */
export function parseClasses(classes: unknown): number {
  if (typeof classes === "number" && Number.isSafeInteger(classes) && classes > 0) return classes;
  const message = `classes is ${show(classes)}; it must be a positive integer`;
  throw typeof classes === "number"
    ? rangeError("invalid-argument", message)
    : typeError("invalid-argument", message);
}

/** Checks an array of labels from 0 to classes − 1, or `ignoreIndex`. */
export function parseLabels(
  name: string,
  labels: Labels,
  classes: number,
  ignoreIndex?: number,
  length?: number,
): void {
  typed(name, labels, labelTypes, length);
  const index = labels.findIndex((label) => !(label >= 0 && label < classes) && label !== ignoreIndex);
  if (index < 0) return;
  const ignore = ignoreIndex === undefined ? "" : `, or ignoreIndex ${ignoreIndex}`;
  throw rangeError(
    "invalid-label",
    `${name}[${index}] is ${labels[index]}; it must be a class from 0 to ${classes - 1}${ignore}`,
  );
}

/**
 * One plane of zeros and ones per class: N·C·P numbers, [image][class][pixel], from N·P labels. Pixels labelled
 * `ignoreIndex` are 0 in every plane.
 */
export function oneHot(
  labels: Labels,
  classes: number,
  { images = 1, ignoreIndex }: { readonly images?: number; readonly ignoreIndex?: number } = {},
): Uint8Array {
  parseClasses(classes);
  parseLabels("labels", labels, classes, ignoreIndex);
  const pixels = labels.length / images;
  if (!Number.isSafeInteger(images) || images < 1 || !Number.isInteger(pixels)) {
    throw rangeError(
      "invalid-argument",
      `images is ${show(images)}; it must divide the ${labels.length} labels`,
    );
  }
  return Uint8Array.from({ length: labels.length * classes }, (_, i) => {
    const image = Math.floor(i / (classes * pixels));
    const label = labels[image * pixels + (i % pixels)];
    return label !== ignoreIndex && label === Math.floor(i / pixels) % classes ? 1 : 0;
  });
}

const layouts = choice(["channels-first", "channels-last"]);

/** The channel with the largest score of each pixel, the first of equals: N·P labels from scores of this `shape`. */
export function argmax(
  scores: Floats,
  options: { readonly shape: readonly number[]; readonly layout?: "channels-first" | "channels-last" },
): Int32Array {
  const channelsLast = layouts.parse(options.layout ?? "channels-first", "layout") === "channels-last";
  const { images, channels, spatial } = resolveShape(options.shape, channelsLast);
  const pixels = spatial[0] * spatial[1] * spatial[2];
  typed("scores", scores, ["Float32Array", "Float64Array"], images * channels * pixels);
  return Int32Array.from({ length: images * pixels }, (_, site) => {
    const [image, pixel] = [Math.floor(site / pixels), site % pixels];
    const score = (k: number) =>
      scores[channelsLast ? site * channels + k : (image * channels + k) * pixels + pixel]!;
    let best = 0;
    for (let k = 1; k < channels; k++) if (score(k) > score(best)) best = k;
    return best;
  });
}

/**
 * The weights √(Σf / f_l) of Wong et al. 2018, where f_l is the number of pixels labelled l. Classes without a
 * pixel take the largest weight of the others. `classes` is their number, by default the largest label + 1.
 */
export function classFrequencyWeights(
  labels: Labels,
  { classes, ignoreIndex }: { readonly classes?: number; readonly ignoreIndex?: number } = {},
): number[] {
  typed("labels", labels, labelTypes);
  const counted = Array.from(labels).filter((label) => label !== ignoreIndex);
  const length = parseClasses(classes ?? counted.reduce((most, label) => Math.max(most, label), 0) + 1);
  parseLabels("labels", labels, length, ignoreIndex);
  const counts = new Float64Array(length);
  for (const label of counted) counts[label]! += 1;
  const weights = Array.from(counts, (count) => (count > 0 ? Math.sqrt(counted.length / count) : 0));
  const largest = Math.max(...weights) || 1;
  return weights.map((weight) => weight || largest);
}

/** How the weight of a boundary loss grows. */
export interface Schedule {
  /** `constant` and `increase` keep the regional weight at 1; `rebalance` lets it fall to 1 − α. */
  readonly kind: "constant" | "increase" | "rebalance";
  /** α of epoch 0. */
  readonly start?: number;
  /** What α grows by per epoch. */
  readonly step?: number;
  /** Where α stops. */
  readonly max?: number;
}

const kinds = choice(["constant", "increase", "rebalance"]);

/**
 * The (regional, boundary) weights of an epoch, after Kervadec et al. 2019: constant (1, start), increase (1, α) and
 * rebalance (1 − α, α), with α = start + step · epoch, at most `max`.
 *
 * @example
 * const [regional, boundaryWeight] = alphaSchedule({ kind: "rebalance" })(epoch);
 */
export function alphaSchedule(schedule: Schedule): (epoch: number) => [regional: number, boundary: number] {
  const kind = kinds.parse(schedule.kind, "kind");
  const start = parseNumber(schedule.start ?? 0.01, "start", { min: 0 });
  const step = parseNumber(schedule.step ?? 0.01, "step", { min: 0 });
  const max = parseNumber(schedule.max ?? 1, "max", kind === "rebalance" ? { min: 0, max: 1 } : { min: 0 });
  return (epoch) => {
    const elapsed = kind === "constant" ? 0 : parseNumber(epoch, "epoch", { min: 0 });
    const alpha = Math.min(start + step * elapsed, max);
    return [kind === "rebalance" ? 1 - alpha : 1, alpha];
  };
}
