/** The committed module is built from the committed crate. */
import { expect, test } from "vitest";
import { readBuildInfo, sourceHash } from "../scripts/buildInfo.ts";

test("pkg/ is as new as the crate", () => {
  const isCurrent = readBuildInfo().sources === sourceHash();
  expect(isCurrent, "pkg/ is older than the crate: run npm run build").toBe(true);
});

test("pkg/ says which tools built it", () => {
  const { tools } = readBuildInfo();
  expect(Object.keys(tools)).toEqual(["rustc", "wasm-bindgen", "wasm-pack", "wasm-opt"]);
  for (const version of Object.values(tools)) expect(version).toMatch(/\d/);
});
