/** What the losses of single pixels share: a sum over what each label can be. */
import type { Kind, OptionsOf } from "../loss/index.ts";
import type { Outcome } from "./activation.ts";
import type { Planes } from "./planes.ts";
import type { Vector } from "./tape.ts";

/** A loss that is a sum over pixels, divided by a number that depends on the target alone. */
export interface PixelLosses {
  /** The loss of each (image, channel, pixel); 0 where ignored. */
  readonly losses: Vector;
  /** What the sum is divided by. */
  readonly divisor: number;
}

/** The definition of a loss of single pixels. */
export type PixelLoss<K extends Kind> = (planes: Planes, options: OptionsOf<K>) => PixelLosses;

/**
 * Σ over outcomes of ω · share · weight · shape(u, 1 − p), for every entry: u and p are the surprise and the
 * probability of the outcome, and `weight` is its factor in channel `channel` of image `image`.
 */
export function pixelwise(
  planes: Planes,
  shape: (surprise: Vector, doubt: Vector) => Vector,
  weight: (outcome: Outcome, channel: number, image: number) => number = () => 1,
): Vector {
  return planes.outcomes
    .map((outcome) => {
      const factors = planes.weight.map(
        (w, i) => w * outcome.share[i]! * weight(outcome, planes.channel(i), planes.image(i)),
      );
      return shape(outcome.surprise, outcome.doubt).times(factors);
    })
    .reduce((sum, losses) => sum.plus(losses));
}

/** The divisor of `reduction`: 1 for a sum, else `count`. */
export function divisorOf(reduction: "mean" | "sum", count: number): number {
  return reduction === "sum" ? 1 : count;
}
