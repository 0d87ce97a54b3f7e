/** What must hold without any oracle: symmetries, sums, memory, and that one call does not see another. */
import fc from "fast-check";
import { allocate, type Loss, type LossSpec, losses, lossMap, sum, value, valueAndGrad } from "segrad";
import * as reference from "segrad/reference";
import { describe, expect, test } from "vitest";
import type { Kind } from "../ts/loss/index.ts";
import { resolveLoss } from "../ts/loss/resolve.ts";
import { buildBatch, type Case, cases } from "./support/arbitrary.ts";
import { difference, precision, toleranceOf } from "./support/compare.ts";
import {
  channelsOf,
  labelOf,
  pixelOf,
  pixelsOf,
  reorder,
  reordered,
  shuffle,
  transpose,
  transposed,
} from "./support/layout.ts";

const kinds = Object.keys(losses) as Kind[];
const pointwise: readonly Kind[] = [
  "crossEntropy",
  "weightedCrossEntropy",
  "balancedCrossEntropy",
  "focal",
  "conservative",
];
const ofMaps: readonly Kind[] = ["boundary", "hausdorffDT"];

/** Checks a property on the same random cases every time. */
function check(property: (drawn: Case) => void, options: Parameters<typeof cases>[0] = {}, numRuns = 150) {
  fc.assert(fc.property(cases(options), property), { seed: 1, numRuns });
}

const isPointwise = (loss: LossSpec) => resolveLoss(loss).parts.every(({ kind }) => pointwise.includes(kind));

describe("pixels in another order", () => {
  const others = kinds.filter((kind) => !ofMaps.includes(kind));

  test("give the gradient in that order", () => {
    check(
      ({ loss, batch, recipe }) => {
        const order = shuffle(pixelsOf(batch), recipe.seed);
        const [here, there] = [valueAndGrad(loss, batch), valueAndGrad(loss, reordered(batch, order))];
        const expected = reorder(here.grad, batch, order, channelsOf(batch));
        const within = toleranceOf(loss, batch);
        expect(Math.abs(there.value - here.value)).toBeLessThanOrEqual(within.value);
        if (isPointwise(loss) && recipe.target !== "soft") expect(there.grad).toEqual(expected);
        else expect(difference(there.grad, expected)).toBeLessThanOrEqual(within.grad);
      },
      { kinds: others },
    );
  });

  test("give maps of losses in that order, to the bit", () => {
    check(
      ({ loss, batch, recipe }) => {
        const order = shuffle(pixelsOf(batch), recipe.seed);
        const channels = batch.mode === "multiclass" ? 1 : channelsOf(batch);
        const expected = reorder(lossMap(loss, batch), batch, order, channels);
        if (recipe.target !== "soft") expect(lossMap(loss, reordered(batch, order))).toEqual(expected);
      },
      { kinds: pointwise },
    );
  });
});

test("channels-last equals channels-first, to the bit", () => {
  check(
    ({ loss, batch }) => {
      const other = transposed(batch);
      const [a, b] = [valueAndGrad(loss, batch), valueAndGrad(loss, other)];
      expect(b.value).toBe(a.value);
      expect(b.terms).toEqual(a.terms);
      expect(transpose(b.grad, other)).toEqual(a.grad);
    },
    {},
    300,
  );
});

test("softmax gradients add up to 0 in every pixel", () => {
  check(({ loss, batch }) => {
    if (batch.mode !== "multiclass" || batch.fromLogits === false) return;
    const within = toleranceOf(loss, batch).grad;
    const { grad } = valueAndGrad(loss, batch);
    const columns = batch.layout === "channels-last" ? grad : transpose(grad, batch);
    const channels = channelsOf(batch);
    for (let i = 0; i < columns.length; i += channels) {
      const total = columns.subarray(i, i + channels).reduce((total, g) => total + g, 0);
      expect(Math.abs(total)).toBeLessThanOrEqual(within);
    }
  });
});

