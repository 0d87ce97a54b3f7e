/** Calls of the core: options become numbers, arrays become pointers, faults become errors. */
import { Objective } from "../../pkg/segrad.js";
import type { NumberArray } from "../array.ts";
import {
  distanceError,
  type Floats,
  labelError,
  logitsError,
  type ResolvedBatch,
  targetError,
  weightError,
} from "../batch.ts";
import { arrayType } from "../error.ts";
import { losses } from "../loss/index.ts";
import type { Part, ResolvedLoss } from "../loss/resolve.ts";
import type { ChoiceOption, Option } from "../option.ts";
import { noRoom, type Staging } from "./memory.ts";

/** The types of targets, in the order of the core's list. */
const targetTypes = [
  "Uint8Array",
  "Int8Array",
  "Uint16Array",
  "Int16Array",
  "Uint32Array",
  "Int32Array",
  "Float32Array",
];

type Argument = number | boolean;

/** The core's name of a loss: `focalTversky` is `focal_tversky`, `hausdorffDT` is `hausdorff_dt`. */
export function coreName(name: string): string {
  return name.replace(/[A-Z]+/g, (capitals) => `_${capitals.toLowerCase()}`);
}

/** An option as the core takes it; lists go through memory, behind their own count. */
function encode(option: Option<unknown>, value: unknown, staging: Staging): () => Argument {
  switch (option.type) {
    case "choice": {
      const index = (option as ChoiceOption<string>).choices.indexOf(value as string);
      return () => index;
    }
    case "numberOrAuto":
      return () => (value === "auto" ? Number.NaN : (value as number));
    case "classes":
      if (value === "all") return () => 0;
      return list(
        value === "present" ? [] : (value as number[]),
        staging,
        value === "present" ? -1 : undefined,
      );
    case "numbers":
      if (value === null) return () => 0;
      return typeof value === "number" ? list([value], staging, -1) : list(value as number[], staging);
    default:
      return () => value as Argument;
  }
}

function list(numbers: readonly number[], staging: Staging, count: number = numbers.length): () => number {
  return staging.bring(Float64Array.of(count, ...numbers));
}

function encodePart(part: Part, staging: Staging): (objective: Objective) => void {
  const options: { readonly [name: string]: Option<unknown> } = losses[part.kind].options;
  const values: { readonly [name: string]: unknown } = part.options;
  const args = Object.entries(options).map(([name, option]) => encode(option, values[name], staging));
  const method = coreName(part.kind) as "dice";
  return (objective) => {
    const add = objective[method] as (weight: number, ...args: Argument[]) => void;
    add.call(objective, part.weight, ...args.map((arg) => arg()));
  };
}

/** One objective serves every call: it keeps the memory it works in. */
let shared: Objective | undefined;

/** A batch and a loss on their way into the core. */
export interface Prepared {
  /** The core with the losses added and the layout set; call after `staging.commit()`. */
  objective(): Objective;
  logits(): number;
  target(): number;
  readonly targetType: number;
  weights(): number;
  distance(): number;
}

/** Plans how `loss` and `batch` get into the core. */
export function prepare(loss: ResolvedLoss, batch: ResolvedBatch, staging: Staging): Prepared {
  const parts = loss.parts.map((part) => encodePart(part, staging));
  const bring = (array: NumberArray | null) => staging.bring(array);
  const { spatial, spacing } = batch;
  return {
    objective() {
      shared ??= new Objective();
      shared.clear();
      for (const add of parts) add(shared);
      shared.layout(
        batch.images,
        batch.channels,
        ...spatial,
        ...spacing,
        batch.mode !== "multiclass",
        batch.channelsLast,
        batch.fromLogits,
        batch.ignoreIndex ?? Number.NaN,
      );
      return shared;
    },
    logits: bring(batch.logits),
    target: bring(batch.target),
    targetType: targetTypes.indexOf(arrayType(batch.target)!),
    weights: bring(batch.pixelWeights),
    distance: bring(batch.distance),
  };
}

/** Each argument's words, by the core's number for it. */
const faults: Record<number, (batch: ResolvedBatch<Floats>, index: number) => Error> = {
  1: (batch, index) => (batch.soft ? targetError : labelError)(batch, index),
  2: weightError,
  3: logitsError,
  4: distanceError,
  5: (_, bytes) => noRoom(bytes),
};

/** Throws what the core found wrong with the data of `batch`, if anything. */
export function throwFault(objective: Objective, batch: ResolvedBatch): void {
  const fault = faults[objective.fault()];
  if (fault !== undefined) throw fault(batch, objective.fault_index());
}
