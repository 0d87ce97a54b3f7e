/** More than 2²⁴ pixels of one class, where counts in float32 would stop, and a volume of 256³ voxels in four classes. */
import {
  allocate,
  crossEntropy,
  dice,
  jaccard,
  lovaszHinge,
  sum,
  tversky,
  value,
  valueAndGrad,
} from "segrad";
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

test("a volume of 256³ voxels in four classes", () => {
  const [side, classes] = [256, 4];
  const voxels = side ** 3;
  const shape = [1, classes, side, side, side];
  // Class 1 leads by 3 at every fourth voxel, else class 0. All voxels are of class 0 but the last, of class 3.
  const leading = (voxel: number) => (voxel % 4 === 0 ? 1 : 0);
  const target = new Uint8Array(voxels);
  target[voxels - 1] = 3;
  using logits = allocate(classes * voxels);
  const { data } = logits;
  for (let voxel = 0; voxel < voxels; voxel++) data[leading(voxel) * voxels + voxel] = 3;

  const sum1 = Math.exp(3) + 3;
  const [high, low] = [Math.exp(3) / sum1, 1 / sum1];
  const [led, rest] = [voxels / 4, (3 * voxels) / 4]; // voxels where class 1 leads, and where class 0 does
  const surprise = Math.log(sum1) - (3 * (rest - 1)) / voxels;
  const predicted = [rest * high + led * low, led * high + rest * low, voxels * low, voxels * low];
  const wanted = [voxels - 1, 0, 0, 1];
  const shared = [(rest - 1) * high + led * low, 0, 0, low];
  const sums = predicted.map((p, k) => p + wanted[k]!);
  const D = shared.map((both, k) => (2 * both) / sums[k]!);

  // The gradient takes the place of the logits.
  const loss = sum([crossEntropy(), dice({ smooth: 0 })]);
  const { value, grad, terms } = valueAndGrad(
    loss,
    { logits: logits.data, target, shape },
    { out: logits.data },
  );
  expect(terms[0]).toBeCloseTo(surprise, 6);
  expect(terms[1]).toBeCloseTo(1 - D.reduce((total, d) => total + d, 0) / classes, 6);
  expect(value).toBeCloseTo(terms[0]! + terms[1]!, 12);

  // ∂L/∂z_k = (p_k − y_k) / P + p_k (a_k − Σ p a), with a = ∂Dice/∂p = (D − 2y) / (4 S).
  for (const voxel of [0, 1, voxels / 2 + 1, voxels - 1]) {
    const p = D.map((_, k) => (k === leading(voxel) ? high : low));
    const y = D.map((_, k) => Number(k === target[voxel]));
    const a = D.map((d, k) => (d - 2 * y[k]!) / (classes * sums[k]!));
    const mean = p.reduce((total, share, k) => total + share * a[k]!, 0);
    for (let k = 0; k < classes; k++) {
      const slope = (p[k]! - y[k]!) / voxels + p[k]! * (a[k]! - mean);
      expect(Math.abs(grad[k * voxels + voxel]! - slope)).toBeLessThan(2e-6 * Math.abs(slope) + 1e-14);
    }
  }
}, 120_000);
