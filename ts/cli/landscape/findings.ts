/** What the experiment shows, in sentences made from its numbers. */
import type { Path } from "./experiment.ts";
import { type DriftName, drifts, type Sharpness, type Size, sharpnesses, sizes } from "./scene.ts";
import { type Landscape, type Row, type Track, trackOf } from "./survey.ts";

/** The claim of the survey this project starts from, and what the curves say to it. */
export function claim({ rows }: Landscape): string[] {
  const monotone = rows.filter((row) => tracksOf(row, { size: "small" }).every(neverFalls)).map(name);
  const holds = monotone.length === 2 && monotone.includes("combo") && monotone.includes("focal");
  return [
    `“For small objects only combo and focal loss rise monotonically”, says the survey. Here that is ${holds ? "true" : "not so"}.`,
    ...sharpnesses.map((sharpness) => claimFor(rows, sharpness)),
  ];
}

function claimFor(rows: readonly Row[], sharpness: Sharpness): string {
  const tracks = (row: Row) => tracksOf(row, { size: "small", sharpness });
  const fall = rows.filter((row) => tracks(row).some((track) => track.course === "falls"));
  const never = rows.filter((row) => tracks(row).every(neverFalls));
  const dip = rows.filter((row) => !fall.includes(row) && !never.includes(row));
  const deepest = Math.max(...dip.flatMap(tracks).map((track) => track.fall));
  const falls = fall.map((row) => `${name(row)} (${fallsOf(row, sharpness)})`);
  const of = never.length > rows.length / 2 ? "" : ` (${list(never.map(name))})`;
  const parts = [
    `${never.length} of ${rows.length} losses never fall on any of the four drifts${of}`,
    ...(dip.length === 0
      ? []
      : [
          `${dip.length} dip by at most ${percent(deepest)} at the start of one and rise from there (${list(dip.map(name))})`,
        ]),
    ...(fall.length === 0
      ? []
      : [`${falls.length === 1 ? "one falls" : `${falls.length} fall`} on the way: ${list(falls)}`]),
  ];
  return `Small object, ${sharpness} predictions: ${parts.join("; ")}.`;
}

/** Findings about all drifts together. */
export function findings({ rows }: Landscape): string[] {
  return [...flatShift(rows), ...vanishing(rows), ...weakOnSmall(rows), ...steepness(rows), ...twins(rows)];
}

/** For one drift: which losses rise, flatten, dip and fall, for each size and sharpness. */
export function driftFindings({ rows }: Landscape, drift: DriftName): { path: Path; text: string }[] {
  return sizes.flatMap((size) =>
    sharpnesses.map((sharpness) => {
      const path = { size, drift, sharpness };
      return { path, text: describe(rows, path) };
    }),
  );
}

function describe(rows: readonly Row[], path: Path): string {
  const withCourse = (course: Track["course"]) => rows.filter((row) => trackOf(row, path).course === course);
  const ends = withCourse("flattens").map((row) => trackOf(row, path).flatFrom);
  const unit = drifts[path.drift].unit;
  const groups = [
    { rows: withCourse("rises"), text: "rise to the end" },
    { rows: withCourse("flattens"), text: `go flat ${between(ends, unit)}` },
    { rows: withCourse("dips"), text: "dip at the start, then rise", amount: dipOf },
    { rows: withCourse("falls"), text: "fall on the way", amount: fallOf },
  ].filter((group) => group.rows.length > 0);
  // The largest group is "the rest", so that the sentence names the exceptions.
  const largest = groups.reduce((most, group) => (group.rows.length > most.rows.length ? group : most));
  const texts = groups.map((group) => {
    if (group === largest)
      return `${groups.length === 1 ? "all" : `the ${group.rows.length} others`} ${group.text}`;
    const names = group.rows.map(
      (row) => name(row) + (group.amount ? ` (${group.amount(trackOf(row, path))})` : ""),
    );
    return `${list(names)} ${group.rows.length === 1 ? singular(group.text) : group.text}`;
  });
  return `${capital(
    texts
      .filter((_, i) => groups[i] !== largest)
      .concat(texts[groups.indexOf(largest)]!)
      .join("; "),
  )}.`;
}

/** Beyond the last common pixel, only losses with distances still tell near from far. */
function flatShift(rows: readonly Row[]): string[] {
  const tracks = rows.map((row) => ({
    row,
    track: trackOf(row, { size: "small", drift: "shift", sharpness: "hard" }),
  }));
  const flat = tracks.filter(({ track }) => track.course === "flattens");
  const rising = tracks.filter(({ track }) => track.course === "rises").map(({ row }) => name(row));
  if (flat.length === 0) return [];
  const from = between(
    flat.map(({ track }) => track.flatFrom),
    "pixel",
  );
  const rest =
    rising.length === 0
      ? ""
      : `; ${list(rising)} still ${rising.length === 1 ? "tells" : "tell"} near from far`;
  return [
    `A small object missed is a small object missed: shifted, ${flat.length} of ${rows.length} losses go flat ${from}${rest}.`,
  ];
}

