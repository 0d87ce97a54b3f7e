/** The reference against values and gradients from PyTorch, MONAI, SciPy and closed forms. */
import * as reference from "segrad/reference";
import { describe, expect, test } from "vitest";
import { goldenCases, goldenMaps } from "./support/golden.ts";

/**
 * Golden values that MONAI computed partly in float32, with what they differ by. The focal ones are float32 numbers
 * throughout; the others come out to the last bits when the quantity named here is rounded to float32.
 */
const float32: { readonly [name: string]: { readonly why: string; readonly within: number } } = {
  "focal-binary": { why: "FocalLoss casts logits to float32", within: 2e-7 },
  "focal-binary-noalpha": { why: "FocalLoss casts logits to float32", within: 2e-7 },
  "focal-extreme": { why: "FocalLoss casts logits to float32", within: 2e-7 },
  "dice-focal": { why: "FocalLoss casts logits to float32", within: 2e-7 },
  "dice-squared": { why: "overlap and size use the target's norm, a float32 square root", within: 5e-8 },
  gdl: { why: "class weights are float32", within: 2e-8 },
  "gdl-boundary": { why: "class weights are float32", within: 2e-8 },
  "hausdorff-dt": { why: "distances and their squares are float32", within: 5e-8 },
};

const largest = (numbers: ArrayLike<number>) =>
  Array.from(numbers).reduce((most, x) => Math.max(most, Math.abs(x)), 0);

describe("golden cases", () => {
  test.each(goldenCases)("$name is what $source says", ({ name, loss, batch, value, grad }) => {
    const within = float32[name]?.within ?? 1e-12;
    const result = reference.valueAndGrad(loss, batch);
    expect(Math.abs(result.value - value)).toBeLessThanOrEqual(within * Math.abs(value));
    expect(result.grad.length).toBe(grad.length);
    const difference = largest(grad.map((g, i) => g - result.grad[i]!));
    expect(difference).toBeLessThanOrEqual(within * largest(grad));
    expect(reference.value(loss, batch)).toBe(result.value);
  });

  test("every exception is still needed", () => {
    for (const [name, { within }] of Object.entries(float32)) {
      const { loss, batch, value, grad } = goldenCases.find((golden) => golden.name === name)!;
      const result = reference.valueAndGrad(loss, batch);
      const difference = largest(grad.map((g, i) => g - result.grad[i]!)) / largest(grad);
      expect(Math.max(difference, Math.abs(result.value / value - 1)), name).toBeGreaterThan(within / 10);
    }
  });

  test("every loss of the table has a golden case", () => {
    const kinds = new Set(goldenCases.map(({ loss }) => loss.kind));
    expect(Object.keys(reference.losses).filter((kind) => !kinds.has(kind))).toEqual([]);
  });
});

describe("golden maps", () => {
  const functions: { readonly [name: string]: (input: Int32Array, args: never) => Float64Array } = {
    distanceTransform: reference.distanceTransform,
    signedDistance: reference.signedDistance,
    unetWeightMap: reference.unetWeightMap,
  };
  test.each(goldenMaps)("$name is what $source says", ({ name, input, args, output }) => {
    const map = functions[name]!(input, args as never);
    expect(map.length).toBe(output.length);
    const difference = largest(output.map((x, i) => x - map[i]!));
    expect(difference).toBeLessThanOrEqual(1e-12 * largest(output));
  });
});
