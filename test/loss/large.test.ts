/** More than 2²⁴ pixels of one class: counts that stop there, as float32 ones do, would be wrong. */
import { allocate, dice, jaccard, lovaszHinge, sum, tversky, value, valueAndGrad } from "segrad";
import { expect, test } from "vitest";

const [height, width] = [4200, 4096];
const pixels = height * width;

test("overlap losses and Lovász count beyond 2²⁴", () => {
  expect(pixels).toBeGreaterThan(2 ** 24 + 400_000);
  using logits = allocate(pixels);
  const target = new Uint8Array(pixels).fill(1);
  target[17] = 0;
  // A call may grow the memory, so the view is taken anew for each.
  const batch = () => ({ logits: logits.data, target, shape: [1, 1, height, width] });

  // p = ½ everywhere, and all but one pixel are foreground: I = (P − 1)/2, Σp = P/2, Σy = P − 1.
  const [I, P, Y] = [(pixels - 1) / 2, pixels / 2, pixels - 1];
  const exact = { smooth: 0 };
  const { terms } = valueAndGrad(sum([dice(exact), jaccard(exact), tversky(exact)]), batch());
  expect(terms[0]).toBeCloseTo(1 - (2 * I) / (P + Y), 9);
  expect(terms[1]).toBeCloseTo(1 - I / (P + Y - I), 9);
  expect(terms[2]).toBeCloseTo(1 - (2 * I) / (P + Y), 9);

  // All errors are 1: the foreground turns wrong first, in P − 1 steps that end at a Jaccard loss of 1.
  const hinge = valueAndGrad(lovaszHinge(), batch());
  expect(hinge.value).toBeCloseTo(1, 9);
  expect(hinge.grad[0]).toBeCloseTo(-1 / (pixels - 1), 12);
  expect(hinge.grad[17]).toBe(0);
  expect(hinge.grad[pixels - 1]).toBe(hinge.grad[0]);

  // Background alone, one pixel of it worse than the others: it alone counts.
  target.fill(0);
  logits.data[5] = 2;
  expect(value(lovaszHinge(), batch())).toBe(3);
}, 60_000);
