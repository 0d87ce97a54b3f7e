/** The whole experiment: every candidate on every path, judged. */
import { type Candidate, type Curve, type Engine, follow, type Path, paths } from "./experiment.ts";
import { judge, type Verdict } from "./verdict.ts";

/** One loss on one path. */
export interface Track extends Curve, Verdict {
  /** Whether the loss hardly looks at this error: its range is below 1 % of that on the drift it minds most. */
  readonly isFaint: boolean;
}

/** One loss on every path. */
export interface Row {
  readonly candidate: Candidate;
  readonly tracks: readonly Track[];
}

export interface Landscape {
  readonly rows: readonly Row[];
}

/** Follows every path with every candidate; `visit` is told of each path before it is followed. */
export async function survey(
  engine: Engine,
  candidates: readonly Candidate[],
  eachPath: (visit: (path: Path) => void) => Promise<void> = async (visit) => paths.forEach(visit),
): Promise<Landscape> {
  const judged = candidates.map(() => [] as (Curve & Verdict)[]);
  await eachPath((path) => {
    follow(engine, candidates, path).forEach((curve, i) => {
      judged[i]!.push({ ...curve, ...judge(curve) });
    });
  });
  return { rows: candidates.map((candidate, i) => ({ candidate, tracks: withFaint(judged[i]!) })) };
}

function withFaint(tracks: readonly (Curve & Verdict)[]): Track[] {
  return tracks.map((track) => {
    const siblings = tracks.filter(
      ({ size, sharpness }) => size === track.size && sharpness === track.sharpness,
    );
    return { ...track, isFaint: track.range < 0.01 * Math.max(...siblings.map((sibling) => sibling.range)) };
  });
}

/** The track of a row along a path. */
export function trackOf(row: Row, { size, drift, sharpness }: Path): Track {
  const found = row.tracks.find(
    (track) => track.size === size && track.drift === drift && track.sharpness === sharpness,
  );
  if (found === undefined) throw new Error(`no track along ${size} ${drift} ${sharpness}`);
  return found;
}
