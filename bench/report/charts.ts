/** The pictures of RESULTS.md. */
import { nanoseconds, type Results, type Timing } from "../results.ts";
import { fastest, javascript, peers } from "../targets.ts";
import { masksNames, workloadNames } from "../workloads.ts";
import { line, logarithmic, mark, picture, type Range, type Shape, text } from "./svg.ts";
import { digits } from "./table.ts";
import { titleOf } from "./titles.ts";

/** Who is compared, and how they look. */
const rivals = [
  { title: "segrad", engines: ["segrad"], shape: "circle", colour: "blue" },
  { title: "fastest in Python, one thread", engines: peers, shape: "square", colour: "orange" },
  { title: "fastest other in JavaScript", engines: javascript, shape: "diamond", colour: "green" },
] as const satisfies readonly { title: string; engines: readonly string[]; shape: Shape; colour: string }[];

/** Where they stand in the legend, and the exp sweep after them. */
const legend = [0, 90, 310, 530];

const width = 860;
const [left, right, rowHeight] = [170, 60, 24];

/** Time per element of segrad and of the fastest others, loss by loss, on a logarithmic axis. */
export function comparison(results: Results): string {
  const groups = [
    ...workloadNames.map((workload) => ({ group: "losses" as const, workload })),
    ...masksNames.map((workload) => ({ group: "maps" as const, workload })),
  ];
  const panels = groups
    .map(({ group, workload }) => {
      const own = results.timings.filter(
        (timing) => timing.group === group && timing.workload === workload && timing.engine === "segrad",
      );
      const rows = own
        .map(({ loss }) => ({
          loss,
          dots: rivals.map(({ engines }) => fastest(results, { group, workload, engines, loss })),
        }))
        .filter(({ dots }) => dots.filter((dot) => dot !== null).length > 1);
      const floor = fastest(results, { group: "floor", workload, engines: ["segrad"], loss: "exp sweep" });
      return { workload, rows, floor };
    })
    .filter(({ rows }) => rows.length > 0);

  const all = panels.flatMap(({ rows, floor }) => [...rows.flatMap(({ dots }) => dots), floor]);
  const x = logarithmic(around(times(all)), [left, width - right]);
  const parts = [
    text(20, 30, "Value and gradient: nanoseconds per element, further left is better", "title"),
    ...rivals.flatMap(({ title, shape, colour }, i) => [
      mark(shape, colour, 28 + legend[i]!, 52, title),
      text(42 + legend[i]!, 56, title),
    ]),
    line("rule", 28 + legend[3]!, 46, 28 + legend[3]!, 58),
    text(42 + legend[3]!, 56, "exp sweep: one activation, at the least"),
  ];
  let y = 92;
  for (const { workload, rows, floor } of panels) {
    const bottom = y + 8 + rows.length * rowHeight;
    parts.push(text(20, y - 6, titleOf(workload), "title"));
    for (const tick of ticks(around(times(all)))) {
      parts.push(
        line("grid", x(tick), y + 4, x(tick), bottom),
        text(x(tick), bottom + 15, String(tick), "", "middle"),
      );
    }
    if (floor) {
      const place = x(nanoseconds(floor));
      parts.push(line("rule", place, y + 4, place, bottom));
    }
    rows.forEach(({ loss, dots }, row) => {
      const middle = y + 8 + (row + 0.5) * rowHeight;
      const places = times(dots).map(x);
      parts.push(text(left - 14, middle + 4, titleOf(loss), "", "end"));
      parts.push(line("span", Math.min(...places), middle, Math.max(...places), middle));
      dots.forEach((dot, i) => {
        if (dot === null) return;
        const { shape, colour } = rivals[i]!;
        const words = `${dot.engine}: ${digits(nanoseconds(dot))} ns`;
        parts.push(mark(shape, colour, x(nanoseconds(dot)), middle, words));
      });
      const gain = Math.min(...times(dots.slice(1))) / nanoseconds(dots[0]!);
      parts.push(text(Math.max(...places) + 14, middle + 4, `${digits(gain)} ×`, "value"));
    });
    y = bottom + 52;
  }
  parts.push(
    text(
      20,
      y - 8,
      "The number at the end of a row: how many times faster segrad is than the fastest other.",
    ),
  );
  return picture(width, y + 12, "Time per element of losses and maps", parts);
}

