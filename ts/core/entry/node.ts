/** segrad in Node: the module is read from its file on import, so that everything works at once. */
import { readFileSync } from "node:fs";
import { load } from "../module.ts";

load(readFileSync(new URL("../../../pkg/segrad_bg.wasm", import.meta.url)));

export * from "../../index.ts";

/** Nothing to wait for in Node: the module was loaded on import. */
export async function init(_source?: unknown): Promise<void> {}
