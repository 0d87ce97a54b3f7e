/** `segrad grad`, `maps`, `losses` and help, called as functions. Spawned processes are in cli.test.ts. */
import { readdirSync, readFileSync } from "node:fs";
import { decode } from "fast-png";
import { dice, distanceTransform, signedDistance, unetWeightMap, valueAndGrad } from "segrad";
import { afterAll, describe, expect, test } from "vitest";
import { readTensor } from "../ts/cli/files/read.ts";
import { batch, data, height, makeFolder, mask, segrad, width } from "./support/cli.ts";

const { folder, at, png, remove } = makeFolder();
afterAll(remove);

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
    png("instances.png", instances);
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
