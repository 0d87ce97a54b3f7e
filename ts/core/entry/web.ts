/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Losses, their gradients, and what a training loop needs around them.
 *
 * In browsers, and everywhere else that is not Node, `await init()` first; then everything works at once. In Node there
 * is nothing to wait for. The WebAssembly module travels inside the package, so that no bundler has to know how to copy
 * a file.
 *
 * @module segrad
 */
import { rangeError, show, typeError } from "../../error.ts";
import { isLoaded, load, unsupported } from "../module.ts";
import { embeddedBytes } from "./embedded.ts";

export * from "../../index.ts";

/** `WebAssembly.Module`; nothing for programs compiled without the types of browsers, which do not know it. */
type CompiledModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer M } } }
  ? M
  : never;

/**
 * Where the WebAssembly module may come from: its bytes, a compiled module, an answer of `fetch`, or an address
 * to fetch it from (`segrad/segrad.wasm` is there to be hosted).
 */
export type ModuleSource = ArrayBuffer | ArrayBufferView | CompiledModule | Response | URL | string;

/** The one load under way, or done. */
let loading: Promise<void> | undefined;

/**
 * Resolves when the WebAssembly module is ready. Call it once in a browser before everything else; calling it
 * again gives the same promise, whatever the source. After a failure the next call tries again. In Node the
 * module is loaded on import, and there is nothing to wait for.
 *
 * Without `source` the module comes out of the package itself, without a request. A page with a content security
 * policy needs `script-src 'wasm-unsafe-eval'`, as for every WebAssembly module.
 *
 * @param source Bytes, a `WebAssembly.Module`, a `Response`, a URL, or a promise of one of them.
 *
 * @example
 * await init();
 * const { value, grad } = valueAndGrad(dice(), { logits, target, shape });
 *
 * @example
 * await init(fetch("/assets/segrad.wasm")); // hosted by yourself
 *
 * @throws SegradError `invalid-argument` for a source of another kind or one that cannot be fetched,
 * `unsupported` where the engine refuses the module, for example without WebAssembly SIMD.
 */
export function init(source?: ModuleSource | Promise<ModuleSource>): Promise<void> {
  loading ??= start(source).catch((error) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function start(source: ModuleSource | Promise<ModuleSource> | undefined): Promise<void> {
  if (isLoaded()) return;
  const given = source === undefined ? await embeddedBytes() : await read(await source);
  load(given instanceof WebAssembly.Module ? requireOurs(given) : await compile(given));
}

/** A module, or the bytes of one. */
async function read(source: ModuleSource): Promise<WebAssembly.Module | BufferSource> {
  if (typeof source === "string" || source instanceof URL) return read(await fetchFrom(source));
  if (source instanceof Response) {
    if (source.ok) return source.arrayBuffer();
    throw rangeError("invalid-argument", `source: ${source.url} was answered with status ${source.status}`);
  }
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return source as BufferSource;
  const allowed = "bytes, a WebAssembly.Module, a Response, a URL or a promise of one of them";
  throw typeError("invalid-argument", `source is ${show(source)}; it must be ${allowed}`);
}

async function fetchFrom(address: string | URL): Promise<Response> {
  try {
    return await fetch(address);
  } catch (error) {
    throw rangeError(
      "invalid-argument",
      `source: ${address} cannot be fetched (${(error as Error).message})`,
    );
  }
}

async function compile(bytes: BufferSource): Promise<WebAssembly.Module> {
  let module: WebAssembly.Module;
  try {
    module = await WebAssembly.compile(bytes);
  } catch (error) {
    throw unsupported(error);
  }
  return requireOurs(module);
}

/** Another module would instantiate as well, and fail in the middle of a call. */
function requireOurs(module: WebAssembly.Module): WebAssembly.Module {
  const names = WebAssembly.Module.exports(module).map(({ name }) => name);
  if (names.includes("objective_evaluate")) return module;
  throw rangeError("invalid-argument", "source is a WebAssembly module, but not segrad's");
}
