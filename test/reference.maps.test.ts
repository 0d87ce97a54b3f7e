/** Maps, metrics and helpers of the reference: against definitions written out, and small cases by hand. */
import fc from "fast-check";
import {
  alphaSchedule,
  argmax,
  classFrequencyWeights,
  confusionMatrix,
  distanceTransform,
  metrics,
  oneHot,
  signedDistance,
  unetWeightMap,
} from "segrad/reference";
import { describe, expect, test } from "vitest";
import { randomNumbers } from "./support/arbitrary.ts";

const grids = fc.record({
  shape: fc.oneof(
    fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
    fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
  ),
  unit: fc.tuple(...([1, 2, 3] as const).map(() => fc.constantFrom(1e-3, 0.3, 1, 1e3))),
  share: fc.constantFrom(0, 0.1, 0.5, 0.9, 1),
  seed: fc.integer({ min: 1 }),
});

/** Coordinates of pixel i. */
function coordinates(i: number, shape: readonly number[]): number[] {
  return shape.map((size, axis) => Math.floor(i / shape.slice(axis + 1).reduce((a, b) => a * b, 1)) % size);
}

describe("distanceTransform", () => {
  test("is the least distance over all zero pixels", () => {
    const property = fc.property(grids, ({ shape, unit, share, seed }) => {
      const spacing = unit.slice(0, shape.length);
      const random = randomNumbers(seed);
      const length = shape.reduce((a: number, b) => a * b, 1);
      const mask = Uint8Array.from({ length }, () => (random() < share ? 3 : 0));
      const map = distanceTransform(mask, { shape, spacing });
      map.forEach((distance, i) => {
        const here = coordinates(i, shape);
        const zeros = [...mask.keys()].filter((j) => mask[j] === 0);
        const all = zeros.map((j) =>
          Math.hypot(...coordinates(j, shape).map((x, axis) => (x - here[axis]!) * spacing[axis]!)),
        );
        const least = mask[i] === 0 ? 0 : Math.min(...all);
        if (least === Infinity) expect(distance).toBe(Infinity);
        else expect(Math.abs(distance - least)).toBeLessThanOrEqual(1e-14 * least);
      });
    });
    fc.assert(property, { numRuns: 60 });
  });
});

describe("signedDistance", () => {
  test("is 0 on the inner rim, and everywhere for a class that is absent or fills the image", () => {
    const labels = Uint8Array.of(0, 1, 1, 1, 0);
    const map = signedDistance(labels, { shape: [1, 5], classes: 3 });
    expect([...map]).toEqual([0, 1, 2, 1, 0, 1, 0, -1, 0, 1, 0, 0, 0, 0, 0].map((x) => x + 0));
    expect([...signedDistance(new Uint8Array(4), { shape: [2, 2], classes: 1 })]).toEqual([0, 0, 0, 0]);
  });

  test("keeps the shift of 1 whatever the spacing, and leaves ignored pixels out", () => {
    const labels = Uint8Array.of(1, 9, 0, 0);
    const map = signedDistance(labels, { shape: [1, 4], classes: 2, spacing: [1, 0.5], ignoreIndex: 9 });
    expect([...map]).toEqual([1, 0, 0, -0.5, 0, 0, 1, 1.5]);
    expect(() => signedDistance(labels, { shape: [1, 4], classes: 2 })).toThrow(/labels\[1\] is 9/);
  });
});

describe("unetWeightMap", () => {
  const instances = Uint16Array.of(5, 0, 0, 7, 0, 2);
  test("looks at the two nearest instances", () => {
    const at = (d1: number, d2: number) => 10 * Math.exp(-((d1 + d2) ** 2) / 50);
    const map = unetWeightMap(instances, { shape: [1, 6] });
    [0, at(1, 2), at(1, 2), 0, at(1, 1), 0].forEach((weight, i) => {
      expect(map[i]).toBeCloseTo(weight, 14);
    });
  });
  test("is 0 with fewer than two instances", () => {
    expect([...unetWeightMap(Uint8Array.of(0, 4, 4, 0), { shape: [1, 4] })]).toEqual([0, 0, 0, 0]);
  });
  test("adds the weights of the classes", () => {
    const options = { shape: [1, 4], w0: 0 };
    const one = Uint8Array.of(0, 4, 0, 0);
    expect([...unetWeightMap(one, { ...options, classBalance: [1, 3] })]).toEqual([1, 3, 1, 1]);
    expect([...unetWeightMap(one, { ...options, classBalance: true })]).toEqual([2 / 3, 2, 2 / 3, 2 / 3]);
  });
});

