/**
 * How close the float32 core has to come to the float64 reference: the value within 2e-6 of its size, the gradient
 * within 2e-6 of its largest entry. Five things make a fair comparison need more words than that. Only batches of a
 * few pixels show them: among many pixels some have a large gradient.
 *
 * - Terms that cancel. A sum is as accurate as its terms are large, so sizes are added up without signs: of the
 *   losses of a sum, of the outcomes of a soft or smoothed target, of the pixels of a conservative loss.
 * - Slopes that cancel. Under a softmax ∂L/∂z_k = p_k (a_k − Σ p a), with a = ∂L/∂p, which for a soft target is a
 *   difference itself. They are float32: where all a of a pixel nearly agree, what is left of them is known to some
 *   units in the last place of a, not of itself.
 * - A flat spot. The conservative gradient vanishes like (1 − v)² at v = u / ln(base) = 1, where 1 − v cancels.
 * - Powers. u^γ is e^(γ ln u), and as accurate as its exponent.
 * - Jumps. Lovász gradients depend on the order of errors, Hausdorff distances on p > ½, and the conservative loss
 *   on v > floor. Where float32 may see the other side, there is nothing to compare.
 */
import assert from "node:assert/strict";
import * as segrad from "segrad";
import * as reference from "segrad/reference";
import { resolveBatch } from "../../ts/batch.ts";
import type { LossSpec } from "../../ts/loss/index.ts";
import { type Part, resolveLoss } from "../../ts/loss/resolve.ts";
import { fromPlanes, type Planes, unfold } from "../../ts/reference/planes.ts";
import type { Vector } from "../../ts/reference/tape.ts";
import { expectUnharmed } from "./guard.ts";
import { separated } from "./separated.ts";

/** What is allowed of float32, relative to the size of a quantity. */
export const precision = 2e-6;

/** A unit in the last place of a float32, relative to its size. */
const unit = 2 ** -23;

/** Exponentials of the core end here instead of in denormals, and so do probabilities. */
const smallest = 1.2e-38;

/** The largest absolute entry; NaN if there is one. */
export function largest(numbers: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < numbers.length; i++) {
    const size = Math.abs(numbers[i]!);
    if (!(size <= most)) most = size;
  }
  return most;
}

/** The largest absolute difference of two arrays. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return largest(Array.from(a, (x, i) => (x === b[i] ? 0 : x - b[i]!)));
}

/** How far the core may be from the reference. */
export interface Tolerance {
  readonly value: number;
  readonly terms: number;
  readonly grad: number;
  /** Whether the loss jumps so close to this batch that value or gradient cannot be compared. */
  readonly jumps: { readonly value: boolean; readonly grad: boolean };
}

/** The tolerance of a loss on a batch: that of its parts, added up. */
export function toleranceOf(loss: LossSpec, batch: segrad.Batch): Tolerance {
  const planes = unfold(resolveBatch(batch, "float64"));
  let [value, terms, grad] = [0, 0, 100 * smallest];
  const jumps = { value: false, grad: false };
  const roundings = Math.max(2, Math.sqrt(planes.batch.channels)); // Σ p a rounds once per class
  const { soft, mode, fromLogits } = planes.batch;
  const cancels = soft || (mode === "multiclass" && fromLogits);
  for (const part of resolveLoss(loss).parts) {
    const spec: LossSpec = { kind: part.kind, ...part.options };
    const weight = Math.abs(part.weight);
    const result = reference.valueAndGrad(spec, batch);
    const rounding = Math.max(1, exponentOf(part, planes) / 8);
    const size = part.kind === "conservative" ? unsigned(spec, batch, planes) : Math.abs(result.value);
    value += weight * rounding * size;
    terms += Math.abs(part.scale) * rounding * size;
    const sizes = [batch, ...hardened(batch, planes)].map((hard) =>
      largest(
        reference.valueAndGrad("labelSmoothing" in spec ? { ...spec, labelSmoothing: 0 } : spec, hard).grad,
      ),
    );
    grad += weight * rounding * precision * Math.max(largest(result.grad), ...sizes);
    grad += weight * slopeOf(part, spec, batch, planes) * (cancels ? roundings * unit : smallest);
    if (part.kind === "conservative") grad += weight * flatness(part.options.base, spec, batch, result.grad);
    const jump = jumpOf(part, planes);
    jumps.value ||= jump === "value";
    jumps.grad ||= jump !== null;
  }
  return { value: precision * Math.max(1, value), terms: precision * Math.max(1, terms), grad, jumps };
}

/** The mean (or sum) of a loss without the signs of its pixels. */
function unsigned(spec: LossSpec, batch: segrad.Batch, planes: Planes): number {
  const sum = reference.lossMap(spec, batch).reduce((total, x) => total + Math.abs(x), 0);
  return "reduction" in spec && spec.reduction === "sum" ? sum : sum / (planes.labels || 1);
}

