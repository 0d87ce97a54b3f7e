/**
 * The WebAssembly module: loaded once, asked for by everyone who computes. The entries (`entry/node.ts`,
 * `entry/web.ts`) know where its bytes are.
 */
import { type InitOutput, initSync } from "../../pkg/segrad.js";
import { SegradError, typeError } from "../error.ts";

let exports: InitOutput | undefined;

/** Compiles and instantiates the module, unless that was done already. */
export function load(module: WebAssembly.Module | BufferSource): void {
  if (exports !== undefined) return;
  try {
    exports = initSync({ module });
  } catch (error) {
    if (error instanceof SegradError) throw error;
    throw unsupported(error);
  }
}

/** Whether the module is there. */
export function isLoaded(): boolean {
  return exports !== undefined;
}

/** What the engine said when it refused the module, with what to do. */
export function unsupported(error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  const message = `this engine does not take segrad's WebAssembly module (${reason}); it needs WebAssembly SIMD`;
  return typeError("unsupported", `${message}. "segrad/reference" works without.`);
}

/** The module's memory, as it is now: views of it are made after the last call that can grow it, and not kept. */
export function memory(): ArrayBuffer {
  return (exports ?? missing()).memory.buffer as ArrayBuffer;
}

/** Throws unless the module is there. */
export function requireModule(): void {
  if (exports === undefined) missing();
}

function missing(): never {
  throw typeError(
    "not-ready",
    "the WebAssembly module is not loaded yet; await init() once before the first call",
  );
}
