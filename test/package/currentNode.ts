/** A current Node beside the one that runs the tests, from the npm package `node`; kept between runs. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { npm, root } from "./pack.ts";

const version = "26.10.0";

/** Path of its executable. */
export function currentNode(): string {
  const folder = join(root, "node_modules/.cache/segrad", `node-${version}`);
  const executable = join(folder, "node_modules/node/bin/node");
  if (!existsSync(executable)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
    npm(["install", `node@${version}`], folder);
    if (!existsSync(executable)) throw new Error(`npm install node@${version} left no ${executable}`);
  }
  return executable;
}
