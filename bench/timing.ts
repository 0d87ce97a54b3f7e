/** How a call is timed. `peers/time_peers.py` keeps the same rule. */

export interface Timed {
  /** Timed runs, after the warm-up. */
  readonly runs: number;
  /** Milliseconds per call. */
  readonly min: number;
  readonly median: number;
}

/** At least so many runs and so many milliseconds. */
export interface Patience {
  readonly runs: number;
  readonly milliseconds: number;
}

export const patience = {
  full: { runs: 9, milliseconds: 400 },
  quick: { runs: 1, milliseconds: 0 },
} as const;

/** Calls before the first run that counts, and how long a run lasts at least: shorter calls are repeated within. */
const warmUp = 2;
const shortestRun = 1;

export function time(call: () => unknown, { runs, milliseconds }: Patience): Timed {
  let single = 0;
  const warmUntil = performance.now() + milliseconds / 4;
  for (let i = 0; i < warmUp || performance.now() < warmUntil; i++) single = clock(call, 1);
  const repeats = milliseconds === 0 ? 1 : Math.max(1, Math.ceil(shortestRun / Math.max(single, 1e-3)));

  const times: number[] = [];
  const until = performance.now() + milliseconds;
  while (times.length < runs || performance.now() < until) times.push(clock(call, repeats));
  times.sort((a, b) => a - b);
  return { runs: times.length, min: times[0]!, median: times[Math.floor(times.length / 2)]! };
}

function clock(call: () => unknown, repeats: number): number {
  const start = performance.now();
  for (let i = 0; i < repeats; i++) call();
  return (performance.now() - start) / repeats;
}
