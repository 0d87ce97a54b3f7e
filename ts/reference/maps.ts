/** Maps of distances, by plain search: for small images. */
import { type Labels, labelTypes, resolveGrid, typed } from "../batch.ts";
import { show, typeError } from "../error.ts";
import { parseNumber } from "../option.ts";
import { distanceTo, signedDistanceOf } from "./distance.ts";
import { parseClasses, parseLabels } from "./labels.ts";

/** The shape of one image, [height, width] or [depth, height, width], and its pixel size (1 by default). */
export interface GridOptions {
  readonly shape: readonly number[];
  readonly spacing?: readonly number[];
}

/**
 * Exact Euclidean distance of every non-zero pixel to the nearest zero pixel, in the unit of `spacing`; 0 at zero
 * pixels, +Infinity everywhere if there is no zero.
 */
export function distanceTransform(mask: Labels, options: GridOptions): Float64Array {
  const grid = resolveGrid(options.shape, options.spacing);
  typed("mask", mask, labelTypes, grid.pixels);
  return distanceTo((i) => mask[i] === 0, grid);
}

/**
 * Signed distance φ to each class, one map after the other: the distance to the class outside of it,
 * −(distance to its outside − 1) within, 0 everywhere for a class that is absent from the image or fills it.
 * Pixels labelled `ignoreIndex` are neither inside nor outside and get 0.
 */
export function signedDistance(
  labels: Labels,
  options: GridOptions & { readonly classes: number; readonly ignoreIndex?: number },
): Float64Array {
  const grid = resolveGrid(options.shape, options.spacing);
  const classes = parseClasses(options.classes);
  parseLabels("labels", labels, classes, options.ignoreIndex, grid.pixels);
  const isValid = Array.from(labels, (label) => label !== options.ignoreIndex);
  const maps = new Float64Array(classes * grid.pixels);
  for (let k = 0; k < classes; k++) {
    const isInside = Array.from(labels, (label) => label === k);
    maps.set(signedDistanceOf(isInside, isValid, grid), k * grid.pixels);
  }
  return maps;
}

/**
 * U-Net weight map: w0 · exp(−(d1 + d2)² / 2σ²) on the background, with d1 and d2 the distances to the nearest and
 * second-nearest instance, 0 inside instances and everywhere if there are fewer than two.
 *
 * `instances` holds ids, 0 for background. `classBalance` adds a weight per class: `true` for
 * pixels/(2 · pixels of the class), or a pair [background, foreground].
 *
 * O. Ronneberger et al., U-Net, MICCAI 2015.
 */
export function unetWeightMap(
  instances: Labels,
  options: GridOptions & {
    readonly w0?: number;
    readonly sigma?: number;
    readonly classBalance?: boolean | readonly [background: number, foreground: number];
  },
): Float64Array {
  const grid = resolveGrid(options.shape, options.spacing);
  typed("instances", instances, labelTypes, grid.pixels);
  const w0 = parseNumber(options.w0 ?? 10, "w0", { min: 0 });
  const sigma = parseNumber(options.sigma ?? 5, "sigma", { above: 0 });
  const balance = parseBalance(options.classBalance ?? false, instances);

  const ids = [...new Set(instances)].filter((id) => id !== 0);
  const nearest = new Float64Array(grid.pixels).fill(Infinity);
  const second = new Float64Array(grid.pixels).fill(Infinity);
  for (const id of ids) {
    distanceTo((i) => instances[i] === id, grid).forEach((d, i) => {
      second[i] = Math.min(second[i]!, Math.max(nearest[i]!, d));
      nearest[i] = Math.min(nearest[i]!, d);
    });
  }
  return nearest.map((d1, i) => {
    const isBackground = instances[i] === 0;
    const border = isBackground ? w0 * Math.exp(-((d1 + second[i]!) ** 2) / (2 * sigma ** 2)) : 0;
    return border + balance[isBackground ? 0 : 1];
  });
}

function parseBalance(classBalance: unknown, instances: Labels): readonly [number, number] {
  if (classBalance === false) return [0, 0];
  if (classBalance === true) {
    const background = instances.filter((id) => id === 0).length;
    return [background, instances.length - background].map((count) => instances.length / (2 * count)) as [
      number,
      number,
    ];
  }
  if (!Array.isArray(classBalance) || classBalance.length !== 2) {
    const found = show(classBalance);
    throw typeError(
      "invalid-option",
      `classBalance is ${found}; it must be true, false or [background, foreground]`,
    );
  }
  const [background, foreground] = classBalance;
  return [
    parseNumber(background, "classBalance[0]", { min: 0 }),
    parseNumber(foreground, "classBalance[1]", { min: 0 }),
  ];
}
