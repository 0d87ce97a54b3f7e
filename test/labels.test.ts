/** Labels, one-hot planes, class counts and schedules: against the reference, and by hand. */
import fc from "fast-check";
import { alphaSchedule, argmax, classFrequencyWeights, confusionMatrix, oneHot, SegradError } from "segrad";
import * as reference from "segrad/reference";
import { describe, expect, test } from "vitest";
import { randomNumbers } from "./support/arbitrary.ts";
import { labelArrays } from "./support/images.ts";

const recipes = fc.record({
  array: fc.constantFrom(...labelArrays) as fc.Arbitrary<Int32ArrayConstructor>,
  images: fc.integer({ min: 1, max: 3 }),
  classes: fc.integer({ min: 1, max: 9 }),
  pixels: fc.integer({ min: 0, max: 40 }),
  ignoreIndex: fc.constantFrom(undefined, 0, 1, 100),
  seed: fc.integer({ min: 1 }),
});

type Recipe = typeof recipes extends fc.Arbitrary<infer T> ? T : never;

function draw({ array, images, classes, pixels, ignoreIndex, seed }: Recipe) {
  const random = randomNumbers(seed);
  return array.from({ length: images * pixels }, () =>
    ignoreIndex !== undefined && random() < 0.2 ? ignoreIndex : Math.floor(classes * random() ** 2),
  );
}

describe("helpers are those of the reference", () => {
  test("oneHot", () => {
    const property = fc.property(recipes, (recipe) => {
      const options = { images: recipe.images, ignoreIndex: recipe.ignoreIndex };
      const labels = draw(recipe);
      const expected = reference.oneHot(labels, recipe.classes, options as never);
      expect(oneHot(labels, recipe.classes, options)).toEqual(expected);
    });
    fc.assert(property, { numRuns: 100 });
  });

  test("classFrequencyWeights and confusionMatrix", () => {
    const property = fc.property(recipes, (recipe) => {
      const [target, other] = [
        draw(recipe),
        draw({ ...recipe, ignoreIndex: undefined, seed: recipe.seed + 1 }),
      ];
      const { ignoreIndex, classes } = recipe;
      for (const options of [{ ignoreIndex }, { ignoreIndex, classes }]) {
        const weights = reference.classFrequencyWeights(target, options as never);
        expect(classFrequencyWeights(target, options)).toEqual(weights);
      }
      const matrix = reference.confusionMatrix(other, target, { classes, ignoreIndex } as never);
      expect(confusionMatrix(other, target, { classes, ignoreIndex })).toEqual(matrix);
    });
    fc.assert(property, { numRuns: 100 });
  });

  test("argmax, in both layouts, with ties and NaN", () => {
    const property = fc.property(recipes, fc.boolean(), (recipe, channelsLast) => {
      const { images, classes, seed } = recipe;
      const random = randomNumbers(seed);
      const values = [0, 0, 1, -1, Number.NaN, Infinity, -Infinity];
      const spatial = [1 + (seed % 3), 4];
      const shape = channelsLast ? [images, ...spatial, classes] : [images, classes, ...spatial];
      const options = { shape, layout: channelsLast ? "channels-last" : "channels-first" } as const;
      const length = shape.reduce((product, size) => product * size, 1);
      for (const array of [Float32Array, Float64Array]) {
        const scores = new array(length).map(() => values[Math.floor(values.length * random())]!);
        expect(argmax(scores, options)).toEqual(reference.argmax(scores, options));
      }
    });
    fc.assert(property, { numRuns: 100 });
  });

  test("alphaSchedule", () => {
    for (const kind of ["constant", "increase", "rebalance"] as const) {
      for (const options of [{}, { start: 0.2, step: 0.05 }, { start: 0, step: 1, max: 0.7 }]) {
        for (const epoch of [0, 1, 7, 200]) {
          const expected = reference.alphaSchedule({ kind, ...options })(epoch);
          expect(alphaSchedule({ kind, ...options })(epoch)).toEqual(expected);
        }
      }
    }
  });
});

