/** segrad/tfjs in `model.compile` and `model.fit`, and the traps of the two-pass form in layers. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import * as layers from "@tensorflow/tfjs-layers";
import { argmax, crossEntropy, dice, sum, valueAndGrad } from "segrad";
import { segradLoss, variableGradsAsync } from "segrad/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { classNumbers, difference, noise } from "./support.ts";

const [images, side, classes] = [4, 8, 3];

beforeAll(async () => {
  await tf.setBackend("cpu");
});

/** Bright squares on noise: the class of a pixel is how bright its square is. */
function task() {
  const labels = classNumbers(images * 4, classes, 1);
  const labelOf = (i: number) => {
    const [image, row, column] = [Math.floor(i / side ** 2), Math.floor(i / side) % side, i % side];
    return labels[image * 4 + 2 * Math.floor(row / 4) + Math.floor(column / 4)]!;
  };
  const target = Int32Array.from({ length: images * side * side }, (_, i) => labelOf(i));
  const brightness = noise(target.length, 2, 0.3).map((x, i) => x + target[i]! - 1);
  return {
    target,
    x: tf.tensor4d(brightness, [images, side, side, 1]),
    y: tf.oneHot(tf.tensor3d(target, [images, side, side], "int32"), classes),
  };
}

/** Two convolutions. The same weights on every call. */
function convolutions(last: "linear" | "softmax" = "linear"): layers.Sequential {
  const conv = (filters: number, kernelSize: number, seed: number, more: object) =>
    layers.layers.conv2d({
      filters,
      kernelSize,
      padding: "same",
      kernelInitializer: layers.initializers.glorotNormal({ seed }),
      ...more,
    });
  const model = layers.sequential();
  model.add(conv(6, 3, 1, { activation: "relu", inputShape: [side, side, 1] }));
  model.add(conv(classes, 1, 2, { activation: last }));
  return model;
}

const weightsOf = (model: layers.LayersModel) => model.getWeights().flatMap((w) => [...w.dataSync()]);

test("model.fit trains a convolutional network, evaluate gives the loss", async () => {
  const { x, y, target } = task();
  const model = convolutions();
  const loss = sum([crossEntropy(), dice()]);
  model.compile({ optimizer: tf.train.adam(0.03), loss: segradLoss(loss) });
  const { history } = await model.fit(x, y, { epochs: 40, batchSize: 2, verbose: 0, validationData: [x, y] });
  const values = history["loss"] as number[];
  expect(values[0]).toBeGreaterThan(1);
  expect(values.at(-1)).toBeLessThan(0.3);

  const logits = (model.predict(x) as tf.Tensor).dataSync<"float32">();
  const shape = [images, side, side, classes];
  const { value } = valueAndGrad(loss, { logits, target, shape, layout: "channels-last" });
  const evaluated = model.evaluate(x, y) as tf.Scalar;
  expect(evaluated.dataSync()[0]).toBeCloseTo(value, 5);
  expect((history["val_loss"] as number[]).at(-1)).toBeCloseTo(value, 4);
  const right = argmax(logits, { shape, layout: "channels-last" }).filter((label, i) => label === target[i]);
  expect(right.length / target.length).toBeGreaterThan(0.95);
});

describe("model.fit leaves the weights that TensorFlow.js' own loss leaves", () => {
  async function fitted(loss: "categoricalCrossentropy" | ReturnType<typeof segradLoss>) {
    const { x, y } = task();
    const model = convolutions("softmax");
    const before = weightsOf(model);
    model.compile({ optimizer: tf.train.sgd(0.5), loss });
    await model.fit(x, y, { epochs: 3, batchSize: 2, shuffle: false, verbose: 0 });
    expect(difference(weightsOf(model), before)).toBeGreaterThan(1e-2);
    return weightsOf(model);
  }

  test("cross-entropy of probabilities", async () => {
    const ours = await fitted(segradLoss(crossEntropy(), { fromLogits: false }));
    expect(difference(ours, await fitted("categoricalCrossentropy"))).toBeLessThan(1e-5);
  });
});

test("pixel weights that come in yTrue keep half of the image out of the fit", async () => {
  const { x, target } = task();
  const half = Float32Array.from(target, (_, i) => (i % side < side / 2 ? 1 : 0));
  const packed = (labels: ArrayLike<number>) =>
    tf.stack(
      [labels, half, half].map((data) => tf.tensor3d(Float32Array.from(data), [images, side, side])),
      3,
    );
  const unpack = (yTrue: tf.Tensor) => {
    const [labels, pixelWeights] = tf.split(yTrue, 3, 3);
    return { target: labels!, pixelWeights: pixelWeights! };
  };
  // Where the weight is 0 the labels are different ones, and the weights of the network must not notice.
  const otherwise = target.map((label, i) => (half[i] === 1 ? label : (label + 1) % classes));
  const after = [];
  for (const labels of [target, otherwise]) {
    const model = convolutions();
    model.compile({ optimizer: "sgd", loss: segradLoss(crossEntropy(), { unpack }) });
    await model.fit(x, packed(labels), { epochs: 2, shuffle: false, verbose: 0 });
    after.push(weightsOf(model));
  }
  expect(after[0]).toEqual(after[1]);
  expect(difference(after[0]!, weightsOf(convolutions()))).toBeGreaterThan(1e-3);
});

describe("the traps of two passes", () => {
  /** A network with `layer` in its middle, and its gradients in one pass and in two. */
  async function gradients(layer: () => layers.layers.Layer) {
    const { x, y } = task();
    const run = () => {
      const [first, last] = convolutions().layers as [layers.layers.Layer, layers.layers.Layer];
      const middle = layer();
      const model = layers.sequential({ layers: [first, middle, last] });
      const forward = () => model.apply(x, { training: true }) as tf.Tensor;
      const variables = model.trainableWeights.map((w) => w.read() as tf.Variable);
      return { forward, variables, middle };
    };
    const [one, two] = [run(), run()];
    const lossOf = segradLoss(crossEntropy());
    const once = tf.variableGrads(() => lossOf(y, one.forward()), one.variables);
    const twice = await variableGradsAsync(crossEntropy(), two.forward, { target: y }, two.variables);
    const numbers = (grads: tf.NamedTensorMap, variables: tf.Variable[]) =>
      variables.flatMap(({ name }) => [...grads[name]!.dataSync()]);
    const apart = difference(numbers(once.grads, one.variables), numbers(twice.grads, two.variables));
    return { apart, one: one.middle, two: two.middle };
  }

  test("dropout: the same gradients with a seed, others without", async () => {
    const { dropout } = layers.layers;
    expect((await gradients(() => dropout({ rate: 0.5, seed: 7 }))).apart).toBeLessThan(1e-6);
    expect((await gradients(() => dropout({ rate: 0.5 }))).apart).toBeGreaterThan(1e-3);
  });

  test("batch normalisation: the averages move twice, by √momentum each time as if once", async () => {
    const averages = (layer: layers.layers.Layer) =>
      layer
        .getWeights()
        .slice(2)
        .flatMap((w) => [...w.dataSync()]);
    const momenta = [0.9, Math.sqrt(0.9)];
    const { apart, one, two } = await gradients(() =>
      layers.layers.batchNormalization({ momentum: momenta.shift()! }),
    );
    expect(apart).toBeLessThan(1e-6);
    expect(difference(averages(one), averages(two))).toBeLessThan(1e-6);
    const same = await gradients(() => layers.layers.batchNormalization({ momentum: 0.9 }));
    expect(difference(averages(same.one), averages(same.two))).toBeGreaterThan(1e-3);
  });
});
