/** The report: one HTML file that needs nothing beside it. */

import { short } from "../../text/number.ts";
import { claim, driftFindings, findings, name } from "../findings.ts";
import {
  type DriftName,
  drifts,
  hardLogit,
  radius,
  type Sharpness,
  type Size,
  sharpnesses,
  side,
  sizes,
  softLogit,
} from "../scene.ts";
import { type Landscape, type Row, trackOf } from "../survey.ts";
import { normChart, valueChart } from "./chart.ts";
import { film } from "./film.ts";
import { overview } from "./overview.ts";
import { spark } from "./spark.ts";
import { style } from "./style.ts";
import { breakable, escapeHtml } from "./svg.ts";
import { verdictWords } from "./verdictWords.ts";

const driftNames = Object.keys(drifts) as DriftName[];

/** What each drift does, and in which unit. */
const stories: Readonly<Record<DriftName, string>> = {
  shift:
    "The prediction keeps its shape and moves to the right, pixel by pixel, until it has long left the object.",
  growth: "The prediction grows beyond the object, by 20 pixels of radius.",
  shrinkage:
    "The prediction shrinks until nothing is left of it. A hard one is empty two pixels before the end.",
  scatter: "The object is found, and 1, 2, … 40 specks of 9 pixels appear elsewhere.",
};

