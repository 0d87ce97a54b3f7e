import { type Half, readHalves } from "./images.ts";
import type { Row } from "./losses.ts";
import { otsu } from "./otsu.ts";
import { trainAll } from "./pool.ts";
import { type Scores, score } from "./scores.ts";
import { maskOf, type Plan, type Run } from "./train.ts";

/** Everything the table and the page show. */
export interface Comparison {
  readonly rows: readonly Row[];
  readonly plan: Plan;
  readonly runs: readonly Run[];
  readonly heldOut: Half;
  /** The thresholds, then the trained rows. */
  readonly scores: readonly Scores[];
  /** How many of the scores are thresholds. */
  readonly thresholds: number;
  readonly verdict: readonly string[];
  readonly notes: readonly string[];
}

export async function compare(rows: readonly Row[], plan: Plan): Promise<Comparison> {
  const runs = await trainAll(rows, plan);
  const { training, heldOut } = readHalves();

  // The network sees the logarithm of the brightness, so the threshold gets its chance on both.
  const brightness = otsu(training.brightness);
  const logarithm = otsu(logLevels(training.brightness));
  const thresholds = [
    score("Otsu, brightness", maskAbove(heldOut.brightness, brightness), heldOut),
    score("Otsu, log brightness", maskAbove(logLevels(heldOut.brightness), logarithm), heldOut),
  ];
  const trained = runs.map((run, i) => score(rows[i]!.title, maskOf(run.logits), heldOut));
  return {
    rows,
    plan,
    runs,
    heldOut,
    scores: [...thresholds, ...trained],
    thresholds: thresholds.length,
    verdict: verdict(thresholds, trained),
    notes: notes(rows),
  };
}

/** The logarithm of the brightness as whole numbers from 0 to 255. */
const logLevels = (brightness: Uint8Array): Uint8Array =>
  brightness.map((level) => Math.round((255 * Math.log1p(level)) / Math.log1p(255)));

const maskAbove = (levels: Uint8Array, threshold: number): Uint8Array =>
  levels.map((level) => (level > threshold ? 1 : 0));

/** What the numbers say, whichever way they fall. */
function verdict(thresholds: readonly Scores[], trained: readonly Scores[]): string[] {
  const bar = Math.max(...thresholds.map((scores) => scores.dice));
  const better = trained.filter((scores) => scores.dice > bar);
  const worse = trained.filter((scores) => scores.dice <= bar);
  const list = (some: readonly Scores[]) => some.map((s) => `${s.title} (${s.dice.toFixed(3)})`).join(", ");
  const lines = [
    better.length === 0
      ? `Training does not beat the better Otsu threshold (Dice ${bar.toFixed(3)}) with any of these losses.`
      : `${better.length} of ${trained.length} networks beat the better Otsu threshold (Dice ${bar.toFixed(3)}); ` +
        `the best is ${list([better.reduce((a, b) => (b.dice > a.dice ? b : a))])}.`,
  ];
  if (better.length > 0 && worse.length > 0) lines.push(`Not better than the threshold: ${list(worse)}.`);
  return lines;
}

function notes(rows: readonly Row[]): string[] {
  return [
    "One image, one seed: differences of a few thousandths are noise. Nothing was chosen by looking at the right half.",
    "Every network trains on the same target: the nuclei with a gap of one pixel where two touch, as in U-Net. Scores are against the nuclei without gaps.",
    "A pair of nuclei within 2 px of each other is separated if each has a connected part of the mask that covers at least half of it, and the two parts differ.",
    ...rows.flatMap((row) => (row.note ? [`${row.title}: ${row.note}`] : [])),
  ];
}