test.each(kinds)("%s of ignored pixels alone is 0, with a gradient of 0", (kind) => {
  check(
    ({ loss, batch }) => {
      const labels =
        batch.mode === "multiclass" ? batch.logits.length / channelsOf(batch) : batch.logits.length;
      const target = new Int16Array(labels).fill(-7);
      const nothing = { ...batch, target, ignoreIndex: -7 };
      const { value, grad, terms } = valueAndGrad(loss, nothing);
      expect([value, terms]).toEqual([0, [0]]);
      expect(grad.every((g) => g === 0)).toBe(true);
    },
    { kinds: [kind], sums: false },
    20,
  );
});

test("logits under ignored labels are not seen, be they NaN", () => {
  check(({ loss, batch }) => {
    if (batch.ignoreIndex === undefined || batch.fromLogits === false) return;
    const isIgnored = (i: number) => batch.target[labelOf(batch, i)] === batch.ignoreIndex;
    const clean = { ...batch, logits: batch.logits.map((z, i) => (isIgnored(i) ? 0 : z)) };
    const dirty = { ...batch, logits: batch.logits.map((z, i) => (isIgnored(i) ? Number.NaN : z)) };
    const [expected, got] = [valueAndGrad(loss, clean), valueAndGrad(loss, dirty)];
    const within = toleranceOf(loss, clean); // not to the bit: large logits of a tile are handled differently
    expect(Math.abs(got.value - expected.value)).toBeLessThanOrEqual(within.value);
    expect(difference(got.grad, expected.grad)).toBeLessThanOrEqual(within.grad);
    expect(got.grad.every((g, i) => g === 0 || !isIgnored(i))).toBe(true);
  });
});

test("logits under weights of 0 are not seen, be they NaN, but by losses that look at whole planes", () => {
  const others = kinds.filter((kind) => !ofMaps.includes(kind) && !kind.startsWith("lovasz"));
  let seen = 0;
  check(
    ({ loss, batch }) => {
      if (batch.pixelWeights === undefined || batch.fromLogits === false) return;
      const pixelWeights = batch.pixelWeights.map((weight, pixel) => (pixel % 3 === 0 ? 0 : weight));
      const weighsNothing = (i: number) => pixelWeights[pixelOf(batch, i)] === 0;
      const withLogits = (hidden: number) => ({
        ...batch,
        pixelWeights,
        logits: batch.logits.map((z, i) => (weighsNothing(i) ? hidden : z)),
      });
      const [expected, got] = [valueAndGrad(loss, withLogits(0)), valueAndGrad(loss, withLogits(Number.NaN))];
      const within = toleranceOf(loss, withLogits(0));
      expect(Math.abs(got.value - expected.value)).toBeLessThanOrEqual(within.value);
      expect(difference(got.grad, expected.grad)).toBeLessThanOrEqual(within.grad);
      expect(got.grad.every((g, i) => g === 0 || !weighsNothing(i))).toBe(true);
      seen += 1;
    },
    { kinds: others },
    300,
  );
  expect(seen).toBeGreaterThan(20);
});

