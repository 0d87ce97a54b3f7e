/** Line charts as SVG; colours and fonts come from the style sheet. */
import { short } from "../../../ts/cli/text/number.ts";
import { svg } from "./dom.ts";

export interface Line {
  /** Classes of the style sheet, such as `line-a dashed`. */
  readonly style: string;
  readonly xs: readonly number[];
  readonly ys: readonly number[];
}

export interface Chart {
  readonly lines: readonly Line[];
  /** Right end of the horizontal axis, which starts at 0. */
  readonly last: number;
  /** What stands under its left and right end. */
  readonly ends: readonly [string, string];
  /** Range of the vertical axis; that of the numbers where not given. */
  readonly range?: readonly [number, number];
  /** A place on the horizontal axis to mark, with a dot on each line. */
  readonly marker?: number;
}

/** Pixels of the page; the width is that of the frame, so that words keep their size. */
const height = 180;
const inset = { left: 50, right: 10, top: 10, bottom: 24 };

/** A chart and its place on the page; it draws itself anew when the place gets wider or narrower. */
export class ChartFrame {
  #width = 0;
  #chart: Chart | undefined;

  constructor(readonly element: SVGSVGElement) {
    new ResizeObserver(([entry]) => {
      this.#width = entry!.contentRect.width;
      if (this.#chart !== undefined) this.draw(this.#chart);
    }).observe(element);
  }

  draw(chart: Chart): void {
    this.#chart = chart;
    if (this.#width > 0) drawChart(this.element, this.#width, chart);
  }
}

function drawChart(frame: SVGSVGElement, width: number, chart: Chart): void {
  frame.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const ticks = ticksOf(chart.range ?? rangeOf(chart.lines));
  const [low, high] = [ticks[0]!, ticks[ticks.length - 1]!];
  const right = width - inset.right;
  const ground = height - inset.bottom;
  const x = (value: number) => inset.left + ((right - inset.left) * value) / (chart.last || 1);
  const y = (value: number) => ground - ((ground - inset.top) * (value - low)) / (high - low);

  const grid = ticks.flatMap((tick) => [
    svg("line", { class: "grid", x1: inset.left, x2: right, y1: y(tick), y2: y(tick) }),
    svg("text", { class: "tick", x: inset.left - 7, y: y(tick) + 4, "text-anchor": "end" }, label(tick)),
  ]);
  const ends = chart.ends.map((words, i) =>
    svg(
      "text",
      {
        class: "tick",
        x: i === 0 ? inset.left : right,
        y: height - 6,
        "text-anchor": i === 0 ? "start" : "end",
      },
      words,
    ),
  );
  const lines = chart.lines.map(({ style, xs, ys }) =>
    svg("path", { class: `line ${style}`, d: pathOf(xs.map(x), ys.map(y)) }),
  );
  frame.replaceChildren(...grid, ...ends, ...lines, ...markerOf(chart, x, y, ground));
}

function markerOf(
  { lines, marker }: Chart,
  x: (value: number) => number,
  y: (value: number) => number,
  ground: number,
): SVGElement[] {
  if (marker === undefined) return [];
  const rule = svg("line", { class: "marker", x1: x(marker), x2: x(marker), y1: inset.top, y2: ground });
  const dots = lines.flatMap(({ style, xs, ys }) => {
    const value = ys[nearest(xs, marker)];
    if (value === undefined || !Number.isFinite(value)) return [];
    return [svg("circle", { class: `dot ${style}`, cx: x(marker), cy: y(value), r: 4 })];
  });
  return [rule, ...dots];
}

/** Where the path meets numbers that are none, it breaks. */
function pathOf(xs: readonly number[], ys: readonly number[]): string {
  let path = "";
  let isDown = false;
  xs.forEach((x, i) => {
    const y = ys[i]!;
    if (Number.isFinite(y)) path += `${isDown ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    isDown = Number.isFinite(y);
  });
  return path;
}

function rangeOf(lines: readonly Line[]): [number, number] {
  const numbers = lines.flatMap(({ ys }) => ys).filter(Number.isFinite);
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  if (!(low < high)) return Number.isFinite(low) ? [low - 0.5, low + 0.5] : [0, 1];
  return [low, high];
}

/** Round numbers that span a range, three to six of them. */
function ticksOf([low, high]: readonly [number, number]): number[] {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough)!;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** A tick in as few characters as it has digits. */
function label(tick: number): string {
  const size = Math.abs(tick);
  if (size !== 0 && (size >= 1e5 || size < 1e-3)) return short(Number(tick)).replace(/\.?0+(?=e|$)/, "");
  return String(tick).replace("-", "−");
}

/** The index of the entry that is nearest to a value. */
export function nearest(values: readonly number[], value: number): number {
  let best = 0;
  values.forEach((entry, i) => {
    if (Math.abs(entry - value) < Math.abs(values[best]! - value)) best = i;
  });
  return best;
}
