/** Losses once more in a current Node: what one version of V8 makes fast, the next may not. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { currentNode } from "../scripts/currentNode.ts";
import { check, withFile } from "./processes.ts";
import type { Results, Timing } from "./results.ts";
import { type Size, workloadNames } from "./workloads.ts";

/** What it is called in the results. */
export const inCurrentNode = "segrad, current Node";

const losses = ["crossEntropy", "dice", "focal"];
const bench = fileURLToPath(new URL("run.ts", import.meta.url));

/** Runs this benchmark's own rows there; a quick run, which shows that it works, in this Node. */
export async function timeInCurrentNode(
  size: Size,
): Promise<{ readonly timings: readonly Timing[]; readonly version: string }> {
  const node = size === "quick" ? process.execPath : currentNode();
  const rows = workloadNames.flatMap((workload) => losses.map((loss) => `losses ${workload} segrad ${loss}`));
  return withFile(async (file) => {
    const flags = ["--only", rows.join(","), "--json", file, ...(size === "quick" ? ["--quick"] : [])];
    await check(node, ["--import", "tsx", bench, ...flags], () => {});
    const { timings, versions }: Results = JSON.parse(readFileSync(file, "utf8"));
    const renamed = timings.map(
      (timing) => ({ ...timing, group: "variants", engine: inCurrentNode }) as const,
    );
    return { timings: renamed, version: versions["Node"]! };
  });
}
