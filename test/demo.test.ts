import { describe, expect, test } from "vitest";
import { separate } from "../demo/images.ts";
import { rows } from "../demo/losses.ts";
import { components, separatedPairs, touchingPairs } from "../demo/nuclei.ts";
import { otsu } from "../demo/otsu.ts";
import { train } from "../demo/train.ts";

describe("the demo", () => {
  const plan = { seed: 3, steps: 8, batch: 2, size: 32 };
  const crossEntropy = rows.find((row) => row.name === "crossEntropy")!;

  test("trains, and to the same bits twice", async () => {
    const told: number[] = [];
    const first = await train(crossEntropy, plan, (value) => told.push(value));
    const second = await train(crossEntropy, plan, () => {});
    expect(told).toEqual(first.values);
    expect(first.values).toHaveLength(plan.steps);
    expect(first.values.at(-1)!).toBeLessThan(first.values[0]!);
    expect(second.values).toEqual(first.values);
    expect(second.checks).toEqual(first.checks);
    expect(second.logits).toEqual(first.logits);
    const other = await train(crossEntropy, { ...plan, seed: 4 }, () => {});
    expect(other.values).not.toEqual(first.values);
  }, 60_000);

  test("Otsu's threshold lies between two groups of brightness", () => {
    const levels = Uint8Array.from({ length: 100 }, (_, i) => (i < 70 ? 10 + (i % 3) : 200 + (i % 5)));
    expect(otsu(levels)).toBe(12);
  });

  // Nuclei 1 and 2 touch, 3 is a pixel away from 2, 4 is far from all.
  const width = 12;
  const instances = Uint16Array.from("112203300004", Number);

  test("touching nuclei lie within two pixels of each other", () => {
    expect(touchingPairs(instances, width)).toEqual([
      [1, 2],
      [2, 3],
    ]);
  });

  test("a gap separates touching nuclei, and only them", () => {
    expect([...separate(instances, width)].join("")).toBe("110101100001");
  });

  test("a pair counts as separated when each nucleus has a part of its own", () => {
    const pairs = touchingPairs(instances, width);
    const separated = (mask: string) =>
      separatedPairs(pairs, instances, Uint8Array.from(mask, Number), width);
    expect(separated("111101100001")).toBe(1);
    expect(separated("110101100001")).toBe(2);
    expect(separated("111111100001")).toBe(0);
    expect(separated("000001100001")).toBe(0);
  });

  test("connected parts do not wrap around the edge of the image", () => {
    expect([...components(Uint8Array.from([0, 0, 1, 1, 0, 1]), 3)]).toEqual([0, 0, 1, 2, 0, 1]);
  });
});
