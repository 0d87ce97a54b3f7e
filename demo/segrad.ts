// The seam to the library while its maps and metrics move into the core.
export * from "../ts/core/entry/node.ts";
export { alphaSchedule, confusionMatrix, metrics, unetWeightMap } from "../ts/reference/index.ts";
