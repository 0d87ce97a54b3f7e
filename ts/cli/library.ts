// The seam to the library while its maps and metrics move into the core.
export * from "../core/entry/node.ts";
export {
  argmax,
  type ClassMetrics,
  confusionMatrix,
  distanceTransform,
  metrics,
  signedDistance,
  unetWeightMap,
} from "../reference/index.ts";