describe("by hand", () => {
  test("oneHot and argmax are inverse", () => {
    const labels = Int32Array.of(2, 0, 1, 1, 2, 2);
    const planes = oneHot(labels, 3, { images: 2 });
    expect([...planes]).toEqual([0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1]);
    expect(argmax(Float32Array.from(planes), { shape: [2, 3, 1, 3] })).toEqual(labels);
  });

  test("the confusion matrix counts target by prediction", () => {
    const [target, prediction] = [Uint8Array.of(0, 0, 1, 1, 1, 0), Uint8Array.of(0, 1, 1, 1, 0, 0)];
    expect(confusionMatrix(prediction, target, { classes: 3 })).toEqual([
      [2, 1, 0],
      [1, 2, 0],
      [0, 0, 0],
    ]);
  });

  test("classFrequencyWeights are √(Σf / f_l), and 1 without a pixel", () => {
    expect(classFrequencyWeights(Uint8Array.of(0, 0, 0, 1))).toEqual([Math.sqrt(4 / 3), 2]);
    expect(classFrequencyWeights(new Uint8Array(0), { classes: 2 })).toEqual([1, 1]);
  });

  test("alphaSchedule grows, stops, and rebalances", () => {
    expect(alphaSchedule({ kind: "constant", start: 0.2 })(50)).toEqual([1, 0.2]);
    expect(alphaSchedule({ kind: "increase", start: 0.5, step: 0.25 })(1)).toEqual([1, 0.75]);
    expect(alphaSchedule({ kind: "increase", start: 5, step: 1, max: 9 })(100)).toEqual([1, 9]);
    expect(alphaSchedule({ kind: "rebalance", start: 0.5, step: 0.25 })(1)).toEqual([0.25, 0.75]);
    expect(alphaSchedule({ kind: "rebalance" })(0)).toEqual([0.99, 0.01]);
    expect(alphaSchedule({ kind: "rebalance" })(1000)).toEqual([0, 1]);
  });
});

describe("arguments that helpers do not take", () => {
  const labels = Uint8Array.of(0, 3, 1);
  const scores = new Float32Array(6);
  const bad: readonly [() => unknown, code: string, message: RegExp][] = [
    [() => oneHot(labels, 3), "invalid-label", /labels\[1\] is 3.*0 to 2/],
    [() => oneHot(labels, 3, { ignoreIndex: 9 }), "invalid-label", /labels\[1\] is 3.*or 9/],
    [() => oneHot(labels, 0), "invalid-argument", /classes is 0/],
    [() => oneHot(labels, "4" as never), "invalid-argument", /classes is "4"/],
    [() => oneHot(labels, 4, { images: 2 }), "invalid-argument", /images is 2.*divide.*3/],
    [() => oneHot(labels, 4, { image: 1 } as never), "unknown-option", /"image".*images/],
    [() => oneHot(labels, 2 ** 50), "invalid-argument", /classes is .*65536/],
    [() => oneHot([0, 1] as never, 2), "invalid-array", /labels is an array/],
    [() => argmax(scores, { shape: [1, 2, 3] }), "invalid-shape", /shape has 3 entries/],
    [() => argmax(scores, { shape: [1, 2, 2, 2] }), "invalid-length", /scores has length 6.*asks for 8/],
    [() => argmax(labels as never, { shape: [1, 3, 1, 1] }), "invalid-array", /scores is a Uint8Array/],
    [
      () => argmax(scores, { shape: [1, 2, 1, 3], layout: "NHWC" as never }),
      "invalid-option",
      /"NHWC".*last/,
    ],
    [() => classFrequencyWeights(labels, { classes: 2 }), "invalid-label", /labels\[1\] is 3/],
    [() => classFrequencyWeights(Int8Array.of(0, -1)), "invalid-label", /labels\[1\] is -1/],
    [
      () => confusionMatrix(labels, labels.slice(1), { classes: 4 }),
      "invalid-length",
      /prediction has length 3/,
    ],
    [() => confusionMatrix(labels, labels, { classes: 3 }), "invalid-label", /target\[1\] is 3/],
    [() => confusionMatrix(labels, labels, { classes: 2 ** 30 }), "invalid-argument", /classes is .*4096/],
    [() => alphaSchedule({ kind: "sometimes" as never }), "invalid-option", /kind is "sometimes".*rebalance/],
    [() => alphaSchedule({ kind: "increase", start: -1 }), "invalid-option", /start is -1/],
    [() => alphaSchedule({ kind: "increase", start: 2 }), "invalid-option", /start is 2.*≤ 1/],
    [() => alphaSchedule({ kind: "rebalance", max: 2 }), "invalid-option", /max is 2.*≤ 1/],
    [() => alphaSchedule({ kind: "constant", begin: 0 } as never), "unknown-option", /"begin".*start/],
    [() => alphaSchedule({ kind: "constant" })(-1), "invalid-option", /epoch is -1/],
  ];
  for (const [run, code, message] of bad) {
    test(`${code}: ${message.source}`, () => {
      expect(run).toThrow(message);
      expect(run).toThrow(expect.objectContaining({ code }));
      expect(run).toThrow(SegradError as never);
    });
  }
});