/** In place of a soft target, two hard ones: of what is likeliest everywhere, and of what is least likely. */
function hardened(batch: segrad.Batch, planes: Planes): segrad.Batch[] {
  if (!planes.batch.soft) return [];
  const { channels, pixels, mode } = planes.batch;
  return [1, -1].map((sign) => {
    const isChosen = (p: number, i: number) => {
      if (mode !== "multiclass") return sign * (p - 0.5) > 0;
      const first = planes.image(i) * channels * pixels + (i % pixels);
      const column = Array.from({ length: channels }, (_, k) => sign * planes.p.value[first + k * pixels]!);
      return column.indexOf(Math.max(...column)) === planes.channel(i);
    };
    const target = new Float32Array(batch.target.length);
    fromPlanes(
      planes.p.value.map((p, i) => Number(isChosen(p, i))),
      planes.batch,
      target,
    );
    return { ...batch, target };
  });
}

/** The largest ∂L/∂p of what is a function of the probabilities alone; 0 for losses of ln p. */
function slopeOf({ kind }: Part, whole: LossSpec, batch: segrad.Batch, planes: Planes): number {
  if (!ofProbabilities.has(kind)) return 0;
  const spec = kind === "exponentialLogarithmic" ? { ...whole, crossWeight: 0 } : whole;
  const logits = new Float64Array(batch.logits.length);
  fromPlanes(planes.p.value, planes.batch, logits);
  return largest(reference.valueAndGrad(spec, { ...batch, logits, fromLogits: false }).grad);
}

const ofProbabilities: ReadonlySet<string> = new Set([
  "dice",
  "jaccard",
  "tversky",
  "focalTversky",
  "generalizedDice",
  "exponentialLogarithmic",
  "lovaszSoftmax",
  "boundary",
  "hausdorffDT",
]);

/** |γ ln x| of the power x^γ that counts the most: u of an exponential logarithmic loss, 1 − p of a focal one. */
function exponentOf(part: Part, { outcomes, valid }: Planes): number {
  const most = (of: (outcome: (typeof outcomes)[number]) => Vector) =>
    outcomes.reduce((most, outcome) => {
      const counts = (i: number) => valid[i] === 1 && outcome.share[i]! > 0;
      return of(outcome).value.reduce((largest, x, i) => (counts(i) ? Math.max(largest, x) : largest), most);
    }, smallest);
  switch (part.kind) {
    case "exponentialLogarithmic":
      return Math.abs(part.options.crossGamma * Math.log(most(({ surprise }) => surprise)));
    case "focal":
      return Math.abs(part.options.gamma * Math.log(most(({ doubt }) => doubt)));
    default:
      return 0;
  }
}

/** How much a gradient changes with the last two bits of v. */
function flatness(base: number, spec: LossSpec, batch: segrad.Batch, grad: ArrayLike<number>): number {
  const nearby = { ...spec, base: base ** (1 + 2 * unit) };
  return difference(reference.valueAndGrad(nearby, batch).grad, grad);
}

/** What of a part jumps within rounding of this batch. */
function jumpOf(part: Part, planes: Planes): "value" | "grad" | null {
  const some = (test: (i: number) => boolean) => planes.valid.some((v, i) => v === 1 && test(i));
  switch (part.kind) {
    case "lovaszHinge":
    case "lovaszSoftmax":
      return separated(part, planes) ? null : "grad";
    case "hausdorffDT":
      return some((i) => Math.abs(planes.p.value[i]! - 0.5) < 1e-6) ? "value" : null;
    case "conservative": {
      const floor = part.options.floor * Math.log(part.options.base);
      const isNear = (u: number) => Math.abs(u - floor) < 1e-5 * floor;
      const { outcomes } = planes;
      return some((i) => outcomes.some(({ surprise }) => isNear(surprise.value[i]!))) ? "grad" : null;
    }
    default:
      return null;
  }
}

/** Expects the core to agree with the reference; says whether there was a gradient to compare. */
export function expectAgreement(loss: LossSpec, batch: segrad.Batch): boolean {
  const within = toleranceOf(loss, batch);
  const got = segrad.valueAndGrad(loss, batch);
  expectUnharmed();
  const want = reference.valueAndGrad(loss, batch);
  const expectNear = (what: string, distance: number, most: number) =>
    assert(distance <= most, `${what}: ${distance} apart; ${most} is allowed`);
  assert(got.grad.every(Number.isFinite), "the gradient is not finite");
  if (!within.jumps.value) {
    expectNear("value", Math.abs(got.value - want.value), within.value);
    expectNear("terms", difference(got.terms, want.terms), within.terms);
  }
  if (!within.jumps.grad) expectNear("gradient", difference(got.grad, want.grad), within.grad);
  return !within.jumps.grad;
}
