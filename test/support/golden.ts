/** Reads test/golden/public.json: values from PyTorch, MONAI, kornia, SciPy and closed forms, in float64. */
import { readFileSync } from "node:fs";
import type { Batch } from "../../ts/batch.ts";
import type { PlainLoss } from "../../ts/loss/index.ts";

/** A loss on a batch, with the value and the gradient it should have. */
export interface GoldenCase {
  readonly name: string;
  readonly source: string;
  readonly loss: PlainLoss;
  readonly batch: Batch;
  readonly value: number;
  readonly grad: number[];
}

/** A map function by name, its arguments, and what it should return. */
export interface GoldenMap {
  readonly name: string;
  readonly source: string;
  readonly args: { readonly shape: number[]; readonly [name: string]: unknown };
  readonly input: Int32Array;
  readonly output: number[];
}

const arrays = { uint8: Uint8Array, int32: Int32Array, float32: Float32Array };

/** Turns `{ type, data }` into a typed array, and logits, which come as bare lists, into a Float32Array. */
function revive(name: string, value: unknown): unknown {
  if (name === "logits") return Float32Array.from(value as number[]);
  if (typeof value !== "object" || value === null || !("type" in value && "data" in value)) return value;
  const array = arrays[value.type as keyof typeof arrays];
  if (array === undefined) throw new Error(`golden: unknown array type ${value.type}`);
  return array.from(value.data as number[]);
}

const text = readFileSync(new URL("../golden/public.json", import.meta.url), "utf8");
const golden = JSON.parse(text, revive) as { cases: GoldenCase[]; maps: GoldenMap[] };

export const goldenCases: readonly GoldenCase[] = golden.cases;
export const goldenMaps: readonly GoldenMap[] = golden.maps;
