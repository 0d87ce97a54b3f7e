/** Everything that is timed in this process, as data. */
import { allocate, distanceTransform, signedDistance } from "segrad";
import { exp_sweep as expSweep } from "../pkg/segrad.js";
import { type Case, casesOf } from "./cases.ts";
import type { Engine } from "./engines/engine.ts";
import { jax } from "./engines/jax.ts";
import { reference } from "./engines/reference.ts";
import {
  segrad,
  segradChannelsLast,
  segradCopied,
  segradNewArrays,
  segradVariants,
} from "./engines/segrad.ts";
import { tfjsCpu, tfjsWasm } from "./engines/tfjs.ts";
import { growthTasks } from "./growth.ts";
import type { Timing } from "./results.ts";
import {
  makeMasks,
  makeWorkload,
  masksNames,
  product,
  type Size,
  type Workload,
  type WorkloadName,
  workloadNames,
} from "./workloads.ts";

/** Something that can be timed; `open` makes its arrays. */
export interface Task extends Pick<Timing, "group" | "workload" | "engine" | "loss"> {
  open(): Promise<Open>;
}

export interface Open {
  readonly elements: number;
  readonly call: () => unknown;
  dispose(): void;
}

/** Names of the losses that more than one library here can compute, and that are asked for beside cross-entropy. */
const shared = ["crossEntropy", "focal", "dice", "dice + crossEntropy"];

/** All tasks, in the order in which they run: segrad before libraries that could stir its memory or compiler. */
export function makeTasks(size: Size): Task[] {
  const workload = remember((name: WorkloadName) => makeWorkload(name, size));
  // Which losses fit does not depend on the size.
  const cases = new Map(workloadNames.map((name) => [name, casesOf(makeWorkload(name, "quick"))]));

  const rows = (
    group: Timing["group"],
    engine: Engine,
    names: readonly WorkloadName[],
    only?: readonly string[],
  ) =>
    names.flatMap((name) =>
      cases
        .get(name)!
        .filter((item) => only?.includes(item.name) ?? true)
        .map((item) => lossTask(group, engine, name, item, () => workload(name))),
    );

  return [
    ...workloadNames.flatMap((name) => floorTasks(name, () => workload(name))),
    ...rows("losses", segrad, workloadNames),
    ...rows("layout", segradChannelsLast, ["W2", "W3"], ["crossEntropy", "dice"]),
    ...rows("copies", segradCopied, workloadNames, ["crossEntropy", "dice"]),
    ...rows("copies", segradNewArrays, workloadNames, ["crossEntropy", "dice"]),
    ...segradVariants.flatMap((engine) => rows("variants", engine, workloadNames, ["crossEntropy", "dice"])),
    ...mapTasks(size),
    ...rows("losses", jax, workloadNames, shared),
    ...rows("losses", tfjsWasm, workloadNames, shared),
    ...rows("losses", tfjsCpu, workloadNames, shared),
    ...rows("losses", reference, workloadNames).filter((task) => task.loss !== "hausdorffDT"),
    // Last: WebAssembly memory never shrinks.
    ...growthTasks(size),
  ];
}

function lossTask(
  group: Timing["group"],
  engine: Engine,
  name: string,
  item: Case,
  workload: () => Workload,
): Task {
  return {
    group,
    workload: name,
    engine: engine.name,
    loss: item.name,
    open: async () => {
      const prepared = await engine.prepare(workload(), item);
      if (prepared === null) throw new Error(`${engine.name} has no ${item.name}`);
      return { elements: prepared.elements, call: prepared.evaluate, dispose: prepared.dispose };
    },
  };
}

/** What no loss can be faster than: reading, exponentials and writing; and reading and writing alone. */
function floorTasks(name: WorkloadName, workload: () => Workload): Task[] {
  const between = (loss: string, sweep: (from: Float32Array, to: Float32Array) => void): Task => ({
    group: "floor",
    workload: name,
    engine: "segrad",
    loss,
    open: async () => {
      const { logits } = workload();
      const [from, to] = [allocate(logits.length), allocate(logits.length)];
      from.data.set(logits);
      return {
        elements: logits.length,
        call: () => sweep(from.data, to.data),
        dispose: () => {
          from.dispose();
          to.dispose();
        },
      };
    },
  });
  return [
    between("exp sweep", (from, to) => expSweep(from.byteOffset, to.byteOffset, from.length)),
    between("copy", (from, to) => to.set(from)),
  ];
}

function mapTasks(size: Size): Task[] {
  const maps = {
    distance: distanceTransform,
    // Two maps, of the background and of the mask: what the function gives for a mask.
    signed: (pixels: Uint8Array, { shape }: { readonly shape: readonly number[] }) =>
      signedDistance(pixels, { shape, classes: 2 }),
  };
  return masksNames.flatMap((name) => {
    const masks = remember(() => makeMasks(name, size));
    return Object.entries(maps).map(
      ([loss, map]): Task => ({
        group: "maps",
        workload: name,
        engine: "segrad",
        loss,
        open: async () => ({
          elements: masks(name).reduce((sum, { shape }) => sum + product(shape), 0),
          call: () => {
            for (const { shape, pixels } of masks(name)) map(pixels, { shape });
          },
          dispose: () => {},
        }),
      }),
    );
  });
}

/** Makes each value once. */
function remember<Key, T>(make: (key: Key) => T): (key: Key) => T {
  const kept = new Map<Key, T>();
  return (key) => {
    const found = kept.get(key);
    if (found !== undefined) return found;
    const made = make(key);
    kept.set(key, made);
    return made;
  };
}
