/** A current Node beside the one that runs tests and benchmarks, from the npm package `node`; kept between runs. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { npm } from "./npm.ts";

const version = "26.10.0";

/** Path of its executable. */
export function currentNode(): string {
  const cache = fileURLToPath(new URL("../node_modules/.cache/segrad", import.meta.url));
  const folder = join(cache, `node-${version}`);
  const executable = join(folder, "node_modules/node/bin/node");
  if (!existsSync(executable)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
    npm(["install", `node@${version}`], folder);
    if (!existsSync(executable)) throw new Error(`npm install node@${version} left no ${executable}`);
  }
  return executable;
}
