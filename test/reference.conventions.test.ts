/** What no golden case shows: divisors, selections and weights, each written out by hand on a few pixels. */
import * as segrad from "segrad/reference";
import { describe, expect, test } from "vitest";
import { jaccardGrowth } from "../ts/reference/lovasz.ts";

const { value } = segrad;

/** Probabilities as input, so that numbers can be followed by hand. */
function given(probabilities: number[], target: ArrayLike<number>, shape: number[], rest: object = {}) {
  const isSoft = target instanceof Float64Array;
  return {
    logits: Float64Array.from(probabilities),
    target: isSoft ? target : Int16Array.from(target),
    shape,
    fromLogits: false,
    ...rest,
  };
}

const ln = Math.log;

describe("pointwise divisors", () => {
  // Two pixels, two classes: p = (.75, .25) and (.5, .5).
  const p = [0.75, 0.5, 0.25, 0.5];
  const shape = [1, 2, 1, 2];
  const classWeights = [1, 3];

  test("hard labels divide by the weights of the labels", () => {
    const loss = segrad.crossEntropy({ classWeights });
    expect(value(loss, given(p, [0, 1], shape))).toBeCloseTo((-ln(0.75) - 3 * ln(0.5)) / 4, 14);
  });

  test("soft multiclass targets divide by the number of pixels", () => {
    const soft = Float64Array.of(0.5, 1, 0.5, 0);
    const first = 0.5 * -ln(0.75) + 3 * 0.5 * -ln(0.25);
    const loss = segrad.crossEntropy({ classWeights });
    expect(value(loss, given(p, soft, shape))).toBeCloseTo((first - ln(0.5)) / 2, 14);
  });

  test("multilabel divides by the weights of the channels, label 0 or 1", () => {
    const loss = segrad.crossEntropy({ classWeights });
    const batch = given(p, [1, 0, 1, -1], shape, { mode: "multilabel", ignoreIndex: -1 });
    expect(value(loss, batch)).toBeCloseTo((-ln(0.75) - ln(0.5) - 3 * ln(0.25)) / (1 + 1 + 3), 14);
  });

  test("weights that are all 0 leave nothing to divide", () => {
    expect(value(segrad.crossEntropy({ classWeights: [0, 0] }), given(p, [0, 1], shape))).toBe(0);
  });

  test("pixel weights and positive weights stay out of the divisor", () => {
    const batch = given([0.5, 0.25], [1, 0], [1, 1, 1, 2], { pixelWeights: Float64Array.of(2, 4) });
    const loss = segrad.weightedCrossEntropy({ positiveWeight: 3 });
    expect(value(loss, batch)).toBeCloseTo((2 * 3 * -ln(0.5) + 4 * -ln(0.75)) / 2, 14);
  });

  test("label smoothing of soft and of binary targets", () => {
    const loss = segrad.crossEntropy({ labelSmoothing: 0.5 });
    const soft = given([0.75, 0.25], Float64Array.of(1, 0), [1, 2, 1, 1]);
    expect(value(loss, soft)).toBeCloseTo(-0.75 * ln(0.75) - 0.25 * ln(0.25), 14);
    expect(value(loss, given([0.9], [1], [1, 1, 1, 1]))).toBeCloseTo(-0.75 * ln(0.9) - 0.25 * ln(0.1), 14);
  });

  test("auto balance counts the valid labels of each image and channel, and is clamped", () => {
    const ignore = { ignoreIndex: -1 };
    const batch = given([0.5, 0.5, 0.5, 0.5, 0.5, 0.5], [1, 0, -1, 0, 0, 0], [2, 1, 1, 3], ignore);
    // The first image is balanced; the second has no positives: β = .99, its negatives weigh .01.
    const sum = (0.5 + 0.5 + 3 * (1 - 0.99)) * ln(2);
    expect(value(segrad.balancedCrossEntropy(), batch)).toBeCloseTo(sum / 5, 14);
  });

  test("focal's α as a number is for foreground: y = 1, or every class but the first", () => {
    const loss = segrad.focal({ gamma: 1, alpha: 0.25 });
    const binary = given([0.75, 0.75], [1, 0], [1, 1, 1, 2]);
    const expected = (0.25 * 0.25 * -ln(0.75) + 0.75 * 0.75 * -ln(0.25)) / 2;
    expect(value(loss, binary)).toBeCloseTo(expected, 14);
    const two = given([0.25, 0.25, 0.75, 0.75], [1, 0], [1, 2, 1, 2]);
    expect(value(loss, two)).toBeCloseTo(expected, 14);
  });

  test("focal's α as a list is a factor per class or channel, and soft targets mix the losses", () => {
    const loss = segrad.focal({ gamma: 1, alpha: [2, 3] });
    const classes = given(p, Float64Array.of(0.5, 0, 0.5, 1), shape);
    const mixed = 0.5 * 2 * 0.25 * -ln(0.75) + 0.5 * 3 * 0.75 * -ln(0.25);
    expect(value(loss, classes)).toBeCloseTo((mixed + 3 * 0.5 * ln(2)) / 2, 14);
    const channels = given([0.75, 0.25], [0, 1], [1, 2, 1, 1], { mode: "multilabel" });
    expect(value(loss, channels)).toBeCloseTo((2 * 0.75 * -ln(0.25) + 3 * 0.75 * -ln(0.25)) / 2, 14);
  });

  test("the cross part of the exponential logarithmic loss divides by the number of labels", () => {
    const options = { diceWeight: 0, crossWeight: 1, crossGamma: 2, classWeights: [2, 5] };
    const loss = segrad.exponentialLogarithmic(options);
    const expected = (2 * ln(0.75) ** 2 + 5 * ln(0.5) ** 2) / 2;
    expect(value(loss, given(p, [0, 1], shape))).toBeCloseTo(expected, 14);
  });
});

