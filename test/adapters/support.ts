/** Small batches for the tests of the adapters. */
import { random } from "../../demo/random.ts";

/** `length` numbers that look random and are the same on every run. */
export function noise(length: number, seed: number, scale = 1): Float32Array {
  const { normal } = random(seed);
  return Float32Array.from({ length }, () => scale * normal());
}

/** `length` class numbers below `classes`. */
export function classNumbers(length: number, classes: number, seed: number): Int32Array {
  const { below } = random(seed);
  return Int32Array.from({ length }, () => below(classes));
}

/** The largest difference between two lists of numbers of the same length. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} numbers against ${b.length}`);
  return Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
}

/** Dice of a mask against the truth, 1 where the logit is positive. */
export function diceOf(logits: ArrayLike<number>, truth: ArrayLike<number>): number {
  let [both, either] = [0, 0];
  for (let i = 0; i < truth.length; i++) {
    const predicted = logits[i]! > 0 ? 1 : 0;
    both += predicted * truth[i]!;
    either += predicted + truth[i]!;
  }
  return (2 * both) / either;
}
