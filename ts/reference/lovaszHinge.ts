import { lovasz } from "./lovasz.ts";
import { type SetLoss, selectPairs } from "./pairs.ts";

/** The Lovász extension of max(0, ω (1 − t z)), t = ±1 */
export const lovaszHinge: SetLoss<"lovaszHinge"> = (planes, { over }) => {
  const isForeground = (i: number) => planes.y[i]! > 0.5;
  const sign = planes.y.map((_, i) => (isForeground(i) ? -1 : 1));
  const errors = planes.logits.times(sign).plus(1).times(planes.weight).atLeast(0);
  return lovasz(selectPairs(planes, over, "all"), errors, isForeground);
};
