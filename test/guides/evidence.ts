/** The table of `docs/guides/choosing-a-loss.md`, made from the landscape. */
import { name } from "../../ts/cli/landscape/findings.ts";
import type { Sharpness, Size } from "../../ts/cli/landscape/scene.ts";
import { type Landscape, type Row, trackOf } from "../../ts/cli/landscape/survey.ts";

export function evidence({ rows }: Landscape): string[] {
  return rows.map((row) => {
    const cells = [missed(row), near(row), sure(row), dip(row)].map(percent);
    return `| \`${name(row)}\` | ${cells.join(" | ")} |`;
  });
}

/** What it costs to miss the small object, as a share of missing the large one. */
function missed(row: Row): number {
  const rise = (size: Size) => trackOf(row, { size, drift: "shift", sharpness: "hard" }).rise;
  return rise("small") / rise("large");
}

const near = (row: Row) => trackOf(row, { size: "small", drift: "growth", sharpness: "hard" }).early;

/** The largest gradient on hard predictions, as a share of that on soft ones. */
function sure(row: Row): number {
  const strongest = (sharpness: Sharpness) =>
    Math.max(...row.tracks.filter((t) => t.sharpness === sharpness).map((t) => t.strongest));
  return strongest("hard") / strongest("soft");
}

const dip = (row: Row) =>
  Math.max(...row.tracks.filter((t) => t.sharpness === "soft" && t.size === "small").map((t) => t.fall));

const percent = (share: number) => `${(100 * share).toFixed(share > 0.001 && share < 0.0995 ? 1 : 0)} %`;
