import { toTriple } from "../batch.ts";
import { signedDistanceOf } from "./distance.ts";
import { mapCells, type SetLoss, selectPairs } from "./pairs.ts";
import { toPlanes } from "./planes.ts";

/** mean of ω p φ over the valid pixels of the selected classes */
export const boundary: SetLoss<"boundary"> = (planes, { classes, spacing }) => {
  const { batch, y, valid, p } = planes;
  const grid = { spatial: batch.spatial, spacing: spacing === null ? batch.spacing : toTriple(spacing) };
  const distance =
    batch.distance !== null
      ? toPlanes(batch.distance, batch)
      : mapCells(planes, (cell) =>
          signedDistanceOf(
            cell.map((i) => y[i]! > 0.5),
            cell.map((i) => valid[i] === 1),
            grid,
          ),
        );
  const pairs = selectPairs(planes, "image", classes);
  return pairs.sum(p.times(distance)).sum().over(pairs.pixels, 0);
};
