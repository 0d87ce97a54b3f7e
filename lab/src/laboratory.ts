/** What the page shows, free of the DOM: a scene, and two losses that look at it. */
import { type Mix, term, toCandidate } from "./loss/mix.ts";
import { type Rule, Run } from "./loss/run.ts";
import { Scene } from "./scene/scene.ts";

/** The two sides, by index: A and B. */
export const names = ["A", "B"] as const;

/** What has changed: the scene and with it everything, a loss of one side, or the logits by a step. */
export type Change = "scene" | "loss" | "step";

export class Laboratory {
  readonly scene = new Scene();
  readonly mixes: readonly [Mix, Mix] = [[term("crossEntropy")], [term("dice")]];
  readonly runs: readonly [Run, Run] = [new Run(this.mixes[0]), new Run(this.mixes[1])];
  rule: Rule = "plain";
  rate = 0.5;
  readonly #listeners: ((change: Change) => void)[] = [];

  constructor() {
    this.reset();
  }

  listen(listener: (change: Change) => void): void {
    this.#listeners.push(listener);
  }

  /** Changes the scene; both descents start anew from it. */
  edit(change: (scene: Scene) => void): void {
    change(this.scene);
    this.reset();
  }

  /** Both descents go back to the prediction of the scene. */
  reset(): void {
    const logits = this.scene.logits();
    for (const run of this.runs) run.reset(logits, this.scene.mask);
    this.#tell("scene");
  }

  /** The mix of a side was changed: its loss goes on from the logits as they are. */
  remix(side: 0 | 1): void {
    this.runs[side].change(toCandidate(this.mixes[side]));
    this.#tell("loss");
  }

  step(count = 1): void {
    for (let i = 0; i < count; i++) for (const run of this.runs) run.step(this.rule, this.rate);
    this.#tell("step");
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }
}
