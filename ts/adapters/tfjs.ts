/**
 * segrad in TensorFlow.js: losses for `model.compile`, `optimizer.minimize` and `tf.variableGrads`, and gradients at
 * the logits as tensors. TensorFlow.js runs the network, segrad gives the loss and ∂loss/∂logits.
 *
 * Every function takes the logits channels-last (NHWC, NDHWC) by default, as TensorFlow.js lays them out, and as
 * they come out of the network: without an activation unless `fromLogits: false`.
 *
 * @module segrad/tfjs
 */
import {
  clone,
  customGrad,
  mul,
  type NamedTensorMap,
  type Scalar,
  scalar,
  sum,
  Tensor,
  tensor,
  tidy,
  type Variable,
  variableGrads,
} from "@tensorflow/tfjs-core";
import { type LossSpec, valueAndGrad as valueAndGradOfArrays } from "segrad";
import { resolveLoss } from "../loss/resolve.ts";
import {
  type ArrayBatch,
  arraysOf,
  type BatchSettings,
  type Shaped,
  type Truth,
  toBatch,
} from "./shared/batch.ts";

export type { ArrayBatch, BatchSettings, Truth } from "./shared/batch.ts";

/** Target, pixel weights and distance maps: tensors or typed arrays. */
export type TensorTruth = Truth<Tensor>;

/** A `Batch` of tensors; channels-last by default, its shape is that of the logits. */
export type TensorBatch = ArrayBatch<Tensor>;

/** How `segradLoss` reads its two tensors. */
export interface LossOptions extends BatchSettings, Partial<Omit<TensorTruth, "target">> {
  /**
   * Takes `yTrue` apart where it carries more than the target. `model.fit` shuffles, and `yTrue` is all that
   * travels with the images: pixel weights and distance maps that differ from image to image have to come in it.
   */
  readonly unpack?: ((yTrue: Tensor) => TensorTruth) | undefined;
}

/** The loss of a batch and its gradient at the logits. */
export interface TensorResult {
  /** The loss. */
  readonly value: number;
  /** Each top-level term's own unweighted value; of a loss that is no sum, `[value]`. */
  readonly terms: readonly number[];
  /** ∂value/∂logits, float32, shaped like the logits. Yours to dispose of. */
  readonly grad: Tensor;
}

/** The loss of a batch and its gradient at the variables. */
export interface VariableResult extends Omit<TensorResult, "grad"> {
  /**
   * ∂value/∂variable by the variable's name, as `tf.variableGrads` gives them, for `optimizer.applyGradients` (whose
   * types call them variables). Yours to dispose of.
   */
  readonly grads: NamedTensorMap;
}

/**
 * A loss as a Keras function (yTrue, yPred) → scalar, with segrad's gradient ∂loss/∂yPred times the incoming one.
 *
 * For `model.compile({ loss })`, and for anything TensorFlow.js differentiates: `optimizer.minimize`,
 * `tf.variableGrads`, `tf.grad`. Weighted sums of it with other losses, regularizers and metrics work as usual.
 *
 * `yPred`: float32, [n, h, w, c] or [n, d, h, w, c]; logits unless `fromLogits: false` (then the model ends in the
 * sigmoid or softmax). `yTrue`: class numbers [n, h, w] or [n, h, w, 1]; one-hot or soft [n, h, w, c]; in binary
 * and multilabel zeros and ones or soft, shaped like `yPred`. `ignoreIndex` in binary and multilabel needs an int32
 * `yTrue`. `model.fit` refuses a `yTrue` that is not shaped like `yPred`: there, class numbers must be one-hot.
 *
 * Reads `yPred` by `dataSync`, which on GPU backends waits for the GPU: there see `variableGradsAsync`. The target
 * is a constant: nothing flows back into `yTrue`. First derivatives only: differentiated twice, the gradient counts
 * as a constant.
 *
 * @example
 * model.compile({ optimizer: "adam", loss: segradLoss(sum([crossEntropy(), dice({ over: "batch" })])) });
 *
 * @example
 * // Two classes: labels and pixel weights side by side in the two channels of yTrue.
 * const unpack = (yTrue) => {
 *   const [target, pixelWeights] = tf.split(yTrue, 2, 3);
 *   return { target, pixelWeights };
 * };
 * model.compile({ optimizer, loss: segradLoss(crossEntropy(), { unpack }) });
 *
 * @throws SegradError at once for a loss that is none; where it is called, for tensors that do not fit it.
 */
