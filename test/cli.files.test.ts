/** Files of every format, written by the libraries people use (test/data/cli/make.py) and by ourselves. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { encode } from "fast-png";
import { gzipSync } from "fflate";
import { afterAll, describe, expect, test } from "vitest";
import { FileError, UsageError } from "../ts/cli/failure.ts";
import { readNpy, writeNpy } from "../ts/cli/files/npy.ts";
import { readNpz, writeNpz } from "../ts/cli/files/npz.ts";
import { readPng } from "../ts/cli/files/png.ts";
import { readImage, readTensor, stemOf } from "../ts/cli/files/read.ts";
import type { Numbers } from "../ts/cli/files/tensor.ts";
import { checkOutputs, writeOutputs } from "../ts/cli/files/write.ts";
import { pairFolders } from "../ts/cli/folders.ts";

const folder = mkdtempSync(join(tmpdir(), "segrad-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

const data = (name: string) => new URL(`./data/cli/${name}`, import.meta.url).pathname;

/** The arrays of make.py, written down again. */
const grid = <T>(height: number, width: number, at: (y: number, x: number) => T) =>
  Array.from({ length: height * width }, (_, i) => at(Math.floor(i / width), i % width));
const labels = grid(6, 7, (y, x) => (2 * y + 3 * x) % 4);
const scores = grid(6, 7, (y, x) => y / 8 - x / 4);
const volume = grid(3, 20, (z, i) => z + 2 * Math.floor(i / 5) + 3 * (i % 5));

const placed = {
  spacing: [3, 0.75, 0.5],
  affine: [
    [0.5, 0, 0, 0],
    [0, 0.75, 0, 0],
    [0, 0, 3, 0],
  ],
};

describe("files of other programs", () => {
  test.each([
    ["scores_f2.npy", scores, [6, 7], {}],
    ["scores_f4_big_endian.npy", scores, [6, 7], {}],
    ["scores_f8_fortran.npy", scores, [6, 7], {}],
    ["volume_i8_fortran.npy", volume, [3, 4, 5], {}],
    ["labels_u1.npy", labels, [6, 7], {}],
    ["labels_bool.npy", labels.map((label) => (label > 1 ? 1 : 0)), [6, 7], {}],
    ["one.npz", scores, [6, 7], {}],
    ["several.npz:scores", scores, [6, 7], {}],
    ["several.npz:labels", labels, [6, 7], {}],
    ["labels_8bit.png", labels, [6, 7], { white: 255, axes: "yx" }],
    ["labels_16bit.png", labels.map((label) => 1000 * label), [6, 7], { white: 65535, axes: "yx" }],
    ["labels_1bit.png", labels.map((label) => (label > 1 ? 1 : 0)), [6, 7], { white: 1, axes: "yx" }],
    ["labels_palette.png", labels, [6, 7], { axes: "yx" }],
    ["grey_as_rgb.png", labels.map((label) => 85 * label), [6, 7], { white: 255, axes: "yx" }],
    ["labels_8bit.tif", labels, [6, 7], { white: 255, axes: "yx" }],
    ["labels_16bit_lzw.tif", labels.map((label) => 1000 * label), [6, 7], { white: 65535, axes: "yx" }],
    ["scores_float_deflate.tif", scores, [6, 7], { axes: "yx" }],
    ["volume_pages.tif", volume, [3, 4, 5], { white: 65535, axes: "zyx" }],
    ["volume_i2.nii.gz", volume, [3, 4, 5], { ...placed, axes: "zyx" }],
    ["volume_f4_v2.nii", volume, [3, 4, 5], { ...placed, axes: "zyx" }],
    ["volume_big_endian.nii", volume, [3, 4, 5], { ...placed, axes: "zyx" }],
    ["volume_scaled.nii", volume.map((v) => v / 2 - 1), [3, 4, 5], { ...placed, axes: "zyx" }],
    [
      "volume_channels.nii.gz",
      [...volume, ...volume.map((v) => -v)],
      [2, 3, 4, 5],
      { ...placed, axes: "czyx" },
    ],
    ["labels_flat.nii", labels, [6, 7], { ...placed, spacing: [0.75, 0.5], white: 255, axes: "yx" }],
  ])("%s", (name, numbers, shape, further) => {
    const { file, data: read, ...rest } = readTensor(data(name));
    expect(file).toBe(data(name === "one.npz" ? "one.npz:scores" : name));
    expect([...read].map((value) => value + 0)).toEqual(numbers.map((value) => value + 0));
    expect(rest).toEqual({ shape, ...further });
  });
});

