/** What the losses of whole sets share: the (image, class) pairs they look at. */
import type { Kind, OptionsOf } from "../loss/index.ts";
import type { Classes } from "../option.ts";
import type { Planes } from "./planes.ts";
import type { Vector } from "./tape.ts";

/** The definition of a loss of whole sets: its value, a vector of length 1. */
export type SetLoss<K extends Kind> = (planes: Planes, options: OptionsOf<K>) => Vector;

/** The pairs a loss averages over. With `over: "batch"` all images count as one. */
export interface Pairs {
  readonly count: number;
  /** Valid pixels of all pairs together. */
  readonly pixels: number;
  /** The pair of each entry of the planes; −1 where it is ignored or its pair does not take part. */
  readonly pair: Int32Array;
  /** The image of each pair, numbered from 0 without gaps, and how many there are. */
  readonly image: Int32Array;
  readonly images: number;
  /** Σ ω x per pair. */
  sum(x: Vector): Vector;
  /** Σ ω x per pair, of constants. */
  total(x: Float64Array): Float64Array;
}

/** A pair takes part if its class is selected and it has a valid pixel. */
export function selectPairs(planes: Planes, over: "image" | "batch", classes: Classes): Pairs {
  const { channels, images } = planes.batch;
  const cell = (i: number) => (over === "image" ? planes.image(i) * channels : 0) + planes.channel(i);
  const cells = over === "image" ? images * channels : channels;
  const valid = new Float64Array(cells);
  const present = new Float64Array(cells);
  planes.valid.forEach((v, i) => {
    valid[cell(i)]! += v;
    present[cell(i)]! += planes.y[i]!;
  });

  const selected = [...valid.keys()].filter((c) => {
    if (valid[c] === 0) return false;
    if (classes === "all") return true;
    return classes === "present" ? present[c]! > 0 : classes.includes(c % channels);
  });
  const number = new Map(selected.map((c, index) => [c, index]));
  const imagesSeen = [...new Set(selected.map((c) => Math.floor(c / channels)))];
  const pair = Int32Array.from(planes.valid, (v, i) => (v === 0 ? -1 : (number.get(cell(i)) ?? -1)));

  const count = selected.length;
  return {
    count,
    pixels: pair.filter((index) => index >= 0).length,
    pair,
    image: Int32Array.from(selected, (c) => imagesSeen.indexOf(Math.floor(c / channels))),
    images: imagesSeen.length,
    sum: (x) => x.times(planes.weight).sumBy(pair, count),
    total(x) {
      const sums = new Float64Array(count);
      x.forEach((value, i) => {
        if (pair[i]! >= 0) sums[pair[i]!]! += planes.weight[i]! * value;
      });
      return sums;
    },
  };
}

/** The soft counts of each pair: TP = Σ ω p y, FP = Σ ω p (1−y), FN = Σ ω (1−p) y. */
export function confusion(planes: Planes, pairs: Pairs) {
  const not = planes.y.map((y) => 1 - y);
  return {
    truePositive: pairs.sum(planes.p.times(planes.y)),
    falsePositive: pairs.sum(planes.p.times(not)),
    falseNegative: pairs.sum(planes.q.times(planes.y)),
  };
}

/** Applies `f` to the entries of each (image, channel) plane, and lays its answers out as planes. */
export function mapCells(planes: Planes, f: (cell: number[]) => Float64Array): Float64Array {
  const { images, channels, pixels } = planes.batch;
  const result = new Float64Array(images * channels * pixels);
  for (let first = 0; first < result.length; first += pixels) {
    result.set(f(Array.from({ length: pixels }, (_, i) => first + i)), first);
  }
  return result;
}
