/** Maps of the core: against golden values, the reference on random images, and brute force on real cells. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { decode } from "fast-png";
import { allocate, distanceTransform, SegradError, signedDistance, unetWeightMap } from "segrad";
import * as reference from "segrad/reference";
import { describe, expect, test } from "vitest";
import { goldenMaps } from "./support/golden.ts";
import { boxesOf, images, labelArrays, labelsOf, pixelsOf } from "./support/images.ts";

/** The first index where the difference is more than `within(expected)`, or null. */
function firstDifference(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  within: (expected: number) => number,
) {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [actual[i]!, expected[i]!];
    if (a !== b && !(Math.abs(a - b) <= within(b))) return { i, actual: a, expected: b };
  }
  return null;
}

const spacings = [1e-3, 0.3, 1, 1, 2.5, 1e3];
const any = images(spacings);

describe("golden maps", () => {
  const functions: { readonly [name: string]: (input: Int32Array, args: never) => Float32Array } = {
    distanceTransform,
    signedDistance,
    unetWeightMap,
  };
  test.each(goldenMaps)("$name is what $source says", ({ name, input, args, output }) => {
    const map = functions[name]!(input, args as never);
    expect(map).toBeInstanceOf(Float32Array);
    const within = (x: number) => (name === "distanceTransform" ? 1e-6 * x : 2e-6 * Math.max(1, Math.abs(x)));
    expect(firstDifference(map, output, within)).toBeNull();
  });
});

describe("distanceTransform", () => {
  const relative = (x: number) => 1e-6 * x;

  test("is that of the reference on random masks of any type", () => {
    const masks = any.chain((image) =>
      fc
        .constantFrom(0, 0.1, 0.5, 0.9, 0.995, 1)
        .chain((share) => labelsOf(image, (random) => (random() < share ? 7 : 0)))
        .map((mask) => ({ ...image, mask })),
    );
    const property = fc.property(masks, ({ shape, spacing, mask }) => {
      const before = mask.slice();
      const expected = reference.distanceTransform(mask, { shape, spacing });
      expect(firstDifference(distanceTransform(mask, { shape, spacing }), expected, relative)).toBeNull();
      expect(mask).toEqual(before);
    });
    fc.assert(property, { numRuns: 200 });
  });

  test("takes floats: what is not zero is in the mask, NaN and fractions too", () => {
    const values = [0, 1e-9, Number.NaN, -3, -0];
    for (const array of [Float32Array, Float64Array]) {
      expect([...distanceTransform(array.from(values), { shape: [1, 5] })]).toEqual([0, 1, 2, 1, 0]);
    }
  });

  test("reads a mask inside WebAssembly memory in place", () => {
    const mask = allocate(6);
    mask.data.set([1, 0, 1, 1, 1, 0]);
    expect([...distanceTransform(mask.data, { shape: [2, 3] })]).toEqual(
      [1, 0, 1, Math.SQRT2, 1, 0].map(Math.fround),
    );
    expect([...mask.data]).toEqual([1, 0, 1, 1, 1, 0]);
    mask.dispose();
  });

  test("has no phantom edges: without a zero everything is infinitely far away", () => {
    for (const shape of [
      [1, 1],
      [7, 40],
      [3, 4, 5],
    ]) {
      const full = new Uint8Array(pixelsOf({ shape })).fill(1);
      expect(new Set(distanceTransform(full, { shape }))).toEqual(new Set([Infinity]));
    }
  });

  test("is exact over long lines, and leaves no memory of large images behind", () => {
    const [height, width] = [2, 2 ** 21 + 3];
    const mask = new Uint8Array(height * width).fill(1);
    mask[width - 1] = 0;
    const map = distanceTransform(mask, { shape: [height, width], spacing: [3, 0.5] });
    expect(map[0]).toBe(0.5 * (width - 1));
    expect(map[2 * width - 1]).toBe(3);
    expect(map[2 * width - 9]).toBe(5);
    expect([...distanceTransform(Uint8Array.of(1, 0), { shape: [1, 2] })]).toEqual([1, 0]);
  });

  test.each([
    [
      [1e3, 2],
      [1e-3, 1e3],
    ],
    [
      [2, 1e3],
      [1e3, 1e-3],
    ],
    [
      [1e3, 1, 2],
      [1, 1, 1e3],
    ],
  ])("holds for axes that differ a thousandfold: %j of size %j", (shape, spacing) => {
    const mask = new Uint8Array(pixelsOf({ shape })).fill(1);
    mask[37] = 0;
    const expected = reference.distanceTransform(mask, { shape, spacing });
    expect(firstDifference(distanceTransform(mask, { shape, spacing }), expected, relative)).toBeNull();
  });
});

