import { lovasz } from "./lovasz.ts";
import { type SetLoss, selectPairs } from "./pairs.ts";

/** The Lovász extension of ω |y − p|: 1 − p where the label is the class, p elsewhere */
export const lovaszSoftmax: SetLoss<"lovaszSoftmax"> = (planes, { over, classes }) => {
  const isPositive = (i: number) => planes.y[i]! > 0.5;
  const positive = planes.y.map((_, i) => Number(isPositive(i)));
  const negative = positive.map((x) => 1 - x);
  // Of a size, not only of a difference from the side where p lies: its slope at p = y is sign(0) = 0.
  const sizes = planes.q.times(positive).plus(planes.p.times(negative)).map(Math.abs, Math.sign);
  const errors = sizes.times(planes.weight);
  return lovasz(selectPairs(planes, over, classes), errors, isPositive);
};
