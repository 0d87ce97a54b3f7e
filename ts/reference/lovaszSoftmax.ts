import { lovasz } from "./lovasz.ts";
import { type SetLoss, selectPairs } from "./pairs.ts";

/** The Lovász extension of ω |y − p|: 1 − p where the label is the class, p elsewhere */
export const lovaszSoftmax: SetLoss<"lovaszSoftmax"> = (planes, { over, classes }) => {
  const isPositive = (i: number) => planes.y[i]! > 0.5;
  const positive = planes.y.map((_, i) => Number(isPositive(i)));
  const negative = positive.map((x) => 1 - x);
  const errors = planes.q.times(positive).plus(planes.p.times(negative)).times(planes.weight);
  return lovasz(selectPairs(planes, over, classes), errors, isPositive);
};
