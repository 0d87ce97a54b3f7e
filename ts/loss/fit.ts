/** Whether a loss and a batch go together. */
import type { Floats, ResolvedBatch } from "../batch.ts";
import { rangeError, typeError } from "../error.ts";
import type { NumbersOption, Option } from "../option.ts";
import { losses } from "./index.ts";
import type { Part, ResolvedLoss } from "./resolve.ts";

/** Throws a `SegradError` if a part of `loss` cannot look at `batch`. */
export function checkFit(loss: ResolvedLoss, batch: ResolvedBatch<Floats>): void {
  for (const part of loss.parts) {
    checkNeeds(part, batch);
    const options: { readonly [name: string]: Option<unknown> } = losses[part.kind].options;
    const values: { readonly [name: string]: unknown } = part.options;
    for (const [name, option] of Object.entries(options)) {
      if (Array.isArray(values[name])) checkList(`${part.kind}.${name}`, option, values[name], batch);
    }
  }
}

function checkNeeds({ kind }: Part, { mode, fromLogits }: ResolvedBatch<Floats>): void {
  const { needs } = losses[kind];
  if (needs === null) return;
  if (!needs.modes.includes(mode)) {
    const message = `${kind} is defined for ${needs.modes.join(" and ")} batches, and this one is ${mode}`;
    throw typeError("incompatible", `${message}; take ${needs.instead}`);
  }
  if (needs.logits && !fromLogits) {
    const message = `${kind} needs logits, and this batch has probabilities (fromLogits: false)`;
    throw typeError("incompatible", `${message}; take ${needs.instead}`);
  }
}

/** A list of classes has to name channels; a list per class or axis has to have as many entries. */
function checkList(
  name: string,
  option: Option<unknown>,
  list: number[],
  batch: ResolvedBatch<Floats>,
): void {
  const { channels, axes } = batch;
  if (option.type === "classes") {
    const outside = list.find((index) => index >= channels);
    if (outside === undefined) return;
    const message = `${name} names class ${outside}, and the batch has classes 0 to ${channels - 1}`;
    throw rangeError("incompatible", message);
  }
  const { per } = option as NumbersOption<unknown>;
  const length = per === "axis" ? axes : channels;
  if (list.length !== length) {
    const message = `${name} has ${list.length} entries; this batch needs ${length}, one per ${per}`;
    throw rangeError("incompatible", message);
  }
}
