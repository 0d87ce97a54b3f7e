/** What `segrad eval` finds out about one pair of files. */

import { valueAndGrad } from "../core/entry/node.ts";
import type { LossSpec, Sum } from "../loss/index.ts";
import { readTensor } from "./files/read.ts";
import { printLoss } from "./language/print.ts";
import { type ClassScore, classNames, scoresOf } from "./subject/scores.ts";
import { examine, type Reading, type Subject, subjectOf } from "./subject/subject.ts";
import { plural } from "./text/number.ts";

export interface Evaluation {
  readonly prediction: string;
  readonly target: string;
  /** How the files were read, in words. */
  readonly read: string;
  readonly notes: readonly string[];
  readonly value: number;
  /** Each term's own unweighted value. */
  readonly terms: readonly TermValue[];
  readonly classes: readonly ClassScore[];
}

export interface TermValue {
  readonly loss: string;
  readonly weight: number;
  readonly value: number;
}

export function evaluate(prediction: string, target: string, loss: LossSpec, reading: Reading): Evaluation {
  const subject = subjectOf(readTensor(prediction), readTensor(target), reading);
  const names = classNames(subject, reading);
  return examine(subject, () => {
    const { value, terms } = valueAndGrad(loss, subject.batch);
    const parts = termsOf(loss);
    return {
      prediction: subject.prediction.file,
      target: subject.target.file,
      read: describe(subject),
      notes: subject.notes,
      value,
      terms: parts.map((part, index) => ({ ...part, value: terms[index]! })),
      classes: scoresOf(subject, names),
    };
  });
}

/** The terms of a sum as texts with their weights; a loss that is no sum is its own only term. */
export function termsOf(loss: LossSpec): { loss: string; weight: number }[] {
  if (loss.kind !== "sum") return [{ loss: printLoss(loss), weight: 1 }];
  return (loss as Sum).terms.map((term) => ({ loss: printLoss(term.loss), weight: term.weight }));
}

/** `1 image of 512 × 512 (yx), binary, logits`. */
export function describe({ axes, mode, batch, prediction }: Subject): string {
  const { images, spatial, channels, order } = axes;
  const spacing =
    batch.spacing === undefined
      ? ""
      : `, spacing ${batch.spacing.map((size) => +size.toFixed(4)).join(" × ")}`;
  const kind = batch.fromLogits === false ? "probabilities" : "logits";
  const inside = mode === "binary" ? "binary" : `${mode} with ${plural(channels, "channel")}`;
  const read = prediction.axes === undefined ? ` read as ${order}` : "";
  return `${plural(images, "image")} of ${spatial.join(" × ")}${read}, ${inside}, ${kind}${spacing}`;
}
