import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { describe, expect, inject, test } from "vitest";
import { root } from "./pack.ts";

const { tarball, consumer } = inject("packed");
const installed = join(consumer, "node_modules/segrad");
const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));

const gzipped = (bytes: Uint8Array | string) => gzipSync(bytes, { level: 9 }).length;

/** A program minified by esbuild, as bundlers of users do. */
async function minified(source: string, external: string[] = []): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: consumer },
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
    external,
  });
  return outputFiles[0]!.text;
}

describe("the tarball", () => {
  test("holds code, types, the module, and nothing else", () => {
    const files = execFileSync("tar", ["-tzf", tarball], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map((file) => file.replace("package/", ""));
    const top = files.filter((file) => !/^dist\/.*\.(js|d\.ts)$/.test(file)).sort();
    expect(top).toEqual(["LICENSE", "README.md", "package.json", "pkg/segrad_bg.wasm"]);
  });

  test("runs nothing when it is installed", () => {
    const hooks = ["preinstall", "install", "postinstall", "prepare"];
    expect(Object.keys(manifest.scripts ?? {}).filter((name) => hooks.includes(name))).toEqual([]);
  });

  test("carries the module that is committed", () => {
    const module = readFileSync(join(root, "pkg/segrad_bg.wasm"));
    expect(readFileSync(join(installed, "pkg/segrad_bg.wasm")).equals(module)).toBe(true);
  });

  test("has nothing that publint objects to", async () => {
    const bytes = readFileSync(tarball);
    const archive = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    const { messages, pkg } = await publint({ pack: { tarball: archive }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg!))).toEqual([]);
  });

  test("has types that resolve, says attw", () => {
    const attw = join(root, "node_modules/.bin/attw");
    const flags = [
      "--profile",
      "esm-only",
      "--no-definitely-typed",
      "--format",
      "ascii",
      "--no-color",
      "--no-emoji",
    ];
    const { stdout, stderr, status } = spawnSync(
      attw,
      [tarball, ...flags, "--exclude-entrypoints", "./segrad.wasm"],
      {
        encoding: "utf8",
      },
    );
    expect(status, `${stdout}${stderr}`).toBe(0);
  });
});

describe("the size, gzipped", () => {
  test("of module and glue is at most 100 KB", async () => {
    const module = gzipped(readFileSync(join(installed, "pkg/segrad_bg.wasm")));
    const glue = gzipped(await minified(`export * from "${join(root, "pkg/segrad.js")}"`));
    const all = gzipped(await minified('export * from "segrad"'));
    const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} KB`;
    console.log(
      `gzipped: module ${kilobytes(module)}, its glue ${kilobytes(glue)}; ` +
        `everything a page loads, with all losses and the module in it: ${kilobytes(all)}`,
    );
    expect(module + glue).toBeLessThanOrEqual(100_000);
  });
});
