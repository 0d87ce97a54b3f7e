/** WebAssembly memory: it stays flat, it is given back, its views fail loudly, and running out of it is an error. */
import { execFileSync } from "node:child_process";
import {
  allocate,
  type Batch,
  type BufferType,
  dice,
  distanceTransform,
  lossMap,
  lovaszSoftmax,
  sum,
  value,
  valueAndGrad,
} from "segrad";
import { describe, expect, test } from "vitest";
import { release } from "../pkg/segrad.js";
import { take } from "../ts/core/memory.ts";
import { memory } from "../ts/core/module.ts";
import { labelArraysByType, randomNumbers } from "./support/arbitrary.ts";
import { pick } from "./support/poison.ts";
import { codeOf, expectSound } from "./support/sound.ts";

const bytes = () => memory().byteLength;

function batchOf(pixels: number): Batch {
  return {
    logits: Float32Array.from({ length: 3 * pixels }, (_, i) => Math.sin(i)),
    target: Uint8Array.from({ length: pixels }, (_, i) => i % 3),
    shape: [1, 3, 1, pixels],
  };
}

const loss = sum([dice(), lovaszSoftmax()]);

describe("memory stays flat", () => {
  test("over a thousand calls of one size", () => {
    const batch = batchOf(3000);
    valueAndGrad(loss, batch);
    const before = bytes();
    for (let i = 0; i < 1000; i++) valueAndGrad(loss, batch);
    expect(bytes()).toBe(before);
  });

  test("over ten thousand calls of changing sizes, modes and losses", () => {
    const random = randomNumbers(1);
    const longest = batchOf(6000);
    const call = (pixels: number) => {
      const batch: Batch = {
        logits: longest.logits.subarray(0, 3 * pixels),
        target: longest.target.subarray(0, pixels),
        shape: [1, 3, 1, pixels],
      };
      const isOn = batch.logits.map((z) => Number(z > 0));
      pick(random, [
        () => valueAndGrad(loss, batch),
        () => valueAndGrad({ kind: "boundary" }, batch),
        () => valueAndGrad(dice(), { ...batch, target: isOn, mode: "multilabel" }),
        () => lossMap({ kind: "focal" }, batch),
        () => distanceTransform(batch.target, { shape: [1, pixels] }),
        () => allocate(pixels).dispose(),
      ])();
    };
    const calls = (count: number) => {
      for (let i = 0; i < count; i++) call(1 + Math.floor(5999 * random() ** 2));
    };
    for (let i = 0; i < 50; i++) call(6000); // every kind of call, at its largest
    calls(500);
    const before = bytes();
    calls(10_000);
    expect(bytes()).toBe(before);
  });

  test("over a hundred thousand buffers, given back by hand or by `using`", () => {
    allocate(1000).dispose();
    const before = bytes();
    for (let i = 0; i < 50_000; i++) {
      allocate(1 + (i % 1000)).dispose();
      using _buffer = allocate(1 + (i % 777));
    }
    expect(bytes()).toBe(before);
  });

  test("over a thousand errors", () => {
    const batch = batchOf(3000);
    const bad = { ...batch, target: batch.target.slice().fill(9) };
    expect(codeOf(() => value(loss, bad))).toBe("invalid-label");
    const before = bytes();
    for (let i = 0; i < 1000; i++) codeOf(() => value(loss, bad));
    expect(bytes()).toBe(before);
  });
});

