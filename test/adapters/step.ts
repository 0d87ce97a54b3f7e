/** One training step in TensorFlow.js, through segrad or through a loss of its own operations, on any backend. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-layers"; // registers the gradients of the array operations
import { crossEntropy, dice, type LossSpec } from "segrad";
import { classNumbers, difference, noise } from "./support.ts";

export const [images, side, classes] = [2, 6, 4];
const [inputs, hidden] = [3, 5];
export const pixels = images * side * side;
export const perPixel: [number, number, number] = [images, side, side];
export const shape = [images, side, side, classes];

/** Logits of a two-layer network over each pixel. Matrix products, which every backend differentiates. */
export function network() {
  const variable = (size: [number, number], seed: number) =>
    tf.variable(tf.tensor2d(noise(size[0] * size[1], seed), size));
  const weights = [variable([inputs, hidden], 1), variable([hidden, classes], 2)] as const;
  const input = tf.tensor2d(noise(pixels * inputs, 3), [pixels, inputs]);
  const forward = () => tf.reshape(tf.matMul(tf.tanh(tf.matMul(input, weights[0])), weights[1]), shape);
  const dispose = () => tf.dispose([input, ...weights]);
  return { weights, forward, dispose, numbers: () => weights.flatMap((w) => [...w.dataSync()]) };
}

export const labels = classNumbers(pixels, classes, 4);
const oneHot = () => tf.oneHot(tf.tensor3d(labels, perPixel, "int32"), classes);

/** −mean log softmax, in TensorFlow.js. */
const ownCrossEntropy = (z: tf.Tensor) => {
  const surprise = tf.sub(tf.log(tf.sum(tf.exp(z), -1)), tf.sum(tf.mul(z, tf.cast(oneHot(), "float32")), -1));
  return tf.mean(surprise) as tf.Scalar;
};
/** 1 − mean Dice over images and classes, smooth 1, in TensorFlow.js. */
const ownDice = (z: tf.Tensor) => {
  const [p, y] = [tf.softmax(z), tf.cast(oneHot(), "float32")];
  const over = (x: tf.Tensor) => tf.sum(x, [1, 2]);
  const ratio = tf.div(tf.add(tf.mul(2, over(tf.mul(p, y))), 1), tf.add(tf.add(over(p), over(y)), 1));
  return tf.sub(1, tf.mean(ratio)) as tf.Scalar;
};
/** A loss of segrad and the same one in TensorFlow.js. */
export const pairs: [string, LossSpec, (z: tf.Tensor) => tf.Scalar][] = [
  ["cross-entropy", crossEntropy(), ownCrossEntropy],
  ["Dice", dice({ smooth: 1 }), ownDice],
];

/** A step of gradient descent from the same weights: the loss before it, the weights after it, how far they moved. */
export function step(lossOf: (logits: tf.Tensor) => tf.Scalar) {
  const { weights, forward, numbers, dispose } = network();
  const before = numbers();
  const value = tf.train
    .sgd(1)
    .minimize(() => lossOf(forward()), true, [...weights])!
    .dataSync()[0]!;
  const after = numbers();
  dispose();
  return { value, weights: after, moved: difference(before, after) };
}
