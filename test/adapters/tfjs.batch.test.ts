/** What segrad/tfjs takes: tensors of every kind, shape and option, and what it refuses. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-layers"; // registers the gradients of the array operations
import {
  type Batch,
  boundary,
  crossEntropy,
  dice,
  focal,
  type LossSpec,
  SegradError,
  valueAndGrad as valueAndGradOfArrays,
} from "segrad";
import { segradLoss, valueAndGrad, valueAndGradAsync } from "segrad/tfjs";
import { describe, expect, test } from "vitest";
import { classes, images, labels, perPixel, pixels, shape, side } from "./step.ts";
import { noise } from "./support.ts";

await tf.setBackend("cpu"); // some tensors below are made before the tests run

describe("tensors and batches", () => {
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
