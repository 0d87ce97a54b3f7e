/** What is particular to Lovász losses through the core: ties, subgradients, corners, counts beyond 2²⁴. */
import fc from "fast-check";
import { type Batch, type LossSpec, lovaszHinge, lovaszSoftmax, valueAndGrad } from "segrad";
import * as reference from "segrad/reference";
import { describe, expect, test } from "vitest";
import { randomNumbers } from "../support/arbitrary.ts";
import { difference, largest, precision } from "../support/compare.ts";
import { reorder, reordered, shuffle } from "../support/layout.ts";

/** Exact in float32, and so are 1 − p and 1 ± z: both sides of every comparison see the same ties. */
const probabilities = [0.125, 0.25, 0.5, 0.75, 0.875];
const hinges = [-2, -1, -0.5, 0, 0.5, 1, 3];
const shares = [0, 0.5, 1, 1.5, 2];

/** What a batch with heavy ties is made of. */
interface Ties {
  readonly channels: number;
  readonly images: number;
  readonly pixels: number;
  readonly weighted: boolean;
  readonly ignored: boolean;
  readonly seed: number;
}

const ties = fc.record<Ties>({
  channels: fc.integer({ min: 1, max: 4 }),
  images: fc.integer({ min: 1, max: 3 }),
  pixels: fc.integer({ min: 1, max: 60 }),
  weighted: fc.boolean(),
  ignored: fc.boolean(),
  seed: fc.integer({ min: 1 }),
});

function tied({ channels, images, pixels, weighted, ignored, seed }: Ties, values: readonly number[]): Batch {
  const random = randomNumbers(seed);
  const draw = <T>(list: readonly T[]) => list[Math.floor(list.length * random())]!;
  const labels = channels === 1 ? 2 : channels;
  const label = () => (ignored && random() < 0.3 ? 255 : Math.floor(labels * random()));
  return {
    logits: Float32Array.from({ length: images * channels * pixels }, () => draw(values)),
    target: Uint8Array.from({ length: images * pixels }, label),
    shape: [images, channels, 1, pixels],
    ...(weighted ? { pixelWeights: Float32Array.from({ length: images * pixels }, () => draw(shares)) } : {}),
    ...(ignored ? { ignoreIndex: 255 } : {}),
  };
}

/** A loss and a batch in which many errors are equal. */
const cases = fc.oneof(
  fc
    .tuple(ties, fc.constantFrom("image", "batch"), fc.constantFrom("all", "present", "list"))
    .map(([recipe, over, which]): [LossSpec, Batch] => {
      const classes = which === "list" ? [recipe.channels - 1] : which;
      return [
        lovaszSoftmax({ over, classes } as never),
        { ...tied(recipe, probabilities), fromLogits: false },
      ];
    }),
  fc.tuple(ties, fc.constantFrom("image", "batch")).map(([recipe, over]): [LossSpec, Batch] => {
    return [lovaszHinge({ over } as never), tied({ ...recipe, channels: 1 }, hinges)];
  }),
);

const options = { seed: 1, numRuns: 200 };

describe("heavy ties", () => {
  test("value and gradient are the reference's", () => {
    const property = fc.property(cases, ([loss, batch]) => {
      const [got, want] = [valueAndGrad(loss, batch), reference.valueAndGrad(loss, batch)];
      expect(Math.abs(got.value - want.value)).toBeLessThanOrEqual(precision * Math.max(1, want.value));
      expect(difference(got.grad, want.grad)).toBeLessThanOrEqual(precision * largest(want.grad));
    });
    fc.assert(property, { ...options, numRuns: 500 });
  });

  test("the gradient follows the pixels, whatever their order, to the bit", () => {
    const property = fc.property(cases, fc.integer({ min: 1 }), ([loss, batch], seed) => {
      const order = shuffle(batch.shape[3]!, seed);
      const [here, there] = [valueAndGrad(loss, batch), valueAndGrad(loss, reordered(batch, order))];
      expect(there.grad).toEqual(reorder(here.grad, batch, order, batch.shape[1]!));
      expect(Math.abs(there.value - here.value)).toBeLessThanOrEqual(precision);
    });
    fc.assert(property, options);
  });

  // With p itself as input a Lovász loss is a convex function of the errors, and each error is linear in p on [0, 1].
  test("the gradient is a subgradient: L(p') ≥ L(p) + ⟨g, p' − p⟩", () => {
    const property = fc.property(cases, fc.integer({ min: 1 }), ([loss, batch], seed) => {
      const random = randomNumbers(seed);
      const { value, grad } = valueAndGrad(loss, batch);
      for (const reach of [1e-3, 0.1, 1]) {
        const moved = batch.logits.map((x) => {
          const there = x + reach * (random() - 0.5);
          return batch.fromLogits === false ? Math.min(1, Math.max(0, there)) : there;
        });
        const step = moved.reduce((sum, x, i) => sum + grad[i]! * (x - batch.logits[i]!), 0);
        const there = reference.value(loss, { ...batch, logits: Float64Array.from(moved) } as never);
        expect(there).toBeGreaterThanOrEqual(value + step - precision * Math.max(1, value));
      }
    });
    fc.assert(property, options);
  });
});

