/** The same call gives the same bits, whatever ran on the same module before it. `test/package` adds other engines. */
import fc from "fast-check";
import { distanceTransform, lossMap, metrics, unetWeightMap, value, valueAndGrad } from "segrad";
import { expect, test } from "vitest";
import { cases, randomNumbers } from "./support/arbitrary.ts";
import { goldenCases } from "./support/golden.ts";
import { pick } from "./support/poison.ts";
import { codeOf } from "./support/sound.ts";

const bitsOf = ({ loss, batch }: (typeof goldenCases)[number]) => {
  const { value, grad, terms } = valueAndGrad(loss, batch);
  return Buffer.concat([
    Buffer.from(Float64Array.of(value, ...terms).buffer),
    Buffer.from(grad.buffer),
  ]).toString("hex");
};

const first = goldenCases.map(bitsOf);

test("repeated, backwards, and twice in a row", () => {
  goldenCases.forEach((golden, i) => {
    expect(bitsOf(golden)).toBe(first[i]);
    expect(bitsOf(golden)).toBe(first[i]);
  });
  for (let i = goldenCases.length - 1; i >= 0; i--) expect(bitsOf(goldenCases[i]!)).toBe(first[i]);
});

test("after other losses, maps, metrics and errors, of other sizes", () => {
  const random = randomNumbers(7);
  const labels = (length: number) => Uint8Array.from({ length }, () => Math.floor(3 * random()));
  const others: (() => unknown)[] = fc.sample(cases(), { numRuns: 300, seed: 7 }).map(
    ({ loss, batch }) =>
      () =>
        pick(random, [value, valueAndGrad])(loss, batch),
  );
  others.push(
    () => distanceTransform(labels(35), { shape: [5, 7] }),
    () => unetWeightMap(labels(60), { shape: [3, 4, 5] }),
    () => metrics(labels(24), labels(24), { shape: [4, 6], classes: 3 }),
    () => lossMap({ kind: "focal" }, goldenCases[0]!.batch),
    () =>
      expect(codeOf(() => value({ kind: "dice" }, { ...goldenCases[0]!.batch, shape: [1] }))).not.toBeNull(),
  );
  for (let i = 0; i < 3000; i++) {
    pick(random, others)();
    const index = Math.floor(goldenCases.length * random());
    expect(bitsOf(goldenCases[index]!), goldenCases[index]!.name).toBe(first[index]);
  }
});
