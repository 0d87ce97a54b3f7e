import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Bar } from "./bar.ts";
import type { Row } from "./losses.ts";
import type { Plan, Run } from "./train.ts";
import type { Report, Task } from "./worker.ts";

const program = fileURLToPath(new URL("./worker.ts", import.meta.url));

/**
 * Trains every row, one process per core, behind one progress bar. The runs come back in the order of the rows.
 * Processes rather than threads: tsx teaches a forked process to read TypeScript, a thread of Node 20 not.
 */
export async function trainAll(rows: readonly Row[], plan: Plan): Promise<Run[]> {
  const waiting = rows.map((row) => row.name);
  const runs = new Map<string, Run>();
  const workers = Math.min(availableParallelism(), rows.length);
  const bar = new Bar(rows, plan.steps, workers);

  const work = () =>
    new Promise<void>((resolve, reject) => {
      const worker = fork(program, { serialization: "advanced" });
      const next = () => {
        const name = waiting.shift();
        if (name === undefined) worker.disconnect();
        else worker.send({ name, plan } satisfies Task);
      };
      worker.on("message", (report: Report) => {
        if (report.kind === "step") return bar.step(report.name, report.value);
        runs.set(report.run.name, report.run);
        next();
      });
      worker.on("error", reject);
      worker.on("exit", (code) =>
        code === 0 ? resolve() : reject(new Error(`training ended with code ${code}`)),
      );
      next();
    });
  try {
    await Promise.all(Array.from({ length: workers }, work));
  } finally {
    bar.stop();
  }
  return rows.map((row) => runs.get(row.name)!);
}
