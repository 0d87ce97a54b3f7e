/** The options that several commands share. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { LossSpec } from "../loss/index.ts";
import { parseLoss } from "./language/parse.ts";
import { parseOrder } from "./subject/axes.ts";
import type { Reading } from "./subject/subject.ts";

/** The options that say how files are to be read, as commander gives them. */
export interface ReadingOptions extends Reading {
  readonly loss: LossSpec;
}

/** Adds the loss and everything that says how prediction and target are to be read. */
export function addReading(command: Command): Command {
  return command
    .requiredOption("-l, --loss <loss>", "the loss, for example 'dice+0.5*crossEntropy'", parseLoss)
    .addOption(
      new Option(
        "-m, --mode <mode>",
        "what the channels are; binary for one channel, else multiclass",
      ).choices(["binary", "multilabel", "multiclass"]),
    )
    .option("-p, --probabilities", "the prediction holds probabilities, not logits")
    .option("--labels", "the prediction is a label image")
    .option("--classes <names>", "names of the classes (a,b,c), or how many there are", parseClasses)
    .option("--binarize", "every label of the target but 0 counts as 1")
    .option("--ignore-index <label>", "pixels with this label do not count", parseInteger)
    .addOption(
      new Option(
        "--layout <layout>",
        "where the channels of .npy and .npz are (default: channels-first)",
      ).choices(["channels-first", "channels-last"]),
    )
    .option("--axes <order>", "axes of the prediction, such as ncyx, czyx or yxc", parseOrder)
    .option("--spacing <sizes>", "pixel size along y,x or z,y,x, or one for all", parseSpacing)
    .option("--ignore-affine", "do not ask whether NIfTI headers put both files in the same place");
}

/** What the options of `addReading` say about the files. */
export function readingOf(options: ReadingOptions): Reading {
  const { loss: _, ...reading } = options;
  return reading;
}

/** `1.5` or `2,0.5,0.5`. */
export function parseSpacing(text: string): number[] {
  return text.split(",").map((part) => {
    const size = parseNumber(part);
    if (size > 0) return size;
    throw new InvalidArgumentError("It must be numbers > 0, separated by commas.");
  });
}

export function parseNumber(text: string): number {
  const number = Number(text);
  if (text.trim() !== "" && Number.isFinite(number)) return number;
  throw new InvalidArgumentError("It must be a number.");
}

export function parseInteger(text: string): number {
  const number = parseNumber(text);
  if (Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError("It must be a whole number.");
}

export function parseIndex(text: string): number {
  const number = parseInteger(text);
  if (number >= 0) return number;
  throw new InvalidArgumentError("It must be a whole number ≥ 0.");
}

export function parseCount(text: string): number {
  const number = parseInteger(text);
  if (number > 0) return number;
  throw new InvalidArgumentError("It must be a whole number > 0.");
}

function parseClasses(text: string): number | string[] {
  if (/^\d+$/.test(text)) return parseCount(text);
  return text.split(",").map((name) => {
    if (name.trim() !== "") return name.trim();
    throw new InvalidArgumentError("Names are separated by commas, and none is empty.");
  });
}
