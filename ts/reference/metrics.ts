/** How well labels agree, for reports. */
import { type Labels, resolveGrid } from "../batch.ts";
import { parseNumber } from "../option.ts";
import { distanceTo } from "./distance.ts";
import { parseClasses, parseLabels } from "./labels.ts";
import type { GridOptions } from "./maps.ts";

/** Agreement of one class. If it is absent from both masks: 1 and distance 0; from one: 0 and +Infinity. */
export interface ClassMetrics {
  /** 2 TP / (2 TP + FP + FN) */
  readonly dice: number;
  /** TP / (TP + FP + FN) */
  readonly iou: number;
  /** TP / (TP + FP) */
  readonly precision: number;
  /** TP / (TP + FN) */
  readonly recall: number;
  /** (TP + TN) / all */
  readonly accuracy: number;
  /** Largest distance from a surface pixel of one mask to the surface of the other. */
  readonly hausdorff: number;
  /** The same with the 95th percentile (linear between ranks) of each direction. */
  readonly hausdorff95: number;
  /** Mean of those distances over the surface pixels of both masks. */
  readonly averageSurfaceDistance: number;
  /** Share of the surface pixels of both masks that lie within `tolerance` of the other surface. */
  readonly surfaceDice: number;
}

/** Which labels there are. */
export interface Labelled {
  /** Number of classes C. */
  readonly classes: number;
  /** Pixels whose target has this label are left out. */
  readonly ignoreIndex?: number;
}

/** matrix[t][p]: how many pixels of class t were predicted as class p. */
export function confusionMatrix(prediction: Labels, target: Labels, options: Labelled): number[][] {
  const classes = parseClasses(options.classes);
  parseLabels("target", target, classes, options.ignoreIndex);
  parseLabels("prediction", prediction, classes, undefined, target.length);
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  target.forEach((label, i) => {
    if (label !== options.ignoreIndex) matrix[label]![prediction[i]!]! += 1;
  });
  return matrix;
}

/**
 * Overlap and surface metrics of every class of one image. A surface pixel has a neighbour along an axis that is
 * outside of the mask or of the image; a volume of one slice is an image, as for every other function. Distances are in the unit of `spacing`; `tolerance` is 1 by default.
 */
export function metrics(
  prediction: Labels,
  target: Labels,
  options: GridOptions & Labelled & { readonly tolerance?: number },
): ClassMetrics[] {
  const grid = resolveGrid(options.shape, options.spacing);
  const tolerance = parseNumber(options.tolerance ?? 1, "tolerance", { min: 0 });
  parseLabels("target", target, parseClasses(options.classes), options.ignoreIndex, grid.pixels);
  const matrix = confusionMatrix(prediction, target, options);
  const isValid = (i: number) => target[i] !== options.ignoreIndex;
  const all = matrix.flat().reduce((sum, count) => sum + count, 0);

  return matrix.map((row, k) => {
    const hits = row[k]!;
    const wanted = row.reduce((sum, count) => sum + count, 0);
    const predicted = matrix.reduce((sum, other) => sum + other[k]!, 0);
    const ratio = (part: number, whole: number) =>
      wanted + predicted === 0 ? 1 : whole === 0 ? 0 : part / whole;
    return {
      dice: ratio(2 * hits, wanted + predicted),
      iou: ratio(hits, wanted + predicted - hits),
      precision: ratio(hits, predicted),
      recall: ratio(hits, wanted),
      accuracy: all === 0 ? 1 : (all - wanted - predicted + 2 * hits) / all,
      ...surfaceMetrics(
        surface((i) => isValid(i) && prediction[i] === k, grid),
        surface((i) => isValid(i) && target[i] === k, grid),
        grid,
        tolerance,
      ),
    };
  });
}

type Grid = ReturnType<typeof resolveGrid>;

/** The pixels of a mask with a neighbour outside. */
function surface(isInside: (i: number) => boolean, { spatial, pixels }: Grid): number[] {
  const [depth, height, width] = spatial;
  const strides = [height * width, width, 1];
  const hasOutsideNeighbour = (i: number) =>
    (depth > 1 ? [0, 1, 2] : [1, 2]).some((axis) => {
      const [size, stride] = [spatial[axis]!, strides[axis]!];
      const position = Math.floor(i / stride) % size;
      const isOutside = (step: number) =>
        position + step < 0 || position + step >= size || !isInside(i + step * stride);
      return isOutside(-1) || isOutside(1);
    });
  return Array.from({ length: pixels }, (_, i) => i).filter((i) => isInside(i) && hasOutsideNeighbour(i));
}

function surfaceMetrics(a: number[], b: number[], grid: Grid, tolerance: number) {
  if (a.length === 0 || b.length === 0) {
    const [distance, share] = a.length === b.length ? [0, 1] : [Infinity, 0];
    return {
      hausdorff: distance,
      hausdorff95: distance,
      averageSurfaceDistance: distance,
      surfaceDice: share,
    };
  }
  const distances = (from: number[], to: number[]) => {
    const goal = new Set(to);
    const map = distanceTo((i) => goal.has(i), grid);
    return from.map((i) => map[i]!).sort((x, y) => x - y);
  };
  const [there, back] = [distances(a, b), distances(b, a)];
  const both = [...there, ...back];
  return {
    hausdorff: Math.max(percentile(there, 1), percentile(back, 1)),
    hausdorff95: Math.max(percentile(there, 0.95), percentile(back, 0.95)),
    averageSurfaceDistance: both.reduce((sum, d) => sum + d, 0) / both.length,
    surfaceDice: both.filter((d) => d <= tolerance).length / both.length,
  };
}

/** Linear between the two nearest ranks of a sorted list. */
function percentile(sorted: number[], share: number): number {
  const rank = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(rank)]!, sorted[Math.ceil(rank)]!];
  return low + (high - low) * (rank - Math.floor(rank));
}