describe("metrics", () => {
  const options = { shape: [1, 6], classes: 3 } as const;
  const [target, prediction] = [Uint8Array.of(0, 0, 1, 1, 1, 0), Uint8Array.of(0, 1, 1, 1, 0, 0)];

  test("the confusion matrix counts target by prediction", () => {
    expect(confusionMatrix(prediction, target, options)).toEqual([
      [2, 1, 0],
      [1, 2, 0],
      [0, 0, 0],
    ]);
    const ignored = { ...options, ignoreIndex: 0 };
    expect(confusionMatrix(prediction, target, ignored)[0]).toEqual([0, 0, 0]);
  });

  test("overlap and surfaces of a shifted bar", () => {
    const bar = metrics(prediction, target, { ...options, spacing: [1, 2], tolerance: 1 })[1]!;
    expect(bar).toMatchObject({ dice: 2 / 3, iou: 0.5, precision: 2 / 3, recall: 2 / 3, accuracy: 4 / 6 });
    // In an image one pixel high every pixel is on the surface: distances 2, 0, 0 and 0, 0, 2.
    expect(bar).toMatchObject({ hausdorff: 2, averageSurfaceDistance: 4 / 6, surfaceDice: 4 / 6 });
    expect(bar.hausdorff95).toBeCloseTo(1.8, 14);
  });

  test("a class that is absent from both agrees; from one it does not", () => {
    const perfect = {
      dice: 1,
      iou: 1,
      hausdorff: 0,
      hausdorff95: 0,
      averageSurfaceDistance: 0,
      surfaceDice: 1,
    };
    expect(metrics(prediction, target, options)[2]).toMatchObject(perfect);
    const missed = metrics(new Uint8Array(6), target, options)[1];
    expect(missed).toMatchObject({ dice: 0, precision: 0, recall: 0, hausdorff: Infinity, surfaceDice: 0 });
  });

  test("the inside of a mask is no surface", () => {
    const full = new Uint8Array(25).fill(1);
    const hole = full.slice();
    hole[12] = 0;
    const [, one] = metrics(hole, full, { shape: [5, 5], classes: 2 });
    // The hole makes its four neighbours surface, one pixel from the border's surface.
    expect(one!.hausdorff).toBe(1);
    expect(one!.averageSurfaceDistance).toBeCloseTo(4 / (16 + 20), 14);
  });
});

describe("helpers", () => {
  test("oneHot and argmax are inverse", () => {
    const labels = Int32Array.of(2, 0, 1, 1, 2, 2);
    const planes = oneHot(labels, 3, { images: 2 });
    expect([...planes]).toEqual([0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1]);
    expect([...argmax(Float32Array.from(planes), { shape: [2, 3, 1, 3] })]).toEqual([...labels]);
    const last = Float32Array.of(0, 1, 5, 2, 2, 1);
    expect([...argmax(last, { shape: [1, 1, 2, 3], layout: "channels-last" })]).toEqual([2, 0]);
    expect([...oneHot(Uint8Array.of(255, 1), 2, { ignoreIndex: 255 })]).toEqual([0, 0, 0, 1]);
  });

  test("classFrequencyWeights are √(Σf / f_l)", () => {
    expect(classFrequencyWeights(Uint8Array.of(0, 0, 0, 1))).toEqual([Math.sqrt(4 / 3), 2]);
    expect(classFrequencyWeights(Uint8Array.of(0, 255, 2), { classes: 4, ignoreIndex: 255 })).toEqual([
      Math.SQRT2,
      Math.SQRT2,
      Math.SQRT2,
      Math.SQRT2,
    ]);
  });

  test("alphaSchedule grows, stops, and rebalances", () => {
    expect(alphaSchedule({ kind: "constant", start: 0.2 })(50)).toEqual([1, 0.2]);
    expect(alphaSchedule({ kind: "increase", start: 0.5, step: 0.25 })(1)).toEqual([1, 0.75]);
    expect(alphaSchedule({ kind: "rebalance", start: 0.5, step: 0.25 })(1)).toEqual([0.25, 0.75]);
    expect(alphaSchedule({ kind: "rebalance" })(1000)).toEqual([0, 1]);
    expect(() => alphaSchedule({ kind: "sometimes" } as never)).toThrow(/kind is "sometimes"/);
  });
});
