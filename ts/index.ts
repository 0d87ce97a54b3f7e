/**
 * segrad: segmentation losses with gradients.
 *
 * This is the face of the library. The entries (`core/entry/node.ts`, `core/entry/web.ts`) add `init` and know
 * where the WebAssembly module is.
 */
export type { Batch, Labels, Mode } from "./batch.ts";
export { allocate, type WasmBuffer } from "./core/memory.ts";
export { type ErrorCode, SegradError } from "./error.ts";
export { lossMap, type Result, value, valueAndGrad } from "./evaluate.ts";
export * from "./loss/index.ts";
