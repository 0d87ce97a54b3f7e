/**
 * `snipPanics.ts module.wasm`: lets a panic end the module at once. What it would say before reaches nobody, as Rust
 * has nowhere to write to here, but takes a twentieth of the module, most of it where the message is put together:
 * at each of the 800 places where an index is checked. wasm-opt, which follows, takes that away.
 */
import { readFileSync, writeFileSync } from "node:fs";
import binaryen from "binaryen";

/** Rust's own functions that never return. Those of wasm-bindgen that never return throw an error in JavaScript. */
const isOfRust = (name: string) => /^(core|alloc|std)\[/.test(name);

const path = process.argv[2];
if (path === undefined) throw new Error("usage: snipPanics.ts module.wasm");
const module = binaryen.readBinary(readFileSync(path));
const functions = Array.from({ length: module.getNumFunctions() }, (_, i) => module.getFunctionByIndex(i));
const panics = functions
  .map((reference) => binaryen.getFunctionInfo(reference))
  .filter(({ name, body }) => isOfRust(name) && binaryen.getExpressionType(body) === binaryen.unreachable);
// Names are all there is to go by: should they be gone, or written in another way, that must not pass unseen.
if (panics.length === 0)
  throw new Error(`${path}: nothing of Rust's that never returns; are the names still there?`);
for (const { name, params, results } of panics) {
  module.removeFunction(name);
  module.addFunction(name, params, results, [], module.unreachable());
}
writeFileSync(path, module.emitBinary());
