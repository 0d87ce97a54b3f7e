/** Losses on a real volume: a piece of the MNI152 brain in four classes, against the reference. */
import { readFileSync } from "node:fs";
import { decompress, readHeader, readImage } from "nifti-reader-js";
import { boundary, crossEntropy, dice, type Loss, lovaszSoftmax, sum, value, valueAndGrad } from "segrad";
import * as reference from "segrad/reference";
import { describe, expect, test } from "vitest";
import { randomNumbers } from "./support/arbitrary.ts";

/** The bytes of a compressed NIfTI volume, x fastest, and its shape [depth, height, width]. */
function readVolume(name: string) {
  const file = Uint8Array.from(readFileSync(new URL(`data/mni152/${name}.nii.gz`, import.meta.url)));
  const bytes = decompress(file.buffer) as ArrayBuffer;
  const header = readHeader(bytes)!;
  const [, width, height, depth] = header.dims as [number, number, number, number];
  return { values: new Uint8Array(readImage(header, bytes)), shape: [depth, height, width] as const };
}

const [intensity, grey, white] = [readVolume("t1"), readVolume("gm"), readVolume("wm")];
const { shape } = intensity;
const classes = 4;
const voxels = intensity.values.length;

/** 0 background, 1 other tissue, 2 grey matter, 3 white matter. */
const target = intensity.values.map((value, i) =>
  white.values[i]! > 127 ? 3 : grey.values[i]! > 127 ? 2 : value > 0 ? 1 : 0,
);

/**
 * A batch whose logits are one of `kinds` draws of noise within ±3, and 2 more for the class that is there: right
 * often, not always.
 */
function noisyBatch(kinds: number, spacing: readonly number[]) {
  const random = randomNumbers(152);
  const noise = Float32Array.from({ length: kinds * classes }, () => 6 * random() - 3);
  const drawn = Uint32Array.from({ length: voxels }, () => Math.floor(kinds * random()));
  const logits = Float32Array.from({ length: classes * voxels }, (_, i) => {
    const [k, voxel] = [Math.floor(i / voxels), i % voxels];
    return noise[drawn[voxel]! * classes + k]! + (target[voxel] === k ? 2 : 0);
  });
  return { logits, target, shape: [1, classes, ...shape], spacing };
}

const losses: { readonly [name: string]: Loss } = {
  crossEntropy: crossEntropy(),
  dice: dice(),
  lovaszSoftmax: lovaszSoftmax(),
  boundary: boundary(),
  sum: sum([crossEntropy(), [0.5, dice()], [2, lovaszSoftmax()], [0.1, boundary()]]),
};

describe("a piece of the MNI152 brain", () => {
  test("has all four classes", () => {
    expect(shape).toEqual([24, 32, 28]);
    const counts = [0, 1, 2, 3].map((k) => target.filter((label) => label === k).length);
    expect(Math.min(...counts)).toBeGreaterThan(0.1 * voxels);
  });

  // With 64 kinds of noise two errors of a class are equal or far apart. Between errors closer than rounding the
  // gradient of Lovász jumps, so that float32 and float64 may both be right and differ.
  test.each(Object.keys(losses))("value and gradient of %s are those of the reference", (name) => {
    const batch = noisyBatch(64, [1, 1, 1]);
    const { value, grad } = valueAndGrad(losses[name]!, batch);
    const expected = reference.valueAndGrad(losses[name]!, batch);
    expect(Math.abs(value - expected.value)).toBeLessThanOrEqual(
      2e-6 * Math.max(1, Math.abs(expected.value)),
    );
    let [difference, largest] = [0, 0];
    expected.grad.forEach((slope, i) => {
      difference = Math.max(difference, Math.abs(slope - grad[i]!));
      largest = Math.max(largest, Math.abs(slope));
    });
    expect(largest).toBeGreaterThan(0);
    expect(difference).toBeLessThanOrEqual(2e-6 * largest);
  });

  test.each(Object.keys(losses))("value of %s where noise hardly repeats", (name) => {
    const batch = noisyBatch(10 * voxels, [3, 1, 0.7]);
    const expected = reference.value(losses[name]!, batch);
    const difference = Math.abs(value(losses[name]!, batch) - expected);
    expect(difference).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(expected)));
  });
});
