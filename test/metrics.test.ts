/** Metrics of the core: against the reference on random labels, and the conventions by hand. */
import fc from "fast-check";
import * as segrad from "segrad";
import { metrics, SegradError } from "segrad";
import * as reference from "segrad/reference";
import { describe, expect, test } from "vitest";
import { randomNumbers } from "./support/arbitrary.ts";
import { boxesOf, images, labelArrays } from "./support/images.ts";

const shares = ["dice", "iou", "precision", "recall", "accuracy", "surfaceDice"] as const;
const distances = ["hausdorff", "hausdorff95", "averageSurfaceDistance"] as const;

describe("metrics are those of the reference", () => {
  const recipes = fc.record({
    // None of the tolerances is a distance in such images: float32 and float64 agree on which are within.
    image: images([0.3, 1, 1, 2]),
    tolerance: fc.constantFrom(0.47, 1.7, 50.01),
    classes: fc.integer({ min: 1, max: 5 }),
    noise: fc.constantFrom(0, 0.03, 0.5),
    ignored: fc.constantFrom(0, 0.2, 1),
    types: fc.tuple(fc.constantFrom(...labelArrays), fc.constantFrom(...labelArrays)),
  });

  test("on boxes with noise and ignored pixels, for labels of any types", () => {
    const property = fc.property(recipes, ({ image, tolerance, classes, noise, ignored, types }) => {
      const random = randomNumbers(image.seed + 1);
      const truth = boxesOf(image, classes - 1).map((label) => Math.min(label, classes - 1));
      const guess = truth.map((label) => (random() < noise ? Math.floor(classes * random()) : label));
      const ignoreIndex = 99;
      const [One, Other] = types as [Int32ArrayConstructor, Int32ArrayConstructor];
      const prediction = One.from(guess);
      const target = Other.from(truth, (label) => (random() < ignored ? ignoreIndex : label));

      const { shape, spacing } = image;
      const options = { shape, spacing, classes, tolerance, ignoreIndex };
      const actual = metrics(prediction, target, options);
      const expected = reference.metrics(prediction, target, options);
      expect(actual.length).toBe(classes);
      actual.forEach((found, k) => {
        for (const name of shares) expect(found[name], name).toBe(expected[k]![name]);
        for (const name of distances) {
          const [a, b] = [found[name], expected[k]![name]];
          expect(a === b || Math.abs(a - b) <= 1e-6 * b, `${name}: ${a} instead of ${b}`).toBe(true);
        }
      });
    });
    fc.assert(property, { numRuns: 200 });
  });
});

