/** Where float32 ends: huge logits, sure and utterly wrong predictions, one pixel, a thousand classes. */
import {
  type Batch,
  crossEntropy,
  dice,
  focal,
  type LossSpec,
  losses,
  sum,
  value,
  valueAndGrad,
} from "segrad";
import * as reference from "segrad/reference";
import { describe, expect, test } from "vitest";
import type { Kind } from "../ts/loss/index.ts";
import { randomNumbers } from "./support/arbitrary.ts";
import { difference, expectAgreement, largest, precision } from "./support/compare.ts";

const kinds = Object.keys(losses) as Kind[];

/** What the core's smallest exponential, 1.2e-38, can add to a gradient by way of a slope up to 1 / smooth. */
const underflow = 1e-32;

function expectRight(loss: LossSpec, batch: Batch) {
  const [got, want] = [valueAndGrad(loss, batch), reference.valueAndGrad(loss, batch)];
  expect(got.value).toSatisfy(Number.isFinite);
  expect(got.grad.every(Number.isFinite)).toBe(true);
  expect(Math.abs(got.value - want.value)).toBeLessThanOrEqual(precision * Math.max(1, Math.abs(want.value)));
  expect(difference(got.grad, want.grad)).toBeLessThanOrEqual(precision * largest(want.grad) + underflow);
  expect(value(loss, batch)).toBe(got.value);
}

type Mode = NonNullable<Batch["mode"]>;
const modes: readonly [Mode, channels: number][] = [
  ["binary", 1],
  ["multilabel", 3],
  ["multiclass", 2],
  ["multiclass", 5],
];

/** The modes that a loss is defined for. */
const modesOf = (kind: Kind) => modes.filter(([mode]) => losses[kind].needs?.modes.includes(mode) ?? true);

const [height, width] = [3, 5];

/** Every class occurs, and the logits are z where the prediction is on: on what is right, or on something wrong. */
function predicted(mode: Mode, channels: number, right: boolean, z: number): Batch {
  const pixels = height * width;
  const label = (i: number) =>
    mode === "multiclass" ? i % channels : Number((i + Math.floor(i / pixels)) % 3 === 0);
  const isOn = (i: number) => {
    if (mode !== "multiclass") return right === (label(i) === 1);
    return Math.floor(i / pixels) === (label(i % pixels) + Number(!right)) % channels;
  };
  const elements = channels * pixels;
  return {
    mode,
    logits: Float32Array.from({ length: elements }, (_, i) => (isOn(i) ? z : -z)),
    target: Uint8Array.from({ length: mode === "multiclass" ? pixels : elements }, (_, i) => label(i)),
    shape: [1, channels, height, width],
  };
}

