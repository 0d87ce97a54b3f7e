/** Input that is strange but right, and input that is wrong in ways worth a name; `errors.test.ts` tries the rest. */
import { type LossSpec, sum, value, valueAndGrad } from "segrad";
import { describe, expect, test } from "vitest";
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
