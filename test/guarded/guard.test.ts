/** The guarded module computes what the published one does, and notices what it is there to notice. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import * as segrad from "segrad";
import { describe, expect, test, vi } from "vitest";
import { release } from "../../pkg/segrad.js";
import { Staging, take } from "../../ts/core/memory.ts";
import { memory } from "../../ts/core/module.ts";
// @ts-expect-error: plain JavaScript, which browsers run as well
import { goldenHash } from "../package/fixtures/golden.js";
import { bytesHeld, expectUnharmed } from "../support/guard.ts";

const root = new URL("../..", import.meta.url);

test("golden values and gradients have the bits of the published module", async () => {
  const script = `
    import { readFileSync } from "node:fs";
    import * as segrad from "./ts/core/entry/node.ts";
    import { goldenHash } from "./test/package/fixtures/golden.js";
    console.log(await goldenHash(segrad, readFileSync("test/golden/public.json", "utf8")));
  `;
  const options = ["--import", "tsx", "--input-type=module", "--eval", script];
  const published = execFileSync(process.execPath, options, { cwd: root, encoding: "utf8" }).trim();
  const text = readFileSync(new URL("../golden/public.json", import.meta.url), "utf8");
  expect(await goldenHash(segrad, text)).toBe(published);
});

describe("writing one number too far", () => {
  /** A buffer of four floats, and a way to write to the module's memory around it. */
  function four() {
    const buffer = segrad.allocate(4);
    const start = buffer.data.byteOffset;
    return { buffer, write: (float: number) => new Float32Array(memory(), start + 4 * float, 1).fill(1) };
  }

  test("within a buffer does no harm", () => {
    using buffer = four().buffer;
    buffer.data.fill(1);
    expectUnharmed();
  });

  test.each([
    [4, "behind a block of 16 bytes, at 16"],
    [19, "behind a block of 16 bytes, at 76"],
    [-1, "before a block of 16 bytes, at -4"],
  ])("at float %d of four is found", (at, words) => {
    const { buffer, write } = four();
    write(at);
    expect(expectUnharmed).toThrow(words);
    expectUnharmed(); // once
    buffer.dispose();
  });

  test("is found when the buffer is disposed of", () => {
    const { buffer, write } = four();
    write(4);
    buffer.dispose();
    expect(expectUnharmed).toThrow("behind a block of 16 bytes, at 16");
  });

  test("after the buffer was disposed of is found", () => {
    const { buffer, write } = four();
    buffer.dispose();
    write(2);
    expect(expectUnharmed).toThrow("after the release of a block of 16 bytes, at 8");
  });

  test.each([
    ["twice", 16],
    ["with another size", 12],
  ])("is not needed: releasing a block %s is found too", (how, bytes) => {
    const pointer = take(16);
    release(pointer, bytes);
    if (how === "twice") release(pointer, bytes);
    expect(expectUnharmed).toThrow("by a wrong release of a block of 16 bytes");
    expectUnharmed();
  });

  test.each([
    [16, "behind an array of a call, at 0"], // behind the logits
    [79, "behind an array of a call, at 63"],
    [3, "to an input of a call, at 3"],
  ])("%d bytes from the logits of a call is found", (at, words) => {
    const logits = Float32Array.of(0.25, 3, 5, 7);
    const bring = vi.spyOn(Staging.prototype, "bring");
    segrad.valueAndGrad({ kind: "dice" }, { logits, target: new Uint8Array(4), shape: [1, 1, 2, 2] });
    expectUnharmed();
    const start = bring.mock.results[bring.mock.calls.findIndex(([array]) => array === logits)]!.value();
    bring.mockRestore();
    new Uint8Array(memory())[start + at]! ^= 1;
    expect(expectUnharmed).toThrow(words);
    new Uint8Array(memory())[start + at]! ^= 1;
  });
});

test("new memory is NaN, released memory is NaN", () => {
  const buffer = segrad.allocate(4); // which TypeScript fills with zeros
  const start = buffer.data.byteOffset;
  buffer.data.fill(7);
  buffer.dispose();
  const left = new Float32Array(memory(), start, 4);
  expect([...left]).toEqual(Array(4).fill(Number.NaN));
});

test("calls hold no memory but the block they are staged in and what the module keeps", () => {
  const target = Uint8Array.of(0, 1, 1, 0);
  const call = () =>
    segrad.value({ kind: "dice" }, { logits: new Float32Array(4), target, shape: [1, 1, 2, 2] });
  call();
  const before = bytesHeld();
  for (let i = 0; i < 1000; i++) call();
  expect(bytesHeld()).toBe(before);
});
