/** The fixtures' page as users would build it: each takes the consumer's project and gives a folder to serve. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as esbuild from "esbuild";
import * as vite from "vite";
import * as vitePluginWasm from "vite-plugin-wasm";
import webpack from "webpack";

/** Its types describe an older way of exporting. */
const wasm = vitePluginWasm.default as unknown as () => vite.Plugin;

const modules = ["page.js", "worker.js", "browser.js", "golden.js"];

/** No bundler: the files as they are, with the address of the library's entry in place of its name. */
export async function plain(consumer: string): Promise<string> {
  const folder = join(consumer, "built/plain");
  mkdirSync(folder, { recursive: true });
  cpSync(join(consumer, "index.html"), join(folder, "index.html"));
  for (const name of modules) {
    const code = readFileSync(join(consumer, name), "utf8");
    writeFileSync(join(folder, name), code.replace('from "segrad"', 'from "/segrad/dist/core/entry/web.js"'));
  }
  return folder;
}

/** Vite as it comes: workers become scripts without modules. */
export async function viteAlone(consumer: string): Promise<string> {
  return viteBuild(consumer, "built/vite", {});
}

/** Vite with vite-plugin-wasm, whose users build their workers as modules. */
export async function viteWithWasm(consumer: string): Promise<string> {
  return viteBuild(consumer, "built/vite-wasm", {
    plugins: [wasm()],
    worker: { format: "es", plugins: () => [wasm()] },
  });
}

async function viteBuild(consumer: string, outDir: string, config: vite.InlineConfig): Promise<string> {
  await vite.build({ root: consumer, configFile: false, logLevel: "warn", build: { outDir }, ...config });
  return join(consumer, outDir);
}

export async function webpackBuild(consumer: string): Promise<string> {
  const folder = join(consumer, "built/webpack");
  const compiler = webpack({
    context: consumer,
    mode: "production",
    entry: { page: "./page.js" },
    output: { path: folder, filename: "[name].js" },
  });
  await new Promise<void>((resolve, reject) => {
    compiler.run((error, stats) => {
      if (error) reject(error);
      else if (stats!.hasErrors() || stats!.hasWarnings())
        reject(new Error(stats!.toString("errors-warnings")));
      else compiler.close(() => resolve());
    });
  });
  cpSync(join(consumer, "index.html"), join(folder, "index.html"));
  return folder;
}

/** esbuild builds a worker that it is told of. */
export async function esbuildBuild(consumer: string): Promise<string> {
  const folder = join(consumer, "built/esbuild");
  await esbuild.build({
    absWorkingDir: consumer,
    entryPoints: ["page.js", "worker.js"],
    outdir: folder,
    bundle: true,
    minify: true,
    format: "esm",
    logLevel: "warning",
  });
  cpSync(join(consumer, "index.html"), join(folder, "index.html"));
  return folder;
}

/** Files named *.wasm in a built page: the module travels inside the code, so there should be none. */
export function wasmFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".wasm"));
}