describe.each(kinds)("%s", (kind) => {
  describe.each(modesOf(kind))("%s of %d channels", (mode, channels) => {
    test.each([20, 50, 1e4, 3e38])("perfect predictions at ±%d", (z) => {
      expectRight({ kind }, predicted(mode, channels, true, z));
    });

    test.each([20, 50, 1e4, 1e17])("perfectly wrong predictions at ±%d", (z) => {
      expectRight({ kind }, predicted(mode, channels, false, z));
    });

    test.each([1e-30, 0])("logits of %d", (z) => {
      // No prediction lies above ½, so there is nothing to jump.
      if (kind !== "hausdorffDT" || z === 0) expectRight({ kind }, predicted(mode, channels, true, z));
    });

    test.each(losses[kind].needs?.logits ? [] : [true, false])("given as 0 and 1, right: %s", (right) => {
      const batch = { ...predicted(mode, channels, right, 1), fromLogits: false };
      // Some of them between, whose slopes are finite whatever becomes of the others.
      batch.logits.forEach((z, i) => {
        batch.logits[i] = i % 7 === 0 ? 0.25 : Math.max(z, 0);
      });
      const [got, want] = [valueAndGrad({ kind }, batch), reference.valueAndGrad({ kind }, batch)];
      const finite = want.grad.filter(Number.isFinite);
      // Infinite where the limit is, and on the side where it is; NaN nowhere.
      expect(difference([got.value], [want.value])).toBeLessThanOrEqual(
        precision * Math.max(1, largest(finite)),
      );
      expect(difference(got.grad, want.grad)).toBeLessThanOrEqual(precision * largest(finite));
    });

    test("one pixel, right and wrong", () => {
      const shape = [1, channels, 1, 1];
      const target = mode === "multiclass" ? Uint8Array.of(0) : new Uint8Array(channels).fill(1);
      for (const first of [-50, -20, -2, 2, 20, 50]) {
        const logits = Float32Array.from({ length: channels }, (_, k) => (k === 0 ? first : 0.5 - k));
        expectAgreement({ kind }, { logits, target, shape, mode });
      }
    });
  });

  test("a NaN logit is a NaN value, and a NaN or infinite one ends no module", () => {
    for (const [mode, channels] of modesOf(kind)) {
      for (const bad of [Number.NaN, Infinity, -Infinity]) {
        const batch = predicted(mode, channels, true, 1);
        batch.logits[2] = bad;
        const result = valueAndGrad({ kind }, batch);
        if (Number.isNaN(bad)) expect(result.value).toBeNaN();
        expect(() => value({ kind }, { ...batch, check: true })).toThrow(/logits\[2\].* finite/);
      }
      expectRight({ kind }, predicted(mode, channels, true, 2));
    }
  });
});

test("no probability is further from 0 than float32's smallest", () => {
  const batch = { logits: Float32Array.of(-9000), target: Uint8Array.of(0), shape: [1, 1, 1, 1] } as const;
  // One class by itself has the largest weight there is, and its slope is as large.
  expectAgreement({ kind: "generalizedDice" }, { ...batch, pixelWeights: Float32Array.of(0.7375) });
});

test.each([0.25, 0.5, 1])("squared Dice of one soft pixel of %d, predicted nearly so", (y) => {
  const batch = (p: number) =>
    ({
      logits: Float32Array.of(p),
      target: Float32Array.of(y),
      shape: [1, 1, 1, 1],
      fromLogits: false,
    }) as const;
  for (const distance of [1e-2, 1e-3, 1e-5]) {
    const [got, want] = [valueAndGrad, reference.valueAndGrad].map((f) =>
      f(dice({ squared: true }), batch(y - distance)),
    );
    expect(got!.grad[0]! / want!.grad[0]!).toBeCloseTo(1, 6);
  }
});

describe("a thousand classes", () => {
  const channels = 1000;
  const random = randomNumbers(3);
  const floats = (length: number) => Float32Array.from({ length }, () => 12 * random() - 6);

  test.each(kinds.filter((kind) => losses[kind].needs === null))("%s", (kind) => {
    const target = Uint16Array.of(7, 999, 500, 0, 7, 31);
    const shape = [1, channels, 2, 3];
    expectAgreement({ kind }, { logits: floats(channels * 6), target, shape });
    expectAgreement(
      { kind },
      { logits: floats(channels), target: Uint16Array.of(999), shape: [1, channels, 1, 1] },
    );
  });
});

describe("logits that move apart along an image", () => {
  const pixels = 60_000;
  // A class is ahead of the others by as much; each piece is longer than what the core takes at once.
  const leads = [5, 90, 5, 300, 5];
  const specs: LossSpec[] = [crossEntropy(), sum([dice(), focal()])];

  test.each([3, 4, 5].flatMap((channels) => specs.map((loss) => [channels, loss] as const)))(
    "%d classes, %j",
    (channels, loss) => {
      const random = randomNumbers(channels);
      const target = Uint8Array.from({ length: pixels }, () => Math.floor(channels * random()));
      const lead = (pixel: number) => leads[Math.floor((pixel / pixels) * leads.length)]!;
      const at = (pixel: number, k: number) =>
        2 * random() + (target[pixel] === k ? 0.5 * lead(pixel) : -0.5 * lead(pixel));
      const first = new Float32Array(channels * pixels);
      const last = new Float32Array(channels * pixels);
      for (let pixel = 0; pixel < pixels; pixel++) {
        for (let k = 0; k < channels; k++)
          first[k * pixels + pixel] = last[pixel * channels + k] = at(pixel, k);
      }
      // One in a hundred is wrong.
      for (let pixel = 0; pixel < pixels; pixel += 100) target[pixel] = (target[pixel]! + 1) % channels;
      expectRight(loss, { logits: first, target, shape: [1, channels, 1, pixels] });
      expectRight(loss, { logits: last, target, shape: [1, 1, pixels, channels], layout: "channels-last" });
    },
  );
});

