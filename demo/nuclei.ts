/** Nuclei as objects: which of them touch, and whether a mask keeps them apart. */

/** Numbers the connected parts of a mask from 1; pixels belong together along rows and columns. */
export function components(mask: Uint8Array, width: number): Int32Array {
  const labels = new Int32Array(mask.length);
  let count = 0;
  for (let start = 0; start < mask.length; start++) {
    if (mask[start] === 0 || labels[start] !== 0) continue;
    labels[start] = ++count;
    const open = [start];
    for (let pixel = open.pop(); pixel !== undefined; pixel = open.pop()) {
      const column = pixel % width;
      const neighbours = [pixel - width, pixel + width];
      if (column > 0) neighbours.push(pixel - 1);
      if (column < width - 1) neighbours.push(pixel + 1);
      for (const neighbour of neighbours) {
        if (mask[neighbour] !== 1 || labels[neighbour] !== 0) continue;
        labels[neighbour] = count;
        open.push(neighbour);
      }
    }
  }
  return labels;
}

/** Pairs of nuclei that come within `reach` pixels of each other, measured between pixel centres. */
export function touchingPairs(instances: Uint16Array, width: number, reach = 2): [number, number][] {
  const height = instances.length / width;
  const found = new Map<string, [number, number]>();
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const id = instances[row * width + column]!;
      if (id === 0) continue;
      for (let dy = 0; dy <= reach; dy++)
        for (let dx = -reach; dx <= reach; dx++) {
          const [y, x] = [row + dy, column + dx];
          if (dy * dy + dx * dx > reach * reach || y >= height || x < 0 || x >= width) continue;
          const other = instances[y * width + x]!;
          if (other === 0 || other === id) continue;
          const pair: [number, number] = [Math.min(id, other), Math.max(id, other)];
          found.set(pair.join(), pair);
        }
    }
  return [...found.values()];
}

/**
 * How many of the pairs a mask separates: each of the two nuclei has a connected part that covers at least half
 * of it, and the two parts are not the same one.
 */
export function separatedPairs(
  pairs: readonly [number, number][],
  instances: Uint16Array,
  mask: Uint8Array,
  width: number,
): number {
  const parts = components(mask, width);
  const ownPart = (id: number): number | null => {
    const covered = new Map<number, number>();
    let area = 0;
    instances.forEach((instance, i) => {
      if (instance !== id) return;
      area += 1;
      if (parts[i]! > 0) covered.set(parts[i]!, (covered.get(parts[i]!) ?? 0) + 1);
    });
    const [part, size] = [...covered].reduce((most, next) => (next[1] > most[1] ? next : most), [0, 0]);
    return 2 * size >= area ? part : null;
  };
  const own = new Map([...new Set(pairs.flat())].map((id) => [id, ownPart(id)]));
  return pairs.filter(([a, b]) => own.get(a) !== null && own.get(b) !== null && own.get(a) !== own.get(b))
    .length;
}
