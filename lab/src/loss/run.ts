/** One loss, and logits that follow its gradient. */
import { confusionMatrix, SegradError } from "segrad";
import type { Candidate } from "../../../ts/cli/landscape/experiment.ts";
import { foreground, pixels } from "../scene/grid.ts";
import { type Evaluation, Workspace } from "./evaluate.ts";
import { type Mix, toCandidate } from "./mix.ts";

/** How a gradient becomes a step. */
export const rules = {
  plain: "z − η · P · ∂L/∂z",
  even: "z − η · ∂L/∂z / max |∂L/∂z|",
} as const;

export type Rule = keyof typeof rules;

/** Steps whose times are averaged: one is too short for the clocks of browsers. */
const remembered = 60;
/** Points of the history; beyond them every other one is forgotten. */
const longest = 400;

export class Run {
  candidate: Candidate;
  /** What the loss says about the logits as they are; the library's message where it refuses them. */
  evaluation: Evaluation | string = "";
  steps = 0;
  /** Hard Dice of the logits along the way. */
  history: { step: number; value: number; dice: number }[] = [];
  #target: Uint8Array = new Uint8Array(pixels);
  #times: number[] = [];
  readonly #space = new Workspace();

  constructor(mix: Mix) {
    this.candidate = toCandidate(mix);
  }

  get logits(): Float32Array {
    return this.#space.logits;
  }

  get gradient(): Float32Array {
    return this.#space.gradient;
  }

  /** Milliseconds per step, over the last of them; NaN before the first. */
  get milliseconds(): number {
    return this.#times.reduce((sum, time) => sum + time, 0) / this.#times.length;
  }

  /** Back to the start, or to a new one. */
  reset(logits: Float32Array, target: Uint8Array): void {
    this.#target = target;
    this.logits.set(logits);
    this.steps = 0;
    this.#times = [];
    this.history = [];
    this.#evaluate();
    this.#remember();
  }

  /** Another loss goes on from the logits as they are. */
  change(candidate: Candidate): void {
    this.candidate = candidate;
    this.#times = [];
    this.#evaluate();
    if (this.steps === 0) {
      this.history = [];
      this.#remember();
    }
  }

  /** Follows the gradient, then asks the loss again. */
  step(rule: Rule, rate: number): void {
    if (typeof this.evaluation === "string") return;
    const start = performance.now();
    const { logits, gradient } = this;
    const factor = rule === "plain" ? rate * pixels : rate / (largest(gradient) || 1);
    for (let i = 0; i < pixels; i++) logits[i] = logits[i]! - factor * gradient[i]!;
    this.#evaluate();
    this.#times.push(performance.now() - start);
    if (this.#times.length > remembered) this.#times.shift();
    this.steps += 1;
    this.#remember();
  }

  map(): Float32Array | null {
    return this.#space.map(this.candidate, this.#target);
  }

  /** Hard Dice of the logits as they are. */
  get dice(): number {
    return this.history[this.history.length - 1]!.dice;
  }

  #evaluate(): void {
    try {
      this.evaluation = this.#space.evaluate(this.candidate, this.#target);
    } catch (error) {
      if (!(error instanceof SegradError)) throw error;
      this.evaluation = error.message;
      this.gradient.fill(0);
    }
  }

  #remember(): void {
    const value = typeof this.evaluation === "string" ? Number.NaN : this.evaluation.value;
    this.history.push({ step: this.steps, value, dice: hardDice(this.logits, this.#target) });
    if (this.history.length > longest) this.history = this.history.filter((_, i) => i % 2 === 0);
  }
}

export function largest(values: Float32Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}

/** 2 · hits / (2 · hits + misses + false alarms); 1 where both are empty. */
function hardDice(logits: Float32Array, target: Uint8Array): number {
  const [background, object] = confusionMatrix(foreground(logits), target, { classes: 2 });
  const hits = object![1]!;
  const wrong = object![0]! + background![1]!;
  return hits + wrong === 0 ? 1 : (2 * hits) / (2 * hits + wrong);
}
