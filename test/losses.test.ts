/** Every loss of the table through the WebAssembly core: golden cases, and the float64 reference on random cases. */
import fc from "fast-check";
import {
  boundary,
  crossEntropy,
  dice,
  focal,
  jaccard,
  type LossSpec,
  losses,
  sum,
  valueAndGrad,
} from "segrad";
import * as reference from "segrad/reference";
import { describe, expect, test } from "vitest";
import type { Kind } from "../ts/loss/index.ts";
import { resolveLoss } from "../ts/loss/resolve.ts";
import { buildBatch, cases, type Recipe } from "./support/arbitrary.ts";
import { difference, expectAgreement, largest, precision } from "./support/compare.ts";
import { type GoldenCase, goldenCases } from "./support/golden.ts";
import { transposed } from "./support/layout.ts";

/** The same cases every time; `SEED=2 RUNS=10 npx vitest run test/losses.test.ts` draws others, and ten times as many. */
const { SEED: seed = "1", RUNS: runs = "1" } = process.env;
const often = (numRuns: number) => ({ seed: Number(seed), numRuns: numRuns * Number(runs) });

const kinds = Object.keys(losses) as Kind[];

function expectGolden({ loss, batch, value, grad }: GoldenCase) {
  const result = valueAndGrad(loss, batch);
  expect(Math.abs(result.value - value)).toBeLessThanOrEqual(precision * Math.max(1, Math.abs(value)));
  expect(difference(result.grad, grad)).toBeLessThanOrEqual(precision * largest(grad));
}

const involves = (loss: LossSpec, kind: Kind) => resolveLoss(loss).parts.some((part) => part.kind === kind);

describe.each(kinds)("%s", (kind) => {
  const golden = goldenCases.filter(({ loss }) => involves(loss, kind));

  test.each(golden)("$name is what $source says", expectGolden);

  test.each([
    ["moderate", 150],
    ["extreme", 100],
  ] as const)("agrees with the reference on %s logits", (logits, numRuns) => {
    let [tried, compared] = [0, 0];
    const property = fc.property(cases({ kinds: [kind], sums: false, logits }), ({ loss, batch }) => {
      tried++;
      if (expectAgreement(loss, batch)) compared++;
    });
    fc.assert(property, often(numRuns));
    expect(compared).toBeGreaterThan((leastCompared[kind]?.[logits] ?? 0.9) * tried);
  });
});

/** Losses that jump have no gradient to compare on part of the cases: ties are common among extreme logits. */
const leastCompared: { readonly [kind: string]: { moderate: number; extreme: number } } = {
  lovaszHinge: { moderate: 0.6, extreme: 0.3 },
  lovaszSoftmax: { moderate: 0.5, extreme: 0.1 },
  hausdorffDT: { moderate: 0.9, extreme: 0.6 },
};

test("every loss has a golden case", () => {
  for (const kind of kinds) expect(goldenCases.some(({ loss }) => involves(loss, kind))).toBe(true);
});

/** Hard targets, nothing ignored or weighted, whole tiles: the quickest ways through the core. */
const plainRecipe: Omit<Recipe, "mode" | "channels" | "distance"> = {
  images: 2,
  spatial: [4, 12],
  channelsLast: false,
  fromLogits: true,
  target: "uint8",
  ignored: 0,
  pixelWeights: false,
  spacing: null,
  logits: "moderate",
  seed: 5,
};

/** Every pair of losses, in every mode: what one needs of the sweeps must not starve the other. */
describe.each(kinds)("%s in a sum", (kind) => {
  test.each(["binary", "multilabel", "multiclass"] as const)("beside each other loss, %s", (mode) => {
    const batches = [false, true].map((distance) => ({
      ...buildBatch({ ...plainRecipe, mode, channels: mode === "binary" ? 1 : 3, distance }),
      spacing: [1, 2],
    }));
    for (const other of kinds.slice(kinds.indexOf(kind))) {
      if ([kind, other].some((each) => losses[each].needs?.modes.includes(mode) === false)) continue;
      for (const batch of batches) expectAgreement(sum([{ kind }, [2, { kind: other }]]), batch);
    }
  });
});