export function segradLoss(
  loss: LossSpec,
  options: LossOptions = {},
): (yTrue: Tensor, yPred: Tensor) => Scalar {
  resolveLoss(loss);
  const { unpack = (yTrue: Tensor): TensorTruth => ({ target: yTrue }), ...settings } = options;
  return (yTrue, yPred) =>
    tidy(() => {
      const batch = readSync({ ...settings, ...unpack(yTrue), logits: yPred });
      const { value, grad } = valueAndGradOfArrays(loss, batch);
      // TensorFlow.js keeps the array it is given: `grad` is a new one, in no one else's memory.
      const gradFunc = (dy: Tensor) => tidy(() => mul(tensor(grad, yPred.shape, "float32"), dy));
      return customGrad(() => ({ value: scalar(value, "float32"), gradFunc }))(yPred) as Scalar;
    });
}

/**
 * The value of a loss over tensors and ∂value/∂logits, for training loops that pull the gradient back themselves.
 * Reads the tensors by `dataSync`.
 *
 * @example
 * const { value, grad } = valueAndGrad(dice(), { logits, target });
 *
 * @throws SegradError for anything wrong with the loss or the batch, before anything is computed.
 */
export function valueAndGrad(loss: LossSpec, batch: TensorBatch): TensorResult {
  return toTensors(loss, batch, readSync(batch));
}

/** The same, reading the tensors by `data()`: the thread stays free while a GPU works. */
export async function valueAndGradAsync(loss: LossSpec, batch: TensorBatch): Promise<TensorResult> {
  const read = arraysOf(batch, isTensor).map(async ([field, array]) => [
    field,
    { data: await array.data<"float32" | "int32" | "bool">(), shape: array.shape },
  ]);
  return toTensors(loss, batch, toBatch(batch, Object.fromEntries(await Promise.all(read)), "channels-last"));
}

/**
 * The gradients of a loss at the variables in two passes, for GPU backends: `forward()` for the logits, `await`
 * them, segrad, then `forward()` again and its gradient along ∂loss/∂logits, as that of ⟨forward(), ∂loss/∂logits⟩.
 * No `dataSync`; the price is a second forward pass.
 *
 * The two passes must give the same logits, since the gradient belongs to the first and flows back through the
 * second:
 * - **Dropout** draws a new mask each time. Give its layers a `seed`, or leave dropout out.
 * - **Batch normalisation** in training mode moves its averages in both passes: twice per step. Correct its
 *   momentum m to √m, which after two equal updates is m.
 * - **Random augmentation** belongs before `forward`, not inside it.
 * - **The variables** must not change in between: await each step before the next one.
 *
 * Regularizers of layers are not part of `forward()` and so not of the gradient.
 *
 * @param forward The network: returns the logits, from the variables. May leave tensors behind.
 * @param variables Those to differentiate by; by default all trainable ones.
 *
 * @example
 * const { value, grads } = await variableGradsAsync(loss, () => model.apply(images, { training: true }), { target });
 * optimizer.applyGradients(grads);
 * tf.dispose(grads);
 *
 * @throws SegradError for anything wrong with the loss or the batch.
 */
export async function variableGradsAsync(
  loss: LossSpec,
  forward: () => Tensor,
  batch: Omit<TensorBatch, "logits">,
  variables?: Variable[],
): Promise<VariableResult> {
  const logits = tidy(() => clone(forward())); // a clone, since forward may return what is not ours to dispose of
  let result: TensorResult;
  try {
    result = await valueAndGradAsync(loss, { ...batch, logits });
  } finally {
    logits.dispose();
  }
  const { value, terms, grad } = result;
  try {
    const pulled = variableGrads(() => sum(mul(forward(), grad)), variables);
    pulled.value.dispose();
    return { value, terms, grads: pulled.grads };
  } finally {
    grad.dispose();
  }
}

const isTensor = (value: unknown): value is Tensor => value instanceof Tensor;

function readSync(batch: TensorBatch) {
  const read = arraysOf(batch, isTensor).map(([field, array]): [string, Shaped] => [
    field,
    { data: array.dataSync<"float32" | "int32" | "bool">(), shape: array.shape },
  ]);
  return toBatch(batch, Object.fromEntries(read), "channels-last");
}

function toTensors(loss: LossSpec, { logits }: TensorBatch, batch: ReturnType<typeof toBatch>): TensorResult {
  const { value, terms, grad } = valueAndGradOfArrays(loss, batch);
  return { value, terms, grad: tensor(grad, logits.shape, "float32") };
}
