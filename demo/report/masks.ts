import type { Comparison } from "../compare.ts";
import { agreement, type Frame, paint } from "./picture.ts";

/** The whole of the held-out half. The picture under the masks is the page's class `microscope`. */
export const whole = ({ heldOut }: Comparison): Frame => ({
  top: 0,
  left: 0,
  height: heldOut.height,
  width: heldOut.width,
});

/** The image, the truth and every mask over the image. */
export function masks(comparison: Comparison): string {
  const { heldOut, scores } = comparison;
  const frame = whole(comparison);
  const figure = (title: string, words: string, overlay: string) =>
    `<figure class="mask"><div class="microscope">${overlay}</div>` +
    `<figcaption>${title}<small>${words}</small></figcaption></figure>`;
  const over = (mask: Uint8Array, title: string) => {
    const source = paint(frame, heldOut.width, agreement(mask, heldOut.truth));
    return `<img src="${source}" alt="mask: ${title}">`;
  };
  return [
    figure("image", "logarithm of the brightness", ""),
    figure("truth", "drawn by experts", over(heldOut.truth, "truth")),
    ...scores.map((score) =>
      figure(score.title, `Dice ${score.dice.toFixed(3)}`, over(score.mask, score.title)),
    ),
  ].join("\n");
}
