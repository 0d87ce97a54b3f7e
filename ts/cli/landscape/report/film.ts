/** What is predicted along a drift, as drawings. */

import { encode } from "fast-png";
import { centre, type DriftName, drifts, logits, radius, type Sharpness, type Size, side } from "../scene.ts";

const frames = [0, 1 / 3, 2 / 3, 1];

/** Four predictions from right to wrong: what is predicted in blue, the contour of the truth around it. */
export function film(drift: DriftName, size: Size, sharpness: Sharpness): string {
  const amounts = drifts[drift].amounts(size);
  return frames
    .map((share) => {
      const amount = amounts[Math.round(share * (amounts.length - 1))]!;
      return frame(drift, size, sharpness, amount);
    })
    .join("");
}

/** The prediction as a picture, blue as far as it is certain, and the contour of the truth around it. */
function frame(drift: DriftName, size: Size, sharpness: Sharpness, amount: number): string {
  const words = `${size} object, ${sharpness} prediction, ${drift} ${amount}`;
  const z = logits(drifts[drift].distances(size, amount), sharpness);
  const data = new Uint8Array(4 * side * side);
  z.forEach((logit, i) => {
    data.set([42, 120, 214, Math.round(255 / (1 + Math.exp(-logit)))], 4 * i);
  });
  const png = encode({ width: side, height: side, data, channels: 4, depth: 8 });
  return `<svg class="frame" viewBox="0 0 ${side} ${side}" role="img" aria-label="${words}">
<image width="${side}" height="${side}" href="data:image/png;base64,${Buffer.from(png).toString("base64")}"/>
<circle cx="${centre.x + 0.5}" cy="${centre.y + 0.5}" r="${radius[size]}"/></svg>`;
}
