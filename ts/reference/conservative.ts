import { divisorOf, type PixelLoss, pixelwise } from "./pixelwise.ts";

/** λ (1−v)² log_a v, with v = −log_a p_t ≥ floor */
export const conservative: PixelLoss<"conservative"> = (planes, options) => {
  const { base, lambda, floor, reduction } = options;
  const losses = pixelwise(planes, (u) => {
    const v = u.over(Math.log(base)).atLeast(floor);
    const shortfall = v.minus(1);
    return shortfall
      .times(shortfall)
      .times(v.log())
      .times(lambda / Math.log(base));
  });
  return { losses, divisor: divisorOf(reduction, planes.labels) };
};
