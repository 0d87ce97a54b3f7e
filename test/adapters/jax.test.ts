/** segrad/jax with the real jax-js on its wasm backend. */
import {
  defaultDevice,
  grad,
  init,
  jit,
  lax,
  nn,
  numpy as np,
  tree,
  valueAndGrad as valueAndGradOf,
} from "@jax-js/jax";
import {
  boundary,
  crossEntropy,
  dice,
  focal,
  type LossSpec,
  SegradError,
  sum,
  valueAndGrad as valueAndGradOfArrays,
} from "segrad";
import { type JaxBatch, parameterGrads, surrogate, valueAndGrad } from "segrad/jax";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { classNumbers, difference, noise } from "./support.ts";

/** The maps made while the modules above load. One of them is that in which jax-js keeps its arrays, a slot each. */
const { maps, original } = vi.hoisted(() => {
  const original = globalThis.Map;
  const maps: Map<unknown, unknown>[] = [];
  globalThis.Map = class<K, V> extends original<K, V> {
    constructor(entries?: Iterable<readonly [K, V]> | null) {
      super(entries);
      maps.push(this);
    }
  } as MapConstructor;
  return { maps, original };
});
globalThis.Map = original;

/** Every array that is alive. */
let slots: ReadonlyMap<unknown, unknown>;

beforeAll(async () => {
  await init("wasm");
  defaultDevice("wasm");
  const probe = np.array(noise(1000, 1));
  await probe.blockUntilReady();
  const isSlot = (value: unknown) => (value as { size?: number } | null)?.size === 4000;
  slots = maps.find((map) => [...map.values()].some(isSlot))!;
  expect(slots.size).toBe(1);
  probe.dispose();
  expect(slots.size).toBe(0);
});

const [images, side, classes] = [2, 6, 3];
const shape = [images, classes, side, side];
const pixels = images * side * side;
const labels = classNumbers(pixels, classes, 1);
const oneHot = Float32Array.from({ length: pixels * classes }, (_, i) => {
  const [image, channel, pixel] = [
    Math.floor(i / (classes * side ** 2)),
    Math.floor(i / side ** 2) % classes,
    i % side ** 2,
  ];
  return labels[image * side ** 2 + pixel] === channel ? 1 : 0;
});

type Parameters = { kernel: np.Array; bias: np.Array };
const parameters = (): Parameters => ({
  kernel: np.array(noise(classes * 9, 2), { shape: [classes, 1, 3, 3] }),
  bias: np.array(noise(classes, 3), { shape: [1, classes, 1, 1] }),
});
const input = () => np.array(noise(pixels, 4), { shape: [images, 1, side, side] });
const network = ({ kernel, bias }: Parameters, x: np.Array) => lax.conv(x, kernel, [1, 1], "SAME").add(bias);
const labelArray = () => np.array(labels.slice(), { shape: [images, side, side] });

/** −mean log softmax, in jax-js. */
function ownCrossEntropy(z: np.Array): np.Array {
  const y = np.array(oneHot.slice(), { shape });
  return nn
    .logSoftmax(z, 1)
    .mul(y)
    .sum()
    .mul(-1 / pixels);
}

/** 1 − mean Dice over images and classes, smooth 1, in jax-js. */
function ownDice(z: np.Array): np.Array {
  const y = np.array(oneHot.slice(), { shape });
  const p = nn.softmax(z, 1);
  const both = p.ref.mul(y.ref).sum([2, 3]).mul(2).add(1);
  const either = p
    .sum([2, 3])
    .add(y.sum([2, 3]))
    .add(1);
  return np.subtract(1, both.div(either).mean());
}

const descend = (params: Parameters, grads: Parameters): Parameters =>
  tree.map((p: np.Array, g: np.Array) => p.sub(g), params, grads) as Parameters;
const numbers = ({ kernel, bias }: Parameters) => [...kernel.dataSync(), ...bias.dataSync()];

