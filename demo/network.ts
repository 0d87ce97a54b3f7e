import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-wasm";
// For its side effect: it registers the gradients of the array operations.
import "@tensorflow/tfjs-layers";
import { convolve } from "./convolution.ts";
import type { Random } from "./random.ts";

/** Channels on the three levels. */
const [fine, middle, coarse] = [8, 16, 32];

/** [inputs, outputs] of the 3×3 convolutions, in the order in which `logits` takes them. */
const layers: readonly (readonly [number, number])[] = [
  [1, fine],
  [fine, fine],
  [fine, middle],
  [middle, middle],
  [middle, coarse],
  [coarse, middle],
  [middle, fine],
  [fine, fine],
];

/** A U-Net in small: two steps down, two steps up, one logit per pixel. */
export class Network {
  readonly #weights: tf.Variable[] = [];

  /** Weights as He et al. (2015) draw them, biases 0. Call after `ready`. */
  constructor(random: Random) {
    for (const [inputs, outputs] of layers) {
      this.#add([3, 3, inputs, outputs], Math.sqrt(2 / (9 * inputs)), random);
      this.#add([outputs], 0, random);
    }
    this.#add([fine, 1], Math.sqrt(1 / fine), random);
    this.#add([1], 0, random);
  }

  #add(shape: number[], deviation: number, random: Random): void {
    const length = shape.reduce((product, size) => product * size);
    const values = Float32Array.from({ length }, () => deviation * random.normal());
    this.#weights.push(tf.variable(tf.tensor(values, shape)));
  }

  /** [batch, height, width, 1] to logits of the same shape. Height and width are multiples of 4. */
  logits(input: tf.Tensor4D): tf.Tensor4D {
    let taken = 0;
    const next = <T extends tf.Tensor>() => this.#weights[taken++] as unknown as T;
    const layer = (x: tf.Tensor4D) => convolve(x, next<tf.Tensor4D>(), next<tf.Tensor1D>());

    const full = layer(layer(input));
    const half = layer(layer(shrink(full)));
    const quarter = layer(layer(shrink(half)));
    const raised = layer(tf.add(grow(quarter), half));
    const features = layer(tf.add(grow(raised), full));

    const perPixel = tf.reshape<tf.Rank.R2>(features, [-1, fine]);
    return tf.reshape(tf.add(tf.matMul(perPixel, next<tf.Tensor2D>()), next()), input.shape);
  }

  dispose(): void {
    tf.dispose(this.#weights);
  }
}

const shrink = (x: tf.Tensor4D): tf.Tensor4D => tf.maxPool(x, 2, 2, "valid");
const grow = (x: tf.Tensor4D): tf.Tensor4D =>
  tf.image.resizeNearestNeighbor(x, [2 * x.shape[1], 2 * x.shape[2]]);

/** Starts the WebAssembly backend of TensorFlow.js. */
export async function ready(): Promise<void> {
  await tf.setBackend("wasm");
  await tf.ready();
}
