/** The benchmark works: every row runs, engines compute the same losses, the report follows from the results. */
import { beforeAll, describe, expect, test } from "vitest";
import { smoothNoise } from "../bench/blobs.ts";
import { casesOf } from "../bench/cases.ts";
import { inCurrentNode } from "../bench/currentNode.ts";
import type { Engine } from "../bench/engines/engine.ts";
import { jax } from "../bench/engines/jax.ts";
import { reference } from "../bench/engines/reference.ts";
import { segrad, segradChannelsLast, segradCopied, segradNewArrays } from "../bench/engines/segrad.ts";
import { tfjsCpu, tfjsWasm } from "../bench/engines/tfjs.ts";
import { measure } from "../bench/measure.ts";
import { readRows } from "../bench/peers.ts";
import { comparison, growth } from "../bench/report/charts.ts";
import { markdown } from "../bench/report/markdown.ts";
import type { Results, Timing } from "../bench/results.ts";
import { fastest, outcome, peerTargets, spread } from "../bench/targets.ts";
import { time } from "../bench/timing.ts";
import {
  channelsLast,
  crop,
  makeMasks,
  makeWorkload,
  masksNames,
  oddSized,
  oneHotPlanes,
  product,
  type Workload,
  withBorders,
  withWeights,
  workloadNames,
} from "../bench/workloads.ts";

describe("every row of the benchmark", () => {
  let results: Results;
  beforeAll(async () => {
    results = await measure({ size: "quick", only: null, peers: false });
  }, 120_000);

  test("runs", () => {
    expect(results.failures).toEqual([]);
    for (const timing of results.timings) {
      expect(timing.min, JSON.stringify(timing)).toBeGreaterThanOrEqual(0);
      expect(timing.elements).toBeGreaterThan(0);
    }
  });

  test("has each loss on each workload, the maps, and who else computes them", () => {
    for (const name of workloadNames) {
      for (const item of casesOf(makeWorkload(name, "quick"))) {
        const which = { group: "losses", workload: name, engines: ["segrad"], loss: item.name } as const;
        expect(fastest(results, which), `${name} ${item.name}`).not.toBeNull();
      }
      for (const engine of [jax, tfjsWasm, tfjsCpu, reference]) {
        const which = { group: "losses", workload: name, engines: [engine.name], loss: "dice" } as const;
        expect(fastest(results, which), `${name} ${engine.name}`).not.toBeNull();
      }
    }
    for (const name of workloadNames) {
      const which = { group: "variants", workload: name, engines: [inCurrentNode], loss: "focal" } as const;
      expect(fastest(results, which), `${name} ${inCurrentNode}`).not.toBeNull();
    }
    for (const name of masksNames) {
      for (const loss of ["distance", "signed"]) {
        const which = { group: "maps", workload: name, engines: ["segrad"], loss } as const;
        expect(fastest(results, which)).not.toBeNull();
      }
    }
  });

  test("leaves WebAssembly memory as large as it was, over a thousand calls", () => {
    expect(results.memory!.calls).toBe(1000);
    expect(results.memory!.after).toBe(results.memory!.before);
  });

  test("is in the report, which is the same for the same results", () => {
    const page = markdown(results, [{ file: "growth.svg", title: "growth" }]);
    expect(markdown(JSON.parse(JSON.stringify(results)), [{ file: "growth.svg", title: "growth" }])).toBe(
      page,
    );
    for (const { name } of casesOf(makeWorkload("W1", "quick"))) expect(page).toContain(`| ${name}`);
    expect(page).toContain("![growth](growth.svg)");
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
    for (const picture of [comparison(results), growth(results)]) {
      expect(picture).toMatch(/^<svg [^>]*>/);
      expect(picture).not.toMatch(/NaN|undefined|Infinity/);
    }
  });
});

