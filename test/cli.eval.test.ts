/** `segrad eval`, called as a function. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { crossEntropy, dice, metrics, sum, valueAndGrad } from "segrad";
import { afterAll, describe, expect, test } from "vitest";
import {
  batch,
  data,
  height,
  logits,
  makeFolder,
  mask,
  segrad,
  volume,
  volumeLabels,
  volumeShape,
  width,
} from "./support/cli.ts";

const { at, npy, png, remove } = makeFolder();
afterAll(remove);

describe("eval", () => {
  const loss = sum([dice(), [0.5, crossEntropy()]]);
  const text = "dice+0.5*crossEntropy";

  test("value, terms and metrics are those of the library", async () => {
    const { code, out } = await segrad(
      "eval",
      at("logits.npy"),
      at("mask.png"),
      "--loss",
      text,
      "--json",
      "--spacing",
      "2,1",
    );
    expect(code).toBe(0);
    const { value, terms } = valueAndGrad(loss, batch);
    const found = JSON.parse(out);
    expect(found).toMatchObject({ loss: text, value, failures: [] });
    expect(found.cases[0].terms).toEqual([
      { loss: "dice", weight: 1, value: terms[0] },
      { loss: "crossEntropy", weight: 0.5, value: terms[1] },
    ]);
    const prediction = Uint8Array.from(logits, (z) => (z > 0 ? 1 : 0));
    const [, wanted] = metrics(prediction, mask, { shape: [height, width], spacing: [2, 1], classes: 2 });
    const { dice: overlap, iou, precision, recall, hausdorff95, averageSurfaceDistance } = wanted!;
    expect(found.classes).toHaveLength(1);
    expect(found.classes[0]).toMatchObject({
      name: "foreground",
      dice: overlap,
      iou,
      precision,
      recall,
      hausdorff95,
      averageSurfaceDistance,
    });
    expect(overlap).toBeGreaterThan(0.5);
    expect(hausdorff95).toBeGreaterThan(0);
  });

  test("the table for people", async () => {
    const { out, err } = await segrad("eval", at("logits.npy"), at("white.png"), "-l", text);
    expect(out).toMatch(
      /^1 image of 20 × 24 read as yx, binary, logits\n\ndice\+0\.5\*crossEntropy +0\.\d{4}\n {2}dice +0\.\d+\n {2}0\.5 × crossEntropy +0\.\d+\n\nclass +Dice +IoU/,
    );
    expect(out).toMatch(/\nforeground +0\.\d{3}/);
    expect(err).toBe("note: the target is black and white: white is taken for 1");
  });

  test("probabilities from a picture, from floats, and labels", async () => {
    const value = async (...args: string[]) =>
      JSON.parse((await segrad("eval", ...args, "-l", "dice", "--json")).out).value;
    const exact = valueAndGrad(dice(), batch).value;
    expect(await value(at("probabilities.png"), at("mask.png"))).toBeCloseTo(exact, 2);
    npy("p.npy", { data: logits.map((z) => 1 / (1 + Math.exp(-z))), shape: [height, width] });
    expect(await value(at("p.npy"), at("mask.png"), "-p")).toBeCloseTo(exact, 6);
    expect(await value(at("mask.png"), at("white.png"), "--labels")).toBe(0);
    const { err } = await segrad("eval", at("p.npy"), at("mask.png"), "-l", "dice");
    expect(err).toMatch(/lies in \[0, 1\]: --probabilities\?/);
  });

  test("a volume of classes, with names and a layout", async () => {
    const args = [
      at("volume.npy"),
      at("volume-labels.npy"),
      "-l",
      "crossEntropy",
      "--json",
      "--classes",
      "a,b,c",
    ];
    const first = JSON.parse((await segrad("eval", ...args)).out);
    const { value } = valueAndGrad(crossEntropy(), {
      logits: volume,
      target: volumeLabels,
      shape: [1, ...volumeShape],
    });
    expect(first.value).toBe(value);
    expect(first.classes.map((score: { name: string }) => score.name)).toEqual(["a", "b", "c"]);
    expect(first.cases[0].read).toBe("1 image of 4 × 5 × 6 read as czyx, multiclass with 3 channels, logits");

    const last = Float32Array.from({ length: 360 }, (_, i) => volume[(i % 3) * 120 + Math.floor(i / 3)]!);
    npy("last.npy", { data: last, shape: [4, 5, 6, 3] });
    const second = JSON.parse(
      (await segrad("eval", at("last.npy"), ...args.slice(1), "--layout", "channels-last")).out,
    );
    expect(second.value).toBeCloseTo(value, 6);
    expect(second.classes).toEqual(first.classes);
  });

  test("NIfTI brings its spacing, and channels of its own", async () => {
    npy("nii-labels.npy", { data: Uint8Array.from({ length: 60 }, (_, i) => i % 2), shape: [3, 4, 5] });
    const { out } = await segrad(
      "eval",
      data("volume_channels.nii.gz"),
      at("nii-labels.npy"),
      "-l",
      "boundary",
      "--json",
    );
    const found = JSON.parse(out);
    expect(found.cases[0].read).toBe(
      "1 image of 3 × 4 × 5, multiclass with 2 channels, logits, spacing 3 × 0.75 × 0.5",
    );
    expect(found.value).not.toBe(0);
  });

  test("ignored labels, instances and multilabel", async () => {
    const json = async (...args: string[]) => JSON.parse((await segrad("eval", ...args, "--json")).out);
    const target = Int16Array.from(mask, (label, i) => (i % 3 === 0 ? -1 : 7 * label));
    npy("ignored.npy", { data: target, shape: [height, width] });
    const wanted = valueAndGrad(crossEntropy(), {
      ...batch,
      target: target.map((label) => (label > 0 ? 1 : label)),
      ignoreIndex: -1,
    });
    const found = await json(
      at("logits.npy"),
      at("ignored.npy"),
      "-l",
      "crossEntropy",
      "--binarize",
      "--ignore-index",
      "-1",
    );
    expect(found.value).toBe(wanted.value);

    npy("two.npy", { data: Float32Array.of(1, -1, 2, -2, 3, -3, 1, 1), shape: [2, 2, 2] });
    npy("two-target.npy", { data: Uint8Array.of(1, 0, 1, 0, 0, 0, 1, 1), shape: [2, 2, 2] });
    const both = await json(at("two.npy"), at("two-target.npy"), "-l", "dice", "--mode", "multilabel");
    expect(both.cases[0].read).toBe("1 image of 2 × 2 read as cyx, multilabel with 2 channels, logits");
    expect(both.classes.map((score: { dice: number }) => score.dice)).toEqual([1, 0.8]);
  });

  test("folders: a row per pair, bad files listed, the others evaluated", async () => {
    mkdirSync(at("predictions"));
    mkdirSync(at("targets"));
    for (const name of ["a", "b,c"]) {
      npy(`predictions/${name}.npy`, { data: logits, shape: [height, width] });
      png(`targets/${name}.png`, mask);
    }
    writeFileSync(at("predictions/bad.npy"), "no array");
    png("targets/bad.png", mask);
    png("targets/alone.png", mask);
    const args = [at("predictions"), at("targets"), "-l", text, "--csv", at("s.csv"), "--json", at("s.json")];
    const alone = await segrad("eval", ...args);
    expect(alone.code).toBe(2);
    expect(alone.err).toMatch(/alone\.png: it has no partner; a\.npy goes with a\.png\. .*--skip-unpaired/);
    expect(alone.out).toBe("");
    const { code, out, err } = await segrad("eval", ...args, "--skip-unpaired");
    expect(code).toBe(2);
    expect(out).toMatch(/^2 pairs, means/);
    expect(err).toMatch(/alone\.png has no partner/);
    expect(err).toMatch(/error: .*bad\.npy: it is no \.npy file/);
    expect(err).toMatch(/1 of 3 pairs could not be evaluated/);
    const { value, terms } = valueAndGrad(loss, batch);
    const rows = readFileSync(at("s.csv"), "utf8").trimEnd().split("\r\n");
    expect(rows[0]).toBe(
      "name,value,dice,crossEntropy,foreground.dice,foreground.iou,foreground.precision,foreground.recall,foreground.hausdorff95,foreground.averageSurfaceDistance,error",
    );
    expect(rows[1]).toMatch(new RegExp(`^a,${value},${terms[0]},${terms[1]},`));
    expect(rows[2]).toMatch(/^"b,c",/);
    expect(rows[3]).toMatch(/^bad,,,,,,,,,,.*no \.npy file/);
    expect(rows[3]!.split(",").length).toBe(rows[0]!.split(",").length);
    expect(JSON.parse(readFileSync(at("s.json"), "utf8"))).toMatchObject({
      value,
      failures: [{ name: "bad" }],
    });
  });

  test("a class on one side only has no finite distance, and is told of", async () => {
    png("empty.png", new Uint8Array(height * width));
    const { out } = await segrad("eval", at("logits.npy"), at("empty.png"), "-l", "dice");
    expect(out).toMatch(/foreground .*∞ +∞ +0 /);
    expect(out).toMatch(/foreground is on one side only in 1 image/);
  });
});
