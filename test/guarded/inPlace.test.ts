/** Arrays inside WebAssembly memory, each between fences of its own: used in place, with the bits of copied ones. */
import fc from "fast-check";
import { allocate, type Batch, valueAndGrad, type WasmBuffer } from "segrad";
import { expect, test } from "vitest";
import { cases } from "../support/arbitrary.ts";
import { bytesHeld, expectUnharmed } from "../support/guard.ts";

const floats = ["logits", "target", "pixelWeights", "distance"] as const;

/** The batch with every Float32Array in a buffer of its own. */
function inBuffers(batch: Batch): { batch: () => Batch; buffers: Partial<Record<string, WasmBuffer>> } {
  const buffers: Partial<Record<string, WasmBuffer>> = {};
  for (const name of floats) {
    const array = batch[name];
    if (!(array instanceof Float32Array)) continue;
    buffers[name] = allocate(array.length);
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
    for (const name of floats) if (buffers[name]) expect(buffers[name].data).toEqual(batch[name]);

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
