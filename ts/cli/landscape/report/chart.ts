/** Charts with axes: hard predictions as a full line, soft ones dashed. */
import type { Track } from "../survey.ts";
import { fixed, path, scale } from "./svg.ts";

const width = 250;
const height = 104;
const [left, right, top, bottom] = [44, 6, 8, 16];

/** The values of a hard and a soft track. */
export function valueChart(hard: Track, soft: Track, label: string): string {
  const all = [...hard.values, ...soft.values];
  const range = [Math.min(...all), Math.max(...all)] as const;
  const y = scale(range, [height - bottom, top]);
  const ticks = [range[0], (range[0] + range[1]) / 2, range[1]].map((value) => ({
    at: y(value),
    text: tick(value, range[1] - range[0]),
  }));
  return chart(hard, soft, ticks, (track) => track.values.map(y), label);
}

/** Gradient norms below this are drawn at the bottom: nothing that a step of a trainer would notice. */
const least = 1e-10;

/** The gradient norms, on a logarithmic scale. */
export function normChart(hard: Track, soft: Track, label: string): string {
  const most = Math.max(1e-9, ...hard.norms, ...soft.norms);
  const range = [Math.log10(least), Math.ceil(Math.log10(most))] as const;
  const y = scale(range, [height - bottom, top]);
  const middle = Math.round((range[0] + range[1]) / 2);
  const ticks = [range[0], middle, range[1]].map((exponent) => ({
    at: y(exponent),
    text: `10<tspan dy="-3" font-size=".75em">${exponent < 0 ? `−${-exponent}` : exponent}</tspan>`,
  }));
  return chart(
    hard,
    soft,
    ticks,
    (track) => track.norms.map((norm) => y(Math.log10(Math.max(least, norm)))),
    label,
  );
}

function chart(
  hard: Track,
  soft: Track,
  ticks: readonly { at: number; text: string }[],
  heights: (track: Track) => number[],
  label: string,
): string {
  const end = hard.amounts.at(-1)!;
  const x = scale([0, end], [left, width - right]);
  const line = (track: Track, style: string) => {
    const ys = heights(track);
    return `<path class="line ${style}" d="${path(track.amounts.map((amount, i) => [x(amount), ys[i]!]))}"/>`;
  };
  const grid = ticks.map(
    ({ at, text }) =>
      `<line class="grid" x1="${left}" x2="${width - right}" y1="${fixed(at)}" y2="${fixed(at)}"/>` +
      `<text x="${left - 5}" y="${fixed(at + 3.5)}" text-anchor="end">${text}</text>`,
  );
  return `<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">${grid.join("")}
<text x="${left}" y="${height - 3}">0</text><text x="${width - right}" y="${height - 3}" text-anchor="end">${fixed(end)}</text>
${line(soft, "soft")}${line(hard, "hard")}</svg>`;
}

/** Two digits, so that it fits beside a small chart; 0 for what is nothing against the range. */
function tick(value: number, range: number): string {
  const size = Math.abs(value) < 1e-4 * range ? 0 : Math.abs(value);
  if (size === 0) return "0";
  if (size !== 0 && (size < 1e-3 || size >= 1e4))
    return value.toExponential(0).replace("e-", "e−").replace("e+", "e");
  return String(+value.toPrecision(2)).replace("-", "−");
}
