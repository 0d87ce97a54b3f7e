/** Maps of one image: distances, signed distances, and the weights of U-Net. */
import { type GridOptions, readClasses, readIgnoreIndex, readLabels, readOptions } from "./arguments.ts";
import { type NumberArray, plain } from "./array.ts";
import { type Labels, labelTypes, resolveGrid, typed } from "./batch.ts";
import { makeMaps, type Scratch } from "./core/maps.ts";
import { requireModule } from "./core/module.ts";
import { arrayType, show, typeError } from "./error.ts";
import { parseNumber } from "./option.ts";

/** The zeros; two layers of distances. */
const distanceScratch: Scratch = [1, 8];
/** The same, and the distances to one of both sides. */
const signedScratch: Scratch = [5, 8];
/** Two distances and two numbers of instances; two layers of them, in rows of whole vectors. */
const unetScratch: Scratch = [18, 48];

/**
 * Distance of every non-zero pixel to the nearest zero pixel: d(x) = min over zeros q of |x − q|.
 *
 * Exact Euclidean distances between pixel centres, in linear time. 0 at zero pixels; +Infinity everywhere if there is
 * no zero: the edge of the image is not an object.
 *
 * @param mask one number per pixel, integers or floats; NaN is not zero
 * @param options.shape [height, width] or [depth, height, width]
 * @param options.spacing pixel size along each of these axes, > 0; 1 by default
 * @returns one distance per pixel, in the unit of `spacing`, within 1e-6 of itself
 * @throws SegradError for a shape or spacing that is none, and a mask of another length
 *
 * @example
 * distanceTransform(Uint8Array.of(0, 1, 1, 1), { shape: [1, 4], spacing: [1, 0.5] }); // 0, 0.5, 1, 1.5
 *
 * @remarks Differs from SciPy's `distance_transform_edt` only for masks without a zero, where SciPy measures to a
 * pixel that does not exist.
 * P. F. Felzenszwalb and D. P. Huttenlocher, Distance transforms of sampled functions, Theory of Computing 8, 2012.
 */
export function distanceTransform(mask: NumberArray, options: GridOptions): Float32Array {
  requireModule();
  const given = readOptions(options, ["shape", "spacing"]);
  const grid = resolveGrid(given.shape, given.spacing);
  typed("mask", mask, [...labelTypes, "Float32Array", "Float64Array"], grid.pixels);
  const narrow =
    arrayType(mask) === "Float64Array"
      ? Uint8Array.from(plain(mask), (value) => (value === 0 ? 0 : 1))
      : mask;
  return makeMaps(grid, narrow, 1, distanceScratch, (maps, image, map) => maps.distance(...image, map));
}

/**
 * Signed distance φ to each class: the distance to the class outside of it, −(distance to its outside − 1) inside.
 *
 * What `boundary` computes from a target that comes without `distance`. The inner rim of a class is 0; the "− 1" is
 * literal, whatever the spacing. A class that is absent from the image, or fills it, has φ = 0 everywhere.
 *
 * @param labels one class number per pixel, any integer array
 * @param options.shape [height, width] or [depth, height, width]
 * @param options.classes number of classes C
 * @param options.spacing pixel size along each axis, > 0; 1 by default
 * @param options.ignoreIndex pixels of this label are neither inside nor outside and get 0; none by default
 * @returns C maps, [class][pixel], in the unit of `spacing`
 * @throws SegradError for a shape, spacing or number of classes that is none, labels of another length, and labels
 * outside 0…C−1, named by their index
 *
 * @example
 * const images = targets.map((target) => signedDistance(target, { shape: [h, w], classes: c }));
 *
 * @remarks The authors' code truncates φ to integers in one of its pipelines; here it is a float.
 * H. Kervadec et al., Boundary loss for highly unbalanced segmentation, MIDL 2019.
 */
export function signedDistance(
  labels: Labels,
  options: GridOptions & { readonly classes: number; readonly ignoreIndex?: number | undefined },
): Float32Array {
  requireModule();
  const given = readOptions(options, ["shape", "classes", "spacing", "ignoreIndex"]);
  const grid = resolveGrid(given.shape, given.spacing);
  const classes = readClasses(given.classes);
  const ignoreIndex = readIgnoreIndex(given.ignoreIndex);
  readLabels("labels", labels, classes, ignoreIndex, grid.pixels);
  return makeMaps(grid, labels, classes, signedScratch, (maps, image, map, k) => {
    maps.signed(...image, k, ignoreIndex ?? Number.NaN, map);
  });
}

