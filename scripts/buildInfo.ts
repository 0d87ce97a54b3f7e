/**
 * What a module was built from: `buildInfo.ts write pkg` records it in pkg/BUILD.json, `sourceHash()` lets a test
 * compare it with the crate as it is now.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

const root = new URL("..", import.meta.url).pathname;

export interface BuildInfo {
  /** SHA-256 over the crate's sources, manifests, and the scripts that compile it. */
  readonly sources: string;
  readonly tools: Readonly<Record<"rustc" | "wasm-bindgen" | "wasm-pack" | "wasm-opt", string>>;
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** What the module depends on, beside the crate's own sources. */
const recipes = [
  "crate/Cargo.toml",
  "Cargo.toml",
  "Cargo.lock",
  "scripts/build-wasm.sh",
  "scripts/snipPanics.ts",
  "scripts/hoistConstants.ts",
];

/** Hash of everything the module depends on. */
export function sourceHash(): string {
  const files = [...filesUnder(join(root, "crate/src")), ...recipes]
    .map((file) => (file.startsWith(root) ? file : join(root, file)))
    .sort();
  const hash = createHash("sha256");
  for (const file of files) {
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update("\0");
  }
  return hash.digest("hex");
}

/** What BUILD.json says of the module in `folder`. */
export function readBuildInfo(folder = "pkg"): BuildInfo {
  return JSON.parse(readFileSync(join(root, folder, "BUILD.json"), "utf8")) as BuildInfo;
}

function version(command: string): string {
  return execFileSync(command, ["--version"], { encoding: "utf8" }).trim();
}

const [, , command, folder] = process.argv;
if (command === "write" && folder !== undefined) {
  const info: BuildInfo = {
    sources: sourceHash(),
    tools: {
      rustc: version("rustc"),
      "wasm-bindgen": version("wasm-bindgen"),
      "wasm-pack": version("wasm-pack"),
      "wasm-opt": version(join(root, "node_modules/.bin/wasm-opt")),
    },
  };
  writeFileSync(join(root, folder, "BUILD.json"), `${JSON.stringify(info, null, 2)}\n`);
}
