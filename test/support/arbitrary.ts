/**
 * Random losses on random batches that go together, for property tests. Losses are made from the option rows of the
 * table, so a new loss or option takes part without a line here. Structure is drawn by fast-check, which can shrink
 * it; the numbers in the arrays follow from `seed`. A failing case prints its recipe instead of its arrays.
 */
import fc from "fast-check";
import type { Batch, Labels, Mode } from "../../ts/batch.ts";
import type { Loss } from "../../ts/loss/index.ts";
import { type Kind, losses, sum } from "../../ts/loss/index.ts";
import type { Bounds, NumbersOption, Option } from "../../ts/option.ts";

/** How the logits are drawn: within ±8; or also tiny, huge (±1e4), zero and repeated. */
export type Logits = "moderate" | "extreme";

export interface CaseOptions {
  /** The kinds to draw from; every kind of the table by default. */
  readonly kinds?: readonly Kind[];
  readonly logits?: Logits;
  /** Most pixels per image and most channels. */
  readonly mostPixels?: number;
  readonly mostChannels?: number;
  /** Whether sums of several terms are drawn too (true). */
  readonly sums?: boolean;
}

/** A loss and a batch for it. */
export interface Case {
  readonly loss: Loss;
  readonly batch: Batch;
  readonly recipe: Recipe;
}

/** What a batch is built from. */
export interface Recipe {
  readonly mode: Mode;
  readonly images: number;
  readonly channels: number;
  readonly spatial: readonly number[];
  readonly channelsLast: boolean;
  readonly fromLogits: boolean;
  readonly target: keyof typeof labelArraysByType | "soft" | "oneHot";
  /** Share of ignored labels; 0 sets no `ignoreIndex`. Integer targets only. */
  readonly ignored: 0 | 0.3 | 1;
  readonly pixelWeights: boolean;
  readonly distance: boolean;
  readonly spacing: readonly number[] | null;
  readonly logits: Logits;
  readonly seed: number;
}

/** The arrays that labels come in, by the name `allocate` has for their type. */
export const labelArraysByType = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
};

/** Valid (loss, batch) pairs. */
export function cases(options: CaseOptions = {}): fc.Arbitrary<Case> {
  const { kinds = Object.keys(losses) as Kind[], sums = true } = options;
  const usable = recipes(options).filter((recipe) => kinds.some((kind) => fits(kind, recipe)));
  return usable.chain((recipe) => {
    const fitting = kinds.filter((kind) => fits(kind, recipe));
    const one = fc.constantFrom(...fitting).chain((kind) => lossOf(kind, recipe));
    const many = fc
      .array(fc.tuple(fc.constantFrom(-1, 0.25, 1, 2), one), { minLength: 1, maxLength: 4 })
      .map((terms) => sum(terms));
    const nested = fc.tuple(one, many).map(([first, rest]) => sum([first, [0.5, rest]]));
    const loss = sums
      ? fc.oneof(
          { weight: 6, arbitrary: one },
          { weight: 2, arbitrary: many },
          { weight: 1, arbitrary: nested },
        )
      : one;
    return loss.map((drawn) => withRecipe({ loss: drawn as Loss, batch: buildBatch(recipe), recipe }));
  });
}

/** Shows the recipe of a failing case in place of its arrays. */
function withRecipe(drawn: Case): Case {
  const text = () => JSON.stringify({ loss: drawn.loss, recipe: drawn.recipe });
  return Object.defineProperty(drawn, fc.toStringMethod, { value: text, enumerable: false });
}

function fits(kind: Kind, { mode, fromLogits }: Recipe): boolean {
  const { needs } = losses[kind];
  return needs === null || (needs.modes.includes(mode) && (fromLogits || !needs.logits));
}

/** Batches of every mode, layout, target type and odd size. */
export function recipes(options: CaseOptions = {}): fc.Arbitrary<Recipe> {
  const { mostPixels = 120, mostChannels = 30, logits = "moderate" } = options;
  const side = fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 13 }));
  const spatial = fc
    .oneof(
      { weight: 2, arbitrary: fc.array(side, { minLength: 2, maxLength: 2 }) },
      { weight: 2, arbitrary: fc.array(side, { minLength: 3, maxLength: 3 }) },
      // Whole tiles without a remainder, which the core has quicker ways for.
      { weight: 1, arbitrary: fc.constantFrom([4, 4], [2, 16], [4, 12], [2, 2, 4], [4, 4, 4]) },
    )
    .filter((sides) => sides.reduce((product, size) => product * size, 1) <= mostPixels);
  const mode = fc.constantFrom<Mode>("binary", "multilabel", "multiclass", "multiclass");
  const channels = fc.oneof(
    // Up to five classes fit into the core's registers; seven are two groups of different size.
    { weight: 4, arbitrary: fc.integer({ min: 1, max: Math.min(7, mostChannels) }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: mostChannels }) },
  );
  const names = Object.keys(labelArraysByType) as (keyof typeof labelArraysByType)[];
  const target = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom<Recipe["target"]>(...names) },
    { weight: 1, arbitrary: fc.constantFrom<Recipe["target"]>("soft", "oneHot") },
  );
  return fc
    .record({
      mode,
      images: fc.integer({ min: 1, max: 3 }),
      channels,
      spatial,
      channelsLast: fc.boolean(),
      fromLogits: fc.oneof(
        { weight: 4, arbitrary: fc.constant(true) },
        { weight: 1, arbitrary: fc.constant(false) },
      ),
      target,
      ignored: fc.constantFrom<0 | 0.3 | 1>(0, 0, 0, 0.3, 0.3, 0.3, 1),
      pixelWeights: fc.boolean(),
      distance: fc.oneof(
        { weight: 4, arbitrary: fc.constant(false) },
        { weight: 1, arbitrary: fc.constant(true) },
      ),
      spacing: fc.option(fc.array(fc.constantFrom(0.25, 0.7, 1, 3), { minLength: 3, maxLength: 3 })),
      logits: fc.constant(logits),
      seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    })
    .map((recipe) => ({
      ...recipe,
      channels: recipe.mode === "binary" ? 1 : recipe.channels,
      ignored: isHard(recipe.target) ? recipe.ignored : 0,
      spacing: recipe.spacing?.slice(0, recipe.spatial.length) ?? null,
    }));
}

