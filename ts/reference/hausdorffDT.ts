import { toTriple } from "../batch.ts";
import { distanceAcross } from "./distance.ts";
import { mapCells, type SetLoss, selectPairs } from "./pairs.ts";

/** mean of ω (p − y)² (d_p^α + d_y^α) over the valid pixels of the selected classes; d has no gradient */
export const hausdorffDT: SetLoss<"hausdorffDT"> = (planes, { classes, alpha, spacing }) => {
  const { batch, y, valid, p, q } = planes;
  const grid = { spatial: batch.spatial, spacing: spacing === null ? batch.spacing : toTriple(spacing) };
  const distances = (of: Float64Array) =>
    mapCells(planes, (cell) =>
      distanceAcross(
        cell.map((i) => of[i]! > 0.5),
        cell.map((i) => valid[i] === 1),
        grid,
      ),
    );
  const [predicted, wanted] = [distances(p.value), distances(y)];
  const weight = predicted.map((d, i) => d ** alpha + wanted[i]! ** alpha);

  // p − y, accurate where p is near y
  const error = p.times(y.map((share) => 1 - share)).minus(q.times(y));
  const pairs = selectPairs(planes, "image", classes);
  return pairs.sum(error.times(error).times(weight)).sum().over(pairs.pixels, 0);
};
