/** segrad, with arrays in `allocate` buffers, in plain arrays, channels last, and on batches that are not so plain. */
import { allocate, valueAndGrad } from "segrad";
import type { Case } from "../cases.ts";
import { channelsLast, oddSized, type Workload, withBorders, withWeights } from "../workloads.ts";
import type { Engine, Prepared } from "./engine.ts";

/** All arrays in WebAssembly memory; nothing is copied. */
export const segrad: Engine = {
  name: "segrad",
  prepare: async (workload, item) => inBuffers(workload, item, "channels-first"),
};

/** The same in NHWC. */
export const segradChannelsLast: Engine = {
  name: "segrad, channels last",
  prepare: async (workload, item) => inBuffers(channelsLast(workload), item, "channels-last"),
};

/** What real batches have and plain ones do not. */
export const segradVariants: readonly Engine[] = Object.entries({
  "borders ignored": withBorders,
  "weighted pixels": withWeights,
  "odd sizes": oddSized,
}).map(([name, variant]) => ({
  name: `segrad, ${name}`,
  prepare: async (workload, item) => inBuffers(variant(workload), item, "channels-first"),
}));

/** Plain arrays: copied in, and the gradient copied out into the same array every time. */
export const segradCopied: Engine = {
  name: "segrad, plain arrays",
  prepare: async (workload, item) => plain(workload, item, new Float32Array(workload.logits.length)),
};

/** Plain arrays, and a new array for every gradient. */
export const segradNewArrays: Engine = {
  name: "segrad, new arrays",
  prepare: async (workload, item) => plain(workload, item, null),
};

function inBuffers({ shape, ignoreIndex, ...arrays }: Workload, item: Case, layout: Layout): Prepared {
  const elements = arrays.logits.length;
  const logits = allocate(elements);
  const target = allocate(arrays.target.length, "uint8");
  const grad = allocate(elements);
  const distance = isBoundary(item) ? allocate(elements) : null;
  const weights = arrays.pixelWeights === undefined ? null : allocate(target.length);
  logits.data.set(arrays.logits);
  target.data.set(arrays.target);
  weights?.data.set(arrays.pixelWeights!);
  distance?.data.set(arrays.distance);
  return {
    elements,
    // `.data` is read anew each time: a view taken earlier is detached when the memory grows.
    evaluate: () => {
      const [data, pixelWeights] = [logits.data, weights?.data];
      const batch = {
        logits: data,
        target: target.data,
        shape,
        layout,
        ignoreIndex,
        pixelWeights,
        distance: distance?.data,
      };
      return valueAndGrad(item.loss, batch, { out: grad.data }).value;
    },
    gradient: () => grad.data,
    dispose: () => {
      for (const buffer of [logits, target, grad, distance, weights]) buffer?.dispose();
    },
  };
}

type Layout = "channels-first" | "channels-last";

function plain(workload: Workload, item: Case, out: Float32Array | null): Prepared {
  const { logits, target, shape } = workload;
  const batch = { logits, target, shape, ...(isBoundary(item) ? { distance: workload.distance } : {}) };
  let grad: Float32Array | null = out;
  return {
    elements: logits.length,
    evaluate: () => {
      const result = valueAndGrad(item.loss, batch, out === null ? {} : { out });
      grad = result.grad;
      return result.value;
    },
    gradient: () => grad!,
    dispose: () => {
      grad = null;
    },
  };
}

/** The only loss that reads the distance maps; given to others they would only be checked. */
const isBoundary = (item: Case): boolean => item.loss.kind === "boundary";
