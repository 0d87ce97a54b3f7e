/** One table on each side: the core's and TypeScript's name the same losses and options, and every loss has its rooms. */
import { readdirSync, readFileSync } from "node:fs";
import { losses } from "segrad";
import { expect, test } from "vitest";
import { coreName } from "../ts/core/objective.ts";
import type { Kind } from "../ts/loss/index.ts";
import type { Option } from "../ts/option.ts";

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const namesIn = (folder: string) =>
  readdirSync(new URL(`../${folder}`, import.meta.url)).map((name) => name.replace(/\..*/, ""));
const kinds = Object.keys(losses) as Kind[];

/** Methods of the core's objective that take a weight first: its losses, as wasm-bindgen declares them. */
function coreTable(): { name: string; options: { name: string; type: string }[] }[] {
  const objective = /export class Objective \{([\s\S]*?)\n\}/.exec(read("pkg/segrad.d.ts"))![1]!;
  return [...objective.matchAll(/^ {4}(\w+)\(weight: number(?:, )?(.*)\): void;$/gm)].map(
    ([, name, options]) => ({
      name: name!,
      options: options!.split(", ").map((option) => {
        const [name, type] = option.split(": ");
        return { name: name!, type: type! };
      }),
    }),
  );
}

/** What a core takes for an option: a flag as itself, all else as numbers, lists behind pointers. */
const coreType = (option: Option<unknown>) => (option.type === "flag" ? "boolean" : "number");

test("the core has exactly the losses of the table", () => {
  const names = coreTable().map(({ name }) => name);
  expect(names.sort()).toEqual(kinds.map(coreName).sort());
});

test.each(kinds)("the core takes the options of %s, in their order", (kind) => {
  const options: Record<string, Option<unknown>> = losses[kind].options;
  const { options: ofCore } = coreTable().find(({ name }) => name === coreName(kind))!;
  expect(ofCore).toEqual(
    Object.entries(options).map(([name, option]) => ({ name: coreName(name), type: coreType(option) })),
  );
});

test("names of the core are the names in snake case", () => {
  expect(["dice", "focalTversky", "hausdorffDT", "lovaszSoftmax"].map(coreName)).toEqual([
    "dice",
    "focal_tversky",
    "hausdorff_dt",
    "lovasz_softmax",
  ]);
});

test("every loss has one file on each side and in the reference, and there is no other", () => {
  const shared = {
    "ts/loss": ["index", "fit", "resolve", "sum"],
    "crate/src/loss": [
      ...["mod", "overlap", "planar", "pointwise", "lovasz", "lovasz_extension", "parts", "smoothing"],
    ],
    "ts/reference": [
      ...["index", "evaluate", "activation", "distance", "labels", "lovasz", "maps", "metrics"],
      ...["pairs", "pixelwise", "planes", "tape"],
    ],
  };
  for (const [folder, others] of Object.entries(shared)) {
    const expected = kinds.map((kind) => (folder.startsWith("crate") ? coreName(kind) : kind));
    expect([...new Set(namesIn(folder))].sort(), folder).toEqual([...expected, ...others].sort());
  }
});

test.each(kinds)("%s tells its formula, shapes, errors and source, and documents every option", (kind) => {
  const source = read(`ts/loss/${kind}.ts`);
  const docstring = /\/\*\*([\s\S]*?)\*\/\nexport const/.exec(source)?.[1] ?? "";
  for (const part of ["Shapes:", "@example", "@remarks"]) expect(docstring).toContain(part);
  expect(docstring, "a source").toMatch(/\b(19|20)\d\d\b|PyTorch/);
  for (const name of Object.keys(losses[kind].options)) {
    expect(source, name).toMatch(new RegExp(`/\\*\\*[^]+?\\*/\\s+${name}:`));
  }
});

test("the README has a row for every loss, with its options and their defaults", () => {
  const rows = read("README.md").matchAll(/^\| \[`(\w+)`\]\((\S+)\) \|.*\| (.*) \|$/gm);
  const table = new Map([...rows].map(([, kind, file, options]) => [kind!, { file, options }]));
  expect([...table.keys()]).toEqual([...kinds, "sum"]);
  for (const kind of kinds) {
    const { file, options } = table.get(kind)!;
    expect(file).toBe(`ts/loss/${kind}.ts`);
    const expected = Object.entries(losses[kind].options as Record<string, Option<unknown>>).map(
      ([name, option]) => `\`${name}\` (${inWords(option.default)})`,
    );
    expect(options, kind).toBe(expected.join(", "));
  }
});

function inWords(value: unknown): string {
  if (value === null) return "none";
  if (value === Math.E) return "e";
  return typeof value === "number" && value < 1e-3 && value > 0 ? value.toExponential() : String(value);
}
