import { divisorOf, type PixelLoss, pixelwise } from "./pixelwise.ts";

/** β y u⁺ + (1−y) u⁻ */
export const weightedCrossEntropy: PixelLoss<"weightedCrossEntropy"> = (planes, options) => {
  const { positiveWeight, reduction } = options;
  const losses = pixelwise(
    planes,
    (u) => u,
    ({ foreground }) => (foreground ? positiveWeight : 1),
  );
  return { losses, divisor: divisorOf(reduction, planes.labels) };
};
