import { type SetLoss, selectPairs } from "./pairs.ts";

/** mean of 1 − (2I + s)/(Σp + Σy + s), or with Σp² + Σy² below */
export const dice: SetLoss<"dice"> = (planes, { over, classes, smooth, squared }) => {
  const { p, y } = planes;
  const pairs = selectPairs(planes, over, classes);
  const overlap = pairs.sum(p.times(y));
  const size = squared
    ? pairs.sum(p.times(p)).plus(pairs.total(y.map((share) => share * share)))
    : pairs.sum(p).plus(pairs.total(y));
  const coefficient = overlap.times(2).plus(smooth).over(size.plus(smooth), 1);
  return coefficient.times(-1).plus(1).mean();
};
