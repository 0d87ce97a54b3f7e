import * as tf from "@tensorflow/tfjs-core";
import { confusionMatrix, type LossSpec, valueAndGrad } from "../ts/core/entry/node.ts";
import { cut } from "./crops.ts";
import { readHalves } from "./images.ts";
import type { Row } from "./losses.ts";
import { Network, ready } from "./network.ts";
import { random } from "./random.ts";

export interface Plan {
  readonly seed: number;
  readonly steps: number;
  /** Squares per step, and their side. */
  readonly batch: number;
  readonly size: number;
}

/** What a training run leaves behind. */
export interface Run {
  readonly name: string;
  /** The loss of each step's batch. */
  readonly values: readonly number[];
  /** Dice on the held-out half, measured now and then. */
  readonly checks: readonly { readonly step: number; readonly dice: number }[];
  /** Logits of the held-out half at the first check and at the end. */
  readonly early: Float32Array;
  readonly logits: Float32Array;
  readonly seconds: number;
}

const checks = 12;
const learningRate = 0.005;

/**
 * Trains a fresh network on the left half with the loss of `row`. First weights and crops depend on the seed
 * alone, so that every loss starts from the same network and sees the same squares in the same order.
 */
export async function train(row: Row, plan: Plan, onStep: (value: number) => void): Promise<Run> {
  await ready();
  const { training, heldOut } = readHalves();
  const weights = row.pixelWeights?.(training) ?? null;
  const network = new Network(random(plan.seed));
  const places = random(plan.seed + 1);
  const optimizer = new Adam(learningRate);
  const started = performance.now();

  const values: number[] = [];
  const measured: { step: number; dice: number }[] = [];
  let early: Float32Array | null = null;
  let logits: Float32Array = new Float32Array(0);
  for (let step = 1; step <= plan.steps; step++) {
    const done = (step - 1) / plan.steps;
    optimizer.rate = (learningRate * (1 + Math.cos(Math.PI * done))) / 2;
    const crops = cut(training, weights, plan.batch, plan.size, places);
    const value = descend(network, optimizer, row.loss(done), crops, plan);
    values.push(value);
    onStep(value);
    if (Math.floor((step * checks) / plan.steps) > Math.floor(((step - 1) * checks) / plan.steps)) {
      logits = predict(network, heldOut);
      early ??= logits;
      measured.push({ step, dice: diceOf(logits, heldOut.truth) });
    }
  }
  network.dispose();
  optimizer.dispose();
  const seconds = (performance.now() - started) / 1000;
  return { name: row.name, values, checks: measured, early: early ?? logits, logits, seconds };
}

/** Adam with a learning rate that can follow a schedule. */
class Adam extends tf.AdamOptimizer {
  constructor(rate: number) {
    super(rate, 0.9, 0.999, 1e-7);
  }

  set rate(rate: number) {
    this.learningRate = rate;
  }
}

/** One step: TensorFlow.js runs the network, segrad gives the loss and its gradient at the logits. */
function descend(
  network: Network,
  optimizer: Adam,
  loss: LossSpec,
  crops: ReturnType<typeof cut>,
  plan: Plan,
): number {
  const { batch, size } = plan;
  const input = tf.tensor4d(crops.input, [batch, size, size, 1]);
  const lossOf = tf.customGrad((logits) => {
    const { value, grad } = valueAndGrad(loss, {
      logits: (logits as tf.Tensor).dataSync<"float32">(),
      target: crops.target,
      shape: [batch, 1, size, size],
      ...(crops.weights && { pixelWeights: crops.weights }),
    });
    return { value: tf.scalar(value), gradFunc: () => tf.tensor(grad, [batch, size, size, 1]) };
  });
  const { value, grads } = tf.variableGrads(() => lossOf(network.logits(input)) as tf.Scalar);
  optimizer.applyGradients(grads as Record<string, tf.Variable>);
  const [number] = value.dataSync();
  tf.dispose([input, value, ...Object.values(grads)]);
  return number!;
}

function predict(
  network: Network,
  { input, height, width }: ReturnType<typeof readHalves>["heldOut"],
): Float32Array {
  return tf.tidy(() =>
    network
      .logits(tf.tensor4d(input, [1, height, width, 1]))
      .dataSync<"float32">()
      .slice(),
  );
}

/** The mask of a network: 1 where a nucleus is likelier than not. */
export function maskOf(logits: Float32Array): Uint8Array {
  return Uint8Array.from(logits, (z) => (z > 0 ? 1 : 0));
}

function diceOf(logits: Float32Array, truth: Uint8Array): number {
  const [[, falseAlarms], [missed, hits]] = confusionMatrix(maskOf(logits), truth, { classes: 2 }) as [
    [number, number],
    [number, number],
  ];
  return (2 * hits) / (2 * hits + falseAlarms + missed);
}