describe("corners", () => {
  const binary = (logits: number[], target: number[]): Batch => ({
    logits: Float32Array.from(logits),
    target: Uint8Array.from(target),
    shape: [1, 1, 1, logits.length],
  });

  test("without foreground the largest error counts, and equal ones share it", () => {
    const { value, grad } = valueAndGrad(lovaszHinge(), binary([2, -1, 2, 0], [0, 0, 0, 0]));
    expect([value, ...grad]).toEqual([3, 0.5, 0, 0.5, 0]);
  });

  test("all foreground is the mean error", () => {
    const { value, grad } = valueAndGrad(lovaszHinge(), binary([0.5, -3, 0.25, 2], [1, 1, 1, 1]));
    expect([value, ...grad]).toEqual([1.3125, -0.25, -0.25, -0.25, 0]);
  });

  test("a hinge that is exactly met pulls nothing", () => {
    const { value, grad } = valueAndGrad(lovaszHinge(), binary([1, -1], [1, 0]));
    expect([value, ...grad].every((x) => x === 0)).toBe(true);
  });

  test("a probability that is exactly right pulls nothing", () => {
    const given = { ...binary([0, 1, 0.5], [0, 1, 1]), fromLogits: false };
    expect([...valueAndGrad(lovaszSoftmax(), given).grad]).toEqual([0, 0, -0.5]);
  });

  test("one pixel is its own error", () => {
    expect(valueAndGrad(lovaszHinge(), binary([0.25], [1])).value).toBe(0.75);
    const given = { ...binary([0.25], [1]), fromLogits: false };
    expect(valueAndGrad(lovaszSoftmax(), given)).toMatchObject({ value: 0.75, grad: Float32Array.of(-1) });
  });

  test("an absent class counts under all and in a list, and not under present", () => {
    const batch = { ...binary([0.75, 0.25], [0, 0]), fromLogits: false };
    for (const classes of ["all", [0]] as const) {
      const { value, grad } = valueAndGrad(lovaszSoftmax({ classes }), batch);
      expect([value, ...grad]).toEqual([0.75, 1, 0]);
    }
    expect(valueAndGrad(lovaszSoftmax(), batch)).toMatchObject({ value: 0, grad: new Float32Array(2) });
  });

  test("images are sorted apart, and those without a valid pixel leave the mean", () => {
    const batch = { ...binary([2, -1, 0.5, 3], [0, 0, 255, 255]), shape: [2, 1, 1, 2], ignoreIndex: 255 };
    expect(valueAndGrad(lovaszHinge(), batch).value).toBe(3);
    const both = { ...binary([2, -1, 0.5, 3], [0, 0, 1, 1]), shape: [2, 1, 1, 2] };
    expect(valueAndGrad(lovaszHinge(), both).value).toBe((3 + 0.25) / 2);
    // Pooled: G = 2; errors 3 (background), 0.5 (foreground), 0, 0.
    expect(valueAndGrad(lovaszHinge({ over: "batch" }), both).value).toBeCloseTo(3 / 3 + 0.5 / 3, 6);
  });
});