describe("signedDistance", () => {
  test("is that of the reference on random labels, ignored ones too", () => {
    const labelled = fc
      .tuple(any, fc.integer({ min: 1, max: 5 }), fc.constantFrom(null, 0, 1, 100))
      .chain(([image, classes, ignoreIndex]) =>
        labelsOf(image, (random) =>
          ignoreIndex !== null && random() < 0.2 ? ignoreIndex : Math.floor(classes * random() ** 3),
        ).map((labels) => ({ ...image, labels, classes, ...(ignoreIndex === null ? {} : { ignoreIndex }) })),
      );
    const property = fc.property(labelled, ({ labels, seed: _, ...options }) => {
      const expected = reference.signedDistance(labels, options);
      const within = (x: number) => 1e-6 * Math.max(1, Math.abs(x));
      expect(firstDifference(signedDistance(labels, options), expected, within)).toBeNull();
    });
    fc.assert(property, { numRuns: 150 });
  });

  test("is 0 on the inner rim, and everywhere for a class that is absent or fills the image", () => {
    const labels = Uint8Array.of(0, 1, 1, 1, 0);
    expect([...signedDistance(labels, { shape: [1, 5], classes: 3 })]).toEqual([
      ...[0, 1, 2, 1, 0],
      ...[1, 0, -1, 0, 1],
      ...[0, 0, 0, 0, 0],
    ]);
    expect([...signedDistance(new Uint8Array(4), { shape: [2, 2], classes: 1 })]).toEqual([0, 0, 0, 0]);
  });

  test("leaves out pixels of an ignored label, whatever the type of the labels", () => {
    for (const array of labelArrays) {
      const signed = array.from([0]).fill(-1)[0] === -1;
      const ignoreIndex = signed ? -1 : 99;
      const labels = array.of(1, ignoreIndex, 0, 0);
      const map = signedDistance(labels, { shape: [1, 4], classes: 2, spacing: [1, 0.5], ignoreIndex });
      expect([...map]).toEqual([1, 0, 0, -0.5, 0, 0, 1, 1.5]);
    }
  });
});

describe("unetWeightMap", () => {
  test("is that of the reference on random instances", () => {
    const options = fc.record(
      {
        w0: fc.constantFrom(0, 1, 10, 300),
        reach: fc.constantFrom(0.3, 2, 5, 60),
        classBalance: fc.constantFrom(true, false, [0.5, 3] as const),
      },
      { requiredKeys: ["reach"] },
    );
    const property = fc.property(any, options, ({ shape, spacing, seed }, { reach, ...drawn }) => {
      const instances = boxesOf({ shape, spacing, seed }, 9);
      const both = { shape, spacing, sigma: reach * Math.min(...spacing), ...drawn };
      const expected = reference.unetWeightMap(instances, both);
      const within = (x: number) => 1e-6 * (drawn.w0 ?? 10) + 1e-6 * x;
      expect(firstDifference(unetWeightMap(instances, both), expected, within)).toBeNull();
    });
    fc.assert(property, { numRuns: 200 });
  });

  test("takes ids of any type, negative ones too", () => {
    const expected = unetWeightMap(Uint8Array.of(1, 0, 0, 2), { shape: [1, 4] });
    expect(expected[1]).toBeCloseTo(10 * Math.exp(-9 / 50), 5);
    for (const array of labelArrays) {
      expect(unetWeightMap(array.of(-1, 0, 0, 5), { shape: [1, 4] })).toEqual(expected);
    }
  });

  test("is 0 with fewer than two instances; classes of which there is no pixel weigh nothing", () => {
    expect([...unetWeightMap(Uint8Array.of(0, 4, 4, 0), { shape: [1, 4] })]).toEqual([0, 0, 0, 0]);
    const balanced = { shape: [1, 2], classBalance: true };
    expect([...unetWeightMap(new Uint8Array(2), balanced)]).toEqual([0.5, 0.5]);
    expect([...unetWeightMap(Uint8Array.of(3, 3), balanced)]).toEqual([0.5, 0.5]);
  });

  describe("on 125 nuclei, many of which touch", () => {
    const file = readFileSync(new URL("../demo/data/nuclei/instances.png", import.meta.url));
    const { data, width, height } = decode(file);
    const instances = Uint16Array.from(data);
    const [w0, sigma] = [10, 5];

    test("is that of the reference on a piece of 96×96", () => {
      const shape = [96, 96];
      const piece = Uint16Array.from({ length: 96 * 96 }, (_, i) => {
        return instances[(200 + Math.floor(i / 96)) * width + 200 + (i % 96)]!;
      });
      expect(new Set(piece).size).toBeGreaterThan(5);
      const expected = reference.unetWeightMap(piece, { shape });
      expect(firstDifference(unetWeightMap(piece, { shape }), expected, () => 1e-5)).toBeNull();
    });

    test("is that of brute force over the outlines of all cells, at every seventh pixel", () => {
      // The pixel of a cell that is nearest to one outside has a neighbour outside of the cell.
      const outlines = new Map<number, [y: number, x: number][]>();
      instances.forEach((id, i) => {
        const neighbours = [i - 1, i + 1, i - width, i + width];
        if (id === 0 || neighbours.every((j) => instances[j] === id)) return;
        outlines.set(id, [...(outlines.get(id) ?? []), [Math.floor(i / width), i % width]]);
      });
      expect(outlines.size).toBe(125);
      const map = unetWeightMap(instances, { shape: [height, width], w0, sigma });
      let [difference, largest] = [0, 0];
      for (let i = 0; i < map.length; i += 7) {
        const [y, x] = [Math.floor(i / width), i % width];
        let [nearest, second] = [Infinity, Infinity];
        for (const outline of outlines.values()) {
          let least = Infinity;
          for (const pixel of outline) least = Math.min(least, (pixel[0] - y) ** 2 + (pixel[1] - x) ** 2);
          second = Math.min(second, Math.max(nearest, least));
          nearest = Math.min(nearest, least);
        }
        const sum = Math.sqrt(nearest) + Math.sqrt(second);
        const expected = instances[i] === 0 ? w0 * Math.exp(-(sum ** 2) / (2 * sigma ** 2)) : 0;
        difference = Math.max(difference, Math.abs(map[i]! - expected));
        largest = Math.max(largest, expected);
      }
      expect(largest).toBeGreaterThan(8);
      expect(difference).toBeLessThanOrEqual(1e-5);
    });
  });
});

