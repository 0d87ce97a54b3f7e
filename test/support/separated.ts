/** Whether float32 sorts the errors of a Lovász loss as float64 does. */
import type { Part } from "../../ts/loss/resolve.ts";
import { selectPairs } from "../../ts/reference/pairs.ts";
import type { Planes } from "../../ts/reference/planes.ts";

/**
 * No two errors of a pair lie closer together than rounding could reach. Errors of 0 may: they all stay 0. So may
 * those of pixels of weight 0, which are 0 too.
 */
export function separated(part: Part, planes: Planes): boolean {
  if (part.kind !== "lovaszHinge" && part.kind !== "lovaszSoftmax") return true;
  const classes = part.kind === "lovaszHinge" ? "all" : part.options.classes;
  const pairs = selectPairs(planes, part.options.over, classes);
  const groups: number[][] = Array.from({ length: pairs.count }, () => []);
  pairs.pair.forEach((pair, i) => {
    if (pair >= 0) groups[pair]!.push(errorOf(part.kind, planes, i));
  });
  // A hinge is a difference from 1, and as accurate as that.
  const least = part.kind === "lovaszHinge" ? 1 : 0;
  return groups.every((errors) => {
    errors.sort((a, b) => b - a);
    return errors.every((error, rank) => {
      const next = errors[rank + 1];
      return next === undefined || error === 0 || error - next > 1e-5 * Math.max(error, least);
    });
  });
}

function errorOf(kind: "lovaszHinge" | "lovaszSoftmax", planes: Planes, i: number): number {
  const positive = planes.y[i]! > 0.5;
  const z = planes.logits.value[i]!;
  const error =
    kind === "lovaszHinge"
      ? Math.max(0, 1 + (positive ? -z : z))
      : (positive ? planes.q : planes.p).value[i]!;
  return planes.weight[i]! * error;
}
