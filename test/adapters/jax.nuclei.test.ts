/** A small segmenter learns the nuclei in jax-js: through segrad as well as through a loss of jax-js' own operations. */
import { defaultDevice, init, jit, lax, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { crossEntropy, dice, sum } from "segrad";
import { parameterGrads } from "segrad/jax";
import { expect, test } from "vitest";
import { cut } from "../../demo/crops.ts";
import { readHalves } from "../../demo/images.ts";
import { random } from "../../demo/random.ts";
import { diceOf, noise } from "./support.ts";

const [steps, batch, size, width] = [40, 1, 48, 8];
const rate = 0.4;

const loss = sum([crossEntropy(), dice({ over: "batch", smooth: 1 })]);

/** Mean of softplus(z) − y z, plus 1 − Dice pooled over the batch: the same loss in jax-js. */
function own(y: np.Array, z: np.Array): np.Array {
  const p = nn.sigmoid(z.ref);
  const surprise = nn.softplus(z.ref).sub(y.ref.mul(z)).mean();
  const both = p.ref.mul(y.ref).sum().mul(2).add(1);
  const overlap = both.div(p.sum().add(y.sum()).add(1));
  return surprise.add(np.subtract(1, overlap));
}

type Parameters = { first: np.Array; second: np.Array; last: np.Array; bias: np.Array };

const parameters = (): Parameters => ({
  first: np.array(noise(width * 9, 1, Math.sqrt(2 / 9)), { shape: [width, 1, 3, 3] }),
  second: np.array(noise(width * width * 9, 2, Math.sqrt(2 / 9 / width)), { shape: [width, width, 3, 3] }),
  last: np.array(noise(width, 3, Math.sqrt(1 / width)), { shape: [1, width, 1, 1] }),
  bias: np.zeros([1, 1, 1, 1]),
});

/** Three convolutions: 3×3, 3×3 and 1×1. */
const network = jit((p: Parameters, x: np.Array): np.Array => {
  const features = nn.relu(lax.conv(nn.relu(lax.conv(x, p.first, [1, 1], "SAME")), p.second, [1, 1], "SAME"));
  return lax.conv(features, p.last, [1, 1], "VALID").add(p.bias);
});

/** Of parameters, images and zeros and ones to the gradients at the parameters. */
type Gradients = (p: Parameters, x: np.Array, target: Uint8Array) => Promise<Parameters>;

const shape = [batch, 1, size, size];

const throughSegrad: Gradients = async (p, x, target) => {
  const { grads } = await parameterGrads(loss, (q: Parameters) => network(q, x.ref), p, { target });
  x.dispose();
  return grads;
};

const ownGradients = jit(valueAndGrad((p: Parameters, x: np.Array, y: np.Array) => own(y, network(p, x))));
const throughJax: Gradients = async (p, x, target) => {
  const [value, grads] = ownGradients(p, x, np.array(Float32Array.from(target), { shape }));
  (value as np.Array).dispose();
  return grads as Parameters;
};

/** Trains on the left half of the image by gradient descent; Dice on a quarter of the right half. */
async function heldOutDice(gradients: Gradients, steps: number): Promise<number> {
  const { training, heldOut } = readHalves();
  const places = random(2);
  let params = parameters();
  for (let step = 0; step < steps; step++) {
    const { input, target } = cut(training, null, batch, size, places);
    const grads = await gradients(
      tree.ref(params),
      np.array(input as Float32Array<ArrayBuffer>, { shape }),
      target,
    );
    params = tree.map((p: np.Array, g: np.Array) => p.sub(g.mul(rate)), params, grads) as Parameters;
  }
  const length = (heldOut.height / 2) * heldOut.width;
  const x = np.array(heldOut.input.slice(0, length), { shape: [1, 1, heldOut.height / 2, heldOut.width] });
  return diceOf(await network(params, x).data(), heldOut.truth.subarray(0, length));
}

test("held-out Dice through segrad is that of jax-js' own operations", async () => {
  await init("wasm");
  defaultDevice("wasm");
  const untrained = await heldOutDice(throughSegrad, 0);
  const [ours, theirs] = [await heldOutDice(throughSegrad, steps), await heldOutDice(throughJax, steps)];
  console.log(`held-out Dice after ${steps} steps: segrad ${ours.toFixed(4)}, jax-js ${theirs.toFixed(4)}`);
  expect(untrained).toBeLessThan(0.6);
  expect(theirs).toBeGreaterThan(0.8);
  expect(Math.abs(ours - theirs)).toBeLessThan(0.02);
});
