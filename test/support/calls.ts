/** Every public function that computes something, with arguments that it takes, to be spoiled. */
import * as segrad from "segrad";
import { pick, type Random, spoil } from "./poison.ts";
import { codeOf } from "./sound.ts";

const { losses, sum, value, valueAndGrad } = segrad;
const kinds = Object.keys(losses) as (keyof typeof losses)[];

const labels = (random: Random, length: number, classes = 2) =>
  Uint8Array.from({ length }, () => Math.floor(classes * random()));

export function someLoss(random: Random): object {
  const one = () => ({
    kind: pick(random, kinds),
    ...(random() < 0.3 ? { classes: [0, 1], smooth: 1 } : {}),
  });
  if (random() < 0.7) return one();
  return { kind: "sum", terms: Array.from({ length: 3 }, () => ({ weight: random(), loss: one() })) };
}

export function someBatch(random: Random): object {
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

/** A public function, and arguments that it takes. */
export interface Call {
  readonly name: string;
  readonly f: (...args: never[]) => unknown;
  readonly args: (random: Random) => unknown[];
}

const rows: readonly (Omit<Call, "name"> & { readonly name?: string })[] = [
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

export const calls: readonly Call[] = rows.map((row) => ({ name: row.f.name, ...row }));

/** Calls a function with arguments spoiled in one to three places. Says whether it refused them. */
export function trySpoiled({ name, f, args }: Call, random: Random): boolean {
  const given = args(random);
  for (let times = Math.floor(1 + 3 * random() ** 3); times > 0; times--) {
    const at = Math.floor(given.length * random());
    given[at] = spoil(random, given[at]);
  }
  try {
    return codeOf(() => f(...(given as never[]))) !== null;
  } catch (error) {
    throw new Error(`${name}: ${inspect(given)}`, { cause: error });
  }
}

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
