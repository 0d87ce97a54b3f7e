import { metrics } from "../ts/core/entry/node.ts";
import type { Half } from "./images.ts";
import { separatedPairs, touchingPairs } from "./nuclei.ts";

/** How good a mask of the held-out half is. */
export interface Scores {
  readonly title: string;
  readonly mask: Uint8Array;
  readonly dice: number;
  readonly iou: number;
  readonly precision: number;
  readonly recall: number;
  /** In pixels. */
  readonly hausdorff95: number;
  /** Touching pairs of nuclei that were separated, out of how many. */
  readonly separated: number;
  readonly pairs: number;
}

export function score(title: string, mask: Uint8Array, half: Half): Scores {
  const { truth, instances, height, width } = half;
  const [, nucleus] = metrics(mask, truth, { classes: 2, shape: [height, width] });
  const { dice, iou, precision, recall, hausdorff95 } = nucleus!;
  const pairs = touchingPairs(instances, width);
  const separated = separatedPairs(pairs, instances, mask, width);
  return { title, mask, dice, iou, precision, recall, hausdorff95, separated, pairs: pairs.length };
}
