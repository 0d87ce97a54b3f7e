import { type Half, readHalves } from "./images.ts";
import type { Row } from "./losses.ts";
import { otsu } from "./otsu.ts";
import { trainAll } from "./pool.ts";
import { type Scores, score } from "./scores.ts";
import { maskOf, type Plan, type Run } from "./train.ts";
import { notes, verdict } from "./verdict.ts";

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
    verdict: verdict(rows, thresholds, trained),
    notes: notes(rows),
  };
}

/** The logarithm of the brightness as whole numbers from 0 to 255. */
const logLevels = (brightness: Uint8Array): Uint8Array =>
  brightness.map((level) => Math.round((255 * Math.log1p(level)) / Math.log1p(255)));

const maskAbove = (levels: Uint8Array, threshold: number): Uint8Array =>
  levels.map((level) => (level > threshold ? 1 : 0));