describe("conventions", () => {
  const shape = [1, 6];
  const options = { shape, classes: 3 };
  const target = Uint8Array.of(0, 0, 1, 1, 1, 0);
  const perfect = {
    ...{ dice: 1, iou: 1, precision: 1, recall: 1, accuracy: 1 },
    ...{ hausdorff: 0, hausdorff95: 0, averageSurfaceDistance: 0, surfaceDice: 1 },
  };
  const nothing = {
    ...{ dice: 0, iou: 0, precision: 0, recall: 0 },
    ...{ hausdorff: Infinity, hausdorff95: Infinity, averageSurfaceDistance: Infinity, surfaceDice: 0 },
  };

  test("a shifted bar, by hand", () => {
    const prediction = Uint8Array.of(0, 1, 1, 1, 0, 0);
    const bar = metrics(prediction, target, { ...options, spacing: [1, 2], tolerance: 1 })[1]!;
    expect(bar).toMatchObject({ dice: 2 / 3, iou: 0.5, precision: 2 / 3, recall: 2 / 3, accuracy: 4 / 6 });
    // In an image one pixel high every pixel is on the surface: distances 2, 0, 0 and 0, 0, 2.
    expect(bar).toMatchObject({ hausdorff: 2, averageSurfaceDistance: 4 / 6, surfaceDice: 4 / 6 });
    expect(bar.hausdorff95).toBeCloseTo(1.8, 12);
  });

  test("absent from both sides: 1 and distance 0", () => {
    expect(metrics(target, target, options)).toEqual([perfect, perfect, perfect]);
  });

  test("absent from one side: 0 and +Infinity", () => {
    expect(metrics(new Uint8Array(6), target, options)[1]).toEqual({ ...nothing, accuracy: 0.5 });
    expect(metrics(target, new Uint8Array(6), options)[1]).toEqual({ ...nothing, accuracy: 0.5 });
  });

  test("full masks have a surface at the edge of the image", () => {
    const full = new Uint8Array(25);
    const hole = full.slice();
    hole[12] = 1;
    const [zero] = metrics(hole, full, { shape: [5, 5], classes: 2 });
    // The hole makes its four neighbours surface, one pixel from the outer surface.
    expect(zero).toMatchObject({ hausdorff: 1, surfaceDice: 1 });
    expect(zero!.averageSurfaceDistance).toBeCloseTo(4 / (16 + 20), 12);
  });

  test("nothing but ignored pixels: perfect", () => {
    const ignored = new Int16Array(6).fill(-1);
    expect(metrics(target, ignored, { ...options, ignoreIndex: -1 })).toEqual([perfect, perfect, perfect]);
  });

  test("ignored pixels are on no side, whatever is predicted there", () => {
    const [prediction, truth] = [Uint8Array.of(1, 1, 0, 0, 0, 1), Uint8Array.of(1, 1, 0, 0, 0, 9)];
    expect(metrics(prediction, truth, { shape, classes: 2, ignoreIndex: 9 })).toEqual([perfect, perfect]);
  });

  test("a surface exactly as far away as the tolerance is within it", () => {
    const [a, b] = [Uint8Array.of(0, 1, 0, 0), Uint8Array.of(0, 0, 0, 1)];
    for (const size of [0.05, 0.1, 0.7, 1.1, 1e-3, 1e3]) {
      const at = (tolerance: number) =>
        metrics(a, b, { shape: [1, 4], classes: 2, spacing: [1, size], tolerance })[1]!.surfaceDice;
      expect([at(2 * size), at(1.999 * size)]).toEqual([1, 0]);
    }
  });

  test("a volume of one slice counts as an image, here as in the reference", () => {
    const truth = Uint8Array.from({ length: 49 }, (_, i) => (i % 7 > 1 && i > 13 ? 1 : 0));
    const prediction = truth.map((label, i) => (i % 5 === 0 ? 0 : label));
    for (const { metrics, signedDistance } of [segrad, reference]) {
      const [image, slice] = [
        { shape: [7, 7], classes: 2, spacing: [2, 3] },
        { shape: [1, 7, 7], classes: 2, spacing: [9, 2, 3] },
      ];
      expect(metrics(prediction, truth, slice)).toEqual(metrics(prediction, truth, image));
      expect(signedDistance(truth, slice)).toEqual(signedDistance(truth, image));
    }
  });
});

describe("arguments that metrics does not take", () => {
  const four = new Uint8Array(4);
  const shape = [2, 2];
  const options = { shape, classes: 2 };
  const bad: readonly [() => unknown, code: string, message: RegExp][] = [
    [() => metrics(four, four, undefined as never), "invalid-argument", /options are undefined/],
    [() => metrics(four, four, { shape } as never), "invalid-argument", /classes is undefined/],
    [() => metrics(four, four, { classes: 2 } as never), "invalid-shape", /shape is undefined/],
    [() => metrics(four, new Uint8Array(5), options), "invalid-length", /target has length 5.*asks for 4/],
    [
      () => metrics(new Uint8Array(5), four, options),
      "invalid-length",
      /prediction has length 5.*asks for 4/,
    ],
    [() => metrics(four, Uint8Array.of(0, 0, 2, 0), options), "invalid-label", /target\[2\] is 2/],
    [() => metrics(Uint8Array.of(0, 0, 0, 7), four, options), "invalid-label", /prediction\[3\] is 7/],
    [() => metrics(new Float32Array(4) as never, four, options), "invalid-array", /prediction is a Float32/],
    [() => metrics(four, four, { ...options, tolerance: -1 }), "invalid-option", /tolerance is -1.*≥ 0/],
    [() => metrics(four, four, { ...options, spacing: [1, Infinity] }), "invalid-batch", /spacing\[1\]/],
    [
      () => metrics(four, four, { ...options, ignore: 3 } as never),
      "unknown-option",
      /"ignore".*ignoreIndex/,
    ],
  ];
  for (const [run, code, message] of bad) {
    test(`${code}: ${message.source}`, () => {
      expect(run).toThrow(message);
      expect(run).toThrow(expect.objectContaining({ code }));
      expect(run).toThrow(SegradError as never);
    });
  }
});
