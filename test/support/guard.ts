/**
 * The guarded module (`scripts/build-wasm.sh guarded`) in place of the published one. Its allocator puts fences
 * around every block and fills new and released memory with NaNs; here the same is done inside the one block that
 * calls carry their arrays in. Without `guard()` nothing of this happens, and `expectUnharmed` looks at nothing.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { initSync } from "../../pkg/segrad.js";
import { readBuildInfo, sourceHash } from "../../scripts/buildInfo.ts";
import { byteLengthOf, type NumberArray } from "../../ts/array.ts";
import { residence, Staging } from "../../ts/core/memory.ts";
import { load, memory } from "../../ts/core/module.ts";

const folder = "target/guarded";
const file = new URL(`../../${folder}/segrad_bg.wasm`, import.meta.url);

/** Whether there is a guarded module of the crate as it is. */
export function isGuardBuilt(): boolean {
  return existsSync(file) && readBuildInfo(folder).sources === sourceHash();
}

/** What the guarded module exports beside what the published one does (crate/src/exports/memory/guard.rs). */
interface Guard {
  guard_check(): number;
  guard_size(): number;
  guard_place(): number;
  guard_bytes(): number;
}

let core: Guard | undefined;

/** Loads the guarded module. Must run before "segrad" is imported, which keeps a module that is there. */
export function guard(): void {
  if (!isGuardBuilt())
    throw new Error("there is no guarded module of this crate: scripts/build-wasm.sh guarded");
  load(readFileSync(file));
  core = initSync(undefined as never) as unknown as Guard; // what is loaded already
  assert(core.guard_check !== undefined, "another module was loaded before");
  fenceStaging();
}

export function isGuarded(): boolean {
  return core !== undefined;
}

/** Bytes that the module and its users hold. */
export function bytesHeld(): number {
  return core!.guard_bytes() >>> 0;
}

const harms = ["", "before", "behind", "after the release of", "by a wrong release of"];

/** Throws if anything was written where it should not be since the last look. Only in the guarded module. */
export function expectUnharmed(): void {
  if (core === undefined) return;
  const harm = core.guard_check();
  if (harm !== 0) {
    const [place, size] = [core.guard_place(), core.guard_size() >>> 0];
    throw new Error(`memory was written ${harms[harm]} a block of ${size} bytes, at ${place}`);
  }
  for (const check of staged) check();
}

/** Words as of the allocator: NaNs that mark fences, and what was never written. */
const [fence, fresh] = [0xfff5a3b1, 0x7ffae2c3];
const fenceBytes = 64;

/** What to look at in the block of the last call. */
let staged: (() => void)[] = [];

const bytesAt = (start: number, bytes: number) => new Uint8Array(memory(), start, bytes);

function fill(start: number, bytes: number, word: number): void {
  const pattern = new Uint8Array(Uint32Array.of(word).buffer);
  const target = bytesAt(start, bytes);
  for (let i = 0; i < bytes; i++) target[i] = pattern[(start + i) % 4]!;
}

/** Makes every staging put a fence behind each of its arrays, fill its rooms with NaNs, and guard its inputs. */
function fenceStaging(): void {
  const { bring, room, commit } = Staging.prototype;
  const plans = new WeakMap<Staging, (() => void)[]>();
  const later = (staging: Staging, act: () => void) =>
    plans.set(staging, [...(plans.get(staging) ?? []), act]);

  const addFence = (staging: Staging, pointer: () => number, bytes: number) => {
    const after = room.call(staging, fenceBytes);
    later(staging, () => {
      const start = pointer() + bytes;
      const length = after() + fenceBytes - start;
      fill(start, length, fence);
      guardBytes(start, length, "behind an array of a call");
    });
  };

  Staging.prototype.bring = function (array: NumberArray | null) {
    const pointer = bring.call(this, array);
    if (array === null || residence(array) !== null) return pointer;
    const bytes = byteLengthOf(array);
    later(this, () => guardBytes(pointer(), bytes, "to an input of a call"));
    addFence(this, pointer, bytes);
    return pointer;
  };
  Staging.prototype.room = function (bytes: number) {
    const pointer = room.call(this, bytes);
    later(this, () => fill(pointer(), bytes, fresh));
    addFence(this, pointer, bytes);
    return pointer;
  };
  Staging.prototype.commit = function () {
    staged = [];
    commit.call(this);
    for (const act of plans.get(this) ?? []) act();
  };
}

/** Notes what these bytes are, for later looks. */
function guardBytes(start: number, bytes: number, where: string): void {
  const before = bytesAt(start, bytes).slice();
  staged.push(() => {
    const now = bytesAt(start, bytes);
    for (let i = 0; i < bytes; i++)
      if (now[i] !== before[i]) throw new Error(`memory was written ${where}, at ${i}`);
  });
}
