/**
 * Whatever is passed to a public function: a result, or a `SegradError` with a documented code. Nothing is written
 * where it should not be, and the next call is right. `npm run soak` tries a million.
 */
import { valueAndGrad } from "segrad";
import { describe, expect, test } from "vitest";
import { randomNumbers } from "./support/arbitrary.ts";
import { calls, someBatch, someLoss, trySpoiled } from "./support/calls.ts";
import { spoil } from "./support/poison.ts";
import { codeOf, expectSound } from "./support/sound.ts";

describe("arguments spoiled in one to three places", () => {
  const numCases = Number(process.env["CASES"] ?? 100_000);
  const perCall = Math.ceil(numCases / calls.length);

  test.each(calls.map((call, index) => ({ ...call, index })))("$name", ({ index, ...call }) => {
    const random = randomNumbers(index + 1);
    let refused = 0;
    for (let i = 0; i < perCall; i++) {
      if (trySpoiled(call, random)) refused++;
      if (i % 200 === 0) expectSound();
    }
    expectSound();
    // Neither all nor nothing: the generator still makes sense.
    expect(refused / perCall).toBeGreaterThan(0.2);
    expect(refused / perCall).toBeLessThan(0.999);
  });
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
