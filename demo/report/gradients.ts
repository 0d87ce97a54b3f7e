import { valueAndGrad } from "../../ts/core/entry/node.ts";
import type { Comparison } from "../compare.ts";
import { diverging, type Frame, paint, paintBrightness } from "./picture.ts";

/** A part of the held-out half in which nuclei touch. */
const frame: Frame = { top: 256, left: 32, height: 128, width: 128 };

/** The gradient of every loss at the same logits, so that only the losses differ. */
export function gradients({ rows, runs, heldOut }: Comparison): string {
  const logits = runs[0]!.early;
  const { height, width } = heldOut;
  const figure = (title: string, source: string, legend = "") =>
    `<figure class="card"><img class="pixels" src="${source}" alt="${title}">` +
    `<figcaption>${title}</figcaption>${legend}</figure>`;

  const probability = (i: number) => Math.round(255 / (1 + Math.exp(-logits[i]!)));
  const grey = (level: number) => [level, level, level, 255] as const;
  const context = [
    figure("image", paintBrightness(frame, width, heldOut.brightness)),
    figure(
      "target",
      paint(frame, width, (i) => grey(heldOut.target[i]! * 255)),
    ),
    figure(
      "p of the network",
      paint(frame, width, (i) => grey(probability(i))),
    ),
  ];
  const maps = rows.map((row) => {
    const pixelWeights = row.pixelWeights?.(heldOut);
    const { grad } = valueAndGrad(row.loss(0.5), {
      logits,
      target: heldOut.target,
      shape: [1, 1, height, width],
      ...(pixelWeights && { pixelWeights }),
    });
    const limit = strong(grad);
    const legend = `<div class="legend"><span>−${limit.toExponential(1)}</span><i></i><span>${limit.toExponential(1)}</span></div>`;
    return figure(row.title, paint(frame, width, diverging(grad, limit)), legend);
  });
  return [...context, ...maps].join("\n");
}

/** The size that all but one in 500 entries of the frame stay below: single pixels do not set the scale. */
function strong(grad: Float32Array): number {
  const sizes = grad.map(Math.abs).sort();
  return sizes[Math.floor(0.998 * (sizes.length - 1))] || 1;
}
