/** Arrays inside WebAssembly memory, each between fences of its own: used in place, with the bits of copied ones. */
import fc from "fast-check";
import { allocate, type Batch, type BufferType, valueAndGrad, type WasmBuffer } from "segrad";
import { expect, test } from "vitest";
import { cases } from "../support/arbitrary.ts";
import { bytesHeld, expectUnharmed } from "../support/guard.ts";

const names = ["logits", "target", "pixelWeights", "distance"] as const;

type Buffers = Partial<Record<(typeof names)[number], WasmBuffer<BufferType>>>;

/** The batch with every array that `allocate` has a type for in a buffer of its own. */
function inBuffers(batch: Batch): { batch: () => Batch; buffers: Buffers } {
  const buffers: Buffers = {};
  for (const name of names) {
    const array = batch[name];
    if (array == null || array instanceof Float64Array) continue;
    const type = array.constructor.name.replace("Array", "").toLowerCase() as BufferType;
    buffers[name] = allocate(array.length, type);
    buffers[name].data.set(array);
  }
  // Growing the memory ends views, so they are taken anew.
  const views = () =>
    Object.fromEntries(Object.entries(buffers).map(([name, buffer]) => [name, buffer!.data]));
  return { batch: () => ({ ...batch, ...views() }), buffers };
}

test("random losses on random batches", () => {
  const numRuns = 2000;
  let held: number | undefined;
  const property = fc.property(cases(), ({ loss, batch }) => {
    const copied = valueAndGrad(loss, batch);
    expectUnharmed();
    const { batch: inPlace, buffers } = inBuffers(batch);
    const out = allocate(batch.logits.length);

    const apart = valueAndGrad(loss, inPlace(), { out: out.data });
    expectUnharmed();
    expect(apart.value).toBe(copied.value);
    expect(apart.grad).toEqual(copied.grad);
    for (const name of names) if (buffers[name]) expect(buffers[name].data).toEqual(batch[name]);

    const given = inPlace();
    const over = valueAndGrad(loss, given, { out: given.logits });
    expectUnharmed();
    expect(over.grad).toEqual(copied.grad);

    for (const buffer of [out, ...Object.values(buffers)]) buffer?.dispose();
    expectUnharmed();
    held ??= bytesHeld();
  });
  fc.assert(property, { seed: 1, numRuns });
  // What is kept is scratch of the largest batch so far, not something of every call.
  expect(bytesHeld()).toBeLessThan(held! + 4e6);
});
