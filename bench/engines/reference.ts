/** The float64 reference. It is made to be read: it gets a corner of the first image, and plain search for maps. */
import { valueAndGrad } from "segrad/reference";
import { crop } from "../workloads.ts";
import type { Engine } from "./engine.ts";

const pixels = 4096;

export const reference: Engine = {
  name: "segrad/reference",
  prepare: async (workload, item) => {
    if (item.loss.kind === "hausdorffDT") return null; // quadratic there: a time per element says nothing
    const { shape, logits, target, distance } = crop(workload, pixels);
    const batch = { shape, logits, target, ...(item.loss.kind === "boundary" ? { distance } : {}) };
    let gradient: ArrayLike<number> = [];
    return {
      elements: logits.length,
      evaluate: () => {
        const result = valueAndGrad(item.loss, batch);
        gradient = result.grad;
        return result.value;
      },
      gradient: () => gradient,
      dispose: () => {},
    };
  },
};
