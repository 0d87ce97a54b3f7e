/** The losses that take part: every row of the table, set up so that no two say the same. */
import type { Mode } from "../../batch.ts";
import { type Kind, type LossSpec, losses } from "../../loss/index.ts";
import { resolveLoss } from "../../loss/resolve.ts";
import { printLoss } from "../language/print.ts";
import type { Candidate } from "./experiment.ts";

/** Options where the defaults would repeat another row: these three would be cross-entropy and Dice again. */
const options: { readonly [kind in Kind]?: object } = {
  weightedCrossEntropy: { positiveWeight: 10 },
  tversky: { alpha: 0.3, beta: 0.7 },
  focalTversky: { alpha: 0.3, beta: 0.7 },
};

/** Every loss of the table. */
export function everyLoss(): Candidate[] {
  return Object.values(losses).map((construct) => {
    const make = construct as (options: object) => LossSpec;
    return candidate(make(options[construct.kind] ?? {}));
  });
}

/** Any loss, with the mode in which it can look at one object on a background. */
export function candidate(loss: LossSpec): Candidate {
  const kinds = resolveLoss(loss).parts.map((part) => part.kind);
  // Weighing classes against each other needs two of them.
  const candidates: Mode[] = kinds.includes("generalizedDice")
    ? ["multiclass", "binary"]
    : ["binary", "multilabel", "multiclass"];
  const mode = candidates.find((word) =>
    kinds.every((kind) => losses[kind].needs?.modes.includes(word) ?? true),
  );
  return { title: printLoss(loss), loss, mode: mode ?? "binary" };
}
