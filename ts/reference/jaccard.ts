import { type SetLoss, selectPairs } from "./pairs.ts";

/** mean of 1 − (I + s/2)/(U + s/2), U = Σp + Σy − I */
export const jaccard: SetLoss<"jaccard"> = (planes, { over, classes, smooth }) => {
  const { p, y } = planes;
  const pairs = selectPairs(planes, over, classes);
  const overlap = pairs.sum(p.times(y));
  const union = pairs.sum(p).plus(pairs.total(y)).minus(overlap);
  const index = overlap.plus(smooth / 2).over(union.plus(smooth / 2), 1);
  return index.times(-1).plus(1).mean();
};
