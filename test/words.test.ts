/** Losses as data, and the errors of everything that is no loss or no batch. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { resolveBatch } from "../ts/batch.ts";
import { type ErrorCode, SegradError, show } from "../ts/error.ts";
import { checkFit } from "../ts/loss/fit.ts";
import * as loss from "../ts/loss/index.ts";
import { resolveLoss } from "../ts/loss/resolve.ts";
import { cases } from "./support/arbitrary.ts";

const { crossEntropy, dice, focal, losses, sum } = loss;

/** The SegradError that `run` throws. */
function errorOf(run: () => unknown): SegradError {
  try {
    run();
  } catch (error) {
    if (error instanceof SegradError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

function expectError(run: () => unknown, code: ErrorCode, type: ErrorConstructor, message: RegExp) {
  const error = errorOf(run);
  expect(error).toMatchObject({ name: "SegradError", code });
  expect(error).toBeInstanceOf(type);
  expect(error.message).toMatch(message);
}

describe("losses are plain data", () => {
  test("a constructor returns its kind and the options given", () => {
    expect(crossEntropy()).toEqual({ kind: "crossEntropy" });
    expect(sum([crossEntropy(), [0.5, dice({ smooth: 1 })]])).toEqual({
      kind: "sum",
      terms: [
        { weight: 1, loss: { kind: "crossEntropy" } },
        { weight: 0.5, loss: { kind: "dice", smooth: 1 } },
      ],
    });
  });

  test("the table and the exports are the same constructors", () => {
    for (const [kind, make] of Object.entries(losses)) {
      expect(make.kind).toBe(kind);
      expect(make()).toEqual({ kind });
      expect(new Map<string, unknown>(Object.entries(loss)).get(kind)).toBe(make);
    }
  });

  test("every default is a value the option itself accepts", () => {
    for (const { kind, options } of Object.values(losses)) {
      for (const [name, option] of Object.entries(options)) {
        expect(option.parse(option.default, `${kind}.${name}`)).toEqual(option.default);
      }
    }
  });

  test("a spec survives JSON, and means the same", () => {
    const property = fc.property(cases({ mostPixels: 4 }), ({ loss, batch }) => {
      const copy = JSON.parse(JSON.stringify(loss));
      expect(copy).toEqual(loss);
      expect(resolveLoss(copy)).toEqual(resolveLoss(loss));
      expect(() => checkFit(resolveLoss(copy), resolveBatch(batch))).not.toThrow();
    });
    fc.assert(property);
  });

  test("lists are copied, and typed arrays become lists", () => {
    const weights = Float32Array.of(1, 2);
    const spec = crossEntropy({ classWeights: weights as never });
    weights[0] = 9;
    expect(spec).toEqual({ kind: "crossEntropy", classWeights: [1, 2] });
  });
});

describe("options", () => {
  test.each([
    [() => dice({ smooth: -1 }), "invalid-option", RangeError, /dice\.smooth is -1; .* ≥ 0/],
    [() => dice({ smooth: Number.NaN }), "invalid-option", RangeError, /dice\.smooth is NaN/],
    [() => dice({ smooth: Infinity }), "invalid-option", RangeError, /dice\.smooth is Infinity/],
    [() => dice({ smooth: 1e39 }), "invalid-option", RangeError, /dice\.smooth is 1e\+39/],
    [() => dice({ smooth: "1" as never }), "invalid-option", TypeError, /dice\.smooth is "1"/],
    [() => dice({ squared: 1 as never }), "invalid-option", TypeError, /true or false/],
    [() => dice({ over: "pixel" as never }), "invalid-option", RangeError, /"image", "batch"/],
    [() => dice({ classes: [1, 1] }), "invalid-option", RangeError, /dice\.classes\[1\] is 1/],
    [() => dice({ classes: [0.5] }), "invalid-option", RangeError, /dice\.classes\[0\] is 0\.5/],
    [() => dice({ classes: [] }), "invalid-option", RangeError, /not empty/],
    [() => dice({ classes: "some" as never }), "invalid-option", TypeError, /"all", "present" or a list/],
    [() => dice({ smoth: 1 } as never), "unknown-option", TypeError, /"smoth"; it has over, classes, smooth/],
    [() => dice(3 as never), "invalid-option", TypeError, /the options of dice are 3/],
    [() => focal({ alpha: 1.5 }), "invalid-option", RangeError, /focal\.alpha is 1\.5/],
    [() => focal({ alpha: [1, -1] }), "invalid-option", RangeError, /focal\.alpha\[1\] is -1/],
    [() => loss.balancedCrossEntropy({ beta: "most" as never }), "invalid-option", RangeError, /"auto" or/],
    [() => loss.conservative({ base: 1 }), "invalid-option", RangeError, /> 1/],
    [() => sum([]), "invalid-loss", TypeError, /not empty/],
    [() => sum([3 as never]), "invalid-loss", TypeError, /term 0 is 3/],
    [() => sum([[Number.NaN, dice()]]), "invalid-option", RangeError, /weight of term 0 is NaN/],
  ] as const)("%s", (run, code, type, message) => expectError(run, code, type as ErrorConstructor, message));
});

describe("specs from anywhere", () => {
  test.each([
    [null, "invalid-loss", /the loss is null/],
    ["dice", "invalid-loss", /the loss is "dice"/],
    [{}, "unknown-kind", /kind undefined; it must be one of crossEntropy/],
    [{ kind: "toString" }, "unknown-kind", /"toString"/],
    [{ kind: "__proto__" }, "unknown-kind", /"__proto__"/],
    [JSON.parse('{"__proto__":{"kind":"dice"}}'), "unknown-kind", /kind undefined/],
    [JSON.parse('{"kind":"dice","__proto__":{"smooth":-1}}'), "unknown-option", /"__proto__"/],
    [Object.create({ kind: "dice" }), "unknown-kind", /kind undefined/],
    [{ kind: "dice", constructor: 1 }, "unknown-option", /"constructor"/],
    [{ kind: "sum" }, "invalid-loss", /sum\.terms is undefined/],
    [{ kind: "sum", terms: [] }, "invalid-loss", /not empty/],
    [{ kind: "sum", terms: [null] }, "invalid-loss", /a term of a sum is null/],
    [{ kind: "sum", terms: [{ loss: dice() }] }, "invalid-option", /weight of a term of a sum is undefined/],
    [{ kind: "sum", terms: [{ weight: 1, loss: dice(), wieght: 2 }] }, "unknown-option", /"wieght"/],
    [
      { kind: "sum", terms: [{ weight: 1, loss: { kind: "dice", smooth: -1 } }] },
      "invalid-option",
      /dice\.smooth/,
    ],
  ] as const)("%j", (spec, code, message) => {
    const error = errorOf(() => resolveLoss(spec));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  test("inherited options are not seen", () => {
    const spec = Object.assign(Object.create({ smooth: 7 }), { kind: "dice" });
    expect(resolveLoss(spec).parts[0]!.options).toMatchObject({ smooth: 1e-5 });
  });

  test("a getter is read once", () => {
    let reads = 0;
    const spec = {
      kind: "dice",
      get smooth() {
        return reads++ === 0 ? 1 : "poison";
      },
    };
    expect(resolveLoss(spec).parts[0]!.options).toMatchObject({ smooth: 1 });
    expect(reads).toBe(1);
  });

  test("sums nest a thousand deep, and weights multiply", () => {
    let deep: loss.LossSpec = dice();
    for (let i = 0; i < 1000; i++) deep = sum([[i % 2 === 0 ? 2 : 0.5, deep]]);
    const [part] = resolveLoss(sum([crossEntropy(), [3, deep]])).parts.slice(1);
    expect(part).toMatchObject({ kind: "dice", weight: 3, scale: 1, term: 1 });
    expect(resolveLoss(sum([sum([[2, dice()], focal()]), [5, sum([sum([[7, dice()]])])]]))).toMatchObject({
      terms: 2,
      parts: [
        { kind: "dice", weight: 2, scale: 2, term: 0 },
        { kind: "focal", weight: 1, scale: 1, term: 0 },
        { kind: "dice", weight: 35, scale: 7, term: 1 },
      ],
    });
  });

  test("a sum that contains itself, or unfolds without end, is refused", () => {
    const cyclic = { kind: "sum", terms: [{ weight: 1, loss: null as unknown }] };
    cyclic.terms[0]!.loss = { kind: "sum", terms: [{ weight: 1, loss: cyclic }] };
    expect(errorOf(() => resolveLoss(cyclic))).toMatchObject({ code: "invalid-loss" });
    let doubled: loss.LossSpec = dice();
    for (let i = 0; i < 60; i++) doubled = sum([doubled, doubled]);
    expectError(() => resolveLoss(doubled), "invalid-loss", RangeError as never, /more than 20000/);
    const shared = sum([dice(), focal()]);
    expect(resolveLoss(sum([shared, shared])).parts).toHaveLength(4);
  });

  test("weights whose product leaves float32 are refused", () => {
    let huge: loss.LossSpec = dice();
    for (let i = 0; i < 3; i++) huge = sum([[1e30, huge]]);
    expect(errorOf(() => resolveLoss(huge))).toMatchObject({ code: "invalid-option" });
  });
});

describe("batches", () => {
  const given = (changes: object) => ({
    logits: new Float32Array(24),
    target: new Int32Array(12),
    shape: [1, 2, 3, 4],
    ...changes,
  });

  test("defaults", () => {
    expect(resolveBatch(given({}))).toMatchObject({
      soft: false,
      images: 1,
      channels: 2,
      pixels: 12,
      spatial: [1, 3, 4],
      axes: 2,
      mode: "multiclass",
      channelsLast: false,
      fromLogits: true,
      ignoreIndex: null,
      spacing: [1, 1, 1],
      check: false,
    });
    expect(
      resolveBatch(given({ shape: [2, 3, 4, 1], layout: "channels-last", target: new Uint8Array(24) })),
    ).toMatchObject({
      images: 2,
      channels: 1,
      mode: "binary",
    });
    expect(resolveBatch(given({ shape: [1, 2, 3, 2, 2], spacing: [1, 2, 3] }))).toMatchObject({
      spatial: [3, 2, 2],
      spacing: [1, 2, 3],
    });
  });

  const detached = new Float32Array(24);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });

  const refused: [object, ErrorCode, RegExp][] = [
    [{ shape: [1, 2, 12] }, "invalid-shape", /3 entries; it must have 4 or 5/],
    [{ shape: [1, 2, 0, 4] }, "invalid-shape", /shape\[2\] is 0/],
    [{ shape: [1, 2, -3, -4] }, "invalid-shape", /shape\[2\] is -3/],
    [{ shape: [1, 2, 2.4, 5] }, "invalid-shape", /shape\[2\] is 2\.4/],
    [{ shape: [1, 2, Number.NaN, 4] }, "invalid-shape", /shape\[2\] is NaN/],
    [{ shape: [1, 2, "3", 4] }, "invalid-shape", /shape\[2\] is "3"/],
    [{ shape: [2 ** 20, 2 ** 20, 2 ** 20, 1] }, "invalid-shape", /beyond 2\^53/],
    [{ shape: "1234" }, "invalid-shape", /shape is "1234"/],
    [{ shape: undefined }, "invalid-shape", /shape is undefined/],
    [{ logits: new Float32Array(25) }, "invalid-length", /logits has length 25; the shape asks for 24/],
    [{ logits: new Float64Array(24) }, "invalid-array", /logits is a Float64Array; .* Float32Array/],
    [{ logits: Array(24).fill(0) }, "invalid-array", /logits is an array of length 24/],
    [
      { logits: { [Symbol.toStringTag]: "Float32Array", length: 24 } },
      "invalid-array",
      /logits is an object/,
    ],
    [{ logits: detached }, "invalid-length", /detached/],
    [{ target: new Int32Array(24) }, "invalid-length", /target has length 24; the shape asks for 12/],
    [{ target: new Float32Array(12) }, "invalid-length", /target has length 12; the shape asks for 24/],
    [{ target: new Uint8ClampedArray(12) }, "invalid-array", /Uint8ClampedArray/],
    [{ target: new BigInt64Array(12) }, "invalid-array", /BigInt64Array/],
    [{ mode: "multilabel" }, "invalid-length", /target has length 12/],
    [{ mode: "binary" }, "invalid-batch", /needs 1 channel and the shape has 2/],
    [{ mode: "softmax" }, "invalid-batch", /"binary", "multilabel", "multiclass"/],
    [{ layout: "NHWC" }, "invalid-batch", /"channels-first", "channels-last"/],
    [{ fromLogits: 1 }, "invalid-batch", /fromLogits is 1/],
    [{ check: "yes" }, "invalid-batch", /check is "yes"/],
    [{ ignoreIndex: 0.5 }, "invalid-batch", /ignoreIndex is 0\.5/],
    [{ ignoreIndex: "255" }, "invalid-batch", /ignoreIndex is "255"/],
    [{ ignoreIndex: 255, target: new Float32Array(24) }, "incompatible", /pixelWeights/],
    [{ pixelWeights: new Float32Array(24) }, "invalid-length", /pixelWeights has length 24/],
    [{ distance: new Float32Array(12) }, "invalid-length", /distance has length 12/],
    [{ spacing: [1] }, "invalid-batch", /spacing has 1 entries; it must have 2/],
    [{ spacing: [1, 0] }, "invalid-batch", /spacing\[1\] is 0/],
    [{ spacing: [1, Infinity] }, "invalid-batch", /spacing\[1\] is Infinity/],
    [{ pixelWeight: null }, "invalid-batch", /no field "pixelWeight"/],
  ];
  for (const [changes, code, message] of refused) {
    test(`refused with ${message}`, () => {
      const error = errorOf(() => resolveBatch(given(changes)));
      expect(error.message).toMatch(message);
      expect(error.code).toBe(code);
    });
  }

  test("shared memory and views at odd offsets are welcome", () => {
    const shared = new Float32Array(new SharedArrayBuffer(100), 4, 24);
    expect(resolveBatch(given({ logits: shared })).logits).toBe(shared);
  });
});

describe("losses and batches that do not go together", () => {
  const fit = (spec: loss.LossSpec, changes: object = {}) =>
    checkFit(
      resolveLoss(spec),
      resolveBatch({
        logits: new Float32Array(24),
        target: new Uint8Array(12),
        shape: [1, 2, 3, 4],
        ...changes,
      }),
    );
  const binary = { shape: [2, 1, 3, 4], target: new Uint8Array(24) };

  test.each<[loss.LossSpec, object, RegExp]>([
    [
      loss.weightedCrossEntropy(),
      {},
      /binary and multilabel .* multiclass; take crossEntropy\(\{ classWeights \}\)/,
    ],
    [loss.balancedCrossEntropy(), {}, /crossEntropy\(\{ classWeights \}\)/],
    [loss.combo(), {}, /sum\(\[crossEntropy\(\), dice\(\)\]\)/],
    [loss.lovaszHinge(), {}, /lovaszSoftmax\(\)/],
    [loss.lovaszHinge(), { ...binary, fromLogits: false }, /needs logits/],
    [dice({ classes: [0, 2] }), {}, /dice\.classes names class 2, and the batch has classes 0 to 1/],
    [
      crossEntropy({ classWeights: [1] }),
      {},
      /classWeights has 1 entries; this batch needs 2, one per class/,
    ],
    [focal({ alpha: [1, 2, 3] }), {}, /alpha has 3 entries/],
    [loss.boundary({ spacing: [1, 1, 1] }), {}, /spacing has 3 entries; this batch needs 2, one per axis/],
    [sum([dice(), sum([loss.combo()])]), {}, /combo/],
  ])("%j", (spec, changes, message) => {
    const error = errorOf(() => fit(spec, changes));
    expect(error.message).toMatch(message);
    expect(error.code).toBe("incompatible");
  });

  test("and those that do", () => {
    expect(() => fit(loss.lovaszHinge(), binary)).not.toThrow();
    expect(() => fit(loss.boundary({ spacing: [1, 2] }))).not.toThrow();
    expect(() => fit(focal({ alpha: 0.25 }))).not.toThrow();
  });
});

test("messages run no code of the value they show", () => {
  const poison = {
    toString: () => {
      throw new Error("ran");
    },
    toJSON: () => {
      throw new Error("ran");
    },
  };
  expect(show(poison)).toBe("an object");
  expect(show(-0)).toBe("-0");
  expect(show("x".repeat(99))).toHaveLength(43);
  expect(show(Symbol("s"))).toBe("Symbol(s)");
});
