/** The commands, called as functions: what they print, write and return. Spawned processes are in cli.test.ts. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode, encode } from "fast-png";
import {
  crossEntropy,
  dice,
  distanceTransform,
  metrics,
  signedDistance,
  sum,
  unetWeightMap,
  valueAndGrad,
} from "segrad";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Console } from "../ts/cli/console.ts";
import { writeNpy } from "../ts/cli/files/npy.ts";
import { readTensor } from "../ts/cli/files/read.ts";
import type { Tensor } from "../ts/cli/files/tensor.ts";
import { run } from "../ts/cli/program.ts";

const folder = mkdtempSync(join(tmpdir(), "segrad-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const data = (name: string) => new URL(`./data/cli/${name}`, import.meta.url).pathname;

/** Runs the program with its output caught. */
async function segrad(...args: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const console: Console = {
    print: (text) => out.push(text),
    remark: (text) => err.push(text),
    progress: async (items, _, visit) => {
      for (const item of items) await visit(item);
    },
  };
  const code = await run(args, console);
  return { code, out: out.join("\n"), err: err.join("\n") };
}

const npy = (name: string, array: Pick<Tensor, "data" | "shape">) => writeFileSync(at(name), writeNpy(array));
const png = (name: string, width: number, pixels: Uint8Array) =>
  writeFileSync(
    at(name),
    encode({ width, height: pixels.length / width, data: pixels, channels: 1, depth: 8 }),
  );

// A disc in 20 × 24, a prediction that is off by two pixels, and a volume of three classes.
const [height, width] = [20, 24];
const logits = Float32Array.from(
  { length: height * width },
  (_, i) => 5 - Math.hypot((i % width) - 13, Math.floor(i / width) - 9),
);
const mask = Uint8Array.from({ length: height * width }, (_, i) =>
  Math.hypot((i % width) - 11, Math.floor(i / width) - 9) < 5 ? 1 : 0,
);
const batch = { logits, target: mask, shape: [1, 1, height, width] };
const volumeShape = [3, 4, 5, 6];
const volume = Float32Array.from({ length: 360 }, (_, i) => Math.sin(i));
const volumeLabels = Uint8Array.from({ length: 120 }, (_, i) => i % 3);

beforeAll(() => {
  npy("logits.npy", { data: logits, shape: [height, width] });
  png("mask.png", width, mask);
  png(
    "white.png",
    width,
    mask.map((label) => 255 * label),
  );
  png(
    "probabilities.png",
    width,
    Uint8Array.from(logits, (z) => 255 / (1 + Math.exp(-z))),
  );
  npy("volume.npy", { data: volume, shape: volumeShape });
  npy("volume-labels.npy", { data: volumeLabels, shape: volumeShape.slice(1) });
});

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
      png(`targets/${name}.png`, width, mask);
    }
    writeFileSync(at("predictions/bad.npy"), "no array");
    png("targets/bad.png", width, mask);
    png("targets/alone.png", width, mask);
    const args = [at("predictions"), at("targets"), "-l", text, "--csv", at("s.csv"), "--json", at("s.json")];
    const { code, out, err } = await segrad("eval", ...args);
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
    png("empty.png", width, new Uint8Array(height * width));
    const { out } = await segrad("eval", at("logits.npy"), at("empty.png"), "-l", "dice");
    expect(out).toMatch(/foreground .*∞ +∞ +0 /);
    expect(out).toMatch(/foreground is on one side only in 1 image/);
  });
});