describe.each([
  ["cross-entropy", crossEntropy(), ownCrossEntropy],
  ["Dice", dice({ smooth: 1 }), ownDice],
] as [string, LossSpec, (z: np.Array) => np.Array][])(
  "a step of %s leaves the weights of jax-js' own operations",
  (_, loss, own) => {
    const theirs = () => {
      const x = input();
      const [value, grads] = valueAndGradOf((p: Parameters) => own(network(p, x.ref)))(parameters());
      x.dispose();
      return { value: value.item() as number, numbers: numbers(descend(parameters(), grads as Parameters)) };
    };
    const compare = (value: number, weights: number[]) => {
      const expected = theirs();
      expect(Math.abs(value - expected.value)).toBeLessThan(1e-5);
      expect(difference(weights, expected.numbers)).toBeLessThan(1e-5);
      expect(difference(weights, numbers(parameters()))).toBeGreaterThan(1e-2);
    };

    test("by the pull-back of vjp", async () => {
      const x = input();
      const result = await parameterGrads(loss, (p: Parameters) => network(p, x.ref), parameters(), {
        target: labelArray(),
      });
      compare(result.value, numbers(descend(parameters(), result.grads)));
      expect(result.terms).toEqual([result.value]);
      expect(x.refCount).toBe(1);
    });

    test.each([
      ["jit of valueAndGrad", (f: never) => jit(valueAndGradOf(f) as never)],
      ["valueAndGrad of jit", (f: never) => valueAndGradOf(jit(f) as never)],
      ["valueAndGrad alone", (f: never) => valueAndGradOf(f)],
    ])("by the surrogate, in %s", async (_, transform) => {
      type At = { value: number; grad: np.Array };
      type Step = (p: Parameters, x: np.Array, at: At) => [np.Array, Parameters];
      const step = transform(((p: Parameters, x: np.Array, at: At) =>
        surrogate(network(p, x), at)) as never) as unknown as Step;
      const { value, grad: slope } = await valueAndGrad(loss, {
        logits: network(parameters(), input()),
        target: labelArray(),
      });
      const [standIn, grads] = step(parameters(), input(), { value, grad: slope });
      expect(standIn.item()).toBeCloseTo(value, 6);
      compare(value, numbers(descend(parameters(), grads)));
    });
  },
);

