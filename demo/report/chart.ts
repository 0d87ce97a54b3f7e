/** Line charts as SVG. Colours and fonts come from the page's style sheet. */
import { line, scaleLinear } from "./svg.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

interface Chart {
  /** What the vertical axis measures. */
  readonly title: string;
  readonly height: number;
  readonly steps: number;
  /** Range of the vertical axis. */
  readonly range: readonly [number, number];
  readonly format: (y: number) => string;
  /** Lines by the name of their class in the style sheet, furthest back first. */
  readonly lines: readonly { readonly style: string; readonly points: readonly Point[] }[];
  /** Whether the last line has dots, with their numbers to be read on hover. */
  readonly dots?: boolean;
  /** A dashed line across. */
  readonly rule?: { readonly y: number; readonly label: string };
}

const width = 320;
const [left, right, top, bottom] = [40, 8, 20, 18];

export function chart({ title, height, steps, range, format, lines, dots, rule }: Chart): string {
  const x = scaleLinear([0, steps], [left, width - right]);
  const y = scaleLinear(range, [height - bottom, top]);
  const place = ({ x: step, y: value }: Point): Point => ({ x: x(step), y: y(value) });
  const last = dots ? lines[lines.length - 1]!.points : [];
  const middle = (range[0] + range[1]) / 2;
  const parts = [
    ...[range[0], middle, range[1]].map(
      (tick) =>
        `<line class="grid" x1="${left}" x2="${width - right}" y1="${y(tick)}" y2="${y(tick)}"/>` +
        `<text class="tick" x="${left - 5}" y="${y(tick) + 3.5}" text-anchor="end">${format(tick)}</text>`,
    ),
    `<text class="title" x="${left}" y="11">${title}</text>`,
    `<text class="tick" x="${left}" y="${height - 4}">0</text>`,
    `<text class="tick" x="${width - right}" y="${height - 4}" text-anchor="end">step ${steps}</text>`,
    ...lines.map(({ style, points }) => `<path class="line ${style}" d="${line(points.map(place))}"/>`),
    ...(rule
      ? [
          `<line class="rule" x1="${left}" x2="${width - right}" y1="${y(rule.y)}" y2="${y(rule.y)}"/>`,
          `<text class="tick" x="${width - right}" y="${y(rule.y) + 12}" text-anchor="end">${rule.label}</text>`,
        ]
      : []),
    ...last.map((point) => {
      const at = place(point);
      const words = `step ${point.x}: ${format(point.y)}`;
      return `<circle class="dot" cx="${at.x.toFixed(1)}" cy="${at.y.toFixed(1)}" r="3"><title>${words}</title></circle>`;
    }),
  ];
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">${parts.join("")}</svg>`;
}