describe("grad", () => {
  test("the gradient in the shape of the prediction, and a picture", async () => {
    const args = [
      at("logits.npy"),
      at("mask.png"),
      "-l",
      "dice",
      "-o",
      at("g.npy"),
      "--png",
      at("g.png"),
      "--image",
      data("colour.png"),
    ];
    expect(await segrad("grad", ...args)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/colour\.png: it is 6 × 7; the prediction is 20 × 24/),
    });
    expect(readdirSync(folder)).not.toContain("g.npy");
    const { code, out } = await segrad("grad", ...args.slice(0, -1), at("probabilities.png"));
    expect(code).toBe(0);
    expect(out).toMatch(/dice +0\.\d+ +‖gradient‖ \d/);
    const { grad } = valueAndGrad(dice(), batch);
    expect(readTensor(at("g.npy"))).toMatchObject({ data: grad, shape: [height, width] });

    const picture = decode(readFileSync(at("g.png")));
    expect([picture.width, picture.height]).toEqual([16 * width, 16 * height]);
    expect(picture.text["Description"]).toMatch(/^Gradient of dice; blue to -/);
    const colour = (i: number) => {
      const offset = 3 * (16 * Math.floor(i / width) * picture.width + 16 * (i % width));
      return [...picture.data.subarray(offset, offset + 3)] as [number, number, number];
    };
    const [lowest, highest] = [Math.min, Math.max].map((pick) => grad.indexOf(pick(...grad))) as [
      number,
      number,
    ];
    expect(colour(lowest)[2]).toBeGreaterThan(colour(lowest)[0] + 50);
    expect(colour(highest)[0]).toBeGreaterThan(colour(highest)[2] + 50);
  });

  test("channel and slice of a volume", async () => {
    const args = [
      "grad",
      at("volume.npy"),
      at("volume-labels.npy"),
      "-l",
      "crossEntropy",
      "--png",
      at("v.png"),
    ];
    expect((await segrad(...args, "--channel", "1", "--slice", "3")).out).toMatch(
      /channel 1, z 3: blue to −/,
    );
    expect(await segrad(...args, "--slice", "4")).toMatchObject({
      code: 1,
      err: "error: --slice is 4; there are 0 to 3",
    });
    expect((await segrad(...args)).code).toBe(0);
  });
});

describe("maps", () => {
  const grid = { shape: [height, width], spacing: [2, 0.5] };

  test("distance and signed distance", async () => {
    expect(
      (await segrad("maps", "distance", at("mask.png"), "-o", at("d.npy"), "--spacing", "2,0.5")).code,
    ).toBe(0);
    expect(readTensor(at("d.npy"))).toMatchObject({
      data: distanceTransform(mask, grid),
      shape: [height, width],
    });
    const both = signedDistance(mask, { ...grid, classes: 2 });
    await segrad(
      "maps",
      "signed",
      at("white.png"),
      "-o",
      at("s.npy"),
      "--png",
      at("s.png"),
      "--spacing",
      "2,0.5",
    );
    expect(readTensor(at("s.npy"))).toMatchObject({
      data: both.subarray(mask.length),
      shape: [height, width],
    });
    await segrad(
      "maps",
      "signed",
      at("mask.png"),
      "-o",
      at("s2.npy"),
      "--classes",
      "2",
      "--spacing",
      "2,0.5",
    );
    expect(readTensor(at("s2.npy"))).toMatchObject({ data: both, shape: [2, height, width] });
  });

  test("U-Net weights, and the remark for a mask of one instance", async () => {
    const instances = mask.map((label, i) => label * ((i % width < 11 ? 1 : 2) - (i % width === 11 ? 2 : 0)));
    png("instances.png", width, instances);
    const { err } = await segrad(
      "maps",
      "unet",
      at("instances.png"),
      "-o",
      at("u.npy"),
      "--w0",
      "5",
      "--sigma",
      "2",
    );
    expect(err).toBe("");
    expect(readTensor(at("u.npy")).data).toEqual(
      unetWeightMap(instances, { shape: [height, width], w0: 5, sigma: 2 }),
    );
    expect(Math.max(...readTensor(at("u.npy")).data)).toBeGreaterThan(1);
    expect((await segrad("maps", "unet", at("mask.png"), "--png", at("u.png"))).err).toMatch(
      /fewer than two instances/,
    );
  });

  test("NIfTI brings its spacing", async () => {
    expect((await segrad("maps", "distance", data("volume_i2.nii.gz"), "-o", at("n.npy"))).out).toBe(
      "3 × 4 × 5, spacing 3 × 0.75 × 0.5: 0 … 6.713",
    );
  });
});

describe("help", () => {
  test.each([[], ["eval"], ["grad"], ["maps"], ["maps", "unet"], ["landscape"], ["losses"]])(
    "%j --help",
    async (...words) => {
      const { code, out } = await segrad(...words, "--help");
      expect(code).toBe(0);
      expect(out).toMatch(/^Usage: segrad/);
    },
  );

  test("losses come from the table", async () => {
    expect((await segrad("losses")).out).toMatch(/^tversky +over, classes, alpha, beta, smooth$/m);
    expect((await segrad("losses", "lovaszHinge")).out).toMatch(
      /^lovaszHinge, for binary batches of logits\n/,
    );
    expect((await segrad("losses", "focal")).out).toMatch(/gamma +2 +number ≥ 0\n/);
    expect(await segrad("losses", "dise")).toMatchObject({
      code: 1,
      err: 'error: there is no loss "dise"; did you mean dice?',
    });
  });

  test("the version is that of the package", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    expect(await segrad("--version")).toMatchObject({ code: 0, out: version });
  });
});