/** Options of `unetWeightMap`. */
export interface UnetWeightOptions extends GridOptions {
  /** The weight where two instances touch, ≥ 0; 10 by default. */
  readonly w0?: number | undefined;
  /** How far the weight reaches, > 0, in the unit of `spacing`; 5 by default. */
  readonly sigma?: number | undefined;
  /**
   * Weights of the classes, added to the map: [background, foreground], each ≥ 0; `true` for pixels / (2 · pixels of
   * the class). `false` (default): none.
   */
  readonly classBalance?: boolean | readonly [background: number, foreground: number] | undefined;
}

/**
 * U-Net weight map: w = w_class + w0 · exp(−(d1 + d2)² / 2σ²) on the background, w_class inside instances.
 *
 * Makes the narrow gaps between touching cells expensive to get wrong: `pixelWeights` for a pointwise loss. d1 and d2
 * are the distances to the nearest and to the second nearest instance. With fewer than two instances the second term
 * is 0; below 1e-7 · w0 it is written as 0.
 *
 * @param instances one number per pixel, 0 for background, any integer array; instances that touch keep their numbers
 * @param options.shape [height, width] or [depth, height, width]
 * @param options.spacing pixel size along each axis, > 0; 1 by default
 * @param options.w0 weight where two instances touch, ≥ 0; 10 by default
 * @param options.sigma reach σ in the unit of `spacing`, > 0; 5 by default
 * @param options.classBalance weights w_class: [background, foreground], `true` for pixels / (2 · pixels of the class),
 * `false` (default) for 0
 * @returns one weight per pixel
 * @throws SegradError for a shape or spacing that is none, instances of another length, and options out of range
 *
 * @example
 * const pixelWeights = unetWeightMap(instances, { shape: [h, w], classBalance: true });
 * valueAndGrad(crossEntropy(), { logits, target, shape: [1, 1, h, w], pixelWeights });
 *
 * @remarks The paper writes the map as a factor of the cross-entropy, as it is used here. Added to the loss, as some
 * reviews have it, it would have no gradient.
 * O. Ronneberger et al., U-Net: convolutional networks for biomedical image segmentation, MICCAI 2015.
 */
export function unetWeightMap(instances: Labels, options: UnetWeightOptions): Float32Array {
  requireModule();
  const given = readOptions(options, ["shape", "spacing", "w0", "sigma", "classBalance"]);
  const grid = resolveGrid(given.shape, given.spacing);
  const w0 = parseNumber(given.w0 ?? 10, "w0", { min: 0 });
  const sigma = parseNumber(given.sigma ?? 5, "sigma", { above: 0 });
  const balance = readBalance(given.classBalance ?? false);
  typed("instances", instances, labelTypes, grid.pixels);
  const [background, foreground] = balance === "auto" ? balanceOf(plain(instances)) : balance;
  return makeMaps(grid, instances, 1, unetScratch, (maps, image, map) =>
    maps.unet(...image, w0, sigma, background, foreground, map),
  );
}

/** The weights of the classes. */
type Balance = [background: number, foreground: number];

function balanceOf(instances: Labels): Balance {
  let background = 0;
  for (const id of instances) if (id === 0) background += 1;
  const weight = (count: number) => instances.length / (2 * count);
  return [weight(background), weight(instances.length - background)];
}

function readBalance(classBalance: unknown): Balance | "auto" {
  if (classBalance === false) return [0, 0];
  if (classBalance === true) return "auto";
  if (!Array.isArray(classBalance) || classBalance.length !== 2) {
    const message = `classBalance is ${show(classBalance)}; it must be true, false or [background, foreground]`;
    throw typeError("invalid-option", message);
  }
  return [
    parseNumber(classBalance[0], "classBalance[0]", { min: 0 }),
    parseNumber(classBalance[1], "classBalance[1]", { min: 0 }),
  ];
}