/** Losses that see the error of a hard prediction and have no gradient to mend it. */
function vanishing(rows: readonly Row[]): string[] {
  const strongest = (row: Row, sharpness: Sharpness) =>
    Math.max(...tracksOf(row, { sharpness }).map((track) => track.strongest));
  const dead = rows.filter((row) => strongest(row, "hard") < 1e-3 * strongest(row, "soft"));
  const alive = rows.filter((row) => !dead.includes(row));
  if (dead.length === 0 || alive.length === 0) return [];
  return [
    `A value that rises is not a gradient that teaches: on hard predictions the gradient of ${list(dead.map(name))} is less than a thousandth of that on soft ones. It stays alive for ${list(alive.map(name))}.`,
  ];
}

/** Losses for which a small object counts by its area. */
function weakOnSmall(rows: readonly Row[]): string[] {
  const ratio = (row: Row) => {
    const [large, small] = sizes.map(
      (size) => trackOf(row, { size, drift: "shift", sharpness: "hard" }).rise,
    ) as [number, number];
    return small / large;
  };
  const weak = rows.filter((row) => ratio(row) < 0.2);
  const even = rows.filter((row) => ratio(row) > 0.5);
  if (weak.length === 0 || even.length === 0) return [];
  const factors = weak.map((row) => 1 / ratio(row));
  const [low, high] = [Math.min(...factors), Math.max(...factors)].map((factor) => factor.toFixed(0));
  return [
    `Missing the small object costs ${list(weak.map(name))} ${low === high ? low : `${low} to ${high}`} times less than missing the large one; it costs ${list(even.map(name))} about as much or more.`,
  ];
}

/** Where along the way losses say most: close to the truth, or far from it. */
function steepness(rows: readonly Row[]): string[] {
  const early = (row: Row) => trackOf(row, { size: "small", drift: "growth", sharpness: "hard" }).early;
  const steep = rows.filter((row) => early(row) > 0.5);
  const gentle = rows.filter((row) => early(row) < 0.2);
  if (steep.length === 0 || gentle.length === 0) return [];
  const least = percent(Math.min(...steep.map(early)));
  const most = percent(Math.max(...gentle.map(early)));
  return [
    `Slopes differ: when a small object is drawn too large, the first quarter of the way brings ${list(steep.map(name))} at least ${least} of their rise, so they are steep near the truth and blunt far from it; ${list(gentle.map(name))} at most ${most}, the other way round.`,
  ];
}

/** Losses whose curves have the same shape on every hard path. */
function twins(rows: readonly Row[]): string[] {
  const groups: Row[][] = [];
  for (const row of rows) {
    const group = groups.find(([first]) => isTwin(first!, row));
    if (group === undefined) groups.push([row]);
    else group.push(row);
  }
  const texts = groups.filter((group) => group.length > 1).map((group) => list(group.map(name)));
  return texts.length === 0
    ? []
    : [`On hard predictions these draw the same curve up to its scale: ${texts.join("; ")}.`];
}

function isTwin(a: Row, b: Row): boolean {
  const shape = (track: Track, step: number) => (track.values[step]! - track.values[0]!) / track.range;
  return tracksOf(a, { sharpness: "hard" }).every((track) =>
    track.values.every((_, step) => Math.abs(shape(track, step) - shape(trackOf(b, track), step)) < 0.01),
  );
}

/** Whether no step away from the truth lowers the loss. */
export function neverFalls({ course }: Track): boolean {
  return course === "rises" || course === "flattens";
}

function tracksOf(row: Row, { size, sharpness }: { size?: Size; sharpness?: Sharpness }): Track[] {
  return row.tracks.filter(
    (track) => (size ?? track.size) === track.size && (sharpness ?? track.sharpness) === track.sharpness,
  );
}

function fallsOf(row: Row, sharpness: Sharpness): string {
  return tracksOf(row, { size: "small", sharpness })
    .filter((track) => !neverFalls(track))
    .map((track) => `${track.drift} ${track.course === "dips" ? dipOf(track) : fallOf(track)}`)
    .join(", ");
}

const percent = (share: number) => `${share < 0.1 ? (100 * share).toFixed(1) : (100 * share).toFixed(0)} %`;

/** `−68 % by 3.8`: the deepest fall as a share of the range, and where it ends. */
function fallOf(track: Track): string {
  return `−${percent(track.fall)} by ${round(track.fallsUntil)}`;
}

const dipOf = (track: Track) => `−${percent(track.fall)}`;

/** The name of a row without its options, which the tables show. */
export function name({ candidate }: Row): string {
  return candidate.loss.kind === "sum" ? candidate.title : candidate.loss.kind;
}

function between(amounts: readonly number[], unit: string): string {
  const [low, high] = [Math.min(...amounts), Math.max(...amounts)].map(round);
  const [noun, ...rest] = unit.split(" ");
  return `from ${low === high ? low : `${low}–${high}`} ${[`${noun}s`, ...rest].join(" ")} on`;
}

/** At most one decimal. */
export function round(amount: number): string {
  return String(+amount.toFixed(1));
}

function list(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** The verb at the start of a text, for one. */
const singular = (text: string) =>
  text
    .replace(/^go/, "goes")
    .replace(/^(rise|dip|fall)/, "$1s")
    .replace("then rise", "then rises");

const capital = (text: string) =>
  text.replace(/^(all|the) /, (word) => word[0]!.toUpperCase() + word.slice(1));