function isHard(target: Recipe["target"]): target is keyof typeof labelArraysByType {
  return target in labelArraysByType;
}

/** The loss `kind` with random options that fit the batch. */
export function lossOf(kind: Kind, recipe: Pick<Recipe, "channels" | "spatial">): fc.Arbitrary<Loss> {
  const rows: { readonly [name: string]: Option<unknown> } = losses[kind].options;
  const values: { [name: string]: fc.Arbitrary<unknown> } = {};
  for (const [name, row] of Object.entries(rows)) values[name] = optionOf(row, recipe);
  const make = losses[kind] as (options: object) => Loss;
  return fc.record(values, { requiredKeys: [] }).map(make);
}

/** A value of any kind of option. Numbers are multiples of 1/8 inside their bounds, exact in float32. */
function optionOf(row: Option<unknown>, { channels, spatial }: Pick<Recipe, "channels" | "spatial">) {
  switch (row.type) {
    case "number":
      return numberIn(row as Bounds);
    case "numberOrAuto":
      return fc.oneof(fc.constant("auto"), numberIn(row as Bounds));
    case "flag":
      return fc.boolean();
    case "choice":
      return fc.constantFrom(...(row as unknown as { choices: string[] }).choices);
    case "classes":
      return fc.oneof(
        fc.constantFrom("all", "present"),
        fc.uniqueArray(fc.integer({ min: 0, max: channels - 1 }), { minLength: 1, maxLength: channels }),
      );
    case "numbers": {
      const { per, single, ...bounds } = row as NumbersOption<unknown>;
      const length = per === "class" ? channels : spatial.length;
      const list = fc.array(numberIn(bounds), { minLength: length, maxLength: length });
      return fc.oneof(fc.constant(null), list, ...(single === undefined ? [] : [numberIn(single)]));
    }
  }
}

/** Strictly inside open bounds and off the lower end of closed ones, where losses may have no slope. */
function numberIn({ min, max, above, below }: Bounds): fc.Arbitrary<number> {
  const low = min ?? above ?? -2;
  const high = max ?? below ?? low + 3;
  return fc.integer({ min: 1, max: Math.max(1, Math.floor((high - low) * 8)) }).map((k) => low + k / 8);
}

/** Uniform numbers in [0, 1) from a seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The batch of a recipe. */
export function buildBatch(recipe: Recipe): Batch {
  const { mode, images, channels, spatial, channelsLast, fromLogits } = recipe;
  const random = randomNumbers(recipe.seed);
  const pixels = spatial.reduce((product, size) => product * size, 1);
  const elements = images * channels * pixels;
  const floats = (length: number, draw: () => number) => Float32Array.from({ length }, draw);

  const logits = floats(elements, () => {
    if (!fromLogits) return 0.001 + 0.998 * random();
    return recipe.logits === "moderate" ? 16 * random() - 8 : extremeLogit(random);
  });
  return {
    logits,
    target: buildTarget(recipe, mode === "multiclass" ? images * pixels : elements, elements, random),
    shape: channelsLast ? [images, ...spatial, channels] : [images, channels, ...spatial],
    mode,
    layout: channelsLast ? "channels-last" : "channels-first",
    fromLogits,
    ...(recipe.ignored > 0 && isHard(recipe.target) ? { ignoreIndex: ignoreIndexOf(recipe.target) } : {}),
    ...(recipe.pixelWeights
      ? { pixelWeights: floats(images * pixels, () => (random() < 0.1 ? 0 : 2 * random())) }
      : {}),
    ...(recipe.distance ? { distance: floats(elements, () => 10 * random() - 5) } : {}),
    ...(recipe.spacing === null ? {} : { spacing: recipe.spacing }),
  };
}

function buildTarget(
  recipe: Recipe,
  labels: number,
  elements: number,
  random: () => number,
): Labels | Float32Array {
  const { target, ignored, mode, channels } = recipe;
  if (!isHard(target)) {
    return Float32Array.from({ length: elements }, () =>
      target === "soft" ? random() : Math.round(random()),
    );
  }
  // Some classes are rare, so that they are absent from some images.
  const classes = mode === "multiclass" ? channels : 2;
  const draw = () => Math.floor(classes * random() ** 2);
  const ignoreIndex = ignoreIndexOf(target);
  const array = labelArraysByType[target] as typeof Int32Array; // all have the same `from`
  return array.from({ length: labels }, () => (random() < ignored ? ignoreIndex : draw()));
}

/** Outside of the classes for most types; for the widest ones, a class. */
function ignoreIndexOf(target: keyof typeof labelArraysByType): number {
  return { uint8: 255, int8: -1, uint16: 65_535, int16: -100, uint32: 0, int32: 1 }[target];
}

function extremeLogit(random: () => number): number {
  const [kind, sign] = [random(), random() < 0.5 ? -1 : 1];
  if (kind < 0.4) return 16 * random() - 8;
  if (kind < 0.6) return sign * 200 * random();
  if (kind < 0.8) return sign * 1e4 * random();
  if (kind < 0.9) return sign * 1e-30;
  return sign * Math.floor(3 * random()); // repeated, often 0
}