/** Time per element over the size of the batch, and over the number of classes. */
export function growth(results: Results): string {
  const panels = [
    { group: "elements", title: "over the elements of a binary batch", of: (x: number) => power(x) },
    { group: "classes", title: "over the classes, 4 million elements", of: (x: number) => String(x) },
  ] as const;
  const lines = [
    { loss: "crossEntropy", title: "cross-entropy", shape: "circle", colour: "blue" },
    { loss: "dice", title: "Dice", shape: "square", colour: "orange" },
  ] as const;
  const [top, bottom, half] = [96, 330, width / 2];
  const own = results.timings.filter(({ group }) => group === "elements" || group === "classes");
  const y = logarithmic(around(own.map(nanoseconds)), [bottom, top]);
  const parts = [
    text(20, 30, "Nanoseconds per element, value and gradient", "title"),
    ...lines.flatMap(({ title, shape, colour }, i) => [
      mark(shape, colour, 28 + i * 130, 52, title),
      text(42 + i * 130, 56, title),
    ]),
  ];
  panels.forEach(({ group, title, of }, panel) => {
    const rows = own.filter((timing) => timing.group === group);
    if (rows.length === 0) return;
    const [start, end] = [panel * half + 56, (panel + 1) * half - 24];
    const places = rows.map(({ workload }) => Number(workload));
    const range: Range = [Math.min(...places), Math.max(...places)];
    const x = logarithmic(range, [start, end]);
    parts.push(text(start, top - 14, title));
    for (const tick of ticks(around(own.map(nanoseconds)))) {
      parts.push(
        line("grid", start, y(tick), end, y(tick)),
        text(start - 8, y(tick) + 4, String(tick), "", "end"),
      );
    }
    const marks = group === "elements" ? decades(range) : [2, 4, 8, 16, 32, 64, 150];
    for (const place of marks) parts.push(text(x(place), bottom + 20, of(place), "", "middle"));
    if (group === "elements" && range[1] > 1e5) {
      parts.push(
        line("rule", x(1e5), top, x(1e5), bottom),
        text(x(1e5) + 6, top + 12, "to be flat from here on"),
      );
    }
    for (const { loss, shape, colour } of lines) {
      const points = rows.filter((timing) => timing.loss === loss);
      const path = points.map((t) => `${x(Number(t.workload)).toFixed(1)} ${y(nanoseconds(t)).toFixed(1)}`);
      if (path.length > 0) parts.push(`<path class="line ${colour}" d="M${path.join("L")}"/>`);
      for (const t of points) {
        const words = `${t.workload} ${group}: ${digits(nanoseconds(t))} ns`;
        parts.push(mark(shape, colour, x(Number(t.workload)), y(nanoseconds(t)), words));
      }
    }
  });
  return picture(width, bottom + 44, "Time per element over batch size and classes", parts);
}

const times = (timings: readonly (Timing | null)[]): number[] =>
  timings.filter((timing) => timing !== null).map(nanoseconds);

/** A range with some room around all values. */
function around(values: readonly number[]): Range {
  return [Math.min(...values) / 1.3, Math.max(...values) * 1.3];
}

/** 1, 2 and 5 times the powers of ten in a range. */
function ticks([low, high]: Range): number[] {
  const all = Array.from({ length: 30 }, (_, i) => [1, 2, 5][i % 3]! * 10 ** (Math.floor(i / 3) - 3));
  return all.filter((tick) => tick >= low && tick <= high);
}

function decades([low, high]: Range): number[] {
  return Array.from({ length: 10 }, (_, i) => 10 ** i).filter((tick) => tick >= low && tick <= high);
}

/** 1000 as 10³. */
function power(value: number): string {
  return `10${"⁰¹²³⁴⁵⁶⁷⁸⁹"[Math.round(Math.log10(value))]}`;
}
