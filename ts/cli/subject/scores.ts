/** Metrics per class of a subject. */
import type { Labels } from "../../batch.ts";
import { argmax, type ClassMetrics, metrics } from "../../core/entry/node.ts";
import { UsageError } from "../failure.ts";
import type { Reading, Subject } from "./subject.ts";

/** How one class was met. Infinite distances: the class is missing on one side. */
export interface ClassScore extends Pick<ClassMetrics, MetricName> {
  readonly name: string;
  /** Pixels of the class in the target and in the prediction. */
  readonly pixels: number;
  readonly predicted: number;
  /** In how many images the class is on one side only: they have no finite distance. */
  readonly unmatched: number;
}

/** The metrics that are reported, in order, with their headings. */
export const metricNames = {
  dice: "Dice",
  iou: "IoU",
  precision: "precision",
  recall: "recall",
  hausdorff95: "HD95",
  averageSurfaceDistance: "ASSD",
} as const;

export type MetricName = keyof typeof metricNames;

/** Scores of every class: the mean over the images of the subject. */
export function scoresOf(subject: Subject, names: readonly string[]): ClassScore[] {
  const perImage = Array.from({ length: subject.axes.images }, (_, image) =>
    imageScores(subject, image, names),
  );
  return names.map((_, k) => meanScore(perImage.map((scores) => scores[k]!)));
}

/** The names of the classes that are scored: the foreground of binary subjects, else one per channel. */
export function classNames({ mode, axes }: Subject, { classes }: Reading): string[] {
  const { channels } = axes;
  const given = typeof classes === "number" ? undefined : classes;
  if (mode === "binary") {
    const count = typeof classes === "number" ? classes : (given?.length ?? 1);
    if (count > 2) throw new UsageError(`--classes names ${count} classes, and the prediction is binary`);
    return [given?.at(-1) ?? "foreground"];
  }
  const count = typeof classes === "number" ? classes : (given?.length ?? channels);
  if (count !== channels)
    throw new UsageError(`--classes names ${count} classes, and the prediction has ${channels}`);
  return Array.from({ length: channels }, (_, k) => given?.[k] ?? String(k));
}

/** Scores of several cases, class by class: infinite distances are left out of the mean. */
export function meanScore(scores: readonly ClassScore[]): ClassScore {
  const mean = (key: MetricName) => {
    const finite = scores.map((score) => score[key]).filter(Number.isFinite);
    const total = finite.reduce((sum, value) => sum + value, 0);
    return finite.length > 0 ? total / finite.length : scores[0]![key];
  };
  const total = (key: "pixels" | "predicted" | "unmatched") =>
    scores.reduce((sum, score) => sum + score[key], 0);
  const means = Object.keys(metricNames).map((key) => [key, mean(key as MetricName)]);
  return {
    name: scores[0]!.name,
    pixels: total("pixels"),
    predicted: total("predicted"),
    unmatched: total("unmatched"),
    ...(Object.fromEntries(means) as Pick<ClassMetrics, MetricName>),
  };
}

function imageScores(subject: Subject, image: number, names: readonly string[]): ClassScore[] {
  const { axes, batch, mode } = subject;
  const { channels, spatial } = axes;
  const options = { shape: spatial, spacing: batch.spacing ?? spatial.map(() => 1) };
  const ignore = batch.ignoreIndex === undefined ? {} : { ignoreIndex: batch.ignoreIndex };
  if (mode === "multiclass") {
    const [prediction, target] = [predictedClasses(subject, image), targetClasses(subject, image)];
    const all = metrics(prediction, target, { ...options, ...ignore, classes: channels });
    return names.map((name, k) => score(name, k, prediction, target, all[k]!));
  }
  return names.map((name, k) => {
    const [prediction, target] = [predictedMask(subject, image, k), targetMask(subject, image, k)];
    return score(
      name,
      1,
      prediction,
      target,
      metrics(prediction, target, { ...options, ...ignore, classes: 2 })[1]!,
    );
  });
}

function score(
  name: string,
  label: number,
  prediction: Labels,
  target: Labels,
  found: ClassMetrics,
): ClassScore {
  const count = (labels: Labels) => Array.from(labels).filter((other) => other === label).length;
  const { dice, iou, precision, recall, hausdorff95, averageSurfaceDistance } = found;
  return {
    name,
    pixels: count(target),
    predicted: count(prediction),
    unmatched: hausdorff95 === Infinity ? 1 : 0,
    ...{ dice, iou, precision, recall, hausdorff95, averageSurfaceDistance },
  };
}

function predictedClasses({ batch, axes }: Subject, image: number): Int32Array {
  const size = batch.logits.length / axes.images;
  const scores = batch.logits.subarray(image * size, (image + 1) * size);
  return argmax(scores, { shape: [1, ...batch.shape.slice(1)], layout: axes.layout });
}

/** Labels of one image; the likeliest class of soft targets. */
function targetClasses({ batch, axes }: Subject, image: number): Labels {
  const size = batch.target.length / axes.images;
  const part = batch.target.subarray(image * size, (image + 1) * size);
  return part instanceof Float32Array
    ? argmax(part, { shape: [1, ...batch.shape.slice(1)], layout: axes.layout })
    : part;
}

function predictedMask({ batch, axes }: Subject, image: number, channel: number): Uint8Array {
  const threshold = batch.fromLogits === false ? 0.5 : 0;
  return Uint8Array.from(plane(batch.logits, axes, image, channel), (score) => (score > threshold ? 1 : 0));
}

function targetMask({ batch, axes }: Subject, image: number, channel: number): Labels {
  const labels = plane(batch.target, axes, image, channel);
  return batch.target instanceof Float32Array
    ? Uint8Array.from(labels, (share) => (share > 0.5 ? 1 : 0))
    : Int32Array.from(labels);
}

/** One channel of one image. */
function plane(data: Labels | Float32Array, axes: Subject["axes"], image: number, channel: number): number[] {
  const { channels, spatial, layout } = axes;
  const pixels = spatial.reduce((product, length) => product * length, 1);
  const [first, step] =
    layout === "channels-last"
      ? [image * pixels * channels + channel, channels]
      : [(image * channels + channel) * pixels, 1];
  return Array.from({ length: pixels }, (_, i) => data[first + i * step]!);
}
