import { confusion, type SetLoss, selectPairs } from "./pairs.ts";

/** mean of 1 − (TP + s)/(TP + α FP + β FN + s) */
export const tversky: SetLoss<"tversky"> = (planes, { over, classes, alpha, beta, smooth }) => {
  const pairs = selectPairs(planes, over, classes);
  const { truePositive, falsePositive, falseNegative } = confusion(planes, pairs);
  const hits = truePositive.plus(smooth);
  const all = hits.plus(falsePositive.times(alpha)).plus(falseNegative.times(beta));
  return hits.over(all, 1).times(-1).plus(1).mean();
};
