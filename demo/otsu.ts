/**
 * Otsu's threshold (1979): the brightness that splits the histogram into two groups with the largest variance
 * between their means. Pixels above it are the bright group.
 *
 * @param levels whole numbers from 0 to 255
 */
export function otsu(levels: Uint8Array): number {
  const histogram = new Float64Array(256);
  for (const level of levels) histogram[level]! += 1;
  const total = levels.reduce((sum, level) => sum + level, 0);

  let best = { threshold: 0, between: -1 };
  let [below, sumBelow] = [0, 0];
  for (let level = 0; level < 255; level++) {
    below += histogram[level]!;
    sumBelow += level * histogram[level]!;
    const above = levels.length - below;
    if (below === 0 || above === 0) continue;
    const gap = sumBelow / below - (total - sumBelow) / above;
    const between = below * above * gap * gap;
    if (between > best.between) best = { threshold: level, between };
  }
  return best.threshold;
}
