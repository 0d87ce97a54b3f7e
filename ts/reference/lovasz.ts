/** The Lovász extension of the Jaccard loss. */
import type { Pairs } from "./pairs.ts";
import type { Vector } from "./tape.ts";

/** Mean over pairs of Σ_i g_i errors_i, where g depends on the order of the errors alone. */
export function lovasz(pairs: Pairs, errors: Vector, isPositive: (i: number) => boolean): Vector {
  const members: number[][] = Array.from({ length: pairs.count }, () => []);
  pairs.pair.forEach((pair, i) => {
    if (pair >= 0) members[pair]!.push(i);
  });
  const growth = new Float64Array(errors.value.length);
  for (const group of members) {
    const weights = jaccardGrowth(
      group.map((i) => errors.value[i]!),
      group.map(isPositive),
    );
    group.forEach((i, rank) => {
      growth[i] = weights[rank]!;
    });
  }
  // Piecewise linear in the errors, so g is the gradient as well as the weight.
  return errors.times(growth).sum().over(pairs.count, 0);
}

/**
 * How much each pixel adds to the Jaccard loss when pixels turn wrong one after the other, the largest error first.
 * Of equal errors the positives turn first, and each gets the same share of what they add together; then the
 * negatives likewise. That is a mean over orders that are all allowed, so it stays a subgradient.
 */
export function jaccardGrowth(errors: readonly number[], positive: readonly boolean[]): Float64Array {
  const foreground = positive.filter(Boolean).length;
  const loss = (misses: number, alarms: number) =>
    misses + alarms === 0 ? 0 : 1 - (foreground - misses) / (foreground + alarms);
  // NaN counts as the largest, so that it reaches the value.
  const key = errors.map((error) => (Number.isNaN(error) ? Infinity : error));
  const order = [...errors.keys()].sort((i, j) =>
    key[i] === key[j] ? Number(positive[j]) - Number(positive[i]) : key[j]! - key[i]!,
  );

  const growth = new Float64Array(errors.length);
  let misses = 0;
  let alarms = 0;
  for (let start = 0; start < order.length; ) {
    const [error, side] = [key[order[start]!], positive[order[start]!]];
    let end = start + 1;
    while (end < order.length && key[order[end]!] === error && positive[order[end]!] === side) end++;
    const before = loss(misses, alarms);
    if (side) misses += end - start;
    else alarms += end - start;
    const share = (loss(misses, alarms) - before) / (end - start);
    for (const i of order.slice(start, end)) growth[i] = share;
    start = end;
  }
  return growth;
}
