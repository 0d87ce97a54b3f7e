/** The landscape experiment: its scenes, its verdicts on known curves, and that sentences follow from numbers. */

import { readFileSync } from "node:fs";
import {
  boundary,
  combo,
  crossEntropy,
  dice,
  focal,
  generalizedDice,
  hausdorffDT,
  sum,
  tversky,
  valueAndGrad,
} from "segrad";
import * as reference from "segrad/reference";
import { beforeAll, describe, expect, test } from "vitest";
import { candidate, everyLoss } from "../ts/cli/landscape/candidates.ts";
import { batchAt, type Engine, follow, paths } from "../ts/cli/landscape/experiment.ts";
import { claim, driftFindings, findings } from "../ts/cli/landscape/findings.ts";
import { overviewFile } from "../ts/cli/landscape/report/overview.ts";
import { page } from "../ts/cli/landscape/report/page.ts";
import { drifts, logits, radius, side, truth } from "../ts/cli/landscape/scene.ts";
import { type Landscape, survey, trackOf } from "../ts/cli/landscape/survey.ts";
import { judge } from "../ts/cli/landscape/verdict.ts";
import { losses } from "../ts/loss/index.ts";

const engine: Engine = valueAndGrad;

describe("verdicts on known curves", () => {
  const steps = Array.from({ length: 41 }, (_, i) => i / 2);
  const of = (f: (x: number) => number) =>
    judge({ amounts: steps, values: steps.map(f), norms: steps.map(f) });

  test("a straight line rises, a quarter of it in the first quarter", () => {
    expect(of((x) => 3 * x - 1)).toMatchObject({
      course: "rises",
      range: 60,
      rise: 60,
      fall: 0,
      flatFrom: 20,
      early: 0.25,
      strongest: 59,
    });
  });
  test("a ramp and a plateau: flat from the corner on", () => {
    expect(of((x) => Math.min(x, 8))).toMatchObject({ course: "flattens", flatFrom: 8, early: 5 / 8 });
  });
  test("a parabola with its lowest point at 1 dips; at 5 it falls", () => {
    expect(of((x) => (x - 1) ** 2)).toMatchObject({ course: "dips", fallsUntil: 1, fall: 1 / 361 });
    expect(of((x) => (x - 5) ** 2)).toMatchObject({ course: "falls", fallsUntil: 5, fall: 25 / 225 });
  });
  test("a late drop falls, with its share of the range and its place", () => {
    expect(of((x) => (x < 15 ? x : 3))).toMatchObject({
      course: "falls",
      fall: 11.5 / 14.5,
      fallsUntil: 15,
      flatFrom: 15,
    });
  });
  test("two dips are a fall", () => {
    expect(of((x) => x - (x === 0 ? -1 : 0) - (x === 10 ? 3 : 0)).course).toBe("falls");
  });
  test("rounding is no fall, and a constant is flat", () => {
    expect(of((x) => x + 1e-6 * Math.sin(50 * x)).course).toBe("rises");
    expect(of(() => 4)).toMatchObject({ course: "flattens", range: 0, flatFrom: 0, fall: 0, early: 0 });
  });
});

describe("scenes", () => {
  const count = (array: ArrayLike<number>) => Array.from(array).filter((value) => value > 0).length;

  test.each(["large", "small"] as const)("every drift of the %s object starts at the truth", (size) => {
    const area = Math.PI * radius[size] ** 2;
    expect(Math.abs(count(truth(size)) / area - 1)).toBeLessThan(0.05);
    for (const drift of Object.values(drifts)) {
      expect(drift.amounts(size)[0]).toBe(0);
      const start = logits(drift.distances(size, 0), "hard");
      expect([...start].map((z) => (z > 0 ? 1 : 0))).toEqual([...truth(size)]);
    }
  });

  test("shift keeps the area and leaves the object; shrinkage ends in nothing; each speck adds nine pixels", () => {
    const last = (name: keyof typeof drifts) => {
      const amount = drifts[name].amounts("large").at(-1)!;
      return logits(drifts[name].distances("large", amount), "hard");
    };
    const mask = truth("large");
    expect(count(last("shift"))).toBe(count(mask));
    expect(last("shift").some((z, i) => z > 0 && mask[i] === 1)).toBe(false);
    expect(count(last("shrinkage"))).toBe(0);
    expect(count(last("scatter"))).toBe(count(mask) + 40 * 9);
  });

  test("hard and soft predictions agree on what is inside, and two channels on the probability", () => {
    for (const path of paths) {
      const amount = drifts[path.drift].amounts(path.size)[11]!;
      const hard = batchAt({ ...path, sharpness: "hard" }, amount).logits;
      const soft = batchAt({ ...path, sharpness: "soft" }, amount).logits;
      expect(soft.every((z, i) => z > 0 === hard[i]! > 0 && Math.abs(z) <= 6)).toBe(true);
      const two = batchAt(path, amount, "multiclass").logits;
      const one = batchAt(path, amount).logits;
      expect(one.every((z, i) => two[side * side + i]! - two[i]! === z)).toBe(true);
    }
  });
});

