/** `npm run bench`: times the workloads, prints the tables, writes results.json, RESULTS.md and its charts. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { Command } from "commander";
import { measure } from "./measure.ts";
import { comparison, growth } from "./report/charts.ts";
import { markdown } from "./report/markdown.ts";
import type { Results } from "./results.ts";

const command = new Command("npm run bench --")
  .description("Times losses and maps: segrad, its reference, TensorFlow.js, jax-js and, if asked, Python's.")
  .option("--peers", "also the Python libraries, in a virtual environment that is made once (bench/.venv)")
  .option("--quick", "tiny arrays, one run each: shows that every row works, writes nothing by itself")
  .option(
    "--only <words>",
    "rows whose title has one of these words, with commas between; writes nothing by itself",
  )
  .option("--json <file>", "where the results go, instead of bench/results.json")
  .option("--report", "measures nothing: writes RESULTS.md and its charts from bench/results.json");
const options = command
  .parse()
  .opts<{ peers?: true; quick?: true; only?: string; json?: string; report?: true }>();

const here = new URL("./", import.meta.url);
const resultsFile = new URL("results.json", here);

if (options.report && !existsSync(resultsFile)) {
  command.error("There is no bench/results.json yet; a run without --quick and --only writes it.");
}

/** A whole run at full size is what RESULTS.md shows. */
const isWhole = !options.quick && options.only === undefined;

const results: Results = options.report
  ? JSON.parse(readFileSync(resultsFile, "utf8"))
  : await measure({
      size: options.quick ? "quick" : "full",
      only: options.only?.split(",") ?? null,
      peers: options.peers ?? false,
    });

if (!options.report && (isWhole || options.json !== undefined)) {
  writeFileSync(options.json ?? resultsFile, `${JSON.stringify(results, null, 1)}\n`);
}
if (options.report || (isWhole && options.json === undefined)) {
  writeFileSync(new URL("comparison.svg", here), comparison(results));
  writeFileSync(new URL("growth.svg", here), growth(results));
  writeFileSync(
    new URL("RESULTS.md", here),
    markdown(results, [
      { file: "comparison.svg", title: "Time per element of segrad and the fastest others, loss by loss" },
      { file: "growth.svg", title: "Time per element over batch size and over classes" },
    ]),
  );
}
console.log(markdown(results, []));
for (const { title, message } of results.failures) console.error(`${title} failed: ${message}`);
if (results.failures.length > 0) process.exitCode = 1;