describe("engines compute the same loss", () => {
  const shared = ["crossEntropy", "focal", "dice", "dice + crossEntropy"];
  const evaluate = async (engine: Engine, workload: Workload, name: string) => {
    const item = casesOf(workload).find((item) => item.name === name)!;
    const prepared = (await engine.prepare(workload, item))!;
    const value = prepared.evaluate();
    // A sum that no layout changes, and that notices a wrong sign of all or a gradient left undone.
    const gradient = Array.from(prepared.gradient(), (g) => g);
    prepared.dispose();
    const length = Math.hypot(...gradient);
    return { value, elements: prepared.elements, length, largest: Math.max(...gradient) };
  };

  for (const name of workloadNames) {
    // A corner small enough for the slow ones, which then cut no further.
    const workload = crop(makeWorkload(name, "quick"), 256);
    for (const loss of shared) {
      test(`${loss} on ${name}`, async () => {
        const ours = await evaluate(segrad, workload, loss);
        expect(ours.length).toBeGreaterThan(0);
        for (const engine of [jax, tfjsWasm, tfjsCpu, reference, segradCopied, segradNewArrays]) {
          const theirs = await evaluate(engine, workload, loss);
          expect(theirs.elements).toBe(ours.elements);
          for (const key of ["value", "length", "largest"] as const) {
            expect(theirs[key] / ours[key], `${engine.name} ${key}`).toBeCloseTo(1, 4);
          }
        }
      });
    }
    test(`${name} channels last`, async () => {
      const ours = await evaluate(segrad, workload, "dice");
      const theirs = await evaluate(segradChannelsLast, workload, "dice");
      expect(theirs.value).toBeCloseTo(ours.value, 6);
      expect(theirs.length / ours.length).toBeCloseTo(1, 5);
    });
  }
});

describe("workloads", () => {
  test("are the same each time, and have logits on the side of the truth", () => {
    for (const name of workloadNames) {
      const workload = makeWorkload(name, "quick");
      expect(makeWorkload(name, "quick")).toEqual(workload);
      const hot = oneHotPlanes(workload);
      const mean = (wanted: number) => {
        const chosen = workload.logits.filter((_, i) => hot[i] === wanted);
        return chosen.reduce((sum, z) => sum + z, 0) / chosen.length;
      };
      // Shifts of +1 and −1, or of 2 for the class; 0.5 is four standard errors of the smaller sides.
      expect(Math.abs(mean(1) - mean(0) - 2)).toBeLessThan(0.5);
    }
  });

  test("variants of a batch: a band along the borders, weights, odd sides", () => {
    for (const name of workloadNames) {
      const workload = makeWorkload(name, "quick");
      const { target } = withBorders(workload);
      const kept = target.filter((label, i) => label === workload.target[i]).length;
      expect(target.filter((label) => label === 255)).toHaveLength(target.length - kept);
      // Eight pixels a side are one object.
      if (name !== "W3") expect(kept).toBeLessThan(target.length);
      expect(withWeights(workload).pixelWeights!.every((weight) => weight >= 1)).toBe(true);

      const odd = oddSized(workload);
      const [images, channels, ...sides] = odd.shape as [number, number, ...number[]];
      expect(sides).toEqual(workload.shape.slice(2).map((side) => side - 3));
      expect(odd.logits).toHaveLength(images * channels * product(sides));
      // The last pixel of the last plane, three before the end of every side.
      const back = workload.shape.slice(2).reduce((at, side) => at * side + 3, 0);
      expect(odd.logits.at(-1)).toBe(workload.logits.at(-1 - back));
      expect(odd.target.at(-1)).toBe(workload.target.at(-1 - back));
    }
  });

  test("noise is smoothed as SciPy does it: a spike becomes a Gaussian, mirrored at the edge", () => {
    // scipy.ndimage.gaussian_filter(spike, 8) for a spike at 3 of 12 places
    const expected = [
      0.09455288, 0.09378983, 0.0923154, 0.09022944, 0.08767341, 0.08481078, 0.08185978, 0.0790059,
      0.07644456, 0.0743511, 0.07286866, 0.07209827,
    ];
    let drawn = 0;
    const spike = { uniform: () => 0, below: () => 0, normal: () => Number(drawn++ === 3) };
    const smooth = smoothNoise([12], spike);
    expected.forEach((value, i) => void expect(smooth[i]).toBeCloseTo(value, 7));
    // Along the other axis of an image one pixel wide it is the same.
    drawn = 0;
    expect([...smoothNoise([12, 1], spike)]).toEqual([...smooth]);
  });

  test("masks have both sides", () => {
    for (const name of masksNames) {
      for (const { shape, pixels } of makeMasks(name, "quick")) {
        expect(pixels).toHaveLength(product(shape));
        expect(new Set(pixels)).toEqual(new Set([0, 1]));
      }
    }
  });

  test("a corner, and channels last", () => {
    const workload: Workload = {
      name: "W3",
      shape: [2, 2, 2, 4, 2],
      logits: Float32Array.from({ length: 64 }, (_, i) => i),
      target: Uint8Array.from({ length: 32 }, (_, i) => i % 2),
      distance: new Float32Array(64),
    };
    const corner = crop(workload, 4);
    expect(corner.shape).toEqual([1, 2, 1, 2, 1]);
    expect([...corner.logits]).toEqual([0, 2, 16, 18]);
    expect([...corner.target]).toEqual([0, 0]);
    const turned = channelsLast(workload);
    expect(turned.shape).toEqual([2, 2, 4, 2, 2]);
    expect([...turned.logits.slice(0, 4)]).toEqual([0, 16, 1, 17]);
    expect([...turned.logits.slice(32, 34)]).toEqual([32, 48]);
  });
});

