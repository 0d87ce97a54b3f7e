/**
 * jax-js on its wasm backend, one thread, `jit(valueAndGrad(loss))`: channels first and the plain `softplus` are its
 * fastest forms here.
 */
import { defaultDevice, init, jit, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import { oneHotPlanes, product } from "../workloads.ts";
import type { Engine } from "./engine.ts";

/** Each argument is consumed once; `.ref` is one more use of it. Arrays are [n, c, p]. */
type Formula = (logits: np.Array, target: np.Array) => np.Array;

const channelAxis = 1;
const pixelAxis = 2;

/** Soft Dice per image and class, from probabilities. */
const softDice: Formula = (p, y) => {
  const both = np.sum(p.ref.mul(y.ref), pixelAxis);
  const either = np.sum(p, pixelAxis).add(np.sum(y, pixelAxis));
  return np.mean(np.subtract(1, both.mul(2).add(1e-5).div(either.add(1e-5))));
};

const binaryCrossEntropy: Formula = (z, y) => np.mean(nn.softplus(z.ref).sub(z.mul(y)));
const binaryDice: Formula = (z, y) => softDice(nn.sigmoid(z), y);

const binary: { readonly [name: string]: Formula } = {
  crossEntropy: binaryCrossEntropy,
  dice: binaryDice,
  "dice + crossEntropy": (z, y) => binaryDice(z.ref, y.ref).add(binaryCrossEntropy(z, y)),
  focal: (z, y) => {
    // −ln of the probability of the truth, with the sign of z turned where y = 0.
    const u = nn.softplus(z.mul(np.subtract(1, y.ref.mul(2))));
    const alpha = np.subtract(0.75, y.mul(0.5));
    return np.mean(alpha.mul(np.square(np.subtract(1, np.exp(u.ref.neg())))).mul(u));
  },
};

const truth: Formula = (z, y) => np.sum(nn.logSoftmax(z, channelAxis).mul(y), channelAxis);
const classCrossEntropy: Formula = (z, y) => np.mean(truth(z, y)).neg();
const classDice: Formula = (z, y) => softDice(nn.softmax(z, channelAxis), y);

const multiclass: { readonly [name: string]: Formula } = {
  crossEntropy: classCrossEntropy,
  dice: classDice,
  "dice + crossEntropy": (z, y) => classDice(z.ref, y.ref).add(classCrossEntropy(z, y)),
  focal: (z, y) => {
    const logarithm = truth(z, y);
    return np.mean(np.square(np.subtract(1, np.exp(logarithm.ref))).mul(logarithm)).neg();
  },
};

export const jax: Engine = {
  name: "jax-js wasm",
  prepare: async (workload, item) => {
    const [images, channels, ...spatial] = workload.shape as [number, number, ...number[]];
    const formula = (channels === 1 ? binary : multiclass)[item.name];
    if (formula === undefined) return null;
    await init("wasm");
    defaultDevice("wasm");
    const shape = [images, channels, product(spatial)];
    const logits = np.array(workload.logits.slice(), { shape });
    const target = np.array(oneHotPlanes(workload), { shape });
    const both = jit((z: np.Array, y: np.Array) => valueAndGrad(formula)(z, y));
    let gradient: ArrayLike<number> = [];
    return {
      elements: workload.logits.length,
      evaluate: () => {
        const [value, grad] = both(logits.ref, target.ref);
        gradient = grad.dataSync(); // arrays are lazy: only reading them computes them
        return value.item();
      },
      gradient: () => gradient,
      dispose: () => {
        both.dispose();
        logits.dispose();
        target.dispose();
      },
    };
  },
};
