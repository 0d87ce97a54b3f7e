/** Input that is strange but right, and input that is wrong in ways worth a name; `errors.test.ts` tries the rest. */
import * as segrad from "segrad";
import { type LossSpec, sum, value, valueAndGrad } from "segrad";
import { describe, expect, test } from "vitest";
import { randomNumbers } from "./support/arbitrary.ts";
import { disguise, foreignCopy, shrunk } from "./support/poison.ts";
import { codeOf, expectSound } from "./support/sound.ts";

const fine = () => ({
  logits: Float32Array.of(1, -1, 2, 0),
  target: Uint8Array.of(1, 0, 1, 1),
  shape: [1, 1, 2, 2],
});

test("no prototype is ever written", () => {
  const names = () =>
    [Object.prototype, Array.prototype, Float32Array.prototype].map(Object.getOwnPropertyNames);
  const before = names();
  const polluting = [
    '{"kind": "dice", "__proto__": {"smooth": -1}}',
    '{"__proto__": {"kind": "dice"}}',
    '{"kind": "sum", "terms": [{"weight": 1, "loss": {"kind": "dice"}, "__proto__": {"polluted": 1}}]}',
    '{"kind": "dice", "constructor": {"prototype": {"polluted": 1}}}',
  ];
  for (const text of polluting) {
    expect(codeOf(() => value(JSON.parse(text), fine()))).toMatch(/^unknown-(option|kind)$/);
  }
  const batch = JSON.parse('{"__proto__": {"shape": [1, 1, 2, 2]}}');
  expect(codeOf(() => value({ kind: "dice" }, { ...fine(), ...batch }))).toBe("invalid-batch"); // an own field now
  expect(codeOf(() => value({ kind: "dice" }, batch))).toBe("invalid-batch");
  expect(names()).toEqual(before);
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});

describe("arrays that live elsewhere", () => {
  const expected = valueAndGrad({ kind: "dice" }, fine());

  test.each(["ArrayBuffer", "SharedArrayBuffer"] as const)(
    "at odd offsets of a %s are read right",
    (name) => {
      const Buffer = { ArrayBuffer, SharedArrayBuffer }[name];
      const logits = new Float32Array(new Buffer(64), 20, 4);
      logits.set(fine().logits);
      const target = new Uint8Array(new Buffer(64), 13, 4);
      target.set(fine().target);
      expect(valueAndGrad({ kind: "dice" }, { ...fine(), logits, target })).toEqual(expected);
    },
  );

  test("share memory with `out` in any way", () => {
    const buffer = new ArrayBuffer(64);
    const logits = new Float32Array(buffer, 0, 4);
    for (const offset of [0, 4, 8, 16]) {
      logits.set(fine().logits);
      const out = new Float32Array(buffer, offset, 4);
      expect(valueAndGrad({ kind: "dice" }, { ...fine(), logits }, { out }).grad).toEqual(expected.grad);
    }
    const target = Float32Array.of(1, 0, 1, 1);
    const soft = valueAndGrad({ kind: "dice" }, { ...fine(), target });
    expect(valueAndGrad({ kind: "dice" }, { ...fine(), target }, { out: target }).grad).toEqual(soft.grad);
  });

  test.each([3, 5, 0])("with %d entries instead of 4 are refused", (length) => {
    const spoiled = {
      logits: new Float32Array(length),
      target: new Int16Array(length),
      pixelWeights: new Float32Array(length),
      distance: new Float32Array(length),
    };
    for (const [name, array] of Object.entries(spoiled)) {
      expect(codeOf(() => value({ kind: "dice" }, { ...fine(), [name]: array }))).toBe("invalid-length");
    }
    const out = new Float32Array(length);
    expect(codeOf(() => valueAndGrad({ kind: "dice" }, fine(), { out }))).toBe("invalid-length");
  });
});