describe("what a run says", () => {
  const timing = (engine: string, min: number, rest: Partial<Timing> = {}): Timing => ({
    group: "losses",
    workload: "W1",
    loss: "dice",
    elements: 100,
    runs: 9,
    median: 2 * min,
    engine,
    min,
    ...rest,
  });
  const results = (timings: Timing[]): Results => ({
    date: "",
    size: "full",
    machine: { cpu: "", cores: 1, gigabytes: 1, system: "" },
    versions: {},
    memory: { calls: 10, before: 0, after: 65536 },
    failures: [],
    timings,
  });
  const dice = peerTargets.find(({ title }) => title.startsWith("Dice ÷"))!;

  test("the ratio is to the fastest peer, and a target is met or missed", () => {
    const met = results([timing("segrad", 6), timing("monai", 30), timing("torch", 10), timing("kornia", 1)]);
    expect(outcome(met, dice.cells[0]!)).toMatchObject({ ratio: 0.6, engine: "torch", isMet: true });
    const late = results([timing("segrad", 7), timing("torch", 10)]);
    expect(outcome(late, dice.cells[0]!)).toMatchObject({ ratio: 0.7, isMet: false });
    expect(outcome(late, dice.cells[1]!)).toBeNull();
    expect(markdown(late, [])).toContain("W1: 0.70 for 0.65, 8% over");
    expect(markdown(late, [])).toContain("grew by 65536 bytes over 10 calls of all losses ✗");
  });

  test("the growth is that beyond 10⁵ elements", () => {
    const grown = [1e4, 1e5, 1e6].map((elements, i) =>
      timing("segrad", [1, 1, 14][i]!, { group: "elements", workload: String(elements), elements }),
    );
    expect(spread(results(grown), "elements", "dice")).toBeCloseTo(1.4, 10);
  });

  test("rows of the Python script keep their numbers and get our names", () => {
    const row = { peer: "smp", loss: "lovasz", elements: 10, runs: 9, min_ms: 1, median_ms: 2 };
    const rows = readRows([
      { ...row, workload: "W1 8x1x512x512" },
      { ...row, workload: "W2 4x21x256x256" },
      { ...row, workload: "128^3", peer: "edt", loss: "distance" },
    ]);
    expect(rows.map(({ group, workload, loss }) => [group, workload, loss])).toEqual([
      ["losses", "W1", "lovaszHinge"],
      ["losses", "W2", "lovaszSoftmax"],
      ["maps", "128^3", "distance"],
    ]);
    expect(rows[0]).toMatchObject({ engine: "smp", elements: 10, runs: 9, min: 1, median: 2 });
    expect(() => readRows([{ ...row, workload: "W9" }])).toThrow("W9");
  });

  test("a call is timed as often as asked, after a warm-up", () => {
    let calls = 0;
    const timed = time(() => void calls++, { runs: 5, milliseconds: 0 });
    expect(timed.runs).toBe(5);
    expect(calls).toBe(7);
    expect(timed.min).toBeLessThanOrEqual(timed.median);
  });
});
