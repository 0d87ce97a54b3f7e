import { type SetLoss, selectPairs } from "./pairs.ts";
import { pixelwise } from "./pixelwise.ts";

/** α · mean[β y u⁺ + (1−β)(1−y) u⁻] − (1−α) · mean (2I + s)/(Σp + Σy + s) */
export const combo: SetLoss<"combo"> = (planes, { over, classes, alpha, beta, smooth }) => {
  const { p, y, labels } = planes;
  const pairs = selectPairs(planes, over, classes);
  const overlap = pairs.sum(p.times(y));
  const size = pairs.sum(p).plus(pairs.total(y));
  const dice = overlap.times(2).plus(smooth).over(size.plus(smooth), 1).mean();

  const cross = pixelwise(
    planes,
    (u) => u,
    ({ foreground }) => (foreground ? beta : 1 - beta),
  );
  return cross
    .sum()
    .over(labels, 0)
    .times(alpha)
    .minus(dice.times(1 - alpha));
};