describe("arrays and batches", () => {
  const logits = noise(pixels * classes, 5, 2);
  const weights = noise(pixels, 6).map(Math.abs);
  const distance = noise(pixels * classes, 7);
  const z = () => np.array(logits.slice(), { shape });
  type Case = [string, LossSpec, Parameters_, () => JaxBatch];
  type Parameters_ = Omit<globalThis.Parameters<typeof valueAndGradOfArrays>[1], "logits" | "shape">;

  test.each<Case>([
    ["class numbers", dice(), { target: labels }, () => ({ logits: z(), target: labelArray() })],
    [
      "class numbers with a channel",
      dice(),
      { target: labels },
      () => ({ logits: z(), target: labelArray().reshape([images, 1, side, side]) }),
    ],
    ["class numbers in a typed array", dice(), { target: labels }, () => ({ logits: z(), target: labels })],
    [
      "one-hot",
      dice(),
      { target: oneHot },
      () => ({ logits: z(), target: np.array(oneHot.slice(), { shape }) }),
    ],
    [
      "booleans",
      focal(),
      { target: Uint8Array.from(oneHot), mode: "multilabel" },
      () => ({ logits: z(), target: np.array(oneHot.slice(), { shape }).greater(0.5), mode: "multilabel" }),
    ],
    [
      "ignoreIndex",
      crossEntropy(),
      { target: labels, ignoreIndex: 0 },
      () => ({ logits: z(), target: labelArray(), ignoreIndex: 0 }),
    ],
    [
      "pixelWeights",
      crossEntropy(),
      { target: labels, pixelWeights: weights },
      () => ({
        logits: z(),
        target: labelArray(),
        pixelWeights: np.array(weights.slice(), { shape: [images, side, side] }),
      }),
    ],
    [
      "distance",
      boundary(),
      { target: labels, distance },
      () => ({ logits: z(), target: labelArray(), distance: np.array(distance.slice(), { shape }) }),
    ],
  ])("%s: value and gradient are those of the arrays, bit by bit", async (_, loss, batch, arrays) => {
    const expected = valueAndGradOfArrays(loss, { ...batch, logits, shape });
    const result = await valueAndGrad(loss, arrays());
    expect(result.value).toBe(expected.value);
    expect(result.grad.shape).toEqual(shape);
    expect([...result.grad.dataSync()]).toEqual([...expected.grad]);
  });

  test("channels last", async () => {
    const last = { shape: [images, side, side, classes], layout: "channels-last" } as const;
    const expected = valueAndGradOfArrays(dice(), { ...last, logits, target: labels });
    const result = await valueAndGrad(dice(), {
      logits: np.array(logits.slice(), { shape: [...last.shape] }),
      target: labelArray(),
      layout: "channels-last",
    });
    expect([...result.grad.dataSync()]).toEqual([...expected.grad]);
  });

  test("arrays are consumed, and those passed by ref are kept", async () => {
    const [consumed, kept] = [z(), labelArray()];
    const { grad: slope } = await valueAndGrad(dice(), { logits: consumed, target: kept.ref });
    expect(consumed.refCount).toBe(0);
    expect(kept.refCount).toBe(1);
    expect(slope.refCount).toBe(1);
  });

  test("errors are SegradErrors, and consume the arrays too", async () => {
    const [array, target] = [z(), np.array(labels.slice())];
    const failing = valueAndGrad(dice(), { logits: array, target });
    await expect(failing).rejects.toThrow(
      /target has shape \[72\]; with these logits it must be \[2, 3, 6, 6\] or/,
    );
    await expect(failing).rejects.toBeInstanceOf(SegradError);
    expect([array.refCount, target.refCount]).toEqual([0, 0]);
    const x = input();
    const target2 = labels.map(() => 9);
    const params = parameters();
    const pulling = parameterGrads(dice(), (p: Parameters) => network(p, x.ref), params, { target: target2 });
    await expect(pulling).rejects.toMatchObject({ code: "invalid-label" });
    expect([x.refCount, params.kernel.refCount, params.bias.refCount]).toEqual([1, 0, 0]);
  });

  test("inside of jit there are no numbers, and the error says so", async () => {
    let outcome: Promise<unknown> | undefined;
    jit((traced: np.Array) => {
      outcome = valueAndGrad(dice(), { logits: traced, target: labels });
      outcome.catch(() => {});
      return traced;
    })(z()).dispose();
    await expect(outcome).rejects.toThrow(/see surrogate/);
  });
});

describe("a thousand steps leave no array behind", () => {
  const loss = sum([crossEntropy(), dice()]);
  type State = { params: Parameters; x: np.Array; target: np.Array };

  /** Trains, and counts the arrays that are alive after the first steps and after the last. */
  async function counts(step: (state: State) => Promise<Parameters>): Promise<number[]> {
    const state = { params: parameters(), x: input(), target: labelArray() };
    const alive: number[] = [];
    for (let i = 1; i <= 1000; i++) {
      state.params = descend(state.params, await step(state));
      await state.params.kernel.blockUntilReady();
      await state.params.bias.blockUntilReady();
      if (i === 10 || i === 1000) alive.push(slots.size);
    }
    expect([state.x.refCount, state.target.refCount]).toEqual([1, 1]);
    tree.dispose(state);
    return alive;
  }

  test("by the pull-back", async () => {
    const compiled = jit(network);
    const [early, late] = await counts(async ({ params, x, target }) => {
      const forward = (p: Parameters) => compiled(p, x.ref);
      return (await parameterGrads(loss, forward, tree.ref(params), { target: target.ref })).grads;
    });
    expect(late).toBe(early);
    compiled.dispose();
  });

  test("by the surrogate under jit", async () => {
    type At = { value: number; grad: np.Array };
    const forward = jit(network);
    const backward = jit(grad((p: Parameters, x: np.Array, at: At) => surrogate(network(p, x), at)) as never);
    const pull = backward as unknown as (p: Parameters, x: np.Array, at: At) => Parameters;
    const [early, late] = await counts(async ({ params, x, target }) => {
      const logits = forward(tree.ref(params), x.ref);
      const { value, grad: slope } = await valueAndGrad(loss, { logits, target: target.ref });
      return pull(tree.ref(params), x.ref, { value, grad: slope });
    });
    expect(late).toBe(early);
    forward.dispose();
    backward.dispose();
  });
});
