/** Losses through the WebAssembly core. */
import { byteLengthOf, lengthOf, plain } from "./array.ts";
import { type Batch, type ResolvedBatch, resolveBatch, typed } from "./batch.ts";
import { floatsAt, residence, Staging } from "./core/memory.ts";
import { requireModule } from "./core/module.ts";
import { prepare, throwFault } from "./core/objective.ts";
import { typeError } from "./error.ts";
import { checkFit } from "./loss/fit.ts";
import type { LossSpec } from "./loss/index.ts";
import { type ResolvedLoss, resolveLoss } from "./loss/resolve.ts";

/** What `valueAndGrad` gives. */
export interface Result {
  /** The loss. */
  readonly value: number;
  /** ∂value/∂logits, shaped and laid out like the logits. */
  readonly grad: Float32Array;
  /** Each top-level term's own unweighted value; of a loss that is no sum, `[value]`. */
  readonly terms: readonly number[];
}

/**
 * The value of a loss over a batch: L(logits, target).
 *
 * The same to the last bit as that of `valueAndGrad`. 0 where nothing is valid; NaN where a logit is NaN. Each loss
 * says its unit.
 *
 * @param loss of any constructor, or the same as plain data
 * @param batch logits of shape [n, c, h, w] or [n, c, d, h, w] (channels first), their target, and how to read them
 * @returns the loss, computed in float32 and summed in float64
 * @throws SegradError for anything wrong with the loss or the batch, before anything is computed
 *
 * @example
 * value(crossEntropy(), { logits, target, shape: [n, c, h, w] });
 */
export function value(loss: LossSpec, batch: Batch): number {
  return evaluate(resolve(loss, batch), null).value;
}

/**
 * The value L of a loss and its gradient ∂L/∂logits (∂L/∂probabilities where `fromLogits: false`).
 *
 * Arrays inside `allocate` buffers are used in place; where the call had to grow that memory, `grad` is a new view in
 * place of `out`, which growing ends. Ignored pixels have gradient 0.
 *
 * @param loss of any constructor, or the same as plain data
 * @param batch logits of shape [n, c, h, w] or [n, c, d, h, w] (channels first), their target, and how to read them
 * @param options.out a Float32Array as long as the logits that receives the gradient, by default a new one; it may be
 * the logits themselves. On an error it is untouched
 * @returns the value, the gradient laid out like the logits, and the unweighted value of each term of a sum
 * @throws SegradError for anything wrong with the loss, the batch or `out`, before anything is computed
 *
 * @example
 * const { value, grad, terms } = valueAndGrad(sum([crossEntropy(), [0.5, dice()]]), { logits, target, shape });
 */
export function valueAndGrad(loss: LossSpec, batch: Batch, options: { out?: Float32Array } = {}): Result {
  if (typeof options !== "object" || options === null) {
    throw typeError("invalid-argument", "the options of valueAndGrad must be an object such as { out }");
  }
  const given = options.out; // read before any array is measured, since a getter could shrink one
  const call = resolve(loss, batch);
  const length = lengthOf(call.batch.logits);
  const out: Float32Array =
    given === undefined ? new Float32Array(length) : typed("out", given, ["Float32Array"], length);
  const { value, grad, terms } = evaluate(call, out);
  return { value, grad: grad ?? out, terms };
}

/**
 * The unreduced loss ℓ of every pixel, for pictures and for mining hard examples.
 *
 * Class weights, pixel weights and the weights of a sum are included; ignored pixels are 0; no mean is taken.
 *
 * @param loss `crossEntropy`, `weightedCrossEntropy`, `balancedCrossEntropy`, `focal`, `conservative`, or a sum of them
 * @param batch as for `valueAndGrad`
 * @returns one number per pixel in binary and multiclass (N·P), one per channel and pixel in multilabel (laid out like
 * the logits), in the unit of the loss
 * @throws SegradError `incompatible` for a loss that is not a sum over pixels, and as `valueAndGrad`
 *
 * @example
 * const map = lossMap(crossEntropy(), { logits, target, shape: [n, c, h, w] }); // n·h·w numbers
 */
export function lossMap(loss: LossSpec, batch: Batch): Float32Array {
  const call = resolve(loss, batch);
  for (const { kind } of call.loss.parts) {
    if (!pointwise.has(kind)) {
      const message = `lossMap of ${kind}: only losses that are sums over pixels have a map`;
      throw typeError("incompatible", `${message}: ${[...pointwise].join(", ")}`);
    }
  }
  const { images, channels, pixels, mode } = call.batch;
  const sites = images * pixels * (mode === "multiclass" ? 1 : channels);
  const staging = new Staging();
  const core = prepare(call.loss, call.batch, staging);
  const losses = staging.room(sites * Float32Array.BYTES_PER_ELEMENT);
  staging.commit();
  const objective = core.objective();
  objective.map(core.logits(), core.target(), core.targetType, core.weights(), losses(), call.batch.check);
  throwFault(objective, call.batch);
  return floatsAt(losses(), sites).slice();
}

const pointwise: ReadonlySet<string> = new Set([
  "crossEntropy",
  "weightedCrossEntropy",
  "balancedCrossEntropy",
  "focal",
  "conservative",
]);

interface Call {
  readonly loss: ResolvedLoss;
  readonly batch: ResolvedBatch;
}

function resolve(loss: LossSpec, batch: Batch): Call {
  requireModule();
  const call = { loss: resolveLoss(loss), batch: resolveBatch(batch) };
  checkFit(call.loss, call.batch);
  return call;
}

/** What was computed; `grad` is `out`, or a view in its place where the memory grew and ended that one. */
interface Evaluation extends Omit<Result, "grad"> {
  readonly grad: Float32Array | null;
}

function evaluate({ loss, batch }: Call, out: Float32Array | null): Evaluation {
  const staging = new Staging();
  const core = prepare(loss, batch, staging);
  const length = lengthOf(batch.logits);
  const home = out === null ? null : residence(out);
  // In place only where the gradient overwrites nothing that is still read.
  const inPlace = home !== null && isAlone(home, batch);
  const gradient =
    out === null ? () => 0 : inPlace ? () => home.start : staging.room(byteLengthOf(batch.logits));
  staging.commit();
  const objective = core.objective();
  const total = objective.evaluate(
    core.logits(),
    core.target(),
    core.targetType,
    core.weights(),
    core.distance(),
    gradient(),
    batch.check,
  );
  throwFault(objective, batch);
  const isEnded = home !== null && out !== null && lengthOf(out) !== length;
  const grad = isEnded ? floatsAt(home.start, length) : out;
  if (grad !== null && !inPlace) plain(grad).set(floatsAt(gradient(), length));

  const terms = new Array<number>(loss.terms).fill(0);
  loss.parts.forEach(({ term, scale }, index) => {
    terms[term]! += scale * objective.value_of(index);
  });
  return { value: total, grad, terms };
}

/** Whether `own`, in WebAssembly memory, shares it with no input. */
function isAlone(own: { start: number; end: number }, batch: ResolvedBatch): boolean {
  const inputs = [batch.logits, batch.target, batch.pixelWeights, batch.distance];
  return inputs.every((input) => {
    const other = input === null ? null : residence(input);
    return other === null || other.end <= own.start || own.end <= other.start;
  });
}
