/** A process that trains one loss after another: rows in by name, steps and results out. */
import { rows } from "./losses.ts";
import { type Plan, type Run, train } from "./train.ts";

export interface Task {
  readonly name: string;
  readonly plan: Plan;
}

export type Report =
  | { readonly kind: "step"; readonly name: string; readonly value: number }
  | { readonly kind: "done"; readonly run: Run };

const tell = (report: Report) => process.send!(report);

process.on("message", async ({ name, plan }: Task) => {
  try {
    const row = rows.find((row) => row.name === name)!;
    const run = await train(row, plan, (value) => tell({ kind: "step", name, value }));
    tell({ kind: "done", run });
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
});
