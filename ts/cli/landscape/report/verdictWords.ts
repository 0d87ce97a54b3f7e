/** A verdict in a few words, as a table has room for. */
import { round } from "../findings.ts";
import type { Track } from "../survey.ts";

export function verdictWords(track: Track): string {
  const words = courseWords(track);
  return track.isFaint ? `${words}, faint` : words;
}

function courseWords({ course, flatFrom, fall }: Track): string {
  switch (course) {
    case "rises":
      return "rises";
    case "flattens":
      return `flat from ${round(flatFrom)}`;
    case "dips":
      return `dips ${percent(fall)}`;
    case "falls":
      return `falls ${percent(fall)}`;
  }
}

const percent = (share: number) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
