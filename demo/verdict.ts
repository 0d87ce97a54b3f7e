import type { Promised, Row } from "./losses.ts";
import type { Scores } from "./scores.ts";

/** What the numbers say, whichever way they fall. */
export function verdict(
  rows: readonly Row[],
  thresholds: readonly Scores[],
  trained: readonly Scores[],
): string[] {
  return [...againstOtsu(thresholds, trained), ...promises(rows, trained)];
}

function againstOtsu(thresholds: readonly Scores[], trained: readonly Scores[]): string[] {
  const bar = Math.max(...thresholds.map((scores) => scores.dice));
  const better = trained.filter((scores) => scores.dice > bar);
  const worse = trained.filter((scores) => scores.dice <= bar);
  const name = ({ title, dice }: Scores) => `${title} (${dice.toFixed(3)})`;
  if (better.length === 0) {
    return [`Training beats the better Otsu threshold (Dice ${bar.toFixed(3)}) with none of these losses.`];
  }
  const most = Math.max(...better.map((scores) => scores.dice)).toFixed(3);
  const best = better.filter((scores) => scores.dice.toFixed(3) === most).map((scores) => scores.title);
  return [
    `${better.length} of ${trained.length} networks beat the better Otsu threshold (Dice ${bar.toFixed(3)}); ` +
      `the highest is ${most} (${best.join("; ")}).`,
    ...(worse.length > 0 ? [`No better than the threshold: ${worse.map(name).join(", ")}.`] : []),
  ];
}

/** Each loss that was made for something, against one that was not. */
function promises(rows: readonly Row[], trained: readonly Scores[]): string[] {
  return rows.flatMap(({ promise, title }, i) => {
    const other = promise ? rows.findIndex((row) => row.name === promise.than) : -1;
    if (!promise || other < 0) return [];
    const { aim, measure, text, better } = aims[promise.score];
    const [own, plain] = [trained[i]!, trained[other]!];
    const [ours, theirs] = [own[promise.score], plain[promise.score]];
    const isBetter = better === "larger" ? ours > theirs : ours < theirs;
    return [
      `${capital(title)} should ${aim}: ${measure} ${text(own)}, with ${rows[other]!.title} ${text(plain)}; ${isBetter ? "better" : "not better"} here.`,
    ];
  });
}

interface Aim {
  readonly aim: string;
  readonly measure: string;
  readonly better: "larger" | "smaller";
  readonly text: (scores: Scores) => string;
}

const aims: Readonly<Record<Promised["score"], Aim>> = {
  recall: {
    aim: "miss less",
    measure: "recall",
    better: "larger",
    text: ({ recall }) => recall.toFixed(3),
  },
  hausdorff95: {
    aim: "draw closer outlines",
    measure: "HD95",
    better: "smaller",
    text: ({ hausdorff95 }) => `${hausdorff95.toFixed(1)} px`,
  },
  separated: {
    aim: "separate touching nuclei",
    measure: "pairs separated",
    better: "larger",
    text: ({ separated, pairs }) => `${separated} of ${pairs}`,
  },
};

/** What a reader must know to read the table. */
export function notes(rows: readonly Row[]): string[] {
  return [
    "One image, one seed: differences of a few thousandths are noise. The network, the learning rate and the number of steps were chosen by hand in view of the right half, for the usual five losses at once; they are the same for every loss.",
    "Every network trains on the same target: the nuclei with a gap of one pixel where two touch, as in U-Net. Scores are against the nuclei without gaps.",
    "A pair of nuclei within 2 px of each other is separated if each has a connected part of the mask that covers at least half of it, and the two parts differ. The right half has few such pairs: a difference of one or two shows little.",
    ...rows.flatMap((row) => (row.note ? [`${capital(row.title)}: ${row.note}`] : [])),
  ];
}

const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);
