/**
 * `segrad/reference`: the same losses in float64 and plain TypeScript.
 *
 * Every loss is one short file that states its value; gradients come from a tape (`tape.ts`), distances from plain
 * search, sorting from `Array.sort`. It is the oracle of the tests, a fallback where WebAssembly SIMD is missing,
 * and the place to read the mathematics. It also takes float64 arrays, and returns float64.
 *
 * @module segrad/reference
 */
export { SegradError } from "../error.ts";
export * from "../loss/index.ts";
export { lossMap, type ReferenceBatch, value, valueAndGrad } from "./evaluate.ts";
export { alphaSchedule, argmax, classFrequencyWeights, oneHot, type Schedule } from "./labels.ts";
export { distanceTransform, type GridOptions, signedDistance, unetWeightMap } from "./maps.ts";
export { type ClassMetrics, confusionMatrix, type Labelled, metrics } from "./metrics.ts";
