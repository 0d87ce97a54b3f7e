/** Small pieces of SVG and HTML. */

/** A linear map from one range to another. */
export function scale(
  [low, high]: readonly [number, number],
  [from, to]: readonly [number, number],
): (value: number) => number {
  return (value) => from + (high === low ? 0.5 : (value - low) / (high - low)) * (to - from);
}

type Point = readonly [x: number, y: number];

/** The path through points, without those that are not finite and those that a straight line passes anyway. */
export function path(points: readonly Point[]): string {
  return simplify(points.filter(([x, y]) => Number.isFinite(x + y)))
    .map(([x, y], i) => `${i === 0 ? "M" : "L"}${fixed(x)} ${fixed(y)}`)
    .join("");
}

/** Douglas and Peucker: keeps the point farthest from the chord, unless the chord is near enough for all. */
function simplify(points: readonly Point[], near = 0.12): readonly Point[] {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || points.length < 3) return points;
  const [dx, dy] = [last[0] - first[0], last[1] - first[1]];
  const length = Math.hypot(dx, dy) || 1;
  const distances = points.map(([x, y]) => Math.abs((x - first[0]) * dy - (y - first[1]) * dx) / length);
  const most = Math.max(...distances);
  if (most <= near) return [first, last];
  const middle = distances.indexOf(most);
  return [...simplify(points.slice(0, middle + 1), near), ...simplify(points.slice(middle), near).slice(1)];
}

/** One decimal, as short as it can be. */
export function fixed(value: number): string {
  return String(Math.round(10 * value) / 10);
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** Lets a long call break between its options, and a long name between its words. */
export function breakable(text: string): string {
  return escapeHtml(text)
    .replaceAll(/(?<=[a-z])(?=[A-Z])|(?<=[(=])/g, "<wbr>")
    .replaceAll(",", ",<wbr> ")
    .replaceAll("+", " +<wbr> ");
}
