import type { Scores } from "./scores.ts";

export interface Column {
  readonly head: string;
  readonly text: (scores: Scores) => string;
  /** Larger is better, smaller is better, or nothing to compare. */
  readonly better: "larger" | "smaller" | null;
  readonly value?: (scores: Scores) => number;
}

const share = (head: string, value: (scores: Scores) => number): Column => ({
  head,
  better: "larger",
  value,
  text: (scores) => value(scores).toFixed(3),
});

/** The columns of the table, in the terminal and on the page. */
export const columns: readonly Column[] = [
  { head: "trained with", text: (scores) => scores.title, better: null },
  share("Dice", (scores) => scores.dice),
  share("IoU", (scores) => scores.iou),
  share("precision", (scores) => scores.precision),
  share("recall", (scores) => scores.recall),
  {
    head: "HD95 (px)",
    better: "smaller",
    value: (scores) => scores.hausdorff95,
    text: (scores) => (Number.isFinite(scores.hausdorff95) ? scores.hausdorff95.toFixed(1) : "∞"),
  },
  {
    head: "pairs separated",
    better: "larger",
    value: (scores) => scores.separated,
    text: (scores) => `${scores.separated} of ${scores.pairs}`,
  },
];

/** Whether a row is the best of its column, as far as the printed digits tell. */
export function isBest(column: Column, scores: Scores, all: readonly Scores[]): boolean {
  const { better, value, text } = column;
  if (better === null || !value) return false;
  const best = all.reduce((a, b) =>
    (better === "larger" ? value(b) > value(a) : value(b) < value(a)) ? b : a,
  );
  return text(scores) === text(best) && all.some((other) => text(other) !== text(best));
}

/** The table as text; a star marks the best of a column. */
export function textTable(all: readonly Scores[]): string {
  const cells = [
    columns.map((column) => `${column.head} `),
    ...all.map((scores) => columns.map((c) => `${c.text(scores)}${isBest(c, scores, all) ? "*" : " "}`)),
  ];
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i]!.length)));
  const lines = cells.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "),
  );
  lines.splice(1, 0, widths.map((width) => "─".repeat(width)).join("  "));
  return lines.join("\n");
}