describe("buffers", () => {
  test("are zeros, and give their memory back once", () => {
    const buffer = allocate(10);
    expect([...buffer.data]).toEqual(Array(10).fill(0));
    buffer.data.fill(3);
    buffer.dispose();
    buffer.dispose();
    buffer[Symbol.dispose]();
    expect(codeOf(() => buffer.data)).toBe("disposed");
    using other = allocate(10);
    using another = allocate(10);
    other.data.fill(1);
    expect([...another.data, ...allocate(10).data]).toEqual(Array(20).fill(0));
    expectSound();
  });

  test("that were disposed of are neither read nor written through an old view", () => {
    const old = allocate(4);
    const view = old.data;
    old.dispose();
    using living = allocate(4); // likely in the same place
    const batch = { logits: new Float32Array(4), target: new Uint8Array(4), shape: [1, 1, 2, 2] };
    expect(codeOf(() => valueAndGrad(dice(), batch, { out: view }))).toBe("disposed");
    expect(codeOf(() => value(dice(), { ...batch, logits: view }))).toBe("disposed");
    expect([...living.data]).toEqual([0, 0, 0, 0]);
    const foreign = new Float32Array(living.data.buffer, 64, 4);
    expect(codeOf(() => valueAndGrad(dice(), batch, { out: foreign }))).toBe("disposed");
  });

  test("may be used in part", () => {
    using buffer = allocate(8);
    buffer.data.set([0, 0, 1, -1, 2, -2, 0, 0]);
    const logits = buffer.data.subarray(2, 6);
    const batch = { logits, target: Uint8Array.of(1, 0, 1, 0), shape: [1, 1, 2, 2] };
    const copied = { ...batch, logits: logits.slice() };
    const expected = valueAndGrad(dice(), copied).grad;
    expect(valueAndGrad(dice(), batch, { out: logits }).grad).toEqual(expected);
    expect([...buffer.data]).toEqual([0, 0, ...expected, 0, 0]);
  });

  test.each(
    Object.entries(labelArraysByType) as [BufferType, Uint8ArrayConstructor][], // all have the same `of`
  )("of %s hold labels, which are used in place", (type, Labels) => {
    using logits = allocate(15);
    using target = allocate(5, type);
    const labels = Labels.of(0, 2, 1, 2, 0);
    expect(target.data).toEqual(new Labels(5));
    logits.data.set(labels.map((_, i) => Math.sin(i)));
    target.data.set(labels);
    const batch = { logits: logits.data, shape: [1, 3, 1, 5] };
    const expected = valueAndGrad(loss, { ...batch, target: labels });
    expect(valueAndGrad(loss, { ...batch, target: target.data })).toEqual(expected);
    expect(target.data).toEqual(labels);
    target.data[3] = 3;
    expect(codeOf(() => value(loss, { ...batch, target: target.data }))).toBe("invalid-label");
    const view = target.data;
    target.dispose();
    expect(codeOf(() => value(loss, { ...batch, target: view }))).toBe("disposed");
  });

  test("refuse lengths that are none, and other types", () => {
    for (const length of [-1, 0.5, Number.NaN, Infinity, "8", undefined, 2 ** 60] as never[]) {
      expect(codeOf(() => allocate(length))).toBe("invalid-argument");
    }
    for (const type of ["float64", "Uint8Array", null, "toString"] as never[]) {
      expect(codeOf(() => allocate(8, type))).toBe("invalid-argument");
    }
    expect(allocate(0).data).toHaveLength(0);
  });
});

describe("views after the memory grew", () => {
  const pixels = 1_500_000;

  /** Grows the memory, so that every view of it ends. */
  function grow() {
    const [before, held] = [memory(), [] as { dispose(): void }[]];
    while (memory() === before) held.push(allocate(pixels));
    for (const buffer of held) buffer.dispose();
  }

  test("are refused with words, and the buffer gives a new one with the same numbers", () => {
    using buffer = allocate(4);
    buffer.data.set([1, 2, 3, 4]);
    const view = buffer.data;
    // Loops ask for `data` at every number.
    expect(buffer.data).toBe(view);
    grow();
    expect(view).toHaveLength(0);
    const batch = { logits: view, target: new Uint8Array(4), shape: [1, 1, 2, 2] };
    expect(() => value(dice(), batch)).toThrow(/logits has length 0 \(is its buffer detached\?\)/);
    expect([...buffer.data]).toEqual([1, 2, 3, 4]);
    expect(value(dice(), { ...batch, logits: buffer.data })).toBeGreaterThan(0);
  });

  test("are renewed in the result of the call that grew it", () => {
    // Repeats with ever larger batches until one of them has grown the memory.
    for (let factor = 1, grown = false; !grown; factor++) {
      const length = factor * pixels;
      using buffer = allocate(length);
      const out = buffer.data.fill(1);
      const batch = { logits: out, target: new Int32Array(length), shape: [1, 1, 1, length] };
      const before = memory();
      const { grad } = valueAndGrad({ kind: "crossEntropy" }, batch, { out });
      grown = memory() !== before;
      expect(grad).toHaveLength(length);
      expect(grad[length - 1]).toBeCloseTo(1 / (1 + Math.exp(-1)) / length, 12);
      expect(buffer.data[0]).toBe(grad[0]);
    }
  });
});

