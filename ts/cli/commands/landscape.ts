/** `segrad landscape`: what losses say while predictions drift away. */
import type { Command } from "commander";
import { valueAndGrad } from "../../core/entry/node.ts";
import type { LossSpec } from "../../loss/index.ts";
import type { Console } from "../console.ts";
import { checkOutputs, type Output, writeOutputs } from "../files/write.ts";
import { candidate, everyLoss } from "../landscape/candidates.ts";
import { paths } from "../landscape/experiment.ts";
import { claim, findings } from "../landscape/findings.ts";
import { overviewFile } from "../landscape/report/overview.ts";
import { page } from "../landscape/report/page.ts";
import { survey } from "../landscape/survey.ts";
import { parseLoss } from "../language/parse.ts";
import { toJson } from "../text/number.ts";

interface LandscapeOptions {
  readonly output: string;
  readonly svg?: string;
  readonly json?: string;
  readonly loss?: LossSpec[];
}

export function addLandscape(program: Command, console: Console): void {
  program
    .command("landscape")
    .summary("report: which losses rise as predictions get worse")
    .description(
      "Lets predictions of a large and a small object drift away (shift, growth, shrinkage, scattered false positives), hard and soft, and reports the value and gradient norm of every loss along the way, with a verdict.",
    )
    .option("-o, --output <file>", "the report", "landscape.html")
    .option("--svg <file>", "also draw an overview of all curves")
    .option("--json <file>", "also write all numbers and verdicts")
    .option("-l, --loss <loss>", "take this loss instead of all of them; can be repeated", collect)
    .addHelpText("after", examples)
    .action((options: LandscapeOptions) => run(options, console));
}

const examples = `
Examples:
  $ segrad landscape -o landscape.html --svg landscape.svg
  $ segrad landscape --loss dice --loss dice+crossEntropy --loss 'tversky(alpha=0.1,beta=0.9)'`;

function collect(text: string, previous: LossSpec[] = []): LossSpec[] {
  return [...previous, parseLoss(text)];
}

async function run({ output, svg, json, loss }: LandscapeOptions, console: Console): Promise<void> {
  checkOutputs([
    { path: output, ending: ".html" },
    { path: svg, ending: ".svg" },
    { path: json, ending: ".json" },
  ]);
  const candidates = loss === undefined ? everyLoss() : loss.map(candidate);
  const landscape = await survey(valueAndGrad, candidates, (visit) =>
    console.progress(paths, "paths", visit),
  );
  const outputs: Output[] = [{ path: output, bytes: page(landscape) }];
  if (svg !== undefined) outputs.push({ path: svg, bytes: overviewFile(landscape) });
  if (json !== undefined) outputs.push({ path: json, bytes: toJson(landscape) });
  writeOutputs(outputs);
  console.print(
    [...claim(landscape), ...findings(landscape), "", ...outputs.map(({ path }) => path)].join("\n"),
  );
}