describe("surprise keeps its relative accuracy as p → 1", () => {
  const leads = [0, 1, 3, 5, 8, 12, 16, 20, 30, 50, 80];
  const specs: LossSpec[] = [crossEntropy(), focal({ gamma: 0.5 }), focal(), focal({ gamma: 1 })];

  test.each(specs)("%j", (loss) => {
    for (const channels of [1, 2, 3]) {
      for (const lead of leads) {
        const logits = Float32Array.from({ length: channels }, (_, k) => (k === 0 ? lead : -k));
        const batch = { logits, target: Uint8Array.of(channels === 1 ? 1 : 0), shape: [1, channels, 1, 1] };
        const [got, want] = [valueAndGrad(loss, batch), reference.valueAndGrad(loss, batch)];
        expect(Math.abs(got.value - want.value)).toBeLessThanOrEqual(2 * precision * want.value + 1e-37);
        expect(difference(got.grad, want.grad)).toBeLessThanOrEqual(
          2 * precision * largest(want.grad) + 1e-37,
        );
      }
    }
  });

  test("beside pixels that are ignored, or utterly wrong", () => {
    const logits = Float32Array.of(30, -60, 0, 20, 0, 60, 700, 0);
    for (const target of [Uint8Array.of(0, 0, 0, 0), Uint8Array.of(0, 9, 9, 0)]) {
      const batch = { logits, target, shape: [1, 2, 2, 2], ignoreIndex: 9, fromLogits: true };
      expectRight(crossEntropy({ reduction: "sum" }), batch);
      const alone = { logits: Float32Array.of(20, 0), target: Uint8Array.of(0), shape: [1, 2, 1, 1] };
      const last = valueAndGrad(focal({ gamma: 0.5, reduction: "sum" }), { ...batch }).grad[3]!;
      const expected = valueAndGrad(focal({ gamma: 0.5, reduction: "sum" }), alone).grad[0]!;
      expect(Math.abs(last - expected)).toBeLessThanOrEqual(precision * Math.abs(expected));
    }
  });
});

describe("gradients keep their relative accuracy where the label is unlikely", () => {
  const targets = [Uint8Array.of(0), Float32Array.of(1, 0, 0, 0)];
  const leads = [1, 4, 8, 12, 20]; // at 40 it is the reference, in float64, that runs out of digits
  const expectRightAt = (loss: LossSpec, others: readonly number[]) => {
    for (const lead of leads) {
      const logits = Float32Array.of(-lead, ...others);
      for (const target of targets) expectRight(loss, { logits, target, shape: [1, 4, 1, 1] });
    }
  };

  const one = { classes: [0], smooth: 1 };
  const ofOne = ["dice", "jaccard", "tversky"].map((kind) => ({ kind, ...one }));
  test.each<LossSpec>([{ kind: "lovaszSoftmax" }, ...ofOne])("%j", (loss) => {
    for (const others of [
      [0.4, 0.2, 0],
      [1, 0.9, -5],
      [0, -9, -10],
    ])
      expectRightAt(loss, others);
  });

  test("and a wrong class is nearly sure", () => {
    expectRightAt({ kind: "lovaszSoftmax", classes: "all" }, [6, -9, -10]);
  });
});
