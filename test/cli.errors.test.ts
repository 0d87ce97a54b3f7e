/** Wrong command lines and files: exit codes, and messages that name what is wrong. */
import { afterAll, describe, expect, test } from "vitest";
import { data, makeFolder, segrad } from "./support/cli.ts";

const { folder, at, npy, remove } = makeFolder();
afterAll(remove);

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