describe("files of our own", () => {
  const kinds = [
    Uint8Array,
    Int8Array,
    Uint16Array,
    Int16Array,
    Uint32Array,
    Int32Array,
    Float32Array,
    Float64Array,
  ];
  const array = fc
    .record({
      kind: fc.constantFrom(...kinds),
      shape: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 0, maxLength: 5 }),
      seed: fc.integer({ min: 1, max: 1e6 }),
    })
    .map(({ kind, shape, seed }) => {
      const length = shape.reduce((product, size) => product * size, 1);
      const numbers = Array.from({ length }, (_, i) => ((seed * (i + 1)) % 1001) / 7 - 50);
      return { shape, data: kind.from(numbers) as Numbers };
    });

  test("any array survives .npy", () => {
    fc.assert(
      fc.property(array, ({ shape, data }) => {
        const bytes = writeNpy({ shape, data });
        // NumPy wants the numbers at a multiple of 64.
        expect((bytes.length - data.byteLength) % 64).toBe(0);
        expect(readNpy("a.npy", bytes)).toEqual({ file: "a.npy", shape, data });
      }),
    );
  });

  test("arrays survive .npz", () => {
    const arrays = {
      a: { shape: [2], data: Float32Array.of(1, -2) },
      b: { shape: [1, 1], data: Uint8Array.of(7) },
    };
    const bytes = writeNpz(arrays);
    expect(readNpz("x.npz", bytes, "a")).toEqual({ file: "x.npz:a", ...arrays.a });
    expect(readNpz("x.npz", bytes, "b")).toEqual({ file: "x.npz:b", ...arrays.b });
  });

  test.each([1, 2, 4] as const)("PNG of %i bits per pixel, rows of odd width", (depth) => {
    const [width, height] = [7, 3];
    const pixels = grid(height, width, (y, x) => (x + 3 * y) % 2 ** depth);
    const rowBytes = Math.ceil((width * depth) / 8);
    const packed = new Uint8Array(rowBytes * height);
    pixels.forEach((value, i) => {
      const bit = (i % width) * depth;
      packed[Math.floor(i / width) * rowBytes + (bit >> 3)]! |= value << (8 - depth - (bit % 8));
    });
    const bytes = encode({ width, height, data: packed, depth, channels: 1 });
    expect(readPng("x.png", bytes)).toEqual({
      file: "x.png",
      data: Uint8Array.from(pixels),
      shape: [3, 7],
      axes: "yx",
      white: 2 ** depth - 1,
    });
  });

  test("the brightness of a colour image is good enough to paint over", () => {
    const image = readImage(data("colour.png"));
    expect(image.shape).toEqual([6, 7]);
    const blue = 0.114 * Math.floor((85 * labels[1]!) / 2);
    expect(image.data[1]).toBeCloseTo((0.299 + 0.587) * 85 * labels[1]! + blue, 3);
  });
});

describe("bad files are named, with what is wrong", () => {
  const write = (name: string, bytes: Uint8Array | string) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };
  const npy = writeNpy({ shape: [4], data: Float32Array.of(1, 2, 3, 4) });
  const nifti = new Uint8Array(readFileSync(data("volume_f4_v2.nii")));
  const header = (text: string) => {
    const bytes = npy.slice();
    bytes.set(new TextEncoder().encode(text.padEnd(117)), 10);
    return bytes;
  };

  test.each([
    ["missing.npy", null, /there is no such file/],
    ["x.bmp", "", /unknown kind of file; known are .*\.npy/],
    ["text.npy", "hello, this is no array", /it is no \.npy file/],
    ["short.npy", npy.slice(0, 5), /it is no \.npy file/],
    ["cut.npy", npy.slice(0, -1), /it is cut off: its header promises 16 bytes, 15 follow/],
    [
      "complex.npy",
      header("{'descr': '<c8', 'fortran_order': False, 'shape': (2,), }"),
      /type c8; supported are/,
    ],
    [
      "struct.npy",
      header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,), }"),
      /no plain type/,
    ],
    [
      "wide.npy",
      header("{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }"),
      /element 0 is \d+, beyond 32 bits/,
    ],
    ["empty.npy", header("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }"), /it is empty/],
    ["text.npz", "hello", /no zip archive/],
    ["text.png", "hello", /cannot be read as PNG/],
    ["cut.png", new Uint8Array(readFileSync(data("labels_8bit.png"))).slice(0, 60), /cannot be read as PNG/],
    ["text.tif", "hello", /cannot be read as TIFF/],
    ["text.nii", "hello", /cannot be read as NIfTI/],
    ["cut.nii", nifti.slice(0, -4), /it is cut off: its header promises 240 bytes, 236 follow/],
    ["cut.nii.gz", gzipSync(nifti).slice(0, 100), /cannot be read as NIfTI/],
  ])("%s", (name, bytes, message) => {
    const path = bytes === null ? join(folder, name) : write(name, bytes);
    const read = () => readTensor(path);
    expect(read).toThrow(FileError);
    expect(read).toThrow(message);
    expect(read).toThrow(path);
  });

  test.each([
    ["colour.png", /it is a colour image \(at y 0, x 1\)/],
    ["colour.tif", /it has 3 channels/],
    ["several.npz", /several arrays; write .*several\.npz:NAME with one of scores, labels/],
    ["several.npz:nothing", /there is no array nothing in it; there is scores, labels/],
  ])("%s", (name, message) => {
    expect(() => readTensor(data(name))).toThrow(message);
  });
});

