import { defineLoss } from "../define.ts";
import { choice, number } from "../option.ts";

/**
 * Conservative loss: mean of λ (1 + log_a p_t)² · log_a(−log_a p_t), with p_t the probability of the true label.
 *
 * Made for domain adaptation: it punishes predictions that are too sure as well as those that are wrong.
 *
 * With u = −ln p_t / ln a this is λ (1−u)² ln(u) / ln a. p_t = 1/a is a flat inflection, not a pole.
 * As p_t → 1 the published expression falls to −∞; u is clamped to [`floor`, ∞) and the gradient is 0 below it.
 * The loss is decreasing in p_t everywhere.
 *
 * Shapes: any batch; soft targets weigh the loss of each possible label by its share.
 *
 * @example
 * conservative({ base: 2, lambda: 3 })
 *
 * @remarks The paper has no floor.
 * X. Zhu et al., Penalizing top performers: conservative loss for semantic segmentation adaptation, ECCV 2018.
 */
export const conservative = defineLoss("conservative", {
  /** Base a of the logarithms. */
  base: number(Math.E, { above: 1 }),
  /** Factor λ of the whole loss. */
  lambda: number(5, { min: 0 }),
  /** Smallest u; the gradient is 0 below it. */
  floor: number(1e-6, { above: 0, max: 1 }),
  /** `"mean"` over valid labels, or their `"sum"`. */
  reduction: choice(["mean", "sum"]),
});

export type Conservative = ReturnType<typeof conservative>;
