import type { Comparison } from "../compare.ts";
import { columns, isBest } from "../table.ts";
import { curves } from "./curves.ts";
import { gradients } from "./gradients.ts";
import { masks, whole } from "./masks.ts";
import { paintBrightness } from "./picture.ts";
import { style } from "./style.ts";

/** The report: one HTML file that needs nothing beside it. */
export function page(comparison: Comparison): string {
  const { rows, runs, plan, heldOut, verdict, notes } = comparison;
  const microscope = paintBrightness(whole(comparison), heldOut.width, heldOut.brightness);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>segrad: ${rows.length} losses, one network</title>
<style>${style}.microscope { background-image: url(${microscope}); }</style>
</head>
<body>
<main>
<h1>One small U&#8209;Net, ${rows.length} ${rows.length === 1 ? "loss" : "losses"}</h1>
<p>Each network starts from the same weights and sees the same squares of the left half of a microscope image,
${plan.steps} steps of ${plan.batch} squares with ${plan.size} × ${plan.size} pixels (seed ${plan.seed}). Only the
loss differs. Everything below is measured on the right half, which no step saw.</p>
<p class="verdict">${verdict[0]}</p>
${list("promises", verdict.slice(1))}
${table(comparison)}
${list("notes", notes)}

<h2>Masks</h2>
<p>The right half, and what each network takes for nuclei.</p>
<div class="key">${key("#b9b9b9", "hit")}${key("#3987e5", "missed")}${key("#eb6834", "false alarm")}</div>
<div class="grid masks">${masks(comparison)}</div>

<h2>Training</h2>
<p>Above, the loss of each step's squares and the mean of the last ten. Below, Dice on the right half; the other
losses in grey, the better Otsu threshold dashed; a start below the scale is drawn on its edge. Values of different losses cannot be compared, Dice can.</p>
<div class="grid curves">${curves(comparison)}</div>

<h2>Gradients</h2>
<p>Where each loss pulls, and how hard: its gradient at the logits that the first network (${rows[0]!.title}) had
after ${runs[0]!.checks[0]?.step ?? plan.steps} steps. The logits are the same in every picture. Each has its own
scale; one pixel in 500 is beyond it.</p>
<div class="key">${key("#2a78d6", "a step makes nucleus likelier")}${key("#e34948", "a step makes background likelier")}</div>
<div class="grid maps">${gradients(comparison)}</div>
</main>
</body>
</html>
`;
}

const list = (style: string, lines: readonly string[]): string =>
  lines.length === 0 ? "" : `<ul class="${style}">${lines.map((line) => `<li>${line}</li>`).join("")}</ul>`;

const key = (colour: string, words: string): string => `<span style="--swatch: ${colour}">${words}</span>`;

function table({ scores, thresholds }: Comparison): string {
  const head = columns.map((column) => `<th scope="col">${column.head}</th>`).join("");
  const body = scores.map((row, i) => {
    const cells = columns.map((column) => {
      if (column === columns[0]) return `<th scope="row">${column.text(row)}</th>`;
      return `<td${isBest(column, row, scores) ? ' class="best"' : ""}>${column.text(row)}</td>`;
    });
    return `<tr${i < thresholds ? ' class="threshold"' : ""}>${cells.join("")}</tr>`;
  });
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join("\n")}</tbody></table></div>`;
}
