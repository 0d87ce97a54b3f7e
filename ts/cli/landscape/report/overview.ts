/** The whole landscape in one picture: a row per loss, a column per drift and size. */
import { name } from "../findings.ts";
import { type DriftName, drifts, sizes } from "../scene.ts";
import { type Landscape, trackOf } from "../survey.ts";
import { curve } from "./spark.ts";
import { colours, lines } from "./style.ts";
import { escapeHtml } from "./svg.ts";

const nameWidth = 182;
const column = 84;
const rowHeight = 34;
const head = 66;
const foot = 44;

/** The picture as a file of its own, which adapts to light and dark. */
export function overviewFile(landscape: Landscape): string {
  const style = `svg { ${colours.light} } @media (prefers-color-scheme: dark) { svg { ${colours.dark} } }
text { font: 13px system-ui, sans-serif; fill: var(--soft); } .name { fill: var(--ink); font-size: 14px; } ${lines}`;
  return overview(
    landscape,
    `<style>${style}</style><rect width="100%" height="100%" rx="12" fill="var(--card)"/>`,
  );
}

/** The picture as a part of a page. Full lines are hard predictions, dashed ones soft. */
export function overview({ rows }: Landscape, ground = ""): string {
  const driftNames = Object.keys(drifts) as DriftName[];
  const columns = driftNames.flatMap((drift) => sizes.map((size) => ({ drift, size })));
  const width = nameWidth + columns.length * column + 12;
  const height = head + rows.length * rowHeight + foot;
  const left = (index: number) => nameWidth + index * column;
  const cells = rows.flatMap((row, r) => {
    const top = head + r * rowHeight;
    return columns.map(({ drift, size }, c) => {
      const xs = [left(c) + 8, left(c) + column - 8] as const;
      const ys = [top + rowHeight - 6, top + 6] as const;
      const [hard, soft] = (["hard", "soft"] as const).map((sharpness) =>
        trackOf(row, { drift, size, sharpness }),
      );
      return `<g class="soft">${curve(soft!, xs, ys)}</g>${curve(hard!, xs, ys)}`;
    });
  });
  const names = rows.map(
    (row, r) =>
      `<text x="12" y="${head + (r + 0.5) * rowHeight + 4.5}" class="name">${escapeHtml(name(row))}</text>`,
  );
  const rules = rows.map((_, r) => {
    const y = head + r * rowHeight;
    return `<line class="hair" x1="12" x2="${width - 12}" y1="${y}" y2="${y}"/>`;
  });
  const heads = driftNames.map(
    (drift, d) =>
      `<text x="${left(2 * d) + column}" y="28" text-anchor="middle" class="name">${drifts[drift].title.replace("Scattered f", "F")}</text>` +
      sizes
        .map(
          (size, s) => `<text x="${left(2 * d + s) + column / 2}" y="50" text-anchor="middle">${size}</text>`,
        )
        .join(""),
  );
  const label = `Values of ${rows.length} losses while predictions drift away from a large and a small object`;
  const size = `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" class="overview" ${size} role="img" aria-label="${label}">${ground}
${heads.join("")}${rules.join("")}${names.join("")}
${cells.join("\n")}
${legend(height - 17)}
</svg>
`;
}

function legend(y: number): string {
  const entries = [
    { style: "rises", text: "rises to the end" },
    { style: "flattens", text: "goes flat at the dot" },
    { style: "dips", text: "dips at the start" },
    { style: "falls", text: "falls" },
    { style: "rises", text: "hard predictions" },
    { style: "rises", text: "soft predictions", group: "soft" },
  ];
  const places = [12, 160, 332, 484, 570, 722];
  return entries
    .map(({ style, text, group = "" }, i) => {
      const x = places[i]!;
      const line = `<g class="${group}"><path class="line ${style}" d="M${x} ${y - 4}h22"/></g>`;
      return `${line}<text x="${x + 29}" y="${y}">${text}</text>`;
    })
    .join("");
}
