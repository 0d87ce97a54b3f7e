/** What the demo trains: one row per loss. The rest of the demo knows nothing about any of them. */

import {
  alphaSchedule,
  balancedCrossEntropy,
  boundary,
  combo,
  conservative,
  crossEntropy,
  dice,
  exponentialLogarithmic,
  focal,
  generalizedDice,
  type LossSpec,
  lovaszHinge,
  sum,
  tversky,
  unetWeightMap,
  weightedCrossEntropy,
} from "../ts/core/entry/node.ts";
import type { Half } from "./images.ts";

export interface Row {
  /** The name on the command line. */
  readonly name: string;
  /** The name in the table. */
  readonly title: string;
  /** Trained without being asked for. */
  readonly usual: boolean;
  /** The loss at a share of the training done, 0 … 1. */
  loss(done: number): LossSpec;
  /** One weight per pixel of the training half. */
  pixelWeights?(training: Half): Float32Array;
  /** A line under the table. */
  readonly note?: string;
  /** What this loss is for, to be held against another row. */
  readonly promise?: Promised;
}

/** The score by which a loss should differ from that of another row, by name. */
export interface Promised {
  readonly score: "recall" | "hausdorff95" | "separated";
  readonly than: string;
}

/** The boundary loss takes over from a weight of 0.01 to 1 in this many epochs of equal length. */
const epochs = 99;
const rebalance = alphaSchedule({ kind: "rebalance", start: 0.01, step: 0.01 });

export const rows: readonly Row[] = [
  { name: "crossEntropy", title: "cross-entropy", usual: true, loss: () => crossEntropy() },
  { name: "focal", title: "focal", usual: true, loss: () => focal(), note: "γ = 2." },
  { name: "dice", title: "Dice", usual: true, loss: () => dice() },
  {
    name: "tversky",
    title: "Tversky",
    usual: true,
    loss: () => tversky({ alpha: 0.3, beta: 0.7 }),
    note: "α = 0.3, β = 0.7: a missed pixel costs more than a false one.",
    promise: { score: "recall", than: "dice" },
  },
  {
    name: "diceCrossEntropy",
    title: "Dice + cross-entropy",
    usual: true,
    loss: () => sum([dice(), crossEntropy()]),
  },
  {
    name: "weighted",
    title: "weighted cross-entropy",
    usual: false,
    loss: () => weightedCrossEntropy({ positiveWeight: 3 }),
    note: "a pixel of a nucleus counts 3 times.",
    promise: { score: "recall", than: "crossEntropy" },
  },
  { name: "balanced", title: "balanced cross-entropy", usual: false, loss: () => balancedCrossEntropy() },
  {
    name: "unet",
    title: "U-Net weighting",
    usual: false,
    loss: () => crossEntropy(),
    pixelWeights: bordersBetweenNuclei,
    note: "cross-entropy with pixelWeights = class balance + unetWeightMap (w0 = 10, σ = 5).",
    promise: { score: "separated", than: "crossEntropy" },
  },
  {
    name: "exponentialLogarithmic",
    title: "exponential logarithmic",
    usual: false,
    loss: () => exponentialLogarithmic(),
  },
  { name: "lovaszHinge", title: "Lovász hinge", usual: false, loss: () => lovaszHinge() },
  {
    name: "boundary",
    title: "boundary + generalized Dice",
    usual: false,
    loss: (done) => {
      const [regional, outline] = rebalance(Math.floor(done * epochs));
      return sum([
        [regional, generalizedDice()],
        [outline, boundary()],
      ]);
    },
    note: "weights (1 − α, α), α from 0.01 to 1 in steps of 0.01 over the run; its value changes scale with α.",
    promise: { score: "hausdorff95", than: "dice" },
  },
  {
    name: "conservative",
    title: "conservative",
    usual: false,
    loss: () => conservative(),
    note: "the published expression has no lower bound as p → 1; it is held at 1 − p = 1e-6, where it is −69.",
  },
  { name: "combo", title: "combo", usual: false, loss: () => combo() },
];

/** U-Net's weights: both classes weigh the same in all, and thin strips between nuclei up to 10 more. */
function bordersBetweenNuclei({ instances, target, height, width }: Half): Float32Array {
  const separated = instances.map((id, i) => (target[i] === 1 ? id : 0));
  return unetWeightMap(separated, { shape: [height, width], classBalance: true });
}
