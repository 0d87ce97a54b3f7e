/** From a prediction and a target as they lie in files to a batch that a loss can look at. */
import type { Batch, Labels, Mode } from "../../batch.ts";
import { SegradError } from "../../error.ts";
import { FileError, UsageError } from "../failure.ts";
import { isInteger, type Numbers, type Tensor } from "../files/tensor.ts";
import { type Axes, type AxesHints, findAxes } from "./axes.ts";
import { requireSamePlace } from "./place.ts";

/** What the command line says about the files. */
export interface Reading extends AxesHints {
  /** The prediction holds probabilities instead of logits. */
  readonly probabilities?: boolean | undefined;
  /** Every label of the target but 0 counts as 1. */
  readonly binarize?: boolean | undefined;
  readonly ignoreIndex?: number | undefined;
  readonly spacing?: readonly number[] | undefined;
  /** Compares voxel by voxel, wherever the headers say the voxels lie. */
  readonly ignoreAffine?: boolean | undefined;
  /** How many classes there are, or their names. */
  readonly classes?: number | readonly string[] | undefined;
}

/** A prediction against a target. */
export interface Subject {
  readonly prediction: Tensor;
  readonly target: Tensor;
  readonly axes: Axes;
  readonly mode: Mode;
  readonly batch: Batch;
  /** What was taken for granted, for people to check. */
  readonly notes: readonly string[];
}

export function subjectOf(prediction: Tensor, target: Tensor, reading: Reading): Subject {
  const axes = findAxes(prediction, target, reading);
  if (!reading.ignoreAffine) requireSamePlace(prediction, target, reading.spacing !== undefined);
  const notes: string[] = [];
  const scores = reading.labels
    ? oneHotScores(prediction, target, axes, reading)
    : readScores(prediction, reading, notes);
  const { images, spatial } = axes;
  const channels = scores.channels ?? axes.channels;
  const mode = reading.mode ?? (channels === 1 ? "binary" : "multiclass");
  const isLast = scores.channels === undefined && axes.layout === "channels-last";
  const spacing = spacingOf(prediction, target, axes, reading);
  return {
    prediction,
    target,
    axes: { ...axes, channels, layout: isLast ? "channels-last" : "channels-first" },
    mode,
    notes,
    batch: {
      logits: scores.data,
      target: readTarget(target, axes, mode, reading, notes),
      shape: isLast ? [images, ...spatial, channels] : [images, channels, ...spatial],
      mode,
      layout: isLast ? "channels-last" : "channels-first",
      fromLogits: scores.fromLogits,
      ignoreIndex: reading.ignoreIndex,
      spacing,
    },
  };
}

/** Runs a function of the library on a subject; what it says about data names the file the data came from. */
export function examine<T>(subject: Subject, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof SegradError)) throw error;
    const { prediction, target, mode } = subject;
    switch (error.code) {
      case "invalid-label": {
        const hint = mode === "binary" ? " (--binarize takes every label but 0 for 1)" : "";
        throw new FileError(target.file, `${error.message}${hint}`);
      }
      case "invalid-target":
        throw new FileError(target.file, error.message);
      case "invalid-logits":
        throw new FileError(prediction.file, error.message.replace("with fromLogits: false it", "it"));
      default:
        throw error;
    }
  }
}

interface Scores {
  readonly data: Float32Array;
  readonly fromLogits: boolean;
  /** Set where the file has no channels of its own. */
  readonly channels?: number;
}

/** Logits or probabilities: floats as they are, grey images as shares of white. */
function readScores(prediction: Tensor, { probabilities }: Reading, notes: string[]): Scores {
  const { file, data, white } = prediction;
  const largest = largestOf(data);
  if (isInteger(prediction)) {
    if (white === undefined) {
      throw new FileError(
        file,
        "it holds integers; logits and probabilities are floats (--labels takes it for labels)",
      );
    }
    if (white > 1 && largest > 0 && largest < 32 && !probabilities) {
      const found = `its largest value is ${largest} of ${white}`;
      throw new FileError(file, `${found}: is it a label image (--labels) or a faint map (--probabilities)?`);
    }
    return { data: Float32Array.from(data, (level) => level / white), fromLogits: false };
  }
  const isShare = !probabilities && largest <= 1 && data.every((value) => value >= 0);
  if (isShare) notes.push("the prediction is read as logits, and all of it lies in [0, 1]: --probabilities?");
  return { data: data instanceof Float32Array ? data : Float32Array.from(data), fromLogits: !probabilities };
}

