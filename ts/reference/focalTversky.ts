import { confusion, type SetLoss, selectPairs } from "./pairs.ts";

/** mean of (1−T)^γ, with 1 − T = (α FP + β FN)/(TP + α FP + β FN + s) ≥ 1e-7 */
export const focalTversky: SetLoss<"focalTversky"> = (planes, options) => {
  const { over, classes, alpha, beta, gamma, smooth } = options;
  const pairs = selectPairs(planes, over, classes);
  const { truePositive, falsePositive, falseNegative } = confusion(planes, pairs);
  const errors = falsePositive.times(alpha).plus(falseNegative.times(beta));
  const loss = errors.over(truePositive.plus(errors).plus(smooth), 0);
  return loss.atLeast(1e-7).power(gamma).mean();
};
