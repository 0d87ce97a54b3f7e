/**
 * The landscape experiment: what losses say while a prediction drifts away from the truth.
 *
 * Plain functions from data to data, free of Node and of the DOM: the command line writes a report of them, the page
 * draws them live. The engine is handed in, so that either entry of the library (or its reference) can compute.
 */
import type { Batch } from "../../batch.ts";
import type { LossSpec } from "../../loss/index.ts";
import {
  type DriftName,
  drifts,
  logits,
  type Sharpness,
  type Size,
  sharpnesses,
  side,
  sizes,
  truth,
} from "./scene.ts";

/** `valueAndGrad` of the library, or of its reference. */
export type Engine = (loss: LossSpec, batch: Batch) => { value: number; grad: Float32Array | Float64Array };

/** A loss under examination. */
export interface Candidate {
  readonly title: string;
  readonly loss: LossSpec;
  /** The same prediction, as one channel of logits or as a background and a foreground channel. */
  readonly mode: "binary" | "multilabel" | "multiclass";
}

/** One way to one wrong prediction. */
export interface Path {
  readonly size: Size;
  readonly drift: DriftName;
  readonly sharpness: Sharpness;
}

/** What a loss said along a path. */
export interface Curve extends Path {
  /** How far the prediction has drifted, in the unit of the drift. */
  readonly amounts: readonly number[];
  readonly values: readonly number[];
  /** ‖∂L/∂z‖₂ over the pixels' logits. */
  readonly norms: readonly number[];
}

/** Every path: both sizes, four drifts, hard and soft. */
export const paths: readonly Path[] = (Object.keys(drifts) as DriftName[]).flatMap((drift) =>
  sizes.flatMap((size) => sharpnesses.map((sharpness) => ({ size, drift, sharpness }))),
);

/** The prediction at one point of a path as a batch of one image. */
export function batchAt(path: Path, amount: number, mode: Candidate["mode"] = "binary"): Batch {
  const z = logits(drifts[path.drift].distances(path.size, amount), path.sharpness);
  const target = truth(path.size);
  if (mode !== "multiclass") return { logits: z, target, shape: [1, 1, side, side], mode };
  // Softmax of (−z/2, z/2) is the sigmoid of z; the gradient of the second channel is that of z.
  const planes = new Float32Array(2 * z.length);
  z.forEach((logit, i) => {
    planes[i] = -logit / 2;
    planes[z.length + i] = logit / 2;
  });
  return { logits: planes, target, shape: [1, 2, side, side], mode };
}

/** Follows one path with several losses at once; each picture is drawn once. */
export function follow(engine: Engine, candidates: readonly Candidate[], path: Path): Curve[] {
  const amounts = drifts[path.drift].amounts(path.size);
  const curves = candidates.map(() => ({ values: [] as number[], norms: [] as number[] }));
  for (const amount of amounts) {
    const batches = new Map<string, Batch>();
    candidates.forEach(({ loss, mode }, i) => {
      const batch = batches.get(mode) ?? batchAt(path, amount, mode);
      batches.set(mode, batch);
      const { value, grad } = engine(loss, batch);
      curves[i]!.values.push(value);
      curves[i]!.norms.push(norm(grad.subarray(grad.length - side * side)));
    });
  }
  return curves.map((curve) => ({ ...path, amounts, ...curve }));
}

function norm(vector: Float32Array | Float64Array): number {
  let squares = 0;
  for (const x of vector) squares += x * x;
  return Math.sqrt(squares);
}
