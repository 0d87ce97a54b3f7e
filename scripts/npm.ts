/** Runs npm for tests and benchmarks. */
import { spawnSync } from "node:child_process";

const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];

/** Runs npm in a folder; the error of a failure is what it printed. */
export function npm(args: readonly string[], folder: string): void {
  const { status, stdout, stderr } = spawnSync("npm", [...args, ...quiet], { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm ${args.join(" ")} failed:\n${stdout}\n${stderr}`);
}