describe("candidates", () => {
  test("every loss of the table takes part once", () => {
    expect(everyLoss().map(({ loss }) => loss.kind)).toEqual(Object.keys(losses));
  });
  test("modes follow from what a loss is defined for", () => {
    expect(candidate(dice()).mode).toBe("binary");
    expect(candidate(generalizedDice()).mode).toBe("multiclass");
    expect(candidate(sum([dice(), [0.5, combo()]]))).toMatchObject({
      title: "dice+0.5*combo",
      mode: "binary",
    });
  });
});

test("the core and the reference draw the same curves", () => {
  const path = { size: "small", drift: "growth", sharpness: "soft" } as const;
  const chosen = [crossEntropy(), tversky({ alpha: 0.3, beta: 0.7 })].map(candidate);
  const [ours, theirs] = [engine, reference.valueAndGrad].map((run) => follow(run, chosen, path));
  ours!.forEach((curve, i) => {
    const relative = (numbers: "values" | "norms") =>
      Math.max(...curve[numbers].map((x, step) => Math.abs(x / theirs![i]![numbers][step]! - 1)));
    expect(relative("values")).toBeLessThan(1e-5);
    expect(relative("norms")).toBeLessThan(1e-4);
  });
});

test("what the page reuses is free of Node: the rooms of the experiment import nothing of it", () => {
  for (const room of ["scene", "experiment", "candidates", "verdict", "survey", "findings"]) {
    const source = readFileSync(new URL(`../ts/cli/landscape/${room}.ts`, import.meta.url), "utf8");
    const imports = [...source.matchAll(/from "([^"]+)"/g)].map(([, name]) => name);
    expect(
      imports.filter((name) => !/^\.\/|^\.\.\/\.\.\/(loss|batch|option)|^\.\.\/language\/print/.test(name!)),
    ).toEqual([]);
  }
});