describe("outputs", () => {
  test("all are written, or what was there stays", () => {
    const [a, b] = [join(folder, "a.txt"), join(folder, "b.txt")];
    writeFileSync(a, "old");
    const bad = { path: join(folder, "nowhere", "c.txt"), bytes: "new" };
    expect(() => writeOutputs([{ path: a, bytes: "new" }, bad])).toThrow(
      /c\.txt: there is no such file or folder/,
    );
    expect(readFileSync(a, "utf8")).toBe("old");
    writeOutputs([
      { path: a, bytes: "new" },
      { path: b, bytes: Uint8Array.of(104, 105) },
    ]);
    expect([readFileSync(a, "utf8"), readFileSync(b, "utf8")]).toEqual(["new", "hi"]);
    expect(readdirSync(folder).filter((name) => name.startsWith(".segrad"))).toEqual([]);
  });

  test("places that cannot be are found early", () => {
    expect(() => checkOutputs([{ path: join(folder, "nowhere", "x.npy") }])).toThrow(/there is no folder/);
    expect(() => checkOutputs([{ path: folder }])).toThrow(/it is a folder/);
    expect(() => checkOutputs([{ path: "x.txt", ending: ".npy" }])).toThrow(UsageError);
    expect(() => checkOutputs([{ path: undefined }])).not.toThrow();
  });
});

test("folders pair by name, whatever the ending", () => {
  const [from, to] = [mkdtempSync(join(folder, "p")), mkdtempSync(join(folder, "t"))];
  for (const name of ["a10.npy", "a2.nii.gz", "b.png", "notes.txt", ".hidden.png"])
    writeFileSync(join(from, name), "");
  for (const name of ["a10.png", "a2.png", "c.tif"]) writeFileSync(join(to, name), "");
  const { pairs, single } = pairFolders(from, to);
  expect(pairs.map(({ name }) => name)).toEqual(["a2", "a10"]);
  expect(pairs[0]).toEqual({ name: "a2", prediction: join(from, "a2.nii.gz"), target: join(to, "a2.png") });
  expect(single).toEqual([join(from, "b.png"), join(to, "c.tif")]);
  expect(() => pairFolders(from, mkdtempSync(join(folder, "e")))).toThrow(/has the name of a file in/);
  writeFileSync(join(to, "a2.tif"), "");
  expect(() => pairFolders(from, to)).toThrow(/a2\.nii\.gz: a2\.png and a2\.tif both have the name of it/);
  expect(stemOf("x.NII.GZ")).toBe("x");
});

describe("folders pair up to a word that says what a file is", () => {
  const pair = (predictions: string[], targets: string[]) => {
    const [from, to] = [mkdtempSync(join(folder, "p")), mkdtempSync(join(folder, "t"))];
    for (const name of predictions) writeFileSync(join(from, name), "");
    for (const name of targets) writeFileSync(join(to, name), "");
    const { pairs, single } = pairFolders(from, to);
    const names = (path: string) => path.slice(from.length + 1);
    return {
      pairs: pairs.map(({ name, prediction, target }) => [name, names(prediction), names(target)]),
      single: single.map(names),
    };
  };
  test.each([
    ["img01_pred.npy", "img01_mask.png", "img01"],
    ["img01.nii.gz", "img01_seg.nii", "img01"],
    ["img01-logits.npz", "img01.npy", "img01"],
    ["case 3 probabilities.tif", "case 3 GT.tif", "case 3"],
    ["a.b_scores.npy", "a.b.labels.png", "a.b"],
    ["mask_pred.png", "mask.png", "mask"],
  ])("%s and %s", (prediction, target, name) => {
    expect(pair([prediction], [target])).toEqual({ pairs: [[name, prediction, target]], single: [] });
  });
  test("names that agree as they are come first", () => {
    expect(pair(["x_pred.npy", "x.npy"], ["x.png", "y.png"])).toEqual({
      pairs: [["x", "x.npy", "x.png"]],
      single: ["x_pred.npy", "y.png"],
    });
    expect(pair(["x_pred.npy", "y_pred.npy"], ["x_pred.png", "y_mask.png"]).pairs).toEqual([
      ["x_pred", "x_pred.npy", "x_pred.png"],
      ["y", "y_pred.npy", "y_mask.png"],
    ]);
  });
  test("two for one are an error that names all three", () => {
    expect(() => pair(["x_pred.npy", "x_prob.npy"], ["x.png"])).toThrow(
      /x\.png: x_pred\.npy and x_prob\.npy both have the name of it/,
    );
    expect(() => pair(["x.npy"], ["x_mask.png", "x_gt.png"])).toThrow(
      /x\.npy: x_gt\.png and x_mask\.png both/,
    );
  });
  test("two without a partner are just that", () => {
    expect(pair(["x_pred.npy", "x_prob.npy", "z.npy"], ["z.png"]).single).toEqual([
      "x_pred.npy",
      "x_prob.npy",
    ]);
  });
  test("words are words, numbers are not", () => {
    expect(() => pair(["img1_bigmask.npy"], ["img1.png"])).toThrow(/has the name of a file/);
    expect(() => pair(["img_01.npy"], ["img_02.png"])).toThrow(/has the name of a file/);
  });
});
