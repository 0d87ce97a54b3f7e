/**
 * Whatever is passed to a public function: a result, or a `SegradError` with a documented code. Nothing is written
 * where it should not be, and the next call is right. `CASES=1000000 npx vitest run test/errors.test.ts` tries more.
 */
import * as segrad from "segrad";
import { describe, expect, test } from "vitest";
import { randomNumbers } from "./support/arbitrary.ts";
import { pick, type Random, spoil } from "./support/poison.ts";
import { codeOf, expectSound } from "./support/sound.ts";

const { losses, sum, value, valueAndGrad } = segrad;
const kinds = Object.keys(losses) as (keyof typeof losses)[];

const labels = (random: Random, length: number, classes = 2) =>
  Uint8Array.from({ length }, () => Math.floor(classes * random()));

function someLoss(random: Random): object {
  const one = () => ({
    kind: pick(random, kinds),
    ...(random() < 0.3 ? { classes: [0, 1], smooth: 1 } : {}),
  });
  if (random() < 0.7) return one();
  return { kind: "sum", terms: Array.from({ length: 3 }, () => ({ weight: random(), loss: one() })) };
}

function someBatch(random: Random): object {
  const mode = pick(random, ["multiclass", "multilabel"]);
  const soft = random() < 0.2;
  const optional = (chance: number, field: () => object) => (random() < chance ? field() : {});
  return {
    logits: Float32Array.from({ length: 12 }, () => 4 * random() - 2),
    target: soft ? Float32Array.from({ length: 12 }, random) : labels(random, mode === "multiclass" ? 6 : 12),
    shape: [1, 2, 2, 3],
    mode,
    ...optional(0.3, () => ({
      layout: pick(random, ["channels-first", "channels-last"]),
      shape: [1, 2, 3, 2],
    })),
    ...optional(0.3, () => ({ ignoreIndex: 1 })),
    ...optional(0.3, () => ({ pixelWeights: Float32Array.from({ length: 6 }, random) })),
    ...optional(0.3, () => ({ distance: Float32Array.from({ length: 12 }, random) })),
    ...optional(0.3, () => ({ spacing: [1, 2] })),
    ...optional(0.2, () => ({ check: true })),
    ...optional(0.2, () => ({ fromLogits: false })),
  };
}

/** Every public function that computes something, with arguments that it takes. */
const calls: readonly {
  readonly name?: string;
  readonly f: (...args: never[]) => unknown;
  readonly args: (random: Random) => unknown[];
}[] = [
  { f: value, args: (random) => [someLoss(random), someBatch(random)] },
  { f: valueAndGrad, args: (random) => [someLoss(random), someBatch(random), { out: new Float32Array(12) }] },
  { f: segrad.lossMap, args: (random) => [{ kind: pick(random, kinds.slice(0, 5)) }, someBatch(random)] },
  { name: "constructors", f: construct, args: (random) => [options(random)] },
  { f: sum, args: (random) => [[{ kind: "dice" }, [random(), someLoss(random)]]] },
  { f: segrad.distanceTransform, args: (random) => [labels(random, 6), { shape: [2, 3], spacing: [1, 2] }] },
  {
    f: segrad.signedDistance,
    args: (random) => [
      labels(random, 6),
      { shape: [1, 2, 3], classes: 2, ignoreIndex: 1, spacing: [1, 1, 2] },
    ],
  },
  {
    f: segrad.unetWeightMap,
    args: (random) => [labels(random, 6, 3), { shape: [2, 3], w0: 10, sigma: 5, classBalance: [1, 2] }],
  },
  { f: segrad.oneHot, args: (random) => [labels(random, 6, 3), 3, { images: 2, ignoreIndex: 1 }] },
  { f: segrad.argmax, args: () => [new Float32Array(12), { shape: [1, 2, 2, 3], layout: "channels-last" }] },
  { f: segrad.classFrequencyWeights, args: (random) => [labels(random, 6), { classes: 2, ignoreIndex: 1 }] },
  {
    f: segrad.confusionMatrix,
    args: (random) => [labels(random, 6), labels(random, 6), { classes: 2, ignoreIndex: 1 }],
  },
  {
    f: segrad.metrics,
    args: (random) => [
      labels(random, 6),
      labels(random, 6),
      { shape: [2, 3], classes: 2, tolerance: 1, spacing: [1, 2] },
    ],
  },
  {
    name: "alphaSchedule",
    f: (schedule: never, epoch: never) => segrad.alphaSchedule(schedule)(epoch),
    args: (random) => [
      { kind: pick(random, ["constant", "increase", "rebalance"]), start: 0.1, step: 0.1, max: 1 },
      3,
    ],
  },
  {
    name: "allocate",
    f: (length: number, type: "float32") => segrad.allocate(length, type).dispose(),
    args: () => [6, "float32"],
  },
];