/** A label image as certain probabilities: one channel for two classes, else one per class. */
function oneHotScores(prediction: Tensor, target: Tensor, axes: Axes, reading: Reading): Scores {
  const found = wholeNumbers(prediction);
  if (found === undefined) throw new FileError(prediction.file, "with --labels it must hold whole numbers");
  const labels = reading.binarize ? binarized(found, undefined) : masked(found, prediction, reading);
  const wanted = masked(wholeNumbers(target) ?? Uint8Array.of(), target, reading);
  const classes = countClasses(labels, wanted, reading);
  const wrong = labels.findIndex((label) => label < 0 || label >= classes);
  if (wrong >= 0) {
    throw new FileError(
      prediction.file,
      `its element ${wrong} is ${labels[wrong]}; it must be a class from 0 to ${classes - 1}`,
    );
  }
  if (classes === 2) return { data: Float32Array.from(labels), fromLogits: false, channels: 1 };
  const pixels = labels.length / axes.images;
  const data = new Float32Array(labels.length * classes);
  labels.forEach((label, i) => {
    data[(Math.floor(i / pixels) * classes + label) * pixels + (i % pixels)] = 1;
  });
  return { data, fromLogits: false, channels: classes };
}

function countClasses(labels: Labels, target: Labels, { classes, binarize, ignoreIndex }: Reading): number {
  if (binarize) return 2;
  if (typeof classes === "number") return Math.max(2, classes);
  if (classes !== undefined) return Math.max(2, classes.length);
  const used = target.filter((label) => label !== ignoreIndex);
  const most = Math.max(largestOf(labels), largestOf(used)) + 1;
  if (most <= 256) return Math.max(2, most);
  throw new UsageError(
    `the labels go up to ${most - 1}; say how many classes there are with --classes, or --binarize`,
  );
}

/** Labels, or soft targets where there is a number per class and pixel. */
function readTarget(
  target: Tensor,
  axes: Axes,
  mode: Mode,
  { binarize, ignoreIndex }: Reading,
  notes: string[],
): Labels | Float32Array {
  if (binarize) return binarized(target.data, ignoreIndex);
  const labels = wholeNumbers(target);
  if (labels === undefined || (axes.perChannel && mode === "multiclass"))
    return Float32Array.from(target.data);
  if (mode === "multiclass") return labels;
  const mask = masked(labels, target, { ignoreIndex });
  if (mask !== labels) notes.push("the target is black and white: white is taken for 1");
  return mask;
}

/** The labels; those of a black and white image as 0 and 1, unless white is to be ignored or is a class. */
function masked(labels: Labels, { white = 255 }: Tensor, { ignoreIndex, classes }: Reading): Labels {
  const count = typeof classes === "number" ? classes : (classes?.length ?? 2);
  if (white === 1 || ignoreIndex === white || count > 2) return labels;
  const isBlackAndWhite = labels.includes(white) && labels.every((label) => label === 0 || label === white);
  return isBlackAndWhite ? labels.map((label) => (label === 0 ? 0 : 1)) : labels;
}

function binarized(data: Numbers, ignoreIndex: number | undefined): Int32Array {
  return Int32Array.from(data, (label) => (label === ignoreIndex ? label : label === 0 ? 0 : 1));
}

/** The numbers as labels, undefined if one of them is no whole number. */
export function wholeNumbers(tensor: Pick<Tensor, "data">): Labels | undefined {
  const { data } = tensor;
  if (isInteger(tensor)) return data as Labels;
  return data.every((value) => value === Math.trunc(value) && Math.abs(value) < 2 ** 31)
    ? Int32Array.from(data)
    : undefined;
}

function largestOf(numbers: ArrayLike<number>): number {
  let largest = -Infinity;
  for (let i = 0; i < numbers.length; i++) if (numbers[i]! > largest) largest = numbers[i]!;
  return largest;
}

/** Pixel size: what the command line says (one number for all axes will do), else what a header says. */
function spacingOf(
  prediction: Tensor,
  target: Tensor,
  { spatial }: Axes,
  { spacing }: Reading,
): number[] | undefined {
  const given = spacing ?? target.spacing ?? prediction.spacing;
  if (given === undefined) return undefined;
  const list = given.length === 1 ? spatial.map(() => given[0]!) : [...given];
  if (list.length !== spatial.length) {
    throw new UsageError(
      `--spacing has ${list.length} numbers; ${prediction.file} has ${spatial.length} spatial axes`,
    );
  }
  return list;
}
