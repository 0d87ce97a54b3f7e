/** A small segmenter learns the nuclei: through segrad as well as through a loss of TensorFlow.js' own operations. */
import * as tf from "@tensorflow/tfjs-core";
import { crossEntropy, dice, type LossSpec, sum } from "segrad";
import { segradLoss } from "segrad/tfjs";
import { expect, test } from "vitest";
import { cut } from "../../demo/crops.ts";
import { readHalves } from "../../demo/images.ts";
import { Network, ready } from "../../demo/network.ts";
import { random } from "../../demo/random.ts";
import { diceOf } from "./support.ts";

const [steps, batch, size] = [40, 2, 64];

const loss: LossSpec = sum([crossEntropy(), dice({ over: "batch", smooth: 1 })]);

/** Mean of softplus(z) − y z, plus 1 − Dice pooled over the batch: the same loss in TensorFlow.js. */
function own(y: tf.Tensor, z: tf.Tensor): tf.Scalar {
  const p = tf.sigmoid(z);
  const surprise = tf.sub(tf.add(tf.relu(z), tf.log1p(tf.exp(tf.neg(tf.abs(z))))), tf.mul(y, z));
  const both = tf.add(tf.mul(2, tf.sum(tf.mul(p, y))), 1);
  const overlap = tf.div(both, tf.add(tf.add(tf.sum(p), tf.sum(y)), 1));
  return tf.add(tf.mean(surprise), tf.sub(1, overlap));
}

/** Trains on the left half of the image; Dice on the right half. */
function heldOutDice(lossOf: (y: tf.Tensor, z: tf.Tensor) => tf.Scalar, steps: number): number {
  const { training, heldOut } = readHalves();
  const network = new Network(random(1));
  const places = random(2);
  const optimizer = tf.train.adam(0.01);
  for (let step = 0; step < steps; step++) {
    tf.tidy(() => {
      const { input, target } = cut(training, null, batch, size, places);
      const x = tf.tensor4d(input, [batch, size, size, 1]);
      const y = tf.tensor4d(Float32Array.from(target), [batch, size, size, 1]);
      optimizer.minimize(() => lossOf(y, network.logits(x)));
    });
  }
  const { input, height, width, truth } = heldOut;
  const logits = tf.tidy(() => network.logits(tf.tensor4d(input, [1, height, width, 1])).dataSync());
  network.dispose();
  return diceOf(logits, truth);
}

test("held-out Dice through segrad is that of TensorFlow.js' own operations", async () => {
  await ready();
  const untrained = heldOutDice(own, 0);
  const [ours, theirs] = [heldOutDice(segradLoss(loss), steps), heldOutDice(own, steps)];
  console.log(
    `held-out Dice after ${steps} steps: segrad ${ours.toFixed(4)}, TensorFlow.js ${theirs.toFixed(4)}`,
  );
  expect(untrained).toBeLessThan(0.6);
  expect(theirs).toBeGreaterThan(0.85);
  expect(Math.abs(ours - theirs)).toBeLessThan(0.02);
});
