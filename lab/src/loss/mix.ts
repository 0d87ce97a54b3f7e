/** A loss as the page holds it: a list of terms whose controls can be moved one by one. */
import { type Kind, type LossSpec, losses, sum } from "segrad";
import { candidate } from "../../../ts/cli/landscape/candidates.ts";
import type { Candidate } from "../../../ts/cli/landscape/experiment.ts";
import type { Option } from "../../../ts/option.ts";

export interface Term {
  kind: Kind;
  weight: number;
  /** Options that are not at their default. */
  options: Record<string, unknown>;
}

export type Mix = Term[];

export const kinds = Object.keys(losses) as Kind[];

export function term(kind: Kind, weight = 1): Term {
  return { kind, weight, options: {} };
}

/** The options of a kind, by name: the row of the library's table. */
export function optionsOf(kind: Kind): Readonly<Record<string, Option<unknown>>> {
  return losses[kind].options;
}

/** A single term of weight 1 is itself, everything else a sum. */
export function toLoss(mix: Mix): LossSpec {
  const terms = mix.map(({ weight, kind, options }): readonly [number, LossSpec] => {
    const construct = losses[kind] as (options: object) => LossSpec;
    return [weight, construct(options)];
  });
  const [first, ...others] = terms;
  return first !== undefined && others.length === 0 && first[0] === 1 ? first[1] : sum(terms);
}

/** The loss, its text, and the mode in which it looks at one object on a background. */
export function toCandidate(mix: Mix): Candidate {
  return candidate(toLoss(mix));
}
