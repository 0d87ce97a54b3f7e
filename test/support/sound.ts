/** That an error is one of ours, and that the library computes what it should afterwards. */
import { readFileSync } from "node:fs";
import { SegradError, valueAndGrad } from "segrad";
import { expect } from "vitest";
import { goldenCases } from "./golden.ts";

/** The codes of the union `ErrorCode`, each with its comment. */
const documented = new Set(
  [
    ...readFileSync(new URL("../../ts/error.ts", import.meta.url), "utf8").matchAll(
      /\/\*\* [^*]+\*\/\s+\| "([a-z-]+)"/g,
    ),
  ].map(([, code]) => code!),
);

/** The next call is right: a few golden cases, in turn. */
let turn = 0;
export function expectSound() {
  const { loss, batch, value, grad } = goldenCases[turn++ % goldenCases.length]!;
  const result = valueAndGrad(loss, batch);
  expect(Math.abs(result.value - value)).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(value)));
  const most = grad.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
  expect(grad.every((g, i) => Math.abs(g - result.grad[i]!) <= 2e-6 * most)).toBe(true);
}

/** Runs it, and returns the code of the SegradError it threw, or null. Any other error is a failure. */
export function codeOf(run: () => unknown): string | null {
  try {
    run();
    return null;
  } catch (error) {
    if (!(error instanceof SegradError)) throw error;
    expect(documented, error.message).toContain(error.code);
    expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
    return error.code;
  }
}
