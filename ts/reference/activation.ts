/**
 * From logits to probabilities, in log space. Each function writes down one primitive and its Jacobian:
 * p = σ(z) or softmax(z), q = 1 − p, and the surprises −ln p and −ln(1 − p). All of them keep their relative
 * accuracy at both ends, since q is never computed as a difference that cancels.
 */
import type { Floats, ResolvedBatch } from "../batch.ts";
import type { Vector } from "./tape.ts";

/** One thing a label can be: a class, or foreground and background. */
export interface Outcome {
  /** u = −ln of the probability of this outcome. */
  readonly surprise: Vector;
  /** 1 − the probability of this outcome. */
  readonly doubt: Vector;
  /** How much of the target is this outcome: 1 or 0, or its share of a soft target. */
  readonly share: Float64Array;
  /** Binary and multilabel: whether it is the foreground. Multiclass: null, the channel is the class. */
  readonly foreground: boolean | null;
}

interface Activated {
  readonly p: Vector;
  readonly q: Vector;
  readonly outcomes: readonly Outcome[];
}

/** The activation a batch asks for. */
export function activate(batch: ResolvedBatch<Floats>, logits: Vector, y: Float64Array): Activated {
  const { channels, pixels, mode, fromLogits } = batch;
  if (mode === "multiclass") {
    const { p, q, surprise } = fromLogits ? softmax(logits, channels, pixels) : given(logits);
    return { p, q, outcomes: [{ surprise, doubt: q, share: y, foreground: null }] };
  }
  const { p, q, surprise, complement } = fromLogits ? sigmoid(logits) : given(logits);
  const outcomes = [
    { surprise, doubt: q, share: y, foreground: true },
    { surprise: complement, doubt: p, share: y.map((share) => 1 - share), foreground: false },
  ];
  return { p, q, outcomes };
}

/** The input already is a probability. */
function given(p: Vector) {
  return {
    p,
    q: p.times(-1).plus(1),
    surprise: p.map(
      (x) => -Math.log(x),
      (x) => -1 / x,
    ),
    complement: p.map(
      (x) => -Math.log1p(-x),
      (x) => 1 / (1 - x),
    ),
  };
}

/** 1/(1 + e^−z). */
function logistic(z: number): number {
  return z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z));
}

/** ln(1 + e^z). */
function softplus(z: number): number {
  return Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
}

/** p = σ(z), q = σ(−z), −ln p = softplus(−z), −ln q = softplus(z). */
function sigmoid(logits: Vector) {
  const slope = (z: number) => logistic(z) * logistic(-z);
  return {
    p: logits.map(logistic, slope),
    q: logits.map(
      (z) => logistic(-z),
      (z) => -slope(z),
    ),
    surprise: logits.map(
      (z) => softplus(-z),
      (z) => -logistic(-z),
    ),
    complement: logits.map(softplus, logistic),
  };
}

/**
 * With m the largest logit of a pixel, e_k = exp(z_k − m) and R the sum of e_k over all channels but the first of
 * those that reach m: p_k = e_k/(1 + R), −ln p_k = (m − z_k) + log1p(R). For that largest channel q = R/(1 + R);
 * every other has p ≤ 1/2, where 1 + R − e_k does not cancel.
 */
function softmax(logits: Vector, channels: number, pixels: number) {
  const z = logits.value;
  const size = z.length;
  const [p, q, surprise] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)];
  /** The entries of the pixel that entry i belongs to, one per channel. */
  const column = (i: number) => {
    const first = Math.floor(i / (channels * pixels)) * channels * pixels + (i % pixels);
    return Array.from({ length: channels }, (_, k) => first + k * pixels);
  };

  for (let i = 0; i < size; i++) {
    if (Math.floor(i / pixels) % channels !== 0) continue; // once per pixel
    const entries = column(i);
    const top = entries.reduce((best, j) => (z[j]! > z[best]! ? j : best));
    const e = (j: number) => Math.exp(z[j]! - z[top]!);
    const rest = entries.reduce((sum, j) => (j === top ? sum : sum + e(j)), 0);
    for (const j of entries) {
      p[j] = e(j) / (1 + rest);
      q[j] = (j === top ? rest : 1 + rest - e(j)) / (1 + rest);
      surprise[j] = z[top]! - z[j]! + Math.log1p(rest);
    }
  }

  /** ∂p_k/∂z_j = p_k (δ_kj − p_j) */
  const pull = (k: number, g: number) => {
    for (const j of column(k)) logits.grad[j]! += g * p[k]! * (j === k ? q[k]! : -p[j]!);
  };
  return {
    p: logits.derive(p, pull),
    q: logits.derive(q, (k, g) => pull(k, -g)),
    /** ∂(−ln p_k)/∂z_j = p_j − δ_kj */
    surprise: logits.derive(surprise, (k, g) => {
      for (const j of column(k)) logits.grad[j]! += g * (j === k ? -q[k]! : p[j]!);
    }),
  };
}