/** Every constructor in turn. */
let nextKind = 0;
function construct(options: object): unknown {
  return losses[kinds[nextKind++ % kinds.length]!](options);
}

/** Options of any loss, with a value of each. */
function options(random: Random): object {
  const { options } = losses[pick(random, kinds)];
  return Object.fromEntries(Object.entries(options).map(([name, option]) => [name, option.default]));
}

describe("arguments spoiled in one to three places", () => {
  const numCases = Number(process.env["CASES"] ?? 100_000);
  const perCall = Math.ceil(numCases / calls.length);

  test.each(calls.map(({ name, f, args }, index) => ({ name: name ?? f.name, f, args, index })))(
    "$name",
    ({ f, args, index }) => {
      const random = randomNumbers(index + 1);
      let refused = 0;
      for (let i = 0; i < perCall; i++) {
        const given = args(random);
        for (let times = Math.floor(1 + 3 * random() ** 3); times > 0; times--) {
          const at = Math.floor(given.length * random());
          given[at] = spoil(random, given[at]);
        }
        try {
          if (codeOf(() => f(...(given as never[]))) !== null) refused++;
        } catch (error) {
          throw new Error(`case ${i}: ${inspect(given)}`, { cause: error });
        }
        if (i % 200 === 0) expectSound();
      }
      expectSound();
      // Neither all nor nothing: the generator still makes sense.
      expect(refused / perCall).toBeGreaterThan(0.2);
      expect(refused / perCall).toBeLessThan(0.999);
    },
  );
});

test("what is written is `out`, and nothing of it where there is an error", () => {
  const random = randomNumbers(99);
  const canary = 1234.5;
  for (let i = 0; i < 10_000; i++) {
    const room = new Float32Array(44).fill(canary);
    const out = room.subarray(16, 28);
    const given = [someLoss(random), someBatch(random)];
    if (random() < 0.7) given[1] = spoil(random, given[1]) as object;
    const before = snapshot(given[1]);
    const code = codeOf(() => valueAndGrad(given[0] as never, given[1] as never, { out }));
    expect([...room.subarray(0, 16), ...room.subarray(28)]).toEqual(Array(32).fill(canary));
    if (code !== null) expect([...out]).toEqual(Array(12).fill(canary));
    expect(snapshot(given[1])).toEqual(before);
  }
});

/** Copies of a batch's arrays. */
function snapshot(batch: unknown): number[][] {
  if (typeof batch !== "object" || batch === null || ArrayBuffer.isView(batch)) return [];
  return Object.values(batch)
    .filter((value) => ArrayBuffer.isView(value) && !(value instanceof DataView))
    .map((array) => Array.prototype.map.call(array, Number) as number[]);
}

function inspect(value: unknown): string {
  const seen = new Set<unknown>();
  const text = JSON.stringify(value, (_, inner) => {
    if (typeof inner === "bigint" || typeof inner === "symbol" || typeof inner === "function")
      return String(inner);
    if (typeof inner === "number" && !Number.isFinite(inner)) return String(inner);
    if (ArrayBuffer.isView(inner))
      return `${inner.constructor.name}(${Array.prototype.map.call(inner, Number)})`;
    if (typeof inner !== "object" || inner === null) return inner;
    if (seen.has(inner)) return "(again)";
    seen.add(inner);
    return inner;
  });
  return String(text).slice(0, 2000);
}