describe("which pairs enter the mean", () => {
  // Two images of two pixels, two channels; class 1 occurs in the first image only.
  const p = [0.5, 0.25, 0.5, 0.75, 0.75, 0.5, 0.25, 0.5];
  const shape = [2, 2, 1, 2];
  const labels = [0, 1, 0, 0];
  const dice = (overlap: number, size: number) => 1 - (2 * overlap + 1) / (size + 1);
  const [a, b] = [dice(0.5, 0.75 + 1), dice(0.75, 1.25 + 1)];
  const [c, d] = [dice(1.25, 1.25 + 2), dice(0, 0.75)];

  test.each<[object, number]>([
    [{}, (a + b + c + d) / 4],
    [{ classes: "present" }, (a + b + c) / 3],
    [{ classes: [1] }, (b + d) / 2],
    [{ over: "batch" }, (dice(1.75, 2 + 3) + dice(0.75, 2 + 1)) / 2],
    [{ over: "batch", classes: "present" }, (dice(1.75, 2 + 3) + dice(0.75, 2 + 1)) / 2],
  ])("%j", (options, expected) => {
    expect(value(segrad.dice({ smooth: 1, ...options }), given(p, labels, shape))).toBeCloseTo(expected, 14);
  });

  test("an image that is ignored altogether leaves the mean", () => {
    const batch = given(p, [0, 1, 9, 9], shape, { ignoreIndex: 9 });
    expect(value(segrad.dice({ smooth: 1 }), batch)).toBeCloseTo((a + b) / 2, 14);
    const combo = segrad.combo({ alpha: 0, over: "image" });
    const binary = given([0.5, 0.25], [1, 9], [2, 1, 1, 1], { ignoreIndex: 9 });
    expect(value(combo, binary)).toBeCloseTo(-2 / 2.5, 14);
  });

  test("pixel weights enter every sum, of squares too", () => {
    const batch = given([0.5, 0.25], [1, 0], [1, 1, 1, 2], { pixelWeights: Float64Array.of(2, 4) });
    expect(value(segrad.dice({ smooth: 1 }), batch)).toBeCloseTo(1 - 3 / (2 + 2 + 1), 14);
    const squared = segrad.dice({ smooth: 1, squared: true });
    expect(value(squared, batch)).toBeCloseTo(1 - 3 / (0.5 + 0.25 + 2 + 1), 14);
  });

  test("nothing wanted, nothing predicted, no smoothing: no loss", () => {
    const batch = given([0, 0], [0, 0], [1, 1, 1, 2]);
    for (const make of [segrad.dice, segrad.jaccard, segrad.tversky, segrad.generalizedDice]) {
      expect(segrad.valueAndGrad(make({ smooth: 0 }), batch)).toMatchObject({
        value: 0,
        grad: new Float64Array(2),
      });
    }
  });

  test("generalized Dice weighs classes by size, absent ones as the heaviest there is", () => {
    // Image 1: sizes 1, 1. Image 2: sizes 2 and 0.
    const gdl = (weighting: "square" | "simple" | "uniform", w: number) => {
      const first = 1 - (2 * (0.5 + 0.75)) / (1.75 + 2.25);
      const second = 1 - (2 * w * 1.25) / (w * 3.25 + w * 0.75);
      const loss = segrad.generalizedDice({ weighting, smooth: 0 });
      expect(value(loss, given(p, labels, shape))).toBeCloseTo((first + second) / 2, 14);
    };
    gdl("square", 1 / 4);
    gdl("simple", 1 / 2);
    gdl("uniform", 1);
    // Sizes 3 and 1 in one image: weights 1/9 and 1, or 1/3 and 1.
    const batch = given([0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5], [0, 0, 0, 1], [1, 2, 2, 2]);
    const square = 1 - (2 * (1.5 / 9 + 0.5)) / (5 / 9 + 3);
    expect(value(segrad.generalizedDice({ smooth: 0 }), batch)).toBeCloseTo(square, 14);
    const simple = 1 - (2 * (1.5 / 3 + 0.5)) / (5 / 3 + 3);
    expect(value(segrad.generalizedDice({ smooth: 0, weighting: "simple" }), batch)).toBeCloseTo(simple, 14);
  });
});

