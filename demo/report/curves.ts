import type { Comparison } from "../compare.ts";
import { chart, type Point } from "./chart.ts";

/** One card per loss: the value of each step, and Dice on the held-out half beside that of the other losses. */
export function curves({ rows, runs, plan, scores, thresholds }: Comparison): string {
  const { steps } = plan;
  const otsu = Math.max(...scores.slice(0, thresholds).map((score) => score.dice));
  const dice = runs.map((run) => run.checks.map((check): Point => ({ x: check.step, y: check.dice })));
  // The first third may start from nothing; it does not set the scale.
  const settled = dice.flatMap((points) => points.filter((point) => 3 * point.x > steps));
  const lowest = Math.min(otsu, ...settled.map((point) => point.y));
  const floor = Math.max(0, Math.floor(lowest * 10 - 0.5) / 10);

  return runs
    .map((run, i) => {
      const values = run.values.map((value, step): Point => ({ x: step + 1, y: value }));
      const finite = run.values.filter(Number.isFinite);
      const value = chart({
        title: "loss of the batch",
        height: 130,
        steps,
        range: finite.length > 0 ? [Math.min(...finite), Math.max(...finite)] : [0, 1],
        format: short,
        lines: [
          { style: "raw", points: values },
          { style: "own", points: smooth(values) },
        ],
      });
      const heldOut = chart({
        title: "Dice on the held-out half",
        height: 130,
        steps,
        range: [floor, 1],
        format: (y) => y.toFixed(2),
        lines: [
          ...dice.filter((_, other) => other !== i).map((points) => ({ style: "other", points })),
          { style: "own", points: dice[i]! },
        ],
        dots: true,
        rule: { y: otsu, label: `Otsu ${otsu.toFixed(3)}` },
      });
      return `<figure class="card"><figcaption>${rows[i]!.title}</figcaption>${value}${heldOut}</figure>`;
    })
    .join("\n");
}

/** The mean of the last ten steps. */
function smooth(points: readonly Point[]): Point[] {
  return points.map(({ x }, i) => {
    const recent = points.slice(Math.max(0, i - 9), i + 1);
    return { x, y: recent.reduce((sum, point) => sum + point.y, 0) / recent.length };
  });
}

function short(y: number): string {
  const size = Math.abs(y);
  if (size >= 1000) return y.toExponential(0);
  return y.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