export function page(landscape: Landscape): string {
  const [first, ...judgements] = claim(landscape);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>segrad: the landscape of segmentation losses</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>What a loss says while a prediction drifts away</h1>
<p>An image of ${side} × ${side} pixels holds one round object, large (radius ${radius.large}) or small (radius ${radius.small}).
A prediction starts at the truth and goes wrong step by step, in four ways. A good loss never rewards a step away
from the truth, still tells bad from worse, and has a gradient that leads back.</p>
<p class="claim">${escapeHtml(first!)}</p>
<ul>${judgements.map((text) => `<li>${escapeHtml(text)}</li>`).join("")}</ul>
<figure class="card overview">${overview(landscape)}</figure>
<h2>Beyond the claim</h2>
<ul>${findings(landscape)
    .map((text) => `<li>${escapeHtml(text)}</li>`)
    .join("")}</ul>
${key}
<input type="radio" name="shown" id="show-hard" checked><input type="radio" name="shown" id="show-soft">
<div class="switch"><label for="show-hard">Hard predictions</label><label for="show-soft">Soft predictions</label></div>
${driftNames.map((drift) => section(landscape, drift)).join("\n")}
<section>
<h2>Every loss in numbers</h2>
<p>Value and gradient norm along each drift, hard predictions as a full line, soft ones dashed. The gradient is that
at the logits, on a logarithmic scale.</p>
<div class="card">${landscape.rows.map(details).join("\n")}</div>
</section>
${method}
</main>
</body>
</html>
`;
}

const key = `<ul class="key">
<li>${sample('<path class="line rises" d="M0 11L26 1"/>')}rises to the end</li>
<li>${sample('<path class="line flattens" d="M0 11L14 1L26 1"/><circle class="dot flattens" cx="14" cy="1" r="2.4"/>')}goes flat: no worse from there on</li>
<li>${sample('<path class="line dips" d="M0 8Q4 13 9 8L26 1"/>')}dips at the start</li>
<li>${sample('<path class="line falls" d="M0 11L13 1L26 8"/><circle class="dot falls" cx="26" cy="8" r="2.4"/>')}falls: worse costs less</li>
<li>${sample('<path class="norm" d="M0 12L8 5L26 3L26 12Z"/>')}gradient norm, hard and soft on one scale</li>
</ul>`;

function sample(shape: string): string {
  return `<svg viewBox="0 0 26 12" aria-hidden="true">${shape}</svg>`;
}

function section(landscape: Landscape, drift: DriftName): string {
  const heads = sizes.flatMap((size) =>
    sharpnesses.map(
      (sharpness) => `<th scope="col" class="is-${sharpness}">${capital(size)}, ${sharpness}</th>`,
    ),
  );
  const texts = driftFindings(landscape, drift).map(
    ({ path, text }) =>
      `<li class="is-${path.sharpness}"><b>${capital(path.size)}, ${path.sharpness}.</b> ${escapeHtml(text)}</li>`,
  );
  const films = sizes.flatMap((size) =>
    sharpnesses.map(
      (sharpness) =>
        `<div class="is-${sharpness}"><b>${capital(size)}, ${sharpness}</b><div class="strip">${film(drift, size, sharpness)}</div></div>`,
    ),
  );
  return `<section>
<h2>${drifts[drift].title}</h2>
<p>${stories[drift]}</p>
<div class="films">${films.join("")}</div>
<ul>${texts.join("")}</ul>
<div class="card"><table><thead><tr><th scope="col">Loss</th>${heads.join("")}</tr></thead>
<tbody>${landscape.rows.map((row) => tableRow(row, drift)).join("\n")}</tbody></table></div>
</section>`;
}

function tableRow(row: Row, drift: DriftName): string {
  const cells = sizes.flatMap((size) => {
    const tracks = sharpnesses.map((sharpness) => trackOf(row, { size, drift, sharpness }));
    const strongest = Math.max(...tracks.map((track) => track.strongest));
    return tracks.map((track) => {
      const words = verdictWords(track);
      const label = `${row.candidate.title}, ${size} object, ${track.sharpness} prediction, ${drift}: ${words}`;
      return `<td class="is-${track.sharpness}"><div class="cell ${track.course}">${spark(track, strongest, escapeHtml(label))}<span>${words}</span></div></td>`;
    });
  });
  const options = row.candidate.title.slice(name(row).length).replace(/^\(|\)$/g, "");
  const small = options === "" ? "" : `<small>${breakable(options)}</small>`;
  return `<tr><th scope="row">${breakable(name(row))}${small}</th>${cells.join("")}</tr>`;
}

function details(row: Row): string {
  const charts = sizes.flatMap((size) => [
    `<h3>${capital(size)} object</h3>`,
    ...(["value", "gradient"] as const).flatMap((what) =>
      driftNames.map((drift) => {
        const [hard, soft] = sharpnesses.map((sharpness) => trackOf(row, { size, drift, sharpness })) as [
          Track,
          Track,
        ];
        const label = escapeHtml(`${row.candidate.title}: ${what}, ${size} object, ${drift}`);
        const draw = what === "value" ? valueChart : normChart;
        return `<figure>${draw(hard, soft, label)}<figcaption>${what}, ${drift}</figcaption></figure>`;
      }),
    ),
  ]);
  return `<details><summary>${breakable(row.candidate.title)}</summary>
<div class="charts">${charts.join("")}</div>
<div class="scroll"><table class="numbers"><thead><tr><th scope="col">path</th><th scope="col">first</th><th scope="col">last</th>
<th scope="col">verdict</th><th scope="col">first quarter</th><th scope="col">largest ‖g‖</th></tr></thead>
<tbody>${driftNames.flatMap((drift) => sizes.flatMap((size) => sharpnesses.map((sharpness) => numbers(row, drift, size, sharpness)))).join("")}</tbody>
</table></div></details>`;
}

type Track = ReturnType<typeof trackOf>;

function numbers(row: Row, drift: DriftName, size: Size, sharpness: Sharpness): string {
  const track = trackOf(row, { size, drift, sharpness });
  const cells = [
    short(track.values[0]!),
    short(track.values.at(-1)!),
    verdictWords(track),
    `${(100 * track.early).toFixed(0)} %`.replace("-", "−"),
    short(track.strongest),
  ];
  return `<tr><th scope="row">${drift}, ${size}, ${sharpness}</th>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
}

const method = `<section>
<h2>How it is measured</h2>
<ul>
<li>Hard predictions have logits ±${hardLogit}. Soft ones fall by 1 per pixel across the contour, within ±${softLogit}. Both come from
the same signed distances.</li>
<li>A loss falls where the value drops from any point to a later one by more than 0.1 % of its range on that path; the
report gives the deepest such drop. If it ends within the first 15 % of the way and the loss rises from there, it is a
dip: the best prediction under that loss is not quite the truth as it was drawn.</li>
<li>It is flat from the point on where it stays within 1 % of its range of the last value, if that is before the last
tenth of the way. Amounts are in pixels, pixels of radius, or specks.</li>
<li>“Faint”: the range on this path is below 1 % of that on the drift the loss minds most, for the same object.</li>
<li>First quarter: the share of the whole rise that comes in the first quarter of the way; 25 % on a straight line, more
where the loss is steep at first and blunt later.</li>
<li>Losses run with their defaults unless a title says otherwise. The object is one binary channel; generalizedDice sees
it as two classes, since it weighs classes against each other.</li>
</ul>
</section>`;

const capital = (text: string) => text[0]!.toUpperCase() + text.slice(1);