describe("sums", () => {
  test("a factor is a factor of value and gradient", () => {
    check(
      ({ loss, batch }) => {
        const plain = valueAndGrad(loss, batch);
        for (const factor of [2, -0.5, 3]) {
          const scaled = valueAndGrad(sum([[factor, loss]]), batch);
          const within = toleranceOf(loss, batch);
          expect(Math.abs(scaled.value - factor * plain.value)).toBeLessThanOrEqual(
            Math.abs(factor) * within.value,
          );
          const expected = plain.grad.map((g) => factor * g);
          expect(difference(scaled.grad, expected)).toBeLessThanOrEqual(Math.abs(factor) * within.grad);
        }
      },
      {},
      80,
    );
  });

  test("a sum is the weighted sum of its terms' results", () => {
    check(
      ({ loss, batch }) => {
        if (loss.kind !== "sum") return;
        const results = loss.terms.map((term) => valueAndGrad(term.loss, batch));
        const whole = valueAndGrad(loss, batch);
        const within = toleranceOf(loss, batch);
        expect(whole.terms).toHaveLength(results.length);
        expect(
          difference(
            whole.terms,
            results.map((result) => result.value),
          ),
        ).toBeLessThanOrEqual(within.terms);
        const weighted = (of: (result: (typeof results)[number]) => number) =>
          loss.terms.reduce((total, { weight }, t) => total + weight * of(results[t]!), 0);
        expect(Math.abs(whole.value - weighted((result) => result.value))).toBeLessThanOrEqual(within.value);
        const grad = whole.grad.map((_, i) => weighted((result) => result.grad[i]!));
        expect(difference(whole.grad, grad)).toBeLessThanOrEqual(within.grad);
      },
      {},
      400,
    );
  });

  test("nested sums are their flat counterparts, to the bit", () => {
    check(({ loss, batch }) => {
      const nested = valueAndGrad(sum([[1, sum([[1, loss]])]]), batch);
      const flat = valueAndGrad(loss.kind === "sum" ? loss : sum([loss]), batch);
      expect([nested.value, nested.grad]).toEqual([flat.value, flat.grad]);
    });
  });
});

describe("memory", () => {
  test("value alone is the value beside the gradient, to the bit", () => {
    check(
      ({ loss, batch }) => {
        expect(value(loss, batch)).toBe(valueAndGrad(loss, batch).value);
      },
      { logits: "extreme" },
      300,
    );
  });

  test("out receives the gradient, be it the logits themselves", () => {
    check(({ loss, batch }) => {
      const expected = valueAndGrad(loss, batch);
      const out = new Float32Array(batch.logits.length).fill(7);
      const given = valueAndGrad(loss, batch, { out });
      expect(given.grad).toBe(out);
      expect(given).toEqual(expected);
      const logits = batch.logits.slice();
      expect(valueAndGrad(loss, { ...batch, logits }, { out: logits })).toEqual(expected);
      expect(logits).toEqual(expected.grad);
    });
  });

  test("arrays in WebAssembly memory are used in place and give the same bits", () => {
    check(({ loss, batch }) => {
      const expected = valueAndGrad(loss, batch);
      const { length } = batch.logits;
      using logits = allocate(length);
      using out = allocate(length);
      logits.data.set(batch.logits);
      const inside = valueAndGrad(loss, { ...batch, logits: logits.data }, { out: out.data });
      expect(out.data).toEqual(expected.grad);
      expect([inside.value, inside.terms]).toEqual([expected.value, expected.terms]);
      expect(logits.data).toEqual(batch.logits);
      valueAndGrad(loss, { ...batch, logits: logits.data }, { out: logits.data });
      expect(logits.data).toEqual(expected.grad);
    });
  });

  test("what was computed before leaves no trace", () => {
    check(({ loss, batch, recipe }) => {
      const first = valueAndGrad(loss, batch);
      const other: LossSpec = sum([
        losses.lovaszSoftmax({ classes: "all" }),
        losses.dice(),
        losses.boundary(),
      ]);
      const large = buildBatch({ ...recipe, spatial: [9, 31], spacing: null, seed: 5 });
      valueAndGrad(other, large);
      value(losses.crossEntropy({ labelSmoothing: 0.5 }), large);
      expect(valueAndGrad(loss, batch)).toEqual(first);
    });
  });
});