describe("wrong command lines and files", () => {
  const [z, m] = [at("logits.npy"), at("mask.png")];
  test.each([
    [["evil"], 1, /unknown command 'evil'\n\(Did you mean eval\?\)/],
    [["eval", z, m], 1, /required option '-l, --loss <loss>' not specified/],
    [["eval", z, "-l", "dice"], 1, /missing required argument 'target'/],
    [["eval", z, m, "-l", "dise"], 1, /did you mean dice\?\n {2}dise\n {2}\^/],
    [["eval", z, m, "-l", "dice", "--mode", "some"], 1, /Allowed choices are binary, multilabel, multiclass/],
    [["eval", z, m, "-l", "dice", "--spacing", "1,0"], 1, /'1,0' is invalid. It must be numbers > 0/],
    [["eval", z, m, "-l", "dice", "--spacing", "1,1,1"], 1, /--spacing has 3 numbers; .* has 2 spatial axes/],
    [["eval", z, m, "-l", "dice", "--ignore-index", "x"], 1, /It must be a number/],
    [["eval", z, m, "-l", "dice", "--classes", "a,b,c"], 1, /names 3 classes, and the prediction is binary/],
    [["eval", z, m, "-l", "dice", "--axes", "xy"], 1, /--axes is "xy"; it must be one of yx cyx/],
    [["eval", z, m, "-l", "dice(classes=[3])"], 1, /dice\.classes names class 3/],
    [["eval", at("volume.npy"), at("volume-labels.npy"), "-l", "combo"], 1, /combo is defined for binary/],
    [["eval", z, folder, "-l", "dice"], 1, /two files or two folders/],
    [["eval", z, at("nothing.png"), "-l", "dice"], 2, /nothing\.png: there is no such file/],
    [
      ["eval", z, data("labels_8bit.png"), "-l", "dice"],
      2,
      /labels_8bit\.png: its shape 6 × 7 does not go with .*logits\.npy, 20 × 24/,
    ],
    [
      ["eval", data("scores_f2.npy"), data("labels_8bit.png"), "-l", "dice"],
      2,
      /labels_8bit\.png: target\[1\] .* is 3; it must be 0 or 1 \(--binarize/,
    ],
    [
      ["eval", data("labels_8bit.png"), data("labels_8bit.png"), "-l", "dice"],
      2,
      /largest value is 3 of 255: is it a label image/,
    ],
    [["eval", data("labels_u1.npy"), data("labels_8bit.png"), "-l", "dice"], 2, /it holds integers/],
    [["eval", z, m, "-l", "dice", "-p"], 2, /logits\.npy: logits\[0\] .*; it must be a probability/],
    [["eval", z, m, "-l", "dice", "--csv", at("no/x.csv")], 2, /there is no folder/],
    [["eval", folder, at("empty-folder"), "-l", "dice"], 2, /empty-folder: there is no such file or folder/],
    [["grad", z, m, "-l", "dice"], 1, /say where the gradient goes/],
    [["grad", z, m, "-l", "dice", "-o", "g.txt"], 1, /must end in \.npy/],
    [["maps", "distance", m], 1, /say where the map goes/],
    [["maps", "distance", z, "-o", at("x.npy")], 2, /logits\.npy: it must hold whole numbers/],
    [["landscape", "-o", "x.txt"], 1, /must end in \.html/],
  ] as const)("segrad %j", async (args, code, message) => {
    const result = await segrad(...args);
    expect(result.err).toMatch(message);
    expect(result).toMatchObject({ code, out: "" });
  });

  test("shapes that can be read in two ways ask for --axes", async () => {
    npy("square.npy", { data: new Float32Array(16), shape: [2, 2, 2, 2] });
    npy("square-labels.npy", { data: new Uint8Array(8), shape: [2, 2, 2] });
    const args = ["eval", at("square.npy"), at("square-labels.npy"), "-l", "dice"];
    expect(await segrad(...args)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/can be read as ncyx or czyx; say which with --axes/),
    });
    expect((await segrad(...args, "--axes", "czyx")).out).toMatch(/^1 image of 2 × 2 × 2 read as czyx/);
    expect((await segrad(...args, "--axes", "ncyx")).out).toMatch(/^2 images of 2 × 2 read as ncyx/);
  });
});
