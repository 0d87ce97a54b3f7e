/** Prediction and target as NIfTI: their headers must put them in the same place. */
import { writeFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { makeFolder, segrad } from "./support/cli.ts";

const { at, npy, remove } = makeFolder();
afterAll(remove);

const [depth, height, width] = [3, 4, 5];

interface Header {
  /** Columns are the steps along x, y and z, the last one where the first voxel lies. */
  readonly sform?: readonly (readonly number[])[];
  readonly qform?: {
    readonly bcd: readonly number[];
    readonly offset: readonly number[];
    readonly factor?: number;
  };
  readonly sizes?: readonly number[];
}

/** A NIfTI-1 file of float32 zeros and ones, written field by field. */
function nifti(name: string, { sform, qform, sizes = [1, 1, 2] }: Header): string {
  const length = depth * height * width;
  const view = new DataView(new ArrayBuffer(352 + 4 * length));
  const floats = (offset: number, values: readonly number[]) => {
    values.forEach((value, i) => {
      view.setFloat32(offset + 4 * i, value, true);
    });
  };
  view.setInt32(0, 348, true);
  [3, width, height, depth, 1, 1, 1, 1].forEach((size, i) => {
    view.setInt16(40 + 2 * i, size, true);
  });
  view.setInt16(70, 16, true); // float32
  view.setInt16(72, 32, true);
  floats(76, [qform?.factor ?? 1, ...sizes, 1, 1, 1, 1]);
  view.setFloat32(108, 352, true);
  if (qform !== undefined) {
    view.setInt16(252, 1, true);
    floats(256, [...qform.bcd, ...qform.offset]);
  }
  if (sform !== undefined) {
    view.setInt16(254, 1, true);
    sform.forEach((row, i) => {
      floats(280 + 16 * i, row);
    });
  }
  new Uint8Array(view.buffer).set([0x6e, 0x2b, 0x31], 344); // n+1
  floats(
    352,
    Array.from({ length }, (_, i) => (i % 2 === 0 ? 1 : 0)),
  );
  writeFileSync(at(name), new Uint8Array(view.buffer));
  return at(name);
}

const upright = [
  [1, 0, 0, -10],
  [0, 1, 0, -20],
  [0, 0, 2, -30],
];
const target = nifti("target.nii", { sform: upright });
const evaluate = (prediction: string, ...more: string[]) =>
  segrad("eval", prediction, target, "-l", "dice", ...more);

describe("the same place", () => {
  test.each<[string, Header]>([
    ["the same sform", { sform: upright }],
    ["the same as qform", { qform: { bcd: [0, 0, 0], offset: [-10, -20, -30] } }],
    ["rounded by another program", { sform: upright.map((row) => row.map((x) => x * 1.0004)) }],
    ["a header that does not say", {}],
  ])("%s", async (_, header) => {
    const { code, err } = await evaluate(nifti("same.nii", header));
    expect([code, err]).toEqual([0, expect.not.stringContaining("error")]);
  });
  test("a file without a header of this kind", async () => {
    npy("plain.npy", { data: new Float32Array(depth * height * width), shape: [depth, height, width] });
    expect((await evaluate(at("plain.npy"), "--axes", "zyx")).code).toBe(0);
  });
});

describe("another place is an error that names both files", () => {
  const flipped = upright.map(([x, ...rest]) => [x === 0 ? 0 : -x!, ...rest]);
  const turned = [upright[1]!, upright[0]!, upright[2]!];
  test.each<[string, Header, RegExp]>([
    ["x the other way round", { sform: flipped }, /axes point LAS, and in .*target\.nii RAS/],
    ["x and y swapped", { sform: turned }, /axes point ARS, and in .*target\.nii RAS/],
    [
      "a qform turned by half a turn about z",
      { qform: { bcd: [0, 0, 1], offset: [-10, -20, -30] } },
      /axes point LPS, and in .*target\.nii RAS/,
    ],
    [
      "a qform with its third axis flipped",
      { qform: { bcd: [0, 0, 0], offset: [-10, -20, -30], factor: -1 } },
      /axes point RAI, and in .*target\.nii RAS/,
    ],
    [
      "another spacing",
      { sizes: [1, 1, 2.5] },
      /spacing is 2\.5 × 1 × 1, and in .*target\.nii 2 × 1 × 1; .*--spacing/,
    ],
    [
      "shifted by three voxels",
      { sform: upright.map(([x, y, z, at], i) => [x!, y!, z!, i === 0 ? at! + 3 : at!]) },
      /first voxel lies at \(-7, -20, -30\), and in .*target\.nii \(-10, -20, -30\); they are up to 3\.0 voxels apart/,
    ],
    [
      "tilted a little",
      { sform: [[0.9, -0.43, 0, -10], [0.43, 0.9, 0, -20], upright[2]!] },
      /up to 2\.\d voxels apart/,
    ],
  ])("%s", async (_, header, message) => {
    const prediction = nifti("other.nii", header);
    const { code, err, out } = await evaluate(prediction);
    expect(err).toMatch(message);
    expect(err).toContain(`error: ${prediction}: its `);
    expect([code, out]).toEqual([2, ""]);
    expect((await evaluate(prediction, "--ignore-affine")).code).toBe(0);
  });
  test("--spacing settles what the spacing is, and nothing else", async () => {
    expect((await evaluate(nifti("wide.nii", { sizes: [1, 1, 2.5] }), "--spacing", "2,1,1")).code).toBe(0);
    expect((await evaluate(nifti("flipped.nii", { sform: flipped }), "--spacing", "2,1,1")).code).toBe(2);
  });
});
