/** That an error is one of ours, that memory is whole, and that the library computes what it should afterwards. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { SegradError, valueAndGrad } from "segrad";
import { goldenCases } from "./golden.ts";
import { expectUnharmed } from "./guard.ts";

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
  const { name, loss, batch, value, grad } = goldenCases[turn++ % goldenCases.length]!;
  const result = valueAndGrad(loss, batch);
  expectUnharmed();
  assert(Math.abs(result.value - value) <= 2e-6 * Math.max(1, Math.abs(value)), `${name}: the value is off`);
  const most = grad.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
  assert(
    grad.every((g, i) => Math.abs(g - result.grad[i]!) <= 2e-6 * most),
    `${name}: the gradient is off`,
  );
}

/** Runs it, and returns the code of the SegradError it threw, or null. Any other error is a failure. */
export function codeOf(run: () => unknown): string | null {
  try {
    run();
    return null;
  } catch (error) {
    if (!(error instanceof SegradError)) throw error;
    assert(documented.has(error.code), `${error.code} is no documented code: ${error.message}`);
    assert(error instanceof TypeError || error instanceof RangeError);
    return error.code;
  } finally {
    expectUnharmed();
  }
}
