import { divisorOf, type PixelLoss, pixelwise } from "./pixelwise.ts";

/** α_t (1−p_t)^γ u_t */
export const focal: PixelLoss<"focal"> = (planes, { gamma, alpha, reduction }) => {
  const losses = pixelwise(
    planes,
    (u, doubt) => doubt.power(gamma).times(u),
    ({ foreground }, channel) => {
      if (alpha === null) return 1;
      if (typeof alpha !== "number") return alpha[channel]!;
      // A number is the weight of the foreground: of y = 1, or of every class but the first.
      return (foreground ?? channel > 0) ? alpha : 1 - alpha;
    },
  );
  return { losses, divisor: divisorOf(reduction, planes.labels) };
};
