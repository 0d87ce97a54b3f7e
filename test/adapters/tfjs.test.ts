/** segrad/tfjs with the real TensorFlow.js, on its cpu and wasm backends. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-layers"; // registers the gradients of the array operations
import {
  type Batch,
  boundary,
  crossEntropy,
  dice,
  focal,
  type LossSpec,
  SegradError,
  sum,
  valueAndGrad as valueAndGradOfArrays,
} from "segrad";
import { segradLoss, valueAndGrad, valueAndGradAsync, variableGradsAsync } from "segrad/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { classes, images, labels, network, pairs, perPixel, pixels, shape, side, step } from "./step.ts";
import { difference, noise } from "./support.ts";

await tf.setBackend("cpu"); // some tensors below are made before the tests run

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

describe("tensors and batches", () => {
  beforeAll(() => tf.setBackend("cpu"));

  const logits = noise(pixels * classes, 6, 2);
  const weights = noise(pixels, 7).map(Math.abs);
  const distance = noise(pixels * classes, 8);
  const ignoring = labels.map((label, i) => (i % 5 === 0 ? 255 : label));
  const hot = Float32Array.from(logits, (_, i) => (labels[Math.floor(i / classes)] === i % classes ? 1 : 0));
  const withOne = [images, side, side, 1];
  const last = { shape, layout: "channels-last" } as const;
  const firstChannel = labels.map((label) => (label > 1 ? 1 : 0));
  type Case = [string, LossSpec, Batch, Parameters<typeof valueAndGrad>[1]];
  const tensorOf = (data: Float32Array | Int32Array, size: readonly number[]) =>
    tf.tensor(data.slice(), [...size], data instanceof Int32Array ? "int32" : "float32");
  const z = () => tensorOf(logits, shape);

  test.each<Case>([
    [
      "class numbers [n, h, w]",
      dice(),
      { ...last, logits, target: labels },
      { logits: z(), target: tensorOf(labels, perPixel) },
    ],
    [
      "class numbers [n, h, w, 1]",
      dice(),
      { ...last, logits, target: labels },
      { logits: z(), target: tensorOf(labels, withOne) },
    ],
    [
      "class numbers as floats",
      dice(),
      { ...last, logits, target: labels },
      { logits: z(), target: tensorOf(Float32Array.from(labels), withOne) },
    ],
    [
      "class numbers in a typed array",
      dice(),
      { ...last, logits, target: labels },
      { logits: z(), target: Uint8Array.from(labels) },
    ],
    [
      "one-hot floats",
      dice(),
      { ...last, logits, target: hot },
      { logits: z(), target: tensorOf(hot, shape) },
    ],
    [
      "one-hot integers",
      dice(),
      { ...last, logits, target: hot },
      { logits: z(), target: tensorOf(Int32Array.from(hot), shape) },
    ],
    [
      "ignoreIndex",
      crossEntropy(),
      { ...last, logits, target: ignoring, ignoreIndex: 255 },
      { logits: z(), target: tensorOf(ignoring, perPixel), ignoreIndex: 255 },
    ],
    [
      "multilabel",
      focal(),
      { ...last, logits, target: Int32Array.from(hot), mode: "multilabel" },
      { logits: z(), target: tensorOf(Int32Array.from(hot), shape), mode: "multilabel" },
    ],
    [
      "booleans",
      focal(),
      { ...last, logits, target: Uint8Array.from(hot), mode: "multilabel" },
      { logits: z(), target: tf.cast(tensorOf(hot, shape), "bool"), mode: "multilabel" },
    ],
    [
      "binary",
      dice(),
      { logits: logits.slice(0, pixels), target: firstChannel, shape: withOne, layout: "channels-last" },
      { logits: tensorOf(logits.slice(0, pixels), withOne), target: tensorOf(firstChannel, perPixel) },
    ],
    [
      "pixelWeights",
      crossEntropy(),
      { ...last, logits, target: labels, pixelWeights: weights },
      { logits: z(), target: tensorOf(labels, perPixel), pixelWeights: tensorOf(weights, withOne) },
    ],
    [
      "distance",
      boundary(),
      { ...last, logits, target: labels, distance },
      { logits: z(), target: tensorOf(labels, perPixel), distance: tensorOf(distance, shape) },
    ],
    [
      "spacing",
      boundary(),
      { ...last, logits, target: labels, spacing: [1, 2.5] },
      { logits: z(), target: tensorOf(labels, perPixel), spacing: [1, 2.5] },
    ],
    [
      "probabilities",
      dice(),
      { ...last, logits: hot.map((y) => (y + 0.1) / 1.4), target: labels, fromLogits: false },
      {
        logits: tensorOf(
          hot.map((y) => (y + 0.1) / 1.4),
          shape,
        ),
        target: tensorOf(labels, perPixel),
        fromLogits: false,
      },
    ],
    [
      "channels first",
      dice(),
      { logits, target: labels, shape: [images, classes, side, side] },
      {
        logits: tensorOf(logits, [images, classes, side, side]),
        target: tensorOf(labels, [images, 1, side, side]),
        layout: "channels-first",
      },
    ],
    [
      "volumes",
      dice(),
      { logits, target: labels, shape: [1, images, side, side, classes], layout: "channels-last" },
      {
        logits: tensorOf(logits, [1, images, side, side, classes]),
        target: tensorOf(labels, [1, images, side, side]),
      },
    ],
  ])("%s: value and gradient are those of the arrays, bit by bit", async (_, loss, arrays, tensors) => {
    const expected = valueAndGradOfArrays(loss, arrays);
    const blocking = valueAndGrad(loss, tensors);
    for (const result of [blocking, await valueAndGradAsync(loss, tensors)]) {
      expect(result.value).toBe(expected.value);
      expect(result.terms).toEqual(expected.terms);
      expect(result.grad.shape).toEqual(tensors.logits.shape);
      expect([...result.grad.dataSync()]).toEqual([...expected.grad]);
    }
    const { logits: yPred, target: yTrue, ...options } = tensors;
    if (yTrue instanceof tf.Tensor) {
      const gradient = tf.grad((x) => segradLoss(loss, options)(yTrue, x))(yPred);
      expect([...gradient.dataSync()]).toEqual([...expected.grad]);
    }
  });

  test("unpack takes pixel weights out of yTrue", () => {
    const packed = tf.stack([tensorOf(Float32Array.from(labels), perPixel), tensorOf(weights, perPixel)], 3);
    const unpack = (yTrue: tf.Tensor) => {
      const [target, pixelWeights] = tf.split(yTrue, 2, 3);
      return { target: target!, pixelWeights: pixelWeights! };
    };
    const before = tf.memory().numTensors;
    const value = segradLoss(crossEntropy(), { unpack })(packed, z());
    expect(tf.memory().numTensors).toBe(before + 2); // the value and z
    const expected = valueAndGradOfArrays(crossEntropy(), {
      ...last,
      logits,
      target: labels,
      pixelWeights: weights,
    });
    expect(value.dataSync()[0]).toBe(Math.fround(expected.value));
  });

  test("the gradient lies in memory of its own", () => {
    const { grad } = valueAndGrad(dice(), { logits: z(), target: labels });
    const kept = grad.dataSync(); // on the cpu backend the very array TensorFlow.js was given
    expect(kept.buffer.byteLength).toBe(kept.byteLength);
    const copy = [...kept];
    const large = 2 ** 20;
    valueAndGradOfArrays(dice(), {
      logits: new Float32Array(large),
      target: new Uint8Array(large),
      shape: [1, 1, 1024, 1024],
    });
    expect([...grad.dataSync()]).toEqual(copy);
  });

  test.each([
    ["an unknown loss", () => segradLoss({ kind: "dize" }), "unknown-kind"],
    [
      "a misspelt option",
      () => segradLoss(dice(), { pixelWeight: 1 } as never)(tensorOf(labels, perPixel), z()),
      "invalid-batch",
    ],
    [
      "logits that are no tensor",
      () => valueAndGrad(dice(), { logits: logits as never, target: labels }),
      "invalid-batch",
    ],
    [
      "integer logits",
      () => valueAndGrad(dice(), { logits: tf.cast(z(), "int32"), target: labels }),
      "invalid-array",
    ],
    [
      "logits of rank 2",
      () => valueAndGrad(dice(), { logits: tensorOf(logits, [pixels, classes]), target: labels }),
      "invalid-shape",
    ],
    [
      "logits of rank 0",
      () => valueAndGrad(dice(), { logits: tf.scalar(1), target: labels }),
      "invalid-shape",
    ],
    [
      "a target of another size",
      () => valueAndGrad(dice(), { logits: z(), target: tensorOf(labels, [images, side * side]) }),
      "invalid-shape",
    ],
    [
      "a transposed target",
      () => valueAndGrad(dice(), { logits: z(), target: tensorOf(labels, [side, images, side]) }),
      "invalid-shape",
    ],
    [
      "class numbers for multilabel",
      () => valueAndGrad(dice(), { logits: z(), target: tensorOf(labels, perPixel), mode: "multilabel" }),
      "invalid-shape",
    ],
    [
      "half a class",
      () => valueAndGrad(dice(), { logits: z(), target: tensorOf(weights, perPixel) }),
      "invalid-label",
    ],
    [
      "a class too many",
      () =>
        valueAndGrad(dice(), {
          logits: z(),
          target: tensorOf(
            labels.map(() => 4),
            perPixel,
          ),
        }),
      "invalid-label",
    ],
    [
      "pixel weights per channel",
      () => valueAndGrad(dice(), { logits: z(), target: labels, pixelWeights: z() }),
      "invalid-shape",
    ],
  ] as const)("%s: a SegradError", (_, run, code) => {
    let error: unknown;
    tf.tidy(() => {
      try {
        run();
      } catch (thrown) {
        error = thrown;
      }
    });
    expect(error).toBeInstanceOf(SegradError);
    expect((error as SegradError).code).toBe(code);
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

  test("two losses of one network add up", () => {
    const both = tf.grad((x) =>
      tf.add(segradLoss(dice())(target(), x), tf.mul(2, segradLoss(focal())(target(), x))),
    )(logits());
    const expected = valueAndGradOfArrays(sum([dice(), [2, focal()]]), arrays);
    expect(difference(both.dataSync(), expected.grad)).toBeLessThan(1e-6);
  });
});