describe("arguments that no map takes", () => {
  const four = new Uint8Array(4);
  const shape = [2, 2];
  const bad: readonly [() => unknown, code: string, message: RegExp][] = [
    [() => distanceTransform(four, undefined as never), "invalid-argument", /options are undefined.*shape/],
    [() => distanceTransform(four, {} as never), "invalid-shape", /shape is undefined/],
    [() => distanceTransform(four, { shape: [2, 3] }), "invalid-length", /mask has length 4.*asks for 6/],
    [() => distanceTransform(four, { shape: [4] }), "invalid-shape", /shape has 1 entries/],
    [() => distanceTransform(four, { shape: [2.5, 2] }), "invalid-shape", /shape\[0\] is 2.5/],
    [() => distanceTransform([0, 1] as never, { shape: [1, 2] }), "invalid-array", /mask is an array/],
    [() => distanceTransform(four, { shape, spacing: [1, 0] }), "invalid-batch", /spacing\[1\] is 0/],
    [() => distanceTransform(four, { shape, spacing: [1] }), "invalid-batch", /spacing has 1 entries/],
    [
      () => distanceTransform(four, { shape, sampling: [1, 1] } as never),
      "unknown-option",
      /"sampling".*spacing/,
    ],
    [() => signedDistance(four, { shape } as never), "invalid-argument", /classes is undefined/],
    [() => signedDistance(four, { shape, classes: 0 }), "invalid-argument", /classes is 0.*≥ 1/],
    [
      () => signedDistance(Uint8Array.of(0, 1, 2, 0), { shape, classes: 2 }),
      "invalid-label",
      /labels\[2\] is 2.*0 to 1/,
    ],
    [
      () => signedDistance(Int8Array.of(0, 1, 1, -1), { shape, classes: 2 }),
      "invalid-label",
      /labels\[3\] is -1/,
    ],
    [
      () => signedDistance(four, { shape, classes: 2, ignoreIndex: 0.5 }),
      "invalid-argument",
      /ignoreIndex is 0.5/,
    ],
    [
      () => signedDistance(new Float32Array(4) as never, { shape, classes: 2 }),
      "invalid-array",
      /labels is a Float32Array/,
    ],
    [() => signedDistance(four, { shape, classes: 2 ** 52 }), "invalid-argument", /classes is .*65536/],
    [() => unetWeightMap(new Float32Array(4) as never, { shape }), "invalid-array", /instances/],
    [() => unetWeightMap(four, { shape, sigma: 0 }), "invalid-option", /sigma is 0.*> 0/],
    [() => unetWeightMap(four, { shape, w0: -1 }), "invalid-option", /w0 is -1.*≥ 0/],
    [() => unetWeightMap(four, { shape, classBalance: [1] as never }), "invalid-option", /classBalance/],
    [
      () => unetWeightMap(four, { shape, classBalance: [1, Number.NaN] }),
      "invalid-option",
      /classBalance\[1\] is NaN/,
    ],
  ];
  for (const [run, code, message] of bad) {
    test(`${code}: ${message.source}`, () => {
      expect(run).toThrow(message);
      expect(run).toThrow(expect.objectContaining({ code }));
      expect(run).toThrow(SegradError as never);
    });
  }
});
