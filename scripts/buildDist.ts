/**
 * Builds dist/ from ts/ and pkg/: one JavaScript file per entry of package.json, plus the chunks they share.
 * (Types come from `tsc -p tsconfig.build.json`.) Needs no Rust.
 */
import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, type PluginBuild } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8"));

/** Every `./dist/….js` that package.json names under `exports` and `bin`. */
function entries(value: unknown): string[] {
  if (typeof value === "string") return /^(\.\/)?dist\/.*\.js$/.test(value) ? [value] : [];
  return Object.values((value ?? {}) as object).flatMap(entries);
}

const sources = entries([manifest.exports, manifest.bin]).map((file) =>
  file.replace(/^(\.\/)?dist/, "ts").replace(/js$/, "ts"),
);
const module = gzipSync(readFileSync(`${root}pkg/segrad_bg.wasm`), { level: 9 });

function rules({ onLoad, onResolve }: PluginBuild): void {
  const embedded = `${root}ts/core/entry/embedded.dist.ts`;
  onLoad({ filter: /entry\/embedded\.ts$/ }, () => ({ contents: readFileSync(embedded), loader: "ts" }));
  // An entry stays a file of its own, and what loads the module stays beside it: others go through its name.
  onResolve({ filter: /core\/entry\/node\.ts$/ }, ({ kind }) =>
    kind === "entry-point" ? null : { path: manifest.name, external: true },
  );
}

rmSync(`${root}dist`, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: [...new Set(sources)],
  outbase: "ts", // dist/ is as deep as ts/, so that a path to pkg/ holds in both
  outdir: "dist",
  chunkNames: "shared/[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "es2022",
  packages: "external",
  tsconfigRaw: {}, // without its `paths`: an adapter's "segrad" is the package itself, one module for all
  define: { compressedModule: JSON.stringify(module.toString("base64")) },
  plugins: [{ name: "segrad", setup: rules }],
  logLevel: "warning",
});