test("a forgotten buffer is reclaimed, and one whose view is kept is not", () => {
  const script = `
    import { allocate } from ${JSON.stringify(new URL("../ts/core/entry/node.ts", import.meta.url).href)};
    import { memory } from ${JSON.stringify(new URL("../ts/core/module.ts", import.meta.url).href)};
    const collect = () => new Promise((resolve) => { gc(); setTimeout(resolve, 20); });
    const kept = allocate(1000).data.fill(7);
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 25; i++) allocate(250_000);
      await collect();
    }
    console.log(JSON.stringify({ bytes: memory().byteLength, kept: kept.length === 0 ? "ended" : kept[999] }));
  `;
  const options = ["--expose-gc", "--import", "tsx", "--input-type=module", "--eval", script];
  const output = execFileSync(process.execPath, options, {
    cwd: new URL("..", import.meta.url),
    encoding: "utf8",
  });
  const { bytes, kept } = JSON.parse(output);
  // A thousand megabytes went through; a few rounds' worth may be held at a time.
  expect(bytes).toBeLessThan(200e6);
  expect(["ended", 7]).toContain(kept);
});

describe("running out of memory", () => {
  test.each([2 ** 30, 2 ** 30 + 7, 2 ** 31, 2 ** 40, 2 ** 52])("allocate(%d) says so", (length) => {
    expect(codeOf(() => allocate(length))).toBe("out-of-memory");
    expect(() => allocate(length)).toThrow(new RegExp(`${4 * length} bytes`));
    expectSound();
  });

  test("arrays of 2³¹ numbers are refused with the bytes they need", ({ skip }) => {
    const elements = 2 ** 31;
    const room = <T>(Type: new (length: number) => T): T => {
      try {
        return new Type(elements); // zeros that no one reads take no room
      } catch {
        return skip("this machine has no room for such an array");
      }
    };
    const mask = room(Uint8Array);
    const logits = room(Float32Array);
    const [image, shape] = [
      [2 ** 16, 2 ** 15],
      [1, 1, 2 ** 16, 2 ** 15],
    ];
    expect(codeOf(() => distanceTransform(mask, { shape: image! }))).toBe("out-of-memory");
    expect(codeOf(() => value(dice(), { logits, target: mask, shape: shape! }))).toBe("out-of-memory");
    expect(() => value(dice(), { logits, target: mask, shape: shape! })).toThrow(/^\d{11} bytes do not fit/);
    expectSound();
  });

  test("is survived when the memory is truly full", () => {
    // Straight from the core, which does not write to it: pages that no one touches cost nothing.
    const held: { pointer: number; bytes: number }[] = [];
    for (let bytes = 2 ** 29; bytes >= 2 ** 21; bytes /= 2) {
      expect(codeOf(() => hold(held, bytes))).toBe("out-of-memory");
    }
    expect(bytes()).toBeGreaterThan(2 ** 32 - 2 ** 23);
    expect(codeOf(() => valueAndGrad(loss, batchOf(1_000_000)))).toBe("out-of-memory");
    expect(codeOf(() => allocate(2 ** 20))).toBe("out-of-memory");
    expectSound();
    for (const { pointer, bytes } of held) release(pointer, bytes);
    expect(valueAndGrad(loss, batchOf(1_000_000)).value).toBeGreaterThan(0);
    expectSound();
  });
});

/** Takes blocks of this size until there are none. */
function hold(held: { pointer: number; bytes: number }[], bytes: number): never {
  for (;;) held.push({ pointer: take(bytes), bytes });
}
