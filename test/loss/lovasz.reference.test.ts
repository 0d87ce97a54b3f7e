/** What is particular to Lovász losses: ties, subgradients, and the corners of the definition. */
import fc from "fast-check";
import { lovaszHinge, lovaszSoftmax, type ReferenceBatch, valueAndGrad } from "segrad/reference";
import { describe, expect, test } from "vitest";
import { jaccardGrowth } from "../../ts/reference/lovasz.ts";
import { randomNumbers } from "../support/arbitrary.ts";

/** The Lovász extension at some errors. */
function extension(errors: number[], positive: boolean[]): number {
  const growth = jaccardGrowth(errors, positive);
  return errors.reduce((sum, error, i) => sum + error * growth[i]!, 0);
}

/** Errors with heavy ties: a few distinct values over up to 24 pixels. */
const tied = fc
  .array(fc.tuple(fc.constantFrom(0, 0.25, 0.5, 1), fc.boolean()), { minLength: 1, maxLength: 24 })
  .map((pixels) => ({ errors: pixels.map(([error]) => error), positive: pixels.map(([, side]) => side) }));

describe("the gradient", () => {
  test("is a subgradient: L(e') ≥ L(e) + ⟨g, e' − e⟩, however heavy the ties", () => {
    const property = fc.property(tied, fc.integer({ min: 1 }), ({ errors, positive }, seed) => {
      const growth = jaccardGrowth(errors, positive);
      const random = randomNumbers(seed);
      for (let trial = 0; trial < 20; trial++) {
        const reach = trial % 2 === 0 ? 1e-3 : 1;
        const other = errors.map((error) => Math.max(0, error + reach * (random() - 0.5)));
        const linear = other.reduce((sum, error, i) => sum + growth[i]! * (error - errors[i]!), 0);
        expect(extension(other, positive)).toBeGreaterThanOrEqual(
          extension(errors, positive) + linear - 1e-12,
        );
      }
    });
    fc.assert(property);
  });

  test("does not depend on the order of the pixels", () => {
    const property = fc.property(tied, fc.integer({ min: 1 }), ({ errors, positive }, seed) => {
      const random = randomNumbers(seed);
      const order = [...errors.keys()].sort(() => random() - 0.5);
      const growth = jaccardGrowth(errors, positive);
      const shuffled = jaccardGrowth(
        order.map((i) => errors[i]!),
        order.map((i) => positive[i]!),
      );
      expect([...shuffled]).toEqual(order.map((i) => growth[i]));
    });
    fc.assert(property);
  });

  test("adds up to 1: all pixels wrong is a Jaccard loss of 1", () => {
    const property = fc.property(tied, ({ errors, positive }) => {
      expect(jaccardGrowth(errors, positive).reduce((sum, g) => sum + g, 0)).toBeCloseTo(1, 12);
    });
    fc.assert(property);
  });
});

describe("corners", () => {
  const batch = (logits: number[], target: number[]): ReferenceBatch => ({
    logits: Float64Array.from(logits),
    target: Uint8Array.from(target),
    shape: [1, 1, 1, logits.length],
  });
  const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

  test("without foreground the largest error counts, and equal ones share it", () => {
    const { value, grad } = valueAndGrad(lovaszHinge(), batch([2, -1, 2, 0], [0, 0, 0, 0]));
    expect(value).toBe(3);
    expect([...grad]).toEqual([0.5, 0, 0.5, 0]);
  });

  test("an absent class counts under all, and not under present", () => {
    const absent = batch([1, -1], [0, 0]);
    expect(valueAndGrad(lovaszSoftmax({ classes: "all" }), absent).value).toBeCloseTo(sigmoid(1), 15);
    expect(valueAndGrad(lovaszSoftmax(), absent)).toMatchObject({ value: 0, grad: new Float64Array(2) });
  });

  test("all foreground is the mean error", () => {
    const { value, grad } = valueAndGrad(lovaszHinge(), batch([0.5, -3, 0.25, 2], [1, 1, 1, 1]));
    expect(value).toBeCloseTo((0.5 + 4 + 0.75 + 0) / 4, 15);
    expect([...grad]).toEqual([-0.25, -0.25, -0.25, 0]);
  });

  test("one pixel is its own error", () => {
    expect(valueAndGrad(lovaszSoftmax(), batch([0.3], [1])).value).toBeCloseTo(sigmoid(-0.3), 15);
    expect(valueAndGrad(lovaszHinge(), batch([0.3], [1])).value).toBeCloseTo(0.7, 15);
  });

  test("a hinge that is exactly met pulls nothing", () => {
    const { value, grad } = valueAndGrad(lovaszHinge(), batch([1, -1], [1, 0]));
    expect(value).toBe(0);
    expect(grad.every((g) => g === 0)).toBe(true);
  });
});
