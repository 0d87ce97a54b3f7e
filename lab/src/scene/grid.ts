/** The grid everything on the page is drawn on: that of the landscape experiment, so that its scenes fit. */
import { side } from "../../../ts/cli/landscape/scene.ts";

export { side };

export const pixels = side * side;

/** The batch shape of one channel on the grid. */
export const shape: readonly number[] = [1, 1, side, side];

/** A mask from a rule that says what lies inside. */
export function maskOf(isInside: (x: number, y: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: pixels }, (_, i) => (isInside(i % side, Math.floor(i / side)) ? 1 : 0));
}

/** What logits predict: 1 where p is above one half. */
export function foreground(logits: Float32Array): Uint8Array {
  const mask = new Uint8Array(logits.length);
  for (let i = 0; i < mask.length; i++) mask[i] = logits[i]! > 0 ? 1 : 0;
  return mask;
}
