/**
 * segrad in jax-js: the gradient of a loss at the logits, pulled back to the parameters.
 *
 * jax-js has no custom gradients, so a loss cannot be hidden inside `grad`. Its `vjp` fits instead:
 * `parameterGrads` runs the network once, awaits the logits, asks segrad, and pulls the gradient back. Where the
 * network is compiled by `jit`, `surrogate` is a function that jax-js differentiates to segrad's gradient.
 *
 * Ownership is that of jax-js: every `np.Array` passed in is consumed (pass `array.ref` to keep it), every one that
 * comes out is yours. Logits are channels-first (NCHW, NCDHW) by default, as in `lax.conv`.
 *
 * @module segrad/jax
 */
import { type JsTree, lax, numpy as np, type OwnedFunction, vjp } from "@jax-js/jax";
import { type LossSpec, valueAndGrad as valueAndGradOfArrays } from "segrad";
import { show, typeError } from "../error.ts";
import { type ArrayBatch, arraysOf, type Shaped, toBatch } from "./shared/batch.ts";

export type { ArrayBatch, BatchSettings, Truth } from "./shared/batch.ts";

/** A `Batch` of jax-js arrays, channels-first by default; its shape is that of the logits. */
export type JaxBatch = ArrayBatch<np.Array>;

/** The loss of a batch and its gradient at the logits. */
export interface JaxResult {
  /** The loss. */
  readonly value: number;
  /** Each top-level term's own unweighted value; of a loss that is no sum, `[value]`. */
  readonly terms: readonly number[];
  /** ∂value/∂logits, float32, shaped like the logits, on their device. Yours to pass on or dispose of. */
  readonly grad: np.Array;
}

/** The loss of a batch and its gradient at the parameters. */
export interface ParameterResult<P> extends Omit<JaxResult, "grad"> {
  /** ∂value/∂parameters, built like the parameters. Yours to pass on or dispose of. */
  readonly grads: P;
}

/**
 * The value of a loss over jax-js arrays and ∂value/∂logits. Consumes the arrays of the batch.
 *
 * `logits`: float32, [n, c, h, w] or [n, c, d, h, w]. `target`: class numbers [n, h, w] or [n, 1, h, w]; one-hot or
 * soft, shaped like the logits; or a typed array, read as `Batch.target` is.
 *
 * @example
 * const { value, grad } = await valueAndGrad(dice(), { logits: logits.ref, target: labels.ref });
 *
 * @throws SegradError for anything wrong with the loss or the batch. Inside `jit`, `grad` or `vmap` there are no
 * numbers to read, which is an error too: see `surrogate`.
 */
export async function valueAndGrad(loss: LossSpec, batch: JaxBatch): Promise<JaxResult> {
  const { logits } = batch;
  if (!isArray(logits)) {
    const hint = "inside jit, grad or vmap there are no numbers yet: see surrogate";
    throw typeError("invalid-batch", `logits is ${show(logits)}; it must be an np.Array (${hint})`);
  }
  const { device, shape } = logits;
  const read = arraysOf(batch, isArray).map(async ([field, array]) => {
    const { shape } = array; // before `data`, which consumes the array
    return [field, { data: await array.data(), shape }] as [string, Shaped];
  });
  const arrays = toBatch(batch, Object.fromEntries(await Promise.all(read)), "channels-first");
  const { value, terms, grad } = valueAndGradOfArrays(loss, arrays);
  return { value, terms, grad: np.array(grad as Float32Array<ArrayBuffer>, { shape, device }) };
}

/**
 * The gradients of a loss at the parameters of a network: `vjp` runs the network forward once, segrad gives value
 * and ∂value/∂logits, and the pull-back brings that to the parameters. Consumes `params` and the arrays of the
 * batch; `forward` may itself be compiled by `jit`.
 *
 * @param forward The network: consumes its parameters, returns the logits.
 * @param params Arrays, or a tree of them, as `grad` takes them.
 *
 * @example
 * const forward = (params) => lax.conv(images.ref, params.kernel, [1, 1], "SAME").add(params.bias);
 * const { value, grads } = await parameterGrads(loss, forward, tree.ref(params), { target: labels });
 * params = tree.map((p, g) => p.sub(g.mul(0.1)), params, grads);
 *
 * @throws SegradError for anything wrong with the loss or the batch.
 */
export async function parameterGrads<P extends JsTree<np.Array>>(
  loss: LossSpec,
  forward: (params: P) => np.Array,
  params: P,
  batch: Omit<JaxBatch, "logits">,
): Promise<ParameterResult<P>> {
  // The types of `vjp` map trees of arrays to trees of arrays; for a tree not yet known that is no simple type.
  type PullBack = OwnedFunction<(cotangent: np.Array) => [P]>;
  const [logits, pullBack] = vjp(forward, [params] as never) as unknown as [np.Array, PullBack];
  try {
    const { value, terms, grad } = await valueAndGrad(loss, { ...batch, logits });
    const [grads] = pullBack(grad);
    return { value, terms, grads };
  } finally {
    pullBack.dispose();
  }
}

/**
 * A scalar that stands for the loss inside functions jax-js differentiates: value + ⟨z − stop(z), stop(g)⟩ with
 * z the logits, g = ∂value/∂z from `valueAndGrad`, and stop = `lax.stopGradient`. The inner product is 0, so that
 * it has the value of the loss, and its gradient at z is g.
 *
 * For networks under `jit`: the compiled function takes value and gradient as arguments and knows nothing of
 * segrad. It computes the logits a second time, so the network must give the same ones (no fresh dropout); its
 * derivatives are first derivatives only. Finite logits, since ∞ − ∞ is NaN.
 *
 * Consumes `logits` and `at.grad`.
 *
 * @example
 * const step = jit(grad((params, images, at) => surrogate(network(params, images), at)));
 *
 * const logits = forward(tree.ref(params), images.ref);
 * const { value, grad: g } = await valueAndGrad(loss, { logits, target });
 * const grads = step(tree.ref(params), images.ref, { value, grad: g });
 */
export function surrogate(
  logits: np.Array,
  at: { readonly value: np.ArrayLike; readonly grad: np.Array },
): np.Array {
  const moved = logits.ref.sub(lax.stopGradient(logits));
  return np.add(np.sum(moved.mul(lax.stopGradient(at.grad))), lax.stopGradient(at.value));
}

const isArray = (value: unknown): value is np.Array => value instanceof np.Array;
