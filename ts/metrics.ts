/** How well a prediction agrees with its target, for reports: no gradients here. */
import { type GridOptions, mostOfMatrix, readClasses, readIgnoreIndex, readOptions } from "./arguments.ts";
import { type Labels, labelTypes, resolveGrid, typed } from "./batch.ts";
import { measureImages, type Scratch } from "./core/maps.ts";
import { requireModule } from "./core/module.ts";
import { confusionMatrix } from "./labels.ts";
import { parseNumber } from "./option.ts";

/**
 * Agreement of one class. TP, FP, FN and TN count pixels. A class that is absent from both sides has 1 everywhere and
 * distance 0; one that is absent from one side has 0 (accuracy is as it is) and distance +Infinity.
 */
export interface ClassMetrics {
  /** 2 TP / (2 TP + FP + FN) */
  readonly dice: number;
  /** TP / (TP + FP + FN) */
  readonly iou: number;
  /** TP / (TP + FP) */
  readonly precision: number;
  /** TP / (TP + FN) */
  readonly recall: number;
  /** (TP + TN) / all pixels that are not ignored; 1 if there is none. */
  readonly accuracy: number;
  /** The largest distance from a surface pixel of one side to the surface of the other. */
  readonly hausdorff: number;
  /** HD95: the 95th percentile of these distances, linear between ranks; the larger of both directions. */
  readonly hausdorff95: number;
  /** ASSD: the mean of these distances over the surface pixels of both sides. */
  readonly averageSurfaceDistance: number;
  /** NSD: the share of the surface pixels of both sides within `tolerance` of the other surface. */
  readonly surfaceDice: number;
}

/** Options of `metrics`. */
export interface MetricsOptions extends GridOptions {
  /** Number of classes C. */
  readonly classes: number;
  /** How far apart surfaces may be and still count as equal, ≥ 0, in the unit of `spacing`; 1 by default. */
  readonly tolerance?: number | undefined;
  /** Pixels whose target has this label are left out; none by default. */
  readonly ignoreIndex?: number | undefined;
}

/** Masks, surfaces, a map and the distances of both sides, in lists that grow; two layers of distances. */
const surfaceScratch: Scratch = [26, 8];

/**
 * Overlap and surface metrics of every class of one image: Dice, IoU, precision, recall, accuracy, Hausdorff distance,
 * HD95, average symmetric surface distance and normalised surface Dice.
 *
 * A surface pixel belongs to the class and has a neighbour along an axis that does not, or that lies beyond the edge
 * of the image; ignored pixels belong to no class. A volume of one slice counts as an image. Distances run between
 * pixel centres.
 *
 * @param prediction one class number per pixel, any integer array; `argmax` makes them from scores
 * @param target as many labels
 * @param options.shape [height, width] or [depth, height, width]
 * @param options.classes number of classes C
 * @param options.spacing pixel size along each axis, > 0; 1 by default
 * @param options.tolerance of `surfaceDice`, ≥ 0, in the unit of `spacing`; 1 by default
 * @param options.ignoreIndex pixels whose target has this label are left out; none by default
 * @returns one `ClassMetrics` per class
 * @throws SegradError for a shape, spacing, tolerance or number of classes that is none, arrays of another length, and
 * labels outside 0…C−1, named by their index
 *
 * @example
 * const [, tumour] = metrics(argmax(logits, { shape: [1, 2, h, w] }), target, { shape: [h, w], classes: 2 });
 * console.log(tumour.dice, tumour.hausdorff95);
 *
 * @remarks Surfaces and HD95 are those of MONAI; it leaves the empty cases to the caller as NaN.
 * S. Nikolov et al., Clinically applicable segmentation of head and neck anatomy, JMIR 23, 2021 (surface Dice).
 */
export function metrics(prediction: Labels, target: Labels, options: MetricsOptions): ClassMetrics[] {
  requireModule();
  const given = readOptions(options, ["shape", "classes", "spacing", "tolerance", "ignoreIndex"]);
  const grid = resolveGrid(given.shape, given.spacing);
  const classes = readClasses(given.classes, mostOfMatrix);
  const tolerance = parseNumber(given.tolerance ?? 1, "tolerance", { min: 0 });
  const ignoreIndex = readIgnoreIndex(given.ignoreIndex);
  typed("target", target, labelTypes, grid.pixels);
  const overlaps = overlap(
    confusionMatrix(prediction, target, { classes, ...(ignoreIndex === null ? {} : { ignoreIndex }) }),
  );
  return measureImages(grid, [prediction, target], surfaceScratch, (maps, predicted, wanted) =>
    overlaps.map((metrics, k) => {
      maps.measure(...predicted, ...wanted, k, ignoreIndex ?? Number.NaN, tolerance);
      return {
        ...metrics,
        hausdorff: maps.hausdorff(),
        hausdorff95: maps.hausdorff95(),
        averageSurfaceDistance: maps.average_surface_distance(),
        surfaceDice: maps.surface_dice(),
      };
    }),
  );
}

/** What follows from the counts, for every class. */
function overlap(matrix: readonly (readonly number[])[]) {
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  const wanted = matrix.map(sum);
  const predicted = matrix.map((_, k) => sum(matrix.map((row) => row[k]!)));
  const all = sum(wanted);
  return matrix.map((row, k) => {
    const hits = row[k]!;
    const both = wanted[k]! + predicted[k]!;
    const ratio = (part: number, whole: number) => (both === 0 ? 1 : whole === 0 ? 0 : part / whole);
    return {
      dice: ratio(2 * hits, both),
      iou: ratio(hits, both - hits),
      precision: ratio(hits, predicted[k]!),
      recall: ratio(hits, wanted[k]!),
      accuracy: all === 0 ? 1 : (all - both + 2 * hits) / all,
    };
  });
}
