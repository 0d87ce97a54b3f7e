/**
 * segrad: segmentation losses with gradients.
 *
 * This is the face of the library. The entries (`core/entry/node.ts`, `core/entry/web.ts`) add `init` and know
 * where the WebAssembly module is.
 */
export type { GridOptions } from "./arguments.ts";
export type { NumberArray } from "./array.ts";
export type { Batch, Floats, Labels, Mode } from "./batch.ts";
export { allocate, type BufferArrays, type BufferType, type WasmBuffer } from "./core/memory.ts";
export type { Filled, Given, LossConstructor, Needs, Options } from "./define.ts";
export { type ErrorCode, SegradError } from "./error.ts";
export { lossMap, type Result, value, valueAndGrad } from "./evaluate.ts";
export { argmax, classFrequencyWeights, confusionMatrix, oneHot } from "./labels.ts";
export * from "./loss/index.ts";
export { distanceTransform, signedDistance, type UnetWeightOptions, unetWeightMap } from "./maps.ts";
export { type ClassMetrics, type MetricsOptions, metrics } from "./metrics.ts";
export type {
  Bounds,
  ChoiceOption,
  Classes,
  ClassesOption,
  FlagOption,
  NumberOption,
  NumberOrAutoOption,
  NumbersOption,
  Option,
} from "./option.ts";
export { alphaSchedule, type Schedule } from "./schedule.ts";
