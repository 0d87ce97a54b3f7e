/** What a run of the benchmark leaves behind, and where it was run. The report is made from this alone. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import os from "node:os";
import type { Timed } from "./timing.ts";
import type { Size } from "./workloads.ts";

/** What a row belongs to. */
export type Group = "floor" | "losses" | "layout" | "copies" | "variants" | "maps" | "elements" | "classes";

export interface Timing extends Timed {
  readonly group: Group;
  /** Name of the workload; in the groups `elements` and `classes`, their number. */
  readonly workload: string;
  readonly engine: string;
  readonly loss: string;
  /** Pixels × channels: times per element are of these. */
  readonly elements: number;
}

/** WebAssembly memory around many calls. */
export interface MemoryGrowth {
  readonly calls: number;
  /** Bytes after every loss was evaluated once. */
  readonly before: number;
  readonly after: number;
}

export interface Results {
  readonly date: string;
  readonly size: Size;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly gigabytes: number;
    readonly system: string;
  };
  readonly versions: { readonly [name: string]: string };
  readonly timings: readonly Timing[];
  readonly memory: MemoryGrowth | null;
  /** Rows that could not be timed. */
  readonly failures: readonly { readonly title: string; readonly message: string }[];
}

/** Nanoseconds per element, of the shortest run. */
export const nanoseconds = (timing: Timing): number => (timing.min * 1e6) / timing.elements;

/** The machine, in words that say which processor it is where its name does not. */
export function machine(): Results["machine"] {
  const details = existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : "";
  const field = (name: string) => new RegExp(`^${name}\\s*: (.*)$`, "m").exec(details)?.[1];
  const numbers = field("cpu family") ? ` (family ${field("cpu family")}, model ${field("model")})` : "";
  const vectors = details.includes("avx512f") ? ", AVX-512" : details.includes("avx2") ? ", AVX2" : "";
  return {
    cpu: `${os.cpus()[0]?.model.trim() ?? os.arch()}${numbers}${vectors}`,
    cores: os.cpus().length,
    gigabytes: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release()}`,
  };
}

/** Of everything that was timed in this process. */
export function versions(): { [name: string]: string } {
  const root = new URL("../", import.meta.url);
  const manifest = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
  const module = readFileSync(new URL("pkg/segrad_bg.wasm", root));
  return {
    segrad: manifest.version,
    "segrad_bg.wasm": `sha256 ${createHash("sha256").update(module).digest("hex").slice(0, 12)}, ${module.length} bytes`,
    Node: process.versions.node,
    V8: process.versions.v8,
    "@tensorflow/tfjs-core": manifest.devDependencies["@tensorflow/tfjs-core"],
    "@jax-js/jax": manifest.devDependencies["@jax-js/jax"],
  };
}
