import type { Half } from "./images.ts";
import type { Random } from "./random.ts";

/** A batch of square cut-outs. */
export interface Crops {
  readonly input: Float32Array;
  readonly target: Uint8Array;
  readonly weights: Float32Array | null;
}

/** Cuts `count` squares of `size` pixels at random places, each turned and mirrored at random. */
export function cut(
  half: Half,
  weights: Float32Array | null,
  count: number,
  size: number,
  random: Random,
): Crops {
  const area = size * size;
  const crops = {
    input: new Float32Array(count * area),
    target: new Uint8Array(count * area),
    weights: weights && new Float32Array(count * area),
  };
  for (let crop = 0; crop < count; crop++) {
    const top = random.below(half.height - size + 1);
    const left = random.below(half.width - size + 1);
    const [flipRows, flipColumns, transpose] = [random.below(2), random.below(2), random.below(2)];
    for (let i = 0; i < area; i++) {
      let [row, column] = [Math.floor(i / size), i % size];
      if (transpose) [row, column] = [column, row];
      if (flipRows) row = size - 1 - row;
      if (flipColumns) column = size - 1 - column;
      const from = (top + row) * half.width + left + column;
      const to = crop * area + i;
      crops.input[to] = half.input[from]!;
      crops.target[to] = half.target[from]!;
      if (weights) crops.weights![to] = weights[from]!;
    }
  }
  return crops;
}
