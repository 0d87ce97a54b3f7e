/** `npm run demo`: trains a small network with each loss and compares what comes out. */
import { writeFileSync } from "node:fs";
import { Command, InvalidArgumentError } from "commander";
import { compare } from "./compare.ts";
import { rows } from "./losses.ts";
import { page } from "./report/page.ts";
import { textTable } from "./table.ts";

const whole = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
};
const names = (text: string): string[] => {
  const wanted = text.split(",");
  const unknown = wanted.find((name) => !rows.some((row) => row.name === name));
  if (unknown === undefined) return wanted;
  throw new InvalidArgumentError(
    `There is no ${unknown}; there are ${rows.map((row) => row.name).join(", ")}.`,
  );
};

const options = new Command("npm run demo --")
  .description(
    "Trains one small network per loss on the left half of a microscope image, tests on the right half.",
  )
  .option("--all", "every loss, not only the usual five")
  .option("--losses <names>", "these losses, by name, with commas between", names)
  .option("--seed <number>", "of first weights and crops", whole, 1)
  .option("--steps <number>", "training steps per loss", whole, 160)
  .option("--out <file>", "where the report goes", "demo/report.html")
  .parse()
  .opts<{ all?: true; losses?: string[]; seed: number; steps: number; out: string }>();

const chosen = rows.filter((row) => options.losses?.includes(row.name) ?? (options.all || row.usual));
const plan = { seed: options.seed, steps: Math.max(1, options.steps), batch: 4, size: 96 };
const started = performance.now();
console.log(
  `Training ${chosen.length} networks, ${plan.steps} steps each, on the left half of demo/data/nuclei.`,
);

const comparison = await compare(chosen, plan);
writeFileSync(options.out, page(comparison));

console.log(`\nThe right half, which no training step saw:\n\n${textTable(comparison.scores)}\n`);
for (const line of [...comparison.verdict, "", ...comparison.notes]) console.log(line);
console.log(
  `\n${Math.round((performance.now() - started) / 1000)} s. Curves, masks and gradients: ${options.out}`,
);
