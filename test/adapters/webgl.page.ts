/** What the test of the webgl backend runs in the browser. */
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-webgl";
import { init } from "segrad";
import { segradLoss, variableGradsAsync } from "segrad/tfjs";
import { labels, network, pairs, perPixel, step } from "./step.ts";
import { difference } from "./support.ts";

/** `module`: the bytes of segrad's WebAssembly module. */
async function run(module: number[]) {
  await init(Uint8Array.from(module));
  await tf.setBackend("webgl");
  await tf.ready();
  const results = [];
  for (const [name, loss, own] of pairs) {
    const target = tf.tensor3d(labels, perPixel, "int32");
    const lossOf = segradLoss(loss);
    const [ours, theirs] = [step((z) => lossOf(target, z)), step(own)];

    const { weights, forward } = network();
    const once = tf.variableGrads(() => lossOf(target, forward()), [...weights]);
    const twice = await variableGradsAsync(loss, forward, { target }, [...weights]);
    results.push({
      name,
      backend: tf.getBackend(),
      moved: ours.moved,
      values: Math.abs(ours.value - theirs.value),
      weights: difference(ours.weights, theirs.weights),
      passes: Math.max(
        ...Object.entries(once.grads).map(([key, grad]) =>
          difference(grad.dataSync(), twice.grads[key]!.dataSync()),
        ),
      ),
    });
  }
  return results;
}

Object.assign(globalThis, { run });
