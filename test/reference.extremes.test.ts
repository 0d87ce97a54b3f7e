/** Where formulas break: sure predictions, huge logits, nothing to look at. */
import fc from "fast-check";
import {
  conservative,
  crossEntropy,
  exponentialLogarithmic,
  focal,
  focalTversky,
  type LossSpec,
  losses,
  lossMap,
  type ReferenceBatch,
  value,
  valueAndGrad,
} from "segrad/reference";
import { describe, expect, test } from "vitest";
import type { Kind } from "../ts/loss/index.ts";
import { cases } from "./support/arbitrary.ts";
import { channelsOf, labelOf, transpose, transposed } from "./support/layout.ts";

const kinds = Object.keys(losses) as Kind[];

/** One binary pixel. */
function pixel(logit: number, label: number): ReferenceBatch {
  return { logits: Float64Array.of(logit), target: Uint8Array.of(label), shape: [1, 1, 1, 1] };
}

function expectClose(actual: number, expected: number, relative = 1e-13) {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(relative * Math.abs(expected));
}

describe("closed forms of one pixel", () => {
  test.each([0, 1, 30, 50, 700, 1e4, 1e30, 3e38])("cross-entropy at ±%d", (z) => {
    const right = valueAndGrad(crossEntropy(), pixel(z, 1));
    expectClose(right.value, Math.log1p(Math.exp(-z)));
    expectClose(right.grad[0]!, -1 / (1 + Math.exp(z)));
    const wrong = valueAndGrad(crossEntropy(), pixel(-z, 1));
    expectClose(wrong.value, z + Math.log1p(Math.exp(-z)));
    expectClose(wrong.grad[0]!, -1 / (1 + Math.exp(-z)));
  });

  test.each([30, 50, 200])("softmax keeps the accuracy of 1 − p at a lead of %d", (z) => {
    const batch = {
      logits: Float64Array.of(z, 0, 1),
      target: Uint8Array.of(0),
      shape: [1, 3, 1, 1],
    };
    const rest = Math.exp(-z) + Math.exp(1 - z);
    const { value, grad } = valueAndGrad(crossEntropy(), batch);
    expectClose(value, Math.log1p(rest));
    expectClose(grad[0]!, -rest / (1 + rest));
    expectClose(grad[1]!, Math.exp(-z) / (1 + rest));
  });

  test.each([0.25, 0.5, 1, 2, 5])("focal with γ = %d, from sure to wrong", (gamma) => {
    for (const z of [-700, -30, -1, 0, 1, 20, 30]) {
      const [p, q, u] = [
        1 / (1 + Math.exp(-z)),
        1 / (1 + Math.exp(z)),
        Math.log1p(Math.exp(-Math.abs(z))) + Math.max(-z, 0),
      ];
      const { value, grad } = valueAndGrad(focal({ gamma }), pixel(z, 1));
      expectClose(value, q ** gamma * u, 1e-12);
      expectClose(grad[0]!, q ** gamma * (-gamma * p * u - q), 1e-12);
    }
    const sure = valueAndGrad(focal({ gamma }), pixel(1e4, 1));
    expect(sure.value).toBe(0);
    expect(Math.abs(sure.grad[0]!)).toBe(0);
  });

  test("focal with γ = 0 is cross-entropy to the bit", () => {
    for (const z of [-1e4, -3, 0, 3, 1e4]) {
      expect(valueAndGrad(focal({ gamma: 0 }), pixel(z, 1))).toEqual(
        valueAndGrad(crossEntropy(), pixel(z, 1)),
      );
    }
  });

  test("conservative is floored near p = 1 and flat at p = 1/a", () => {
    const sure = valueAndGrad(conservative(), pixel(30, 1));
    expectClose(sure.value, 5 * (1 - 1e-6) ** 2 * Math.log(1e-6));
    expect(Math.abs(sure.grad[0]!)).toBe(0);
    const flat = valueAndGrad(conservative(), pixel(-Math.log(Math.E - 1), 1));
    expect(Math.abs(flat.value)).toBeLessThan(1e-40);
    expect(Math.abs(flat.grad[0]!)).toBeLessThan(1e-15);
    expect(value(conservative(), pixel(0, 1))).toBeLessThan(value(conservative(), pixel(-3, 1)));
  });

  test("powers are floored, so that perfection pulls nothing", () => {
    const tversky = valueAndGrad(focalTversky(), pixel(100, 1));
    expectClose(tversky.value, 1e-7 ** 0.75);
    expect(Math.abs(tversky.grad[0]!)).toBe(0);
    const logarithmic = valueAndGrad(exponentialLogarithmic(), pixel(100, 1));
    expectClose(logarithmic.value, 1e-7 ** 0.3);
    expect(Math.abs(logarithmic.grad[0]!)).toBe(0);
  });

  test("given probabilities of exactly 0 and 1", () => {
    const given = (p: number, label: number) => ({ ...pixel(p, label), fromLogits: false });
    expect(valueAndGrad(crossEntropy(), given(1, 1))).toMatchObject({ value: 0, grad: Float64Array.of(-1) });
    expect(value(crossEntropy(), given(0, 0))).toBeCloseTo(0, 300);
    expect(value(crossEntropy(), given(0, 1))).toBe(Infinity);
  });
});