describe("arrays that are not what they say", () => {
  const batches = { logits: fine().logits, target: fine().target, weights: Float32Array.of(1, 2, 0, 1) };
  const { logits, target, weights: pixelWeights } = batches;
  const batch = { ...fine(), pixelWeights };
  const expected = valueAndGrad({ kind: "dice" }, batch);
  const shape = [2, 2];

  test("are read by what they hold: own properties, other realms and missing prototypes change nothing", () => {
    const random = randomNumbers(1);
    const disguised = <T extends object>(array: T) => disguise(random, array);
    for (let i = 0; i < 300; i++) {
      const strange = i % 10 === 0 ? foreignCopy : disguised;
      const out = strange(new Float32Array(4));
      const given = {
        ...batch,
        logits: strange(logits.slice()),
        target: strange(target.slice()),
        pixelWeights: strange(pixelWeights.slice()),
      };
      const { value, grad } = valueAndGrad({ kind: "dice" }, given, { out });
      expect(value).toBe(expected.value);
      expect(grad).toBe(out);
      expect(Array.from({ length: 4 }, (_, i) => grad[i])).toEqual([...expected.grad]);
      const labels = () => strange(target.slice());
      const floats = strange(Float64Array.from(target));
      const distances = segrad.distanceTransform(target, { shape });
      expect(segrad.distanceTransform(labels(), { shape })).toEqual(distances);
      expect(segrad.distanceTransform(floats, { shape })).toEqual(distances);
      expect(segrad.unetWeightMap(labels(), { shape, classBalance: true })).toEqual(
        segrad.unetWeightMap(target, { shape, classBalance: true }),
      );
      expect(segrad.metrics(labels(), labels(), { shape, classes: 2 })).toEqual(
        segrad.metrics(target, target, { shape, classes: 2 }),
      );
      expect(segrad.oneHot(labels(), 2)).toEqual(segrad.oneHot(target, 2));
      expect(segrad.classFrequencyWeights(labels())).toEqual(segrad.classFrequencyWeights(target));
      expect(segrad.argmax(strange(logits.slice()), { shape: [1, 2, 1, 2] })).toEqual(
        segrad.argmax(logits, { shape: [1, 2, 1, 2] }),
      );
    }
  });

  test("are refused if they are proxies, which hold nothing", () => {
    const proxy = new Proxy(logits.slice(), {});
    expect(codeOf(() => value({ kind: "dice" }, { ...batch, logits: proxy }))).toBe("invalid-array");
    expect(codeOf(() => segrad.distanceTransform(proxy, { shape }))).toBe("invalid-array");
  });

  test.each(["detached", "shrunk"])("are measured after the caller's own code has %s them", (how) => {
    /** An array, and a list whose reading ends it. */
    const trap = (list: readonly number[]) => {
      const resizable = shrunk(4, true, 4);
      const array = how === "detached" ? new Float32Array(4) : resizable.array;
      const end = () => {
        if (how === "shrunk") resizable.shrink();
        else if (array.length > 0) structuredClone(array.buffer, { transfer: [array.buffer] });
      };
      const read = (target: readonly number[], key: string | symbol) => {
        if (key === "0") end();
        return Reflect.get(target, key);
      };
      return { array, end, list: new Proxy(list, { get: read }) };
    };
    const spacing = trap([1, 1]);
    expect(
      codeOf(() => value({ kind: "dice" }, { ...batch, logits: spacing.array, spacing: spacing.list })),
    ).toBe("invalid-length");
    const sides = trap([1, 1, 2, 2]);
    expect(codeOf(() => value({ kind: "dice" }, { ...batch, logits: sides.array, shape: sides.list }))).toBe(
      "invalid-length",
    );
    const { array, end } = trap([]);
    const options = {
      get out(): Float32Array {
        end();
        return new Float32Array(4);
      },
    };
    expect(codeOf(() => valueAndGrad({ kind: "dice" }, { ...batch, logits: array }, options))).toBe(
      "invalid-length",
    );
    const balance = trap([1, 2]);
    const instances = new Uint8Array(balance.array.buffer, balance.array.byteOffset);
    const asked = { shape: [4, 4], classBalance: balance.list as [number, number] };
    expect(codeOf(() => segrad.unetWeightMap(instances, asked))).toBe("invalid-length");
    const steps = trap([1, 1]);
    expect(codeOf(() => segrad.distanceTransform(steps.array, { shape, spacing: steps.list }))).toBe(
      "invalid-length",
    );
    expectSound();
  });
});

test.each([
  [2 ** 31, 1],
  [46_341, 46_341],
  [2 ** 16, 2 ** 16],
  [2 ** 27, 2 ** 26],
])("a shape of %d × %d pixels is no way around the lengths", (height, width) => {
  expect(codeOf(() => value({ kind: "dice" }, { ...fine(), shape: [1, 1, height, width] }))).toBe(
    height * width >= 2 ** 53 ? "invalid-shape" : "invalid-length",
  );
});

test("sums a thousand deep are evaluated, and sums that contain themselves refused", () => {
  let deep: LossSpec = { kind: "dice" };
  for (let i = 0; i < 1000; i++) deep = sum([deep]);
  expect(value(deep, fine())).toBe(value({ kind: "dice" }, fine()));
  const cyclic = { kind: "sum", terms: [{ weight: 1, loss: {} }] };
  cyclic.terms[0]!.loss = cyclic;
  expect(codeOf(() => value(cyclic, fine()))).toBe("invalid-loss");
});

test("frozen losses and batches are as good as others", () => {
  const loss = Object.freeze({ kind: "dice", classes: Object.freeze([0]) });
  expect(value(loss, Object.freeze({ ...fine(), shape: Object.freeze([1, 1, 2, 2]) }))).toBe(
    value({ kind: "dice", classes: [0] }, fine()),
  );
});

test("an exception of the caller's own passes through, and the next call is right", () => {
  const trap = new Proxy(fine(), {
    ownKeys() {
      throw new Error("mine");
    },
  });
  expect(() => value({ kind: "dice" }, trap)).toThrow("mine");
  const hostile = {
    ...fine(),
    get spacing(): readonly number[] {
      value({ kind: "focal" }, fine()); // a call within a call
      return [1, 1];
    },
  };
  expect(value({ kind: "dice" }, hostile)).toBe(value({ kind: "dice" }, fine()));
  expectSound();
});
