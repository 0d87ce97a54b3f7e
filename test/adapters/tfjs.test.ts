/** segrad/tfjs with the real TensorFlow.js, on its cpu and wasm backends. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-layers"; // registers the gradients of the array operations
import { crossEntropy, dice, focal, sum, valueAndGrad as valueAndGradOfArrays } from "segrad";
import { segradLoss, valueAndGrad, variableGradsAsync } from "segrad/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { classes, labels, network, pairs, perPixel, pixels, shape, step } from "./step.ts";
import { difference, noise } from "./support.ts";

describe.each(["cpu", "wasm"])("on the %s backend", (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
    await tf.ready();
    expect(tf.getBackend()).toBe(backend);
  });

  test.each(pairs)(
    "a step of %s leaves the same weights as with TensorFlow.js' own operations",
    (_, loss, own) => {
      const target = tf.tensor3d(labels, perPixel, "int32");
      const lossOf = segradLoss(loss);
      const [ours, theirs] = [step((z) => lossOf(target, z)), step(own)];
      expect(ours.moved).toBeGreaterThan(1e-2);
      expect(Math.abs(ours.value - theirs.value)).toBeLessThan(1e-5);
      expect(difference(ours.weights, theirs.weights)).toBeLessThan(1e-5);
    },
  );

  test("the two-pass form gives the gradients of the one-pass form", async () => {
    const { weights, forward, dispose } = network();
    const loss = sum([crossEntropy(), [0.5, dice()]]);
    const target = tf.tensor3d(labels, perPixel, "int32");
    const lossOf = segradLoss(loss);
    const once = tf.variableGrads(() => lossOf(target, forward()), [...weights]);
    const twice = await variableGradsAsync(loss, forward, { target }, [...weights]);
    expect(twice.value).toBeCloseTo(once.value.dataSync()[0]!, 6);
    expect(twice.terms).toHaveLength(2);
    expect(Object.keys(twice.grads)).toEqual(Object.keys(once.grads));
    for (const [name, gradient] of Object.entries(once.grads)) {
      expect(difference(twice.grads[name]!.dataSync(), gradient.dataSync())).toBeLessThan(1e-6);
    }
    dispose();
  });

  test("a thousand steps leave no tensor behind", async () => {
    const { weights, forward, dispose } = network();
    const target = tf.tensor3d(labels, perPixel, "int32");
    const lossOf = segradLoss(crossEntropy());
    const optimizer = tf.train.sgd(0.1);
    const step = () => optimizer.minimize(() => lossOf(target, forward()), false, [...weights]);
    const twoPasses = async () => {
      const { grads } = await variableGradsAsync(dice(), forward, { target }, [...weights]);
      optimizer.applyGradients(grads);
      tf.dispose(grads);
    };
    step();
    await twoPasses();
    const before = tf.memory();
    for (let i = 0; i < 1000; i++) {
      step();
      if (i % 10 === 0) await twoPasses();
    }
    const { numTensors, numBytes } = tf.memory();
    expect([numTensors, numBytes]).toEqual([before.numTensors, before.numBytes]);
    dispose();
    target.dispose();
  });

  test("the gradient is float32, shaped like the logits, and multiplied by what comes in", () => {
    const target = tf.tensor3d(labels, perPixel, "int32");
    const z = tf.tensor4d(noise(pixels * classes, 5), shape as [number, number, number, number]);
    const lossOf = segradLoss(focal());
    const plain = tf.grad((x) => lossOf(target, x))(z);
    expect(plain.dtype).toBe("float32");
    expect(plain.shape).toEqual(z.shape);
    const { grad } = valueAndGradOfArrays(focal(), {
      logits: z.dataSync<"float32">(),
      target: labels,
      shape,
      layout: "channels-last",
    });
    expect([...plain.dataSync()]).toEqual([...grad]);
    const scaled = tf.grad((x) => tf.mul(-3, lossOf(target, x)))(z);
    expect(
      difference(
        scaled.dataSync(),
        grad.map((g) => -3 * g),
      ),
    ).toBeLessThan(1e-7);
    const given = tf.grad((x) => lossOf(target, x))(z, tf.scalar(0.5));
    expect(
      difference(
        given.dataSync(),
        grad.map((g) => g / 2),
      ),
    ).toBeLessThan(1e-7);
  });
});

test("two passes that fail leave no tensor behind", async () => {
  const { weights, forward, dispose } = network();
  const before = tf.memory().numTensors;
  const failing = variableGradsAsync(dice(), forward, { target: new Uint8Array(3) }, [...weights]);
  await expect(failing).rejects.toThrow(/target has length 3/);
  expect(tf.memory().numTensors).toBe(before);
  dispose();
});

describe("losses inside of one another", () => {
  beforeAll(() => tf.setBackend("cpu"));
  const logits = () => tf.tensor4d(noise(pixels * classes, 9), shape as [number, number, number, number]);
  const target = () => tf.tensor3d(labels, perPixel, "int32");
  const arrays = {
    logits: noise(pixels * classes, 9),
    target: labels,
    shape,
    layout: "channels-last",
  } as const;

  test("a loss differentiated within a function that is differentiated", () => {
    const lossOf = segradLoss(dice());
    // ⟨x, ∇Dice(x)⟩: the inner gradient is a constant of the outer one.
    const inner = (x: tf.Tensor) => tf.sum(tf.mul(x, tf.grad((z) => lossOf(target(), z))(x)));
    const gradient = tf.grad((x) => tf.add(inner(x), segradLoss(crossEntropy())(target(), x)))(logits());
    const expected = valueAndGradOfArrays(sum([crossEntropy(), dice()]), arrays);
    expect(difference(gradient.dataSync(), expected.grad)).toBeLessThan(1e-7);
  });

  test("a loss within the backward pass of another function", () => {
    const lossOf = segradLoss(dice());
    // Its gradient is ∇Dice times the value of Dice, both found in the middle of a backward pass.
    const outer = tf.customGrad((x) => ({
      value: tf.sum(x as tf.Tensor),
      gradFunc: (dy: tf.Tensor) => {
        const { grad } = valueAndGrad(dice(), { logits: x as tf.Tensor, target: target() });
        return tf.mul(tf.mul(dy, grad), lossOf(target(), x as tf.Tensor));
      },
    }));
    const gradient = tf.grad((x) => tf.add(outer(x), segradLoss(crossEntropy())(target(), x)))(logits());
    const { value } = valueAndGradOfArrays(dice(), arrays);
    const expected = valueAndGradOfArrays(sum([crossEntropy(), [value, dice()]]), arrays);
    expect(difference(gradient.dataSync(), expected.grad)).toBeLessThan(1e-7);
  });

  test("a loss within the reading of another", () => {
    const weightOf = segradLoss(crossEntropy());
    const unpack = (yTrue: tf.Tensor) => {
      const gradient = tf.grad((x) => weightOf(yTrue, x))(logits());
      return { target: yTrue, pixelWeights: tf.sum(tf.abs(gradient), -1) };
    };
    const gradient = tf.grad((x) => segradLoss(dice(), { unpack })(target(), x))(logits());
    const inner = valueAndGradOfArrays(crossEntropy(), arrays).grad;
    const pixelWeights = Float32Array.from({ length: pixels }, (_, i) =>
      inner.subarray(i * classes, (i + 1) * classes).reduce((total, g) => total + Math.abs(g), 0),
    );
    const expected = valueAndGradOfArrays(dice(), { ...arrays, pixelWeights });
    expect(difference(gradient.dataSync(), expected.grad)).toBeLessThan(1e-6);
  });

  test("a loss that fails within the backward pass of another leaves the next right", () => {
    const [x, y] = [logits(), target()];
    const failing = tf.customGrad((x) => ({
      value: tf.sum(x as tf.Tensor),
      gradFunc: (dy: tf.Tensor) => {
        const wrong = tf.fill(perPixel, classes, "int32"); // no such class
        return tf.mul(dy, valueAndGrad(dice(), { logits: x as tf.Tensor, target: wrong }).grad);
      },
    }));
    const both = (z: tf.Tensor) => tf.add(segradLoss(crossEntropy())(y, z), failing(z));
    for (let i = 0; i < 3; i++) {
      expect(() => tf.tidy(() => tf.grad(both)(x))).toThrow(
        /target\[0\].* is 4; it must be a class from 0 to 3/,
      );
    }
    const gradient = tf.grad((z) => segradLoss(dice())(y, z))(x);
    expect([...gradient.dataSync()]).toEqual([...valueAndGradOfArrays(dice(), arrays).grad]);
  });

  test("two losses of one network add up", () => {
    const both = tf.grad((x) =>
      tf.add(segradLoss(dice())(target(), x), tf.mul(2, segradLoss(focal())(target(), x))),
    )(logits());
    const expected = valueAndGradOfArrays(sum([dice(), [2, focal()]]), arrays);
    expect(difference(both.dataSync(), expected.grad)).toBeLessThan(1e-6);
  });
});
