import { type SetLoss, selectPairs } from "./pairs.ts";

const weightings = {
  square: (size: number) => 1 / size ** 2,
  simple: (size: number) => 1 / size,
  uniform: () => 1,
};

/** mean over images of 1 − (2 Σ w I + s)/(Σ w (Σp + Σy) + s) */
export const generalizedDice: SetLoss<"generalizedDice"> = (planes, options) => {
  const { over, classes, weighting, smooth } = options;
  const { p, y } = planes;
  const pairs = selectPairs(planes, over, classes);
  const sizes = pairs.total(y);

  // A class without foreground weighs as much as the heaviest class of its image, or 1 if there is none.
  const weights = sizes.map(weightings[weighting]);
  const heaviest = new Float64Array(pairs.images);
  weights.forEach((w, i) => {
    if (w < Infinity) heaviest[pairs.image[i]!] = Math.max(heaviest[pairs.image[i]!]!, w);
  });
  const finite = weights.map((w, i) => (w < Infinity ? w : heaviest[pairs.image[i]!]! || 1));

  const overImages = (sums: typeof p) => sums.times(finite).sumBy(pairs.image, pairs.images);
  const overlap = overImages(pairs.sum(p.times(y)));
  const size = overImages(pairs.sum(p).plus(sizes));
  return overlap.times(2).plus(smooth).over(size.plus(smooth), 1).times(-1).plus(1).mean();
};
