/** `init` of the web entry, from every source, each time with a module of its own. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { root } from "./pack.ts";
import { type Site, serve } from "./site.ts";

const file = join(root, "pkg/segrad_bg.wasm");
const bytes = new Uint8Array(readFileSync(file));
/** The smallest module: valid, and not ours. */
const foreign = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

const loss = { kind: "crossEntropy" } as const;
const batch = { logits: Float32Array.of(0), target: Uint8Array.of(1), shape: [1, 1, 1, 1] };

let segrad: typeof import("../../ts/core/entry/web.ts");
let site: Site;

beforeAll(async () => {
  site = await serve({ "/segrad.wasm": file });
});
afterAll(() => site[Symbol.asyncDispose]());
beforeEach(async () => {
  vi.resetModules();
  segrad = await import("../../ts/core/entry/web.ts");
});

const sources: Record<string, () => Parameters<typeof segrad.init>[0]> = {
  "an ArrayBuffer": () => bytes.slice().buffer,
  "a Uint8Array": () => bytes,
  "a view into a larger buffer": () => {
    const larger = new Uint8Array(bytes.length + 7);
    larger.set(bytes, 7);
    return larger.subarray(7);
  },
  "a promise of bytes": () => Promise.resolve(bytes),
  "a WebAssembly.Module": () => new WebAssembly.Module(bytes),
  "a Response": () => new Response(bytes),
  "a promise of a Response": () => fetch(`${site.address}/segrad.wasm`),
  "a URL": () => new URL(`${site.address}/segrad.wasm`),
  "an address": () => `${site.address}/segrad.wasm`,
};

test.each(Object.entries(sources))("loads from %s", async (_, source) => {
  await segrad.init(source());
  expect(segrad.value(loss, batch)).toBeCloseTo(Math.LN2, 6);
});

test("functions before init throw `not-ready`", () => {
  for (const call of [
    () => segrad.value(loss, batch),
    () => segrad.valueAndGrad(loss, batch),
    () => segrad.lossMap(loss, batch),
    () => segrad.allocate(1),
  ]) {
    expect(call).toThrow(
      expect.objectContaining({ code: "not-ready", message: expect.stringContaining("init()") }),
    );
  }
});

test("calls share one promise, while it loads and afterwards", async () => {
  const first = segrad.init(bytes);
  expect(segrad.init(new Response(bytes))).toBe(first);
  await first;
  expect(segrad.init()).toBe(first);
  const buffer = segrad.allocate(1);
  buffer.data[0] = 7;
  await segrad.init(bytes);
  expect(buffer.data[0]).toBe(7); // still the same module
});

describe("what cannot be loaded is an error, and the next call tries again", () => {
  const failures: [string, () => unknown, string, RegExp][] = [
    ["a number", () => 5, "invalid-argument", /source is 5/],
    ["null", () => null, "invalid-argument", /source is null/],
    ["an answer of 404", () => `${site.address}/missing.wasm`, "invalid-argument", /missing\.wasm.*404/],
    ["a server that is not there", () => "http://localhost:1/segrad.wasm", "invalid-argument", /localhost:1/],
    ["bytes that are no module", () => Uint8Array.of(1, 2, 3), "unsupported", /segrad's WebAssembly module/],
    ["bytes of another module", () => foreign, "invalid-argument", /not segrad's/],
    ["another module", () => new WebAssembly.Module(foreign), "invalid-argument", /not segrad's/],
  ];

  test.each(failures)("%s", async (_, source, code, message) => {
    const attempt = segrad.init(source() as string);
    await expect(attempt).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    await expect(attempt).rejects.toBeInstanceOf(segrad.SegradError);
    expect(() => segrad.value(loss, batch)).toThrow(expect.objectContaining({ code: "not-ready" }));
    await segrad.init(bytes);
    expect(segrad.value(loss, batch)).toBeCloseTo(Math.LN2, 6);
  });

  test("a promise that fails passes its own error on", async () => {
    const reason = new Error("no network");
    await expect(segrad.init(Promise.reject(reason))).rejects.toBe(reason);
  });
});
