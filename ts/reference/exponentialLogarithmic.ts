import { confusion, type SetLoss, selectPairs } from "./pairs.ts";
import { pixelwise } from "./pixelwise.ts";

/**
 * w_D · mean (−ln D)^γ_D + w_X · mean w_l u_l^γ_X, both bases ≥ 1e-7.
 * −ln D = ln(Σp + Σy + s)/(2 TP + s) = log1p((FP + FN)/(2 TP + s)), accurate as D → 1.
 */
export const exponentialLogarithmic: SetLoss<"exponentialLogarithmic"> = (planes, options) => {
  const { over, classes, diceWeight, crossWeight, diceGamma, crossGamma, classWeights, smooth } = options;
  const pairs = selectPairs(planes, over, classes);
  const { truePositive, falsePositive, falseNegative } = confusion(planes, pairs);
  const minusLogDice = falsePositive.plus(falseNegative).over(truePositive.times(2).plus(smooth), 0).log1p();
  const dice = minusLogDice.atLeast(1e-7).power(diceGamma).mean();

  const cross = pixelwise(
    planes,
    (u) => u.atLeast(1e-7).power(crossGamma),
    (_, channel) => classWeights?.[channel] ?? 1,
  );
  return dice.times(diceWeight).plus(cross.sum().over(planes.labels, 0).times(crossWeight));
};
