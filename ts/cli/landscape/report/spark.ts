/** Curves the size of a word. */
import type { Track } from "../survey.ts";
import { fixed, path, scale } from "./svg.ts";

const width = 96;
const height = 30;
/** The band for the gradient below the curve. */
const band = 11;

/**
 * The value between its smallest and largest, coloured by its course, with a dot where it goes flat or ends its fall;
 * below it the gradient norm from 0 to `strongest`.
 */
export function spark(track: Track, strongest: number, label: string): string {
  const { amounts, norms } = track;
  const x = scale([0, amounts.at(-1)!], [2, width - 2]);
  const g = scale([0, strongest || 1], [height + band, height + 2]);
  const area = path(amounts.map((amount, i) => [x(amount), g(norms[i]!)]));
  return `<svg class="spark" viewBox="0 0 ${width} ${height + band}" role="img" aria-label="${label}">
<path class="norm" d="${area}L${width - 2} ${height + band}L2 ${height + band}Z"/>
${curve(track, [2, width - 2], [height - 2, 3])}</svg>`;
}

/** The value of a track as a line inside a box. */
export function curve(track: Track, xs: readonly [number, number], ys: readonly [number, number]): string {
  const { amounts, values, course, flatFrom, fallsUntil } = track;
  const x = scale([0, amounts.at(-1)!], xs);
  const y = scale([Math.min(...values), Math.max(...values)], ys);
  const mark = course === "flattens" ? flatFrom : course === "falls" ? fallsUntil : undefined;
  const dot =
    mark === undefined
      ? ""
      : `<circle class="dot ${course}" cx="${fixed(x(mark))}" cy="${fixed(y(values[amounts.indexOf(mark)]!))}" r="2.4"/>`;
  return `<path class="line ${course}" d="${path(amounts.map((amount, i) => [x(amount), y(values[i]!)]))}"/>${dot}`;
}
