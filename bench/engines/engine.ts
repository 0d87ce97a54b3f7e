/** What the benchmark asks of a library. */
import type { Case } from "../cases.ts";
import type { Workload } from "../workloads.ts";

export interface Engine {
  readonly name: string;
  /** A loss on a workload, ready to be evaluated again and again; null where the engine has no such loss. */
  prepare(workload: Workload, item: Case): Promise<Prepared | null>;
}

export interface Prepared {
  /** Numbers in the logits: an engine may have cut the workload down to its own speed. */
  readonly elements: number;
  /** Computes the value and the gradient with respect to the logits, and gives the value. */
  evaluate(): number;
  /** The gradient of the last evaluation, in the engine's own layout. */
  gradient(): ArrayLike<number>;
  dispose(): void;
}
