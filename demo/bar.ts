import { SingleBar } from "cli-progress";
import type { Row } from "./losses.ts";

/** One progress bar for all workers: what is done, the time left, and the value of each loss in training. */
export class Bar {
  readonly #bar = new SingleBar({
    format: "{bar} {percentage}%  {left} left  {values}",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    noTTYOutput: true,
    notTTYSchedule: 5000,
  });
  readonly #titles: ReadonlyMap<string, string>;
  readonly #left: Map<string, number>;
  readonly #values = new Map<string, number>();
  readonly #started = performance.now();

  constructor(
    rows: readonly Row[],
    private readonly steps: number,
    private readonly workers: number,
  ) {
    this.#titles = new Map(rows.map((row) => [row.name, row.title]));
    this.#left = new Map(rows.map((row) => [row.name, steps]));
    this.#bar.start(rows.length * steps, 0, { left: "…", values: "" });
  }

  step(name: string, value: number): void {
    const left = this.#left.get(name)! - 1;
    this.#left.set(name, left);
    if (left === 0) this.#values.delete(name);
    else this.#values.set(name, value);
    const values = [...this.#values].map(([name, value]) => `${this.#titles.get(name)} ${value.toFixed(3)}`);
    this.#bar.increment(1, { left: clock(this.#secondsLeft()), values: values.join(" · ") });
  }

  stop(): void {
    this.#bar.stop();
  }

  /** The time the slowest worker still needs, if each waiting loss goes to the worker that is free first. */
  #secondsLeft(): number {
    const left = [...this.#left.values()];
    const done = left.reduce((sum, steps) => sum + this.steps - steps, 0);
    const busy = left.filter((steps) => steps > 0).sort((a, b) => a - b);
    const running = busy.slice(0, this.workers);
    for (const steps of busy.slice(this.workers)) {
      running.sort((a, b) => a - b);
      running[0]! += steps;
    }
    const secondsPerStep = (this.workers * (performance.now() - this.#started)) / 1000 / done;
    return Math.max(0, ...running) * secondsPerStep;
  }
}

function clock(seconds: number): string {
  const whole = Math.ceil(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
