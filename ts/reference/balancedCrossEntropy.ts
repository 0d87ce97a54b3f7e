import { divisorOf, type PixelLoss, pixelwise } from "./pixelwise.ts";

/** β y u⁺ + (1−β)(1−y) u⁻, with β = 1 − mean(y) of the image and channel, within [0.01, 0.99], for "auto" */
export const balancedCrossEntropy: PixelLoss<"balancedCrossEntropy"> = (planes, { beta, reduction }) => {
  const { channels } = planes.batch;
  const valid = new Float64Array(planes.batch.images * channels);
  const positive = new Float64Array(valid.length);
  planes.valid.forEach((v, i) => {
    const cell = planes.image(i) * channels + planes.channel(i);
    valid[cell]! += v;
    positive[cell]! += planes.y[i]!;
  });
  const betas = valid.map((count, cell) =>
    beta === "auto" ? Math.min(Math.max(1 - positive[cell]! / (count || 1), 0.01), 0.99) : beta,
  );
  const losses = pixelwise(
    planes,
    (u) => u,
    ({ foreground }, channel, image) => {
      const share = betas[image * channels + channel]!;
      return foreground ? share : 1 - share;
    },
  );
  return { losses, divisor: divisorOf(reduction, planes.labels) };
};
