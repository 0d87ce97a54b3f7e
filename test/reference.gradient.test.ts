/** The reference against itself: its tape against central differences of its own values. */
import fc from "fast-check";
import { type LossSpec, type ReferenceBatch, value, valueAndGrad } from "segrad/reference";
import { expect, test } from "vitest";
import { type Kind, losses } from "../ts/loss/index.ts";
import { type Case, cases, randomNumbers } from "./support/arbitrary.ts";

/**
 * A tie that a step of a sort crosses at its very end bends the value too little to be noticed, and the slope more
 * than is allowed. Hardly ever does a shorter step cross it too.
 */
const steps = [1e-5, 1e-6, 1e-7];

/** The batch with float64 logits, which central differences need. */
function inFloat64({ batch }: Case): ReferenceBatch & { readonly logits: Float64Array } {
  return { ...batch, logits: Float64Array.from(batch.logits) } as never;
}

/**
 * The slope along `direction`: analytic, and by differences. Undefined where differences from both sides disagree:
 * a kink (of a sort, a hinge, a threshold) lies within a step.
 */
function slopes(loss: LossSpec, batch: ReferenceBatch, direction: Float64Array, step: number) {
  const at = (h: number) =>
    value(loss, { ...batch, logits: batch.logits.map((z, i) => z + h * direction[i]!) });
  const { value: here, grad } = valueAndGrad(loss, batch);
  const analytic = direction.reduce((sum, d, i) => sum + d * grad[i]!, 0);
  const size = direction.reduce((sum, d, i) => sum + Math.abs(d * grad[i]!), 0);
  const [ahead, behind] = [at(step), at(-step)];
  const numeric = (ahead - behind) / (2 * step);
  const kink = Math.abs(ahead - 2 * here + behind) / step;
  const scale = size + Math.abs(numeric) + 1e-3 * Math.abs(here);
  if (kink > 1e-3 * scale + 1e-9) return undefined;
  return { analytic, numeric, within: 1e-5 * scale + 1e-9 };
}

test.each(Object.keys(losses) as Kind[])("the gradient of %s is the slope of its value", (kind) => {
  let tried = 0;
  let smooth = 0;
  const property = fc.property(
    cases({ kinds: [kind], sums: false, mostPixels: 40, mostChannels: 6 }),
    (drawn) => {
      const batch = inFloat64(drawn);
      const random = randomNumbers(drawn.recipe.seed + 1);
      const everywhere = batch.logits.map(() => random() - 0.5);
      const one = new Float64Array(batch.logits.length);
      one[Math.floor(random() * one.length)] = 1;
      for (const direction of [everywhere, one]) {
        const found = steps.map((step) => slopes(drawn.loss, batch, direction, step));
        tried++;
        if (found[0] === undefined) continue;
        smooth++;
        const agrees = found.map(
          (slope) => slope && Math.abs(slope.analytic - slope.numeric) <= slope.within,
        );
        expect(agrees, JSON.stringify(found)).toContain(true);
      }
    },
  );
  fc.assert(property, { numRuns: 60 });
  expect(smooth).toBeGreaterThan(0.8 * tried);
});

test("the gradient of a sum is the sum of the gradients, and terms are unweighted values", () => {
  const property = fc.property(cases({ mostPixels: 40, mostChannels: 30 }), ({ loss, batch }) => {
    const terms: readonly { weight: number; loss: LossSpec }[] =
      loss.kind === "sum" ? loss.terms : [{ weight: 1, loss }];
    const results = terms.map((term) => valueAndGrad(term.loss, batch));
    const whole = valueAndGrad(loss, batch);
    expect(whole.terms).toHaveLength(terms.length);
    whole.terms.forEach((term, t) => {
      expect(term).toBeCloseTo(results[t]!.value, 10);
    });
    const sumOf = (pick: (result: (typeof results)[number]) => number) =>
      terms.reduce((sum, { weight }, t) => sum + weight * pick(results[t]!), 0);
    const size = results.reduce((sum, result) => sum + Math.abs(result.value), 1);
    expect(Math.abs(whole.value - sumOf((result) => result.value))).toBeLessThan(1e-12 * 4 * size);
    whole.grad.forEach((g, i) => {
      // Where slopes of size 1 cancel, each gradient is but what their rounding left.
      const parts = results.reduce((sum, result) => sum + 2 * Math.abs(result.grad[i]!), 0);
      const rounding = 8 * Number.EPSILON;
      expect(Math.abs(g - sumOf((result) => result.grad[i]!))).toBeLessThanOrEqual(1e-10 * parts + rounding);
    });
  });
  fc.assert(property, { numRuns: 200 });
});
