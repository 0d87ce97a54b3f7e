/**
 * TensorFlow.js on its cpu and wasm backends, one thread. The losses are written as its users write them: channels
 * last, one-hot targets made beforehand, its own stable operations, `tf.valueAndGrad`.
 */
import "@tensorflow/tfjs-backend-cpu";
import { setThreadsCount } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
// For its side effect: it registers the gradients of the operations.
import "@tensorflow/tfjs-layers";
import { channelsLast, crop, oneHotPlanes, product, type Workload } from "../workloads.ts";
import type { Engine } from "./engine.ts";

type Formula = (logits: tf.Tensor, target: tf.Tensor) => tf.Tensor;

/** Soft Dice per image and class, from probabilities [n, p, c]. */
const softDice: Formula = (p, y) => {
  const both = tf.sum(tf.mul(p, y), 1);
  const either = tf.add(tf.sum(p, 1), tf.sum(y, 1));
  return tf.mean(tf.sub(1, tf.div(tf.add(tf.mul(both, 2), 1e-5), tf.add(either, 1e-5))));
};

const binaryCrossEntropy: Formula = (z, y) => tf.losses.sigmoidCrossEntropy(y, z);
const binaryDice: Formula = (z, y) => softDice(tf.sigmoid(z), y);

const binary: { readonly [name: string]: Formula } = {
  crossEntropy: binaryCrossEntropy,
  dice: binaryDice,
  "dice + crossEntropy": (z, y) => tf.add(binaryDice(z, y), binaryCrossEntropy(z, y)),
  focal: (z, y) => {
    // −ln of the probability of the truth, with the sign of z turned where y = 0.
    const u = tf.softplus(tf.mul(z, tf.sub(1, tf.mul(y, 2))));
    const alpha = tf.sub(0.75, tf.mul(y, 0.5));
    return tf.mean(tf.mul(alpha, tf.mul(tf.square(tf.sub(1, tf.exp(tf.neg(u)))), u)));
  },
};

const truth: Formula = (z, y) => tf.sum(tf.mul(y, tf.logSoftmax(z)), -1);
const classCrossEntropy: Formula = (z, y) => tf.neg(tf.mean(truth(z, y)));
const classDice: Formula = (z, y) => softDice(tf.softmax(z), y);

const multiclass: { readonly [name: string]: Formula } = {
  crossEntropy: classCrossEntropy,
  dice: classDice,
  "dice + crossEntropy": (z, y) => tf.add(classDice(z, y), classCrossEntropy(z, y)),
  focal: (z, y) => {
    const logarithm = truth(z, y);
    return tf.neg(tf.mean(tf.mul(tf.square(tf.sub(1, tf.exp(logarithm))), logarithm)));
  },
};

// Without checks of its own, and without advice on the console.
tf.enableProdMode();

/** The cpu backend takes more than a microsecond per element. */
const cpuPixels = 16_384;

function engine(backend: "cpu" | "wasm"): Engine {
  return {
    name: `TensorFlow.js ${backend}`,
    prepare: async (workload, item) => {
      const formula = (workload.shape[1] === 1 ? binary : multiclass)[item.name];
      if (formula === undefined) return null;
      if (backend === "wasm") setThreadsCount(1);
      await tf.setBackend(backend);
      await tf.ready();
      const { logits, target } = tensors(backend === "cpu" ? crop(workload, cpuPixels) : workload);
      const both = tf.valueAndGrad((z: tf.Tensor) => formula(z, target) as tf.Scalar);
      let gradient: tf.Tensor | null = null;
      return {
        elements: logits.size,
        evaluate: () => {
          gradient?.dispose();
          const { value, grad } = both(logits);
          gradient = grad;
          const number = value.dataSync()[0]!;
          value.dispose();
          return number;
        },
        gradient: () => gradient!.dataSync(),
        dispose: () => {
          for (const tensor of [gradient, logits, target]) tensor?.dispose();
        },
      };
    },
  };
}

/** Logits and one-hot targets as [n, pixels, c]. TensorFlow.js keeps the arrays it is given, so it gets copies. */
function tensors(workload: Workload): { logits: tf.Tensor; target: tf.Tensor } {
  const [images, channels, ...spatial] = workload.shape as [number, number, ...number[]];
  const turned = channelsLast({ ...workload, distance: oneHotPlanes(workload) });
  const shape: [number, number, number] = [images, product(spatial), channels];
  return { logits: tf.tensor(turned.logits, shape), target: tf.tensor(turned.distance, shape) };
}

export const tfjsWasm = engine("wasm");
export const tfjsCpu = engine("cpu");