describe("what the losses do", () => {
  let landscape: Landscape;
  const track = (
    row: number,
    size: "large" | "small",
    drift: keyof typeof drifts,
    sharpness: "hard" | "soft",
  ) => trackOf(landscape.rows[row]!, { size, drift, sharpness });
  const [CE, FOCAL, DICE, BOUNDARY, HAUSDORFF] = [0, 1, 2, 3, 4] as const;

  beforeAll(async () => {
    landscape = await survey(
      engine,
      [crossEntropy(), focal(), dice(), boundary(), hausdorffDT()].map(candidate),
    );
  });

  test("Dice of a hard shift is the share of the discs that do not overlap, and flat beyond the diameter", () => {
    const shift = track(DICE, "large", "shift", "hard");
    const r = radius.large;
    shift.amounts.forEach((d, i) => {
      const lens =
        d >= 2 * r ? 0 : 2 * r * r * Math.acos(d / (2 * r)) - (d / 2) * Math.sqrt(4 * r * r - d * d);
      expect(shift.values[i]).toBeCloseTo(1 - lens / (Math.PI * r * r), 1.5);
    });
    expect(shift.course).toBe("flattens");
    expect(Math.abs(shift.flatFrom - 2 * r)).toBeLessThan(4);
    expect(Math.abs(track(DICE, "small", "shift", "hard").flatFrom - 2 * radius.small)).toBeLessThanOrEqual(
      1,
    );
  });

  test("cross-entropy of hard specks is a straight line: 16 per wrong pixel", () => {
    const scatter = track(CE, "small", "scatter", "hard");
    expect(scatter.course).toBe("rises");
    expect(scatter.early).toBeCloseTo(0.25, 6);
    expect(scatter.rise).toBeCloseTo((16 * 360) / side ** 2, 5);
  });

  test("losses with distances still rise when overlap is lost, and Hausdorff falls when nothing is predicted", () => {
    expect(track(BOUNDARY, "small", "shift", "hard").course).toBe("rises");
    expect(track(HAUSDORFF, "small", "shift", "hard").course).toBe("rises");
    const lost = track(HAUSDORFF, "large", "shrinkage", "hard");
    expect(lost.course).toBe("falls");
    expect(lost.fallsUntil).toBeGreaterThan(radius.large - 1);
  });

  test("a hard prediction's Dice gradient is dead, its cross-entropy gradient is not", () => {
    expect(track(DICE, "small", "shift", "hard").strongest).toBeLessThan(1e-6);
    expect(track(CE, "small", "shift", "hard").strongest).toBeGreaterThan(1e-4);
  });

  test("boundary loss hardly notices that a small object is gone", () => {
    expect(track(BOUNDARY, "small", "shrinkage", "hard").isFaint).toBe(true);
    expect(track(CE, "small", "shrinkage", "hard").isFaint).toBe(false);
  });

  test("sentences name what the numbers show", () => {
    expect(claim(landscape)[0]).toMatch(/Here that is not so\.$/);
    expect(claim(landscape)[1]).toMatch(
      /4 of 5 losses never fall on any of the four drifts; one falls on the way: hausdorffDT \(shrinkage −\d+ %/,
    );
    expect(findings(landscape)).toContainEqual(
      expect.stringMatching(
        /^On hard predictions these draw the same curve up to its scale: crossEntropy and focal\.$/,
      ),
    );
    expect(findings(landscape)).toContainEqual(
      expect.stringMatching(/the gradient of dice, boundary and hausdorffDT is less/),
    );
    expect(findings(landscape)).toContainEqual(
      expect.stringMatching(
        /^Missing the small object costs crossEntropy, focal, boundary and hausdorffDT \d+ to \d+ times less .* it costs dice about as much/,
      ),
    );
    expect(findings(landscape)).toContainEqual(
      expect.stringMatching(
        /^Slopes differ: .* brings dice at least \d+ % of their rise.*; crossEntropy, focal, boundary and hausdorffDT at most/,
      ),
    );
    const [largeHard] = driftFindings(landscape, "shift");
    expect(largeHard!.text).toMatch(
      /^boundary and hausdorffDT rise to the end; the 3 others go flat from \d+(–\d+)? pixels on\.$/,
    );
  });

  test("the survey's claim would be confirmed if only combo and focal rose", () => {
    const only = (kind: string) => ({
      ...landscape.rows[FOCAL]!,
      candidate: { ...candidate(focal()), loss: { kind } },
    });
    const rising = { ...landscape.rows[FOCAL]!.tracks[0]!, course: "rises" as const };
    const falling = { ...rising, course: "falls" as const };
    const tracks = (track: typeof rising | typeof falling) =>
      landscape.rows[FOCAL]!.tracks.map((old) => ({ ...old, course: track.course }));
    const rows = [
      { ...only("combo"), tracks: tracks(rising) },
      { ...only("focal"), tracks: tracks(rising) },
      { ...only("dice"), tracks: tracks(falling) },
    ];
    expect(claim({ rows })[0]).toMatch(/Here that is true\.$/);
  });

  test("the report holds every loss, escapes what it must, and needs nothing from outside", () => {
    const html = page(landscape);
    for (const { candidate } of landscape.rows)
      expect(html).toContain(`${candidate.loss.kind}, small object`);
    expect(html).not.toMatch(/(src|href)="http|<script|undefined|NaN|Infinity/);
    const svg = overviewFile(landscape);
    expect(svg).toMatch(/^<svg xmlns=/);
    expect(svg).not.toMatch(/undefined|NaN|Infinity/);
  });
});
