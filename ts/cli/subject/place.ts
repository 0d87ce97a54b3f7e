/** Where volumes lie in space: a prediction and a target must agree before they are compared voxel by voxel. */
import { FileError } from "../failure.ts";
import type { Tensor } from "../files/tensor.ts";

/** Sizes and places of headers are float32, and programs round them. */
const tolerance = 1e-3;

/**
 * Throws where the headers of both files know where their voxels are, and disagree: in the direction of an axis, in the
 * spacing, or by more than half a voxel in where the volume lies. The files would still fit by their shapes.
 *
 * @param isSpacingGiven whether the command line says the spacing, so that those of the headers do not matter
 */
export function requireSamePlace(prediction: Tensor, target: Tensor, isSpacingGiven: boolean): void {
  const disagree = (what: string, [ours, theirs]: readonly [string, string], remedy: string) =>
    new FileError(
      prediction.file,
      `${what} ${ours}, and in ${target.file} ${theirs}; ${remedy}, or say --ignore-affine to compare voxel by voxel`,
    );
  if (prediction.affine !== undefined && target.affine !== undefined) {
    const directions = [directionsOf(prediction.affine), directionsOf(target.affine)] as const;
    if (directions[0] !== directions[1]) {
      throw disagree("its axes point", directions, "bring both into one orientation");
    }
  }
  if (!isSpacingGiven && prediction.spacing !== undefined && target.spacing !== undefined) {
    const differs = prediction.spacing.some(
      (size, axis) => Math.abs(size / target.spacing![axis]! - 1) > tolerance,
    );
    const spacings = [showSizes(prediction.spacing), showSizes(target.spacing)] as const;
    if (differs) throw disagree("its spacing is", spacings, "resample one of them, give --spacing");
  }
  if (prediction.affine !== undefined && target.affine !== undefined) {
    const apart = distanceApart(prediction, target);
    if (apart > 0.5) {
      const places = [showPlace(prediction.affine), showPlace(target.affine)] as const;
      throw disagree(
        "its first voxel lies at",
        places,
        `they are up to ${apart.toFixed(1)} voxels apart: resample one`,
      );
    }
  }
}

type Affine = NonNullable<Tensor["affine"]>;

/** `LPS`: where x, y and z point: to the left or right, posterior or anterior, superior or inferior. */
function directionsOf(affine: Affine): string {
  const names = ["RL", "AP", "SI"];
  return [0, 1, 2]
    .map((axis) => {
      const column = affine.map((row) => row[axis]!);
      const main = column.reduce((best, x, row) => (Math.abs(x) > Math.abs(column[best]!) ? row : best), 0);
      return names[main]![column[main]! < 0 ? 1 : 0];
    })
    .join("");
}

/** The largest distance between the places of a corner in both files, in the smallest voxel size. */
function distanceApart(prediction: Tensor, target: Tensor): number {
  const [a, b] = [prediction.affine!, target.affine!];
  const [height, width] = target.shape.slice(-2) as [number, number];
  const depth = target.axes?.includes("z") ? target.shape.at(-3)! : 1;
  const size = Math.min(...[0, 1, 2].map((axis) => Math.hypot(...b.map((row) => row[axis]!))));
  const corners = [0, width - 1].flatMap((x) =>
    [0, height - 1].flatMap((y) => [0, depth - 1].map((z) => [x, y, z, 1])),
  );
  const apart = corners.map((corner) =>
    Math.hypot(...a.map((row, i) => row.reduce((sum, x, j) => sum + (x - b[i]![j]!) * corner[j]!, 0))),
  );
  return Math.max(...apart) / size;
}

const showSizes = (sizes: readonly number[]) => sizes.map((size) => +size.toFixed(4)).join(" × ");
const showPlace = (affine: Affine) => `(${affine.map((row) => +row[3]!.toFixed(2)).join(", ")})`;
