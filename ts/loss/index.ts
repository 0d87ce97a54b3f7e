/** The table of losses. To add one: its file, a line in each of the three lists below. */
import type { Filled } from "../define.ts";
import { balancedCrossEntropy } from "./balancedCrossEntropy.ts";
import { boundary } from "./boundary.ts";
import { combo } from "./combo.ts";
import { conservative } from "./conservative.ts";
import { crossEntropy } from "./crossEntropy.ts";
import { dice } from "./dice.ts";
import { exponentialLogarithmic } from "./exponentialLogarithmic.ts";
import { focal } from "./focal.ts";
import { focalTversky } from "./focalTversky.ts";
import { generalizedDice } from "./generalizedDice.ts";
import { hausdorffDT } from "./hausdorffDT.ts";
import { jaccard } from "./jaccard.ts";
import { lovaszHinge } from "./lovaszHinge.ts";
import { lovaszSoftmax } from "./lovaszSoftmax.ts";
import type { Sum } from "./sum.ts";
import { tversky } from "./tversky.ts";
import { weightedCrossEntropy } from "./weightedCrossEntropy.ts";

export { type Sum, sum, type Term } from "./sum.ts";
export {
  balancedCrossEntropy,
  boundary,
  combo,
  conservative,
  crossEntropy,
  dice,
  exponentialLogarithmic,
  focal,
  focalTversky,
  generalizedDice,
  hausdorffDT,
  jaccard,
  lovaszHinge,
  lovaszSoftmax,
  tversky,
  weightedCrossEntropy,
};

/** Every loss but `sum`, by kind: pointwise, overlap, Lovász, boundary. */
export const losses = Object.freeze({
  crossEntropy,
  weightedCrossEntropy,
  balancedCrossEntropy,
  focal,
  conservative,
  dice,
  jaccard,
  tversky,
  focalTversky,
  generalizedDice,
  exponentialLogarithmic,
  combo,
  lovaszHinge,
  lovaszSoftmax,
  boundary,
  hausdorffDT,
});

/** The kinds of the table. */
export type Kind = keyof typeof losses;

/** Every option of a loss, defaults filled in. */
export type OptionsOf<K extends Kind> = Filled<(typeof losses)[K]["options"]>;

/** Any loss a constructor makes. */
export type Loss = ReturnType<(typeof losses)[Kind]> | Sum;

/** A loss that came from elsewhere, for example from JSON: validated where it is used. */
export interface PlainLoss {
  readonly kind: string;
  readonly [option: string]: unknown;
}

/** What every function of the library takes as a loss. */
export type LossSpec = Loss | PlainLoss;