describe("maps of losses", () => {
  test("agree with the reference, and add up to the value", () => {
    check(
      ({ loss, batch }) => {
        const map = lossMap(loss, batch);
        const expected = reference.lossMap(loss, batch);
        const most = Math.max(1, ...expected.map(Math.abs));
        expect(difference(map, expected)).toBeLessThanOrEqual(precision * most);
        const summed = asSum(loss);
        const total = map.reduce((total, x) => total + x, 0);
        const size = map.reduce((total, x) => total + Math.abs(x), 1);
        expect(Math.abs(total - value(summed, batch))).toBeLessThanOrEqual(precision * size);
      },
      { kinds: pointwise },
    );
  });

  test("are refused for losses of whole sets", () => {
    for (const kind of kinds.filter((kind) => !pointwise.includes(kind))) {
      const batch = { logits: new Float32Array(1), target: new Uint8Array(1), shape: [1, 1, 1, 1] };
      expect(() => lossMap({ kind }, batch)).toThrow(/lossMap/);
    }
  });
});

/** The loss with every reduction a sum. */
function asSum(loss: Loss): LossSpec {
  if (loss.kind !== "sum") return { ...loss, reduction: "sum" };
  return sum(loss.terms.map(({ weight, loss }) => [weight, asSum(loss as Loss)]));
}

describe("a softmax of two classes", () => {
  const pixels = 5003; // tiles, and some pixels more
  const noise = (at: number) => 3 * Math.sin(12.9898 * at + Math.sin(78.233 * at));
  const target = Uint8Array.from({ length: pixels }, (_, at) => [0, 1, 1, 255][Math.floor(at / 9) % 4]!);
  const planes = Float32Array.from({ length: 2 * pixels }, (_, at) => noise(at));
  const against = Float32Array.from({ length: pixels }, (_, at) => planes[pixels + at]! - planes[at]!);
  const ofSecond: readonly [LossSpec, LossSpec][] = [
    [losses.dice({ classes: [1] }), losses.dice()],
    [losses.tversky({ classes: [1] }), losses.tversky()],
    [sum([losses.focal(), losses.jaccard({ classes: [1] })]), sum([losses.focal(), losses.jaccard()])],
    [
      sum([losses.crossEntropy(), losses.dice({ classes: [1] })]),
      sum([losses.crossEntropy(), losses.dice()]),
    ],
  ];

  test("is a sigmoid of the difference of their logits, in both layouts", () => {
    for (const [pair, single] of ofSecond) {
      const rest = { target, ignoreIndex: 255 };
      const one = valueAndGrad(single, { ...rest, logits: against, shape: [1, 1, 1, pixels] });
      const first = valueAndGrad(pair, { ...rest, logits: planes, shape: [1, 2, 1, pixels] });
      const logits = Float32Array.from(planes, (_, at) => planes[(at % 2) * pixels + (at >> 1)]!);
      const last = valueAndGrad(pair, { ...rest, logits, shape: [1, 1, pixels, 2], layout: "channels-last" });
      const largest = Math.max(...one.grad.map(Math.abs));
      for (const { value } of [first, last]) expect(Math.abs(value - one.value)).toBeLessThan(1e-7);
      one.grad.forEach((gradient, at) => {
        const both = [
          first.grad[pixels + at]!,
          -first.grad[at]!,
          last.grad[2 * at + 1]!,
          -last.grad[2 * at]!,
        ];
        for (const of of both) expect(Math.abs(of - gradient)).toBeLessThanOrEqual(1e-6 * largest);
      });
    }
  });

  test("has every digit of the common class where the rare one is missed altogether", () => {
    const target = Uint8Array.from({ length: pixels }, (_, at) => (at < 10 ? 0 : 1));
    const logits = Float32Array.from({ length: 2 * pixels }, (_, at) =>
      at < pixels ? 0 : at < pixels + 10 ? 14 : 3 + noise(at) / 3,
    );
    const batch = { logits, target, shape: [1, 2, 1, pixels] };
    const [got, want] = [valueAndGrad(losses.dice(), batch), reference.valueAndGrad(losses.dice(), batch)];
    for (let at = pixels + 10; at < 2 * pixels; at++) {
      expect(Math.abs(got.grad[at]! / want.grad[at]! - 1)).toBeLessThan(2e-6);
    }
  });
});