test("sums of losses agree with the reference, terms and all", () => {
  const property = fc.property(cases(), ({ loss, batch }) => {
    expectAgreement(loss, batch);
  });
  fc.assert(property, often(400));
});

test("sums of losses agree with the reference on extreme logits", () => {
  const property = fc.property(cases({ logits: "extreme" }), ({ loss, batch }) => {
    expectAgreement(loss, batch);
  });
  fc.assert(property, often(200));
});

test("the reference and the core know the same losses", () => {
  expect(Object.keys(reference.losses)).toEqual(kinds);
});

/** What one loss keeps in place of rows must not be what another reads of them. */
test.each([2, 3, 4, 5, 21])(
  "cross-entropy with overlap losses of %i classes is what the reference says",
  (channels) => {
    const pixels = 300;
    const logits = Float32Array.from({ length: channels * pixels }, (_, i) => 3 * Math.sin(i * i));
    const target = Uint8Array.from({ length: pixels }, (_, i) => (7 * i + (i >> 3)) % channels);
    const batch = { logits, target, shape: [1, channels, 15, 20] };
    for (const loss of [
      sum([crossEntropy(), jaccard()]),
      sum([dice(), focal()]),
      sum([dice(), boundary()]),
    ]) {
      expect(expectAgreement(loss, batch)).toBe(true);
    }
  },
);

/** Whole tiles, what is left of them, and tiles with a logit beyond what exp can take are swept by code of their own. */
test.each([2, 3, 4, 5, 21])(
  "%i classes over several tiles, in both layouts, are what the reference says",
  (channels) => {
    const [height, width] = [29, 71];
    const pixels = height * width;
    const logits = Float32Array.from({ length: channels * pixels }, (_, i) => 3 * Math.sin(i * i));
    logits[1234] = 150;
    logits[2045] = -150;
    const target = Uint8Array.from({ length: pixels }, (_, i) =>
      i % 11 === 3 ? 255 : (7 * i + (i >> 3)) % channels,
    );
    const batch = { logits, target, shape: [1, channels, height, width], ignoreIndex: 255 };
    const [crossEntropyFocal, all] = [
      sum([crossEntropy(), focal()]),
      sum([crossEntropy(), dice(), focal({ alpha: 0.25 })]),
    ];
    for (const loss of [crossEntropy(), focal(), crossEntropyFocal, all]) {
      for (const laidOut of [batch, transposed(batch)]) {
        expect(expectAgreement(loss, laidOut)).toBe(true);
      }
    }
  },
);

test.each([1, 2])(
  "%i channels of labels over several tiles, in both layouts, are what the reference says",
  (channels) => {
    const [height, width] = [131, 127];
    const elements = channels * height * width;
    const logits = Float32Array.from({ length: elements }, (_, i) => 4 * Math.sin(i * i));
    logits[1234] = 150;
    const target = Uint8Array.from({ length: elements }, (_, i) => ((i >> 4) + (i >> 9)) % 2);
    const distance = Float32Array.from({ length: elements }, (_, i) => 5 * Math.cos(i / 7));
    const mode = channels === 1 ? "binary" : "multilabel";
    const batch = { logits, target, shape: [1, channels, height, width], distance, mode } as const;
    for (const loss of [
      sum([dice(), focal()]),
      sum([dice(), boundary()]),
      sum([[0.5, boundary()], dice(), [2, focal({ alpha: 0.25 })]]),
      sum([crossEntropy(), jaccard(), focal()]),
    ]) {
      for (const laidOut of [batch, transposed(batch)]) {
        expect(expectAgreement(loss, laidOut)).toBe(true);
      }
    }
  },
);