describe("Lovász", () => {
  test("of equal errors the positives come first", () => {
    // G = 1: the positive turns first and brings the loss to 1; the negatives add nothing.
    expect([...jaccardGrowth([0.5, 0.5, 0.5], [false, true, false])]).toEqual([0, 1, 0]);
    // G = 2, one smaller positive: after the tied positive 1/2, after both negatives 1 − 1/4.
    expect([...jaccardGrowth([1, 1, 1, 0.5], [false, true, false, true])]).toEqual([0.125, 0.5, 0.125, 0.25]);
  });

  test("pixel weights multiply the errors before they are sorted", () => {
    const pixelWeights = Float64Array.of(1, 4);
    const batch = given([0.5, 0.25], [1, 0], [1, 1, 1, 2], { pixelWeights });
    // Errors .5 (foreground) and 4 · .25 = 1 (background, first): g = 1 − 1/2, then the rest.
    expect(value(segrad.lovaszSoftmax(), batch)).toBeCloseTo(1 * 0.5 + 0.5 * 0.5, 14);
  });

  test("soft targets are labels: foreground above one half", () => {
    const soft = given([0.5, 0.25], Float64Array.of(0.6, 0.5), [1, 1, 1, 2]);
    const hard = given([0.5, 0.25], [1, 0], [1, 1, 1, 2]);
    expect(value(segrad.lovaszSoftmax(), soft)).toBe(value(segrad.lovaszSoftmax(), hard));
  });
});

describe("boundary and Hausdorff", () => {
  const p = [0.25, 0.5, 0.75, 0.5];
  const shape = [1, 1, 1, 4];

  test("boundary is the mean of p φ, with the loss's spacing before the batch's", () => {
    // φ of the first two pixels inside: −1, 0, then 1, 2.
    expect(value(segrad.boundary(), given(p, [1, 1, 0, 0], shape))).toBeCloseTo((-0.25 + 0.75 + 1) / 4, 14);
    const spaced = given(p, [1, 1, 0, 0], shape, { spacing: [1, 3] });
    expect(value(segrad.boundary(), spaced)).toBeCloseTo((-5 * 0.25 - 2 * 0.5 + 3 * 0.75 + 6 * 0.5) / 4, 14);
    expect(value(segrad.boundary({ spacing: [9, 1] }), spaced)).toBeCloseTo((-0.25 + 0.75 + 1) / 4, 14);
  });

  test("boundary takes given distances, in the layout of the logits", () => {
    const distance = Float64Array.of(1, 10, 2, 20);
    const rest = { distance, layout: "channels-last", mode: "multilabel" };
    const batch = given(p, [1, 0, 0, 1], [1, 1, 2, 2], rest);
    expect(value(segrad.boundary({ classes: [1] }), batch)).toBeCloseTo((0.5 * 10 + 0.5 * 20) / 2, 14);
  });

  test("ignored pixels are on no side and out of the mean", () => {
    const batch = given(p, [1, 9, 0, 0], shape, { ignoreIndex: 9 });
    // φ = −(2 − 1), –, 2, 3
    expect(value(segrad.boundary(), batch)).toBeCloseTo((-0.25 + 2 * 0.75 + 3 * 0.5) / 3, 14);
  });

  test("Hausdorff weighs squared errors by both distances", () => {
    // Predicted above one half: the third pixel. d_p = 2, 1, 1, 1; d_y = 2, 1, 1, 2.
    const loss = segrad.hausdorffDT({ alpha: 1 });
    const expected = (4 * 0.75 ** 2 + 2 * 0.5 ** 2 + 2 * 0.75 ** 2 + 3 * 0.5 ** 2) / 4;
    expect(value(loss, given(p, [1, 1, 0, 0], shape))).toBeCloseTo(expected, 14);
    // An empty target and no prediction: no distance, no loss.
    expect(value(loss, given([0.25, 0.5, 0.5, 0.5], [0, 0, 0, 0], shape))).toBe(0);
  });
});
