/**
 * Builds dist/ from ts/ and pkg/: one JavaScript file per entry of package.json, plus the chunks they share.
 * (Types come from `tsc -p tsconfig.build.json`.) Needs no Rust.
 */
import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const manifest: unknown = JSON.parse(readFileSync(`${root}package.json`, "utf8"));

/** Every `./dist/….js` that package.json names under `exports` and `bin`. */
function entries(value: unknown): string[] {
  if (typeof value === "string") return /^(\.\/)?dist\/.*\.js$/.test(value) ? [value] : [];
  return Object.values((value ?? {}) as object).flatMap(entries);
}

const { exports, bin } = manifest as { exports: unknown; bin: unknown };
const sources = entries([exports, bin]).map((file) =>
  file.replace(/^(\.\/)?dist/, "ts").replace(/js$/, "ts"),
);
const module = gzipSync(readFileSync(`${root}pkg/segrad_bg.wasm`), { level: 9 });

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
  plugins: [
    {
      name: "embed the module",
      setup({ onLoad }) {
        const path = `${root}ts/core/entry/embedded.dist.ts`;
        onLoad({ filter: /entry\/embedded\.ts$/ }, () => ({
          contents: readFileSync(path, "utf8"),
          loader: "ts",
        }));
      },
    },
  ],
  logLevel: "warning",
});
