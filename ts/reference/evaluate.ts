/** Value and gradient of any loss: the parts of a sum on one tape. */
import { type Batch, type Floats, type ResolvedBatch, resolveBatch, typed } from "../batch.ts";
import { typeError } from "../error.ts";
import { checkFit } from "../loss/fit.ts";
import type { Kind, LossSpec } from "../loss/index.ts";
import { type Part, type ResolvedLoss, resolveLoss } from "../loss/resolve.ts";
import { balancedCrossEntropy } from "./balancedCrossEntropy.ts";
import { boundary } from "./boundary.ts";
import { combo } from "./combo.ts";
import { conservative } from "./conservative.ts";
import { crossEntropy } from "./crossEntropy.ts";
import { dice } from "./dice.ts";
import { exponentialLogarithmic } from "./exponentialLogarithmic.ts";
import { focal } from "./focal.ts";
import { focalTversky } from "./focalTversky.ts";
import { generalizedDice } from "./generalizedDice.ts";
import { hausdorffDT } from "./hausdorffDT.ts";
import { jaccard } from "./jaccard.ts";
import { lovaszHinge } from "./lovaszHinge.ts";
import { lovaszSoftmax } from "./lovaszSoftmax.ts";
import type { SetLoss } from "./pairs.ts";
import type { PixelLoss } from "./pixelwise.ts";
import { fromPlanes, type Planes, unfold } from "./planes.ts";
import type { Vector } from "./tape.ts";
import { tversky } from "./tversky.ts";
import { weightedCrossEntropy } from "./weightedCrossEntropy.ts";

/** The losses of single pixels. */
const pixelLosses = { crossEntropy, weightedCrossEntropy, balancedCrossEntropy, focal, conservative };

/** The losses of whole sets. */
const setLosses = {
  dice,
  jaccard,
  tversky,
  focalTversky,
  generalizedDice,
  exponentialLogarithmic,
  combo,
  lovaszHinge,
  lovaszSoftmax,
  boundary,
  hausdorffDT,
};

/** A batch for the reference: as for the core, and float64 arrays are welcome. */
export type ReferenceBatch = Batch<Floats>;

/** The value of a loss. Errors as in `valueAndGrad`. */
export function value(loss: LossSpec, batch: ReferenceBatch): number {
  return evaluate(loss, batch).value.value[0]!;
}

/**
 * The value of a loss, its gradient with respect to the logits (or probabilities, with `fromLogits: false`) in
 * their own layout, and the unweighted value of each term of a sum.
 *
 * `out`, a float array as long as the logits, receives the gradient instead of a new array.
 *
 * @throws SegradError if the loss or the batch is invalid, or they do not go together
 */
export function valueAndGrad(
  loss: LossSpec,
  batch: ReferenceBatch,
  { out }: { readonly out?: Floats } = {},
): { value: number; grad: Floats; terms: number[] } {
  const { planes, value, terms } = evaluate(loss, batch);
  const { logits } = planes;
  const grad: Floats =
    out === undefined
      ? new Float64Array(logits.value.length)
      : typed("out", out, ["Float32Array", "Float64Array"], logits.value.length);
  logits.tape.differentiate(value);
  fromPlanes(logits.grad, planes.batch, grad);
  return { value: value.value[0]!, grad, terms };
}

/**
 * The unreduced loss of every label, for losses that are sums over pixels and sums of those: N·P numbers in binary
 * and multiclass, shaped like the logits in multilabel. Class weights, pixel weights and the weights of a sum are
 * included; ignored labels are 0; no mean is taken.
 *
 * @throws SegradError as `valueAndGrad`, and if a part is not a loss of single pixels
 */
export function lossMap(loss: LossSpec, batch: ReferenceBatch): Float64Array {
  const { resolved, planes } = prepare(loss, batch);
  const { channels, pixels, images, mode } = planes.batch;
  const total = new Float64Array(images * channels * pixels);
  for (const part of resolved.parts) {
    if (!isPixelLoss(part.kind)) {
      const known = Object.keys(pixelLosses).join(", ");
      throw typeError("incompatible", `${part.kind} has no loss per pixel; these have: ${known}`);
    }
    pixelLossesOf(part, planes).losses.value.forEach((x, i) => {
      total[i]! += part.weight * x;
    });
  }
  if (mode !== "multiclass") {
    const map = new Float64Array(total.length);
    fromPlanes(total, planes.batch, map);
    return map;
  }
  // One label per pixel: only its own channels add to it.
  const map = new Float64Array(images * pixels);
  total.forEach((x, i) => {
    map[planes.image(i) * pixels + (i % pixels)]! += x;
  });
  return map;
}

interface Prepared {
  readonly resolved: ResolvedLoss;
  readonly planes: Planes;
}

function prepare(loss: unknown, batch: unknown): Prepared {
  const resolved = resolveLoss(loss);
  const checked: ResolvedBatch<Floats> = resolveBatch(batch, "float64");
  checkFit(resolved, checked);
  return { resolved, planes: unfold(checked) };
}

function evaluate(loss: unknown, batch: unknown): { planes: Planes; value: Vector; terms: number[] } {
  const { resolved, planes } = prepare(loss, batch);
  const terms = new Array<number>(resolved.terms).fill(0);
  let total = planes.logits.tape.variable(new Float64Array(1));
  for (const part of resolved.parts) {
    const value = partValue(part, planes);
    terms[part.term]! += part.scale * value.value[0]!;
    total = total.plus(value.times(part.weight));
  }
  return { planes, value: total, terms };
}

function partValue(part: Part, planes: Planes): Vector {
  if (isPixelLoss(part.kind)) {
    const { losses, divisor } = pixelLossesOf(part, planes);
    return divisor === 0 ? losses.sum().times(0) : losses.sum().over(divisor);
  }
  const setLoss = setLosses[part.kind] as SetLoss<Kind>;
  return setLoss(planes, part.options as never);
}

function isPixelLoss(kind: Kind): kind is keyof typeof pixelLosses {
  return Object.hasOwn(pixelLosses, kind);
}

function pixelLossesOf(part: Part, planes: Planes) {
  const pixelLoss = pixelLosses[part.kind as keyof typeof pixelLosses] as PixelLoss<Kind>;
  return pixelLoss(planes, part.options as never);
}
