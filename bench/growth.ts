/** How the cost per element grows with the batch and with the classes, and whether memory grows with the calls. */
import { allocate, crossEntropy, dice, type LossSpec, valueAndGrad } from "segrad";
import { random } from "../demo/random.ts";
import { casesOf } from "./cases.ts";
import type { MemoryGrowth, Timing } from "./results.ts";
import type { Task } from "./tasks.ts";
import { makeWorkload, type Size, workloadNames } from "./workloads.ts";

const elementCounts = {
  full: [1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7, 3e7, 1e8],
  quick: [1e3, 1e4],
} as const;

const classCounts = {
  full: { classes: [2, 3, 4, 6, 8, 12, 16, 21, 32, 48, 64, 100, 150], elements: 2 ** 22 },
  quick: { classes: [2, 150], elements: 2 ** 12 },
} as const;

const grown: { readonly [name: string]: LossSpec } = { crossEntropy: crossEntropy(), dice: dice() };

/** Binary batches of 10³ … 10⁸ elements, and 2 … 150 classes on as many elements each. */
export function growthTasks(size: Size): Task[] {
  const { classes, elements } = classCounts[size];
  return Object.keys(grown).flatMap((loss) => [
    ...elementCounts[size].map((count) => growthTask("elements", count, loss, 1, count)),
    ...classes.map((count) => growthTask("classes", count, loss, count, Math.floor(elements / count))),
  ]);
}

function growthTask(
  group: Timing["group"],
  count: number,
  loss: string,
  channels: number,
  pixels: number,
): Task {
  return {
    group,
    workload: String(count),
    engine: "segrad",
    loss,
    open: async () => {
      const elements = channels * pixels;
      const [logits, grad] = [allocate(elements), allocate(elements)];
      fillWithNoise(logits.data);
      const target = stripes(pixels, Math.max(2, channels));
      const shape = [1, channels, 1, pixels];
      return {
        elements,
        call: () => valueAndGrad(grown[loss]!, { logits: logits.data, target, shape }, { out: grad.data }),
        dispose: () => {
          logits.dispose();
          grad.dispose();
        },
      };
    },
  };
}

/** Labels that change every 64 pixels. */
function stripes(pixels: number, labels: number): Uint8Array {
  const target = new Uint8Array(pixels);
  for (let at = 0; at < pixels; at += 64) target.fill((at / 64) % labels, at, at + 64);
  return target;
}

/** N(0, 2), repeated after a while: 10⁸ normal deviates would take longer than what is timed. */
function fillWithNoise(array: Float32Array): void {
  const generator = random(21);
  const piece = Float32Array.from({ length: Math.min(array.length, 2 ** 18) }, () => 2 * generator.normal());
  for (let at = 0; at < array.length; at += piece.length) {
    array.set(piece.subarray(0, Math.min(piece.length, array.length - at)), at);
  }
}

/** WebAssembly memory before and after many calls of every loss, in buffers and on plain arrays by turns. */
export function memoryGrowth(calls: number): MemoryGrowth {
  const work = workloadNames.flatMap((name) => {
    const workload = makeWorkload(name, "quick");
    return casesOf(workload).map(({ loss }) => ({ loss, workload, grad: allocate(workload.logits.length) }));
  });
  const call = (index: number): void => {
    const { loss, workload, grad } = work[index % work.length]!;
    const { logits, target, shape } = workload;
    const isInside = Math.floor(index / work.length) % 2 === 0;
    valueAndGrad(loss, { logits, target, shape }, isInside ? { out: grad.data } : {});
  };
  for (let i = 0; i < 2 * work.length; i++) call(i);
  const before = memoryBytes();
  for (let i = 0; i < calls; i++) call(i);
  const after = memoryBytes();
  for (const { grad } of work) grad.dispose();
  return { calls, before, after };
}

function memoryBytes(): number {
  const probe = allocate(1);
  const bytes = probe.data.buffer.byteLength;
  probe.dispose();
  return bytes;
}
