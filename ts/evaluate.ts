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
 * The value of a loss over a batch.
 *
 * @example
 * value(crossEntropy(), { logits, target, shape: [n, c, h, w] });
 *
 * @throws SegradError for anything wrong with the loss or the batch, before anything is computed.
 */
export function value(loss: LossSpec, batch: Batch): number {
  return evaluate(resolve(loss, batch), null).value;
}

/**
 * The value of a loss and its gradient with respect to the logits (to the probabilities where
 * `fromLogits: false`).
 *
 * `out`, a Float32Array as long as the logits, receives the gradient instead of a new array; it may be the
 * logits themselves. Arrays inside `allocate` buffers are used in place; where the call had to grow that memory,
 * `grad` is a new view in place of `out`, which growing ends. On an error `out` is untouched.
 *
 * @example
 * const { value, grad, terms } = valueAndGrad(sum([crossEntropy(), [0.5, dice()]]), { logits, target, shape });
 *
 * @throws SegradError for anything wrong with the loss, the batch or `out`, before anything is computed.
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
 * The unreduced loss of every site, for pictures and for mining hard examples: one number per pixel in binary
 * and multiclass (N·P), one per channel and pixel in multilabel (like the logits). Class weights, pixel weights
 * and the weights of a sum are included; ignored pixels are 0; no mean is taken.
 *
 * @throws SegradError `incompatible` for a loss that is not a sum over pixels.
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
