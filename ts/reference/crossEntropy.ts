import { divisorOf, type PixelLoss, pixelwise } from "./pixelwise.ts";

/** Σ_k w_k y_k u_k, with y_k ← (1−ε) y_k + ε/K over the K outcomes of a label. */
export const crossEntropy: PixelLoss<"crossEntropy"> = (planes, options) => {
  const { classWeights, labelSmoothing, reduction } = options;
  const { y, valid, labels, batch } = planes;
  const smoothed = {
    ...planes,
    outcomes: planes.outcomes.map((outcome) => {
      const uniform = labelSmoothing / (outcome.foreground === null ? batch.channels : 2);
      return { ...outcome, share: outcome.share.map((share) => (1 - labelSmoothing) * share + uniform) };
    }),
  };
  const weight = (channel: number) => classWeights?.[channel] ?? 1;
  const losses = pixelwise(
    smoothed,
    (u) => u,
    (_, channel) => weight(channel),
  );

  // The mean divides by the weights of the labels: of the class, or of the channel under sigmoids.
  const isMulticlass = batch.mode === "multiclass";
  const count =
    classWeights === null || (isMulticlass && batch.soft)
      ? labels
      : (isMulticlass ? y : valid).reduce((sum, share, i) => sum + share * weight(planes.channel(i)), 0);
  return { losses, divisor: divisorOf(reduction, count) };
};
