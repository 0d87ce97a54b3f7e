import { show, typeError } from "../error.ts";
import { parseNumber } from "../option.ts";
import type { LossSpec } from "./index.ts";

/** One term of a sum. */
export interface Term {
  readonly weight: number;
  readonly loss: LossSpec;
}

/** A weighted sum of losses. */
export interface Sum {
  readonly kind: "sum";
  readonly terms: readonly Term[];
}

/**
 * Sum of losses: Σ weight · loss.
 *
 * All terms share one activation and one chain rule, so a sum costs little more than its dearest term. Sums may
 * hold sums. The result of `valueAndGrad` lists the unweighted value of each term as `terms`.
 *
 * @param terms losses (weight 1) or pairs [weight, loss], at least one; weights are any finite numbers
 * @returns `{ kind: "sum", terms: [{ weight, loss }, …] }`, frozen
 * @throws SegradError for an empty list, an entry that is no loss, and a weight that is not finite
 *
 * @example
 * sum([crossEntropy(), [0.5, dice({ smooth: 1 })]])
 */
export function sum(terms: readonly (LossSpec | readonly [weight: number, loss: LossSpec])[]): Sum {
  if (!Array.isArray(terms) || terms.length === 0) {
    throw typeError("invalid-loss", `the terms of sum are ${show(terms)}; they must be a list, not empty`);
  }
  const list = terms.map((entry: unknown, index): Term => {
    const [weight, loss] = Array.isArray(entry) ? entry : [1, entry];
    if (typeof loss !== "object" || loss === null || typeof loss.kind !== "string") {
      throw typeError(
        "invalid-loss",
        `sum: term ${index} is ${show(loss)}; it must be a loss or [weight, loss]`,
      );
    }
    return Object.freeze({ weight: parseNumber(weight, `sum: weight of term ${index}`), loss });
  });
  return Object.freeze({ kind: "sum", terms: Object.freeze(list) });
}