describe.each(kinds)("%s", (kind) => {
  const only = { kinds: [kind], sums: false, mostPixels: 30, mostChannels: 4 } as const;

  test("stays finite for logits up to 1e4 and beyond", () => {
    const property = fc.property(cases({ ...only, logits: "extreme" }), ({ loss, batch }) => {
      const { value, grad } = valueAndGrad(loss, batch);
      expect(value).toSatisfy(Number.isFinite);
      expect(grad.every(Number.isFinite)).toBe(true);
    });
    fc.assert(property, { numRuns: 60 });
  });

  test("is 0 with gradient 0 where everything is ignored", () => {
    const property = fc.property(cases(only), ({ loss, batch }) => {
      const { length } = batch.logits;
      const labels = batch.mode === "multiclass" ? length / channelsOf(batch) : length;
      const target = new Int16Array(labels).fill(-7);
      const { value, grad, terms } = valueAndGrad(loss, { ...batch, target, ignoreIndex: -7 });
      expect(value).toBe(0);
      expect(terms).toEqual([0]);
      expect(grad.every((g) => g === 0)).toBe(true);
    });
    fc.assert(property, { numRuns: 30 });
  });

  test("does not see logits under ignored labels, be they NaN", () => {
    const property = fc.property(cases(only), ({ loss, batch }) => {
      if (batch.ignoreIndex === undefined || batch.fromLogits === false) return;
      const ignored = (i: number) => batch.target[labelOf(batch, i)] === batch.ignoreIndex;
      const spoiled = batch.logits.map((z, i) => (ignored(i) ? Number.NaN : z));
      const [clean, dirty] = [valueAndGrad(loss, batch), valueAndGrad(loss, { ...batch, logits: spoiled })];
      expect(dirty).toEqual(clean);
      clean.grad.forEach((g, i) => {
        if (ignored(i)) expect(g).toBe(0);
      });
    });
    fc.assert(property, { numRuns: 60 });
  });

  test("shows a NaN logit in its value, and names it when asked to check", () => {
    const spoiled = {
      logits: Float64Array.of(1, -2, Number.NaN, 0.5),
      target: Uint8Array.of(1, 0, 0, 1),
      shape: [1, 1, 2, 2],
      mode: losses[kind].needs === null ? "multilabel" : "binary",
    } as const;
    expect(value({ kind }, spoiled)).toBeNaN();
    expect(() => value({ kind }, { ...spoiled, check: true })).toThrow(/logits\[2\].* is NaN/);
  });
});

describe("invariances", () => {
  test("channels-last equals channels-first", () => {
    const property = fc.property(cases({ mostPixels: 40 }), ({ loss, batch }) => {
      const other = transposed(batch);
      const [a, b] = [valueAndGrad(loss, batch), valueAndGrad(loss, other)];
      expect(b.value).toBe(a.value);
      expect([...transpose(b.grad, other)]).toEqual([...a.grad]);
    });
    fc.assert(property, { numRuns: 100 });
  });

  test("softmax gradients add up to 0 in every pixel", () => {
    const property = fc.property(cases({ mostPixels: 40 }), ({ loss, batch }) => {
      if (batch.mode !== "multiclass" || batch.fromLogits === false) return;
      const first = batch.layout === "channels-last" ? batch : transposed(batch);
      const grad = Array.from(valueAndGrad(loss, first).grad);
      const channels = channelsOf(first);
      const size = grad.reduce((most, g) => Math.max(most, Math.abs(g)), 1e-6);
      for (let i = 0; i < grad.length; i += channels) {
        const total = grad.slice(i, i + channels).reduce((sum, g) => sum + g, 0);
        expect(Math.abs(total)).toBeLessThan(1e-9 * size);
      }
    });
    fc.assert(property, { numRuns: 100 });
  });

  test("the map of a loss adds up to its sum", () => {
    const pointwise: Kind[] = [
      "crossEntropy",
      "weightedCrossEntropy",
      "balancedCrossEntropy",
      "focal",
      "conservative",
    ];
    const property = fc.property(cases({ kinds: pointwise, sums: false }), ({ loss, batch }) => {
      const summed: LossSpec = { ...loss, reduction: "sum" };
      const map = lossMap(loss, batch);
      expect(map.length).toBe(
        batch.mode === "multiclass" ? batch.logits.length / channelsOf(batch) : batch.logits.length,
      );
      const total = map.reduce((sum, x) => sum + x, 0);
      const size = map.reduce((sum, x) => sum + Math.abs(x), 1e-300);
      expect(Math.abs(total - value(summed, batch))).toBeLessThanOrEqual(1e-12 * size);
    });
    fc.assert(property, { numRuns: 100 });
  });
});
