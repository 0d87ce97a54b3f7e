/** `segrad eval`: what a loss and the usual metrics say about predictions. */
import { basename } from "node:path";
import type { Command } from "commander";
import type { Console } from "../console.ts";
import { type Evaluation, evaluate, termsOf } from "../evaluation.ts";
import { badData, exitCodeOf, FileError, UsageError } from "../failure.ts";
import { checkOutputs, writeOutputs } from "../files/write.ts";
import { isFolder, type Pair, pairFolders } from "../folders.ts";
import { printLoss } from "../language/print.ts";
import { addReading, type ReadingOptions, readingOf } from "../options.ts";
import { type ClassScore, meanScore, metricNames } from "../subject/scores.ts";
import { plural, share, short, toJson } from "../text/number.ts";
import { csv, table } from "../text/table.ts";

interface EvalOptions extends ReadingOptions {
  readonly csv?: string;
  readonly json?: string | true;
  readonly skipUnpaired?: boolean;
}

export function addEval(program: Command, console: Console): void {
  addReading(program.command("eval"))
    .summary("value of a loss and metrics of predictions")
    .description("Value of a loss, of each of its terms, and overlap and surface metrics per class.")
    .argument("<prediction>", "scores: .npy, .npz or .nii with logits, or a grey .png or .tif; or a folder")
    .argument("<target>", "label image of the same size, or a folder: files pair by name")
    .option("--skip-unpaired", "of folders, leave out files without a partner")
    .option("--csv <file>", "write one row per pair of files")
    .option("--json [file]", "write everything as JSON; without a file, print it in place of the table")
    .addHelpText("after", examples)
    .action((prediction: string, target: string, options: EvalOptions) =>
      run(prediction, target, options, console),
    );
}

const examples = `
Examples:
  $ segrad eval logits.npy mask.png --loss dice+0.5*crossEntropy
  $ segrad eval scores.npz:logits labels.nii.gz --loss 'generalizedDice+boundary' --classes air,grey,white
  $ segrad eval predicted.png mask.png --loss lovaszSoftmax --mode multilabel
  $ segrad eval predictions/ targets/ --loss 'tversky(alpha=0.3,beta=0.7)' --csv scores.csv
  $ segrad eval segmentation.nii.gz truth.nii.gz --labels --loss dice --json | jq .classes

Folders pair by name, up to the ending and a last word such as _pred, _mask or _seg: img01_pred.npy goes with
img01.nii.gz. A file without a partner is an error, unless --skip-unpaired leaves it out.

Losses are written as terms joined by + with optional weights, as 'dice(smooth=1)+0.5*crossEntropy'; JSON
works too. segrad losses lists them with their options. Grey PNG and TIFF images are read as probabilities of
the foreground (white is 1), several pages of a TIFF as the planes of a volume. Of .npz files with several
arrays, file.npz:name picks one. The spacing comes from NIfTI headers where --spacing is not given; where both
files are NIfTI, their headers must put them in the same place.`;

async function run(
  prediction: string,
  target: string,
  options: EvalOptions,
  console: Console,
): Promise<void> {
  const file = options.json === true ? undefined : options.json;
  checkOutputs([{ path: options.csv }, { path: file }]);
  const [fromFolder, toFolder] = [isFolder(prediction), isFolder(target)];
  if (fromFolder !== toFolder) throw new UsageError("prediction and target must be two files or two folders");

  const found = fromFolder
    ? await evaluateFolders(prediction, target, options, console)
    : { ...one(prediction, target, options), failures: [] as Failure[] };
  const { evaluations, failures } = found;
  const means = meanScores(evaluations.map(({ evaluation }) => evaluation));
  const summary = {
    loss: printLoss(options.loss),
    value: mean(evaluations.map(({ evaluation }) => evaluation.value)),
    classes: means,
    cases: evaluations.map(({ name, evaluation }) => ({ name, ...evaluation })),
    failures,
  };
  writeOutputs([
    ...(options.csv === undefined
      ? []
      : [{ path: options.csv, bytes: csv(csvRows(evaluations, failures, options)) }]),
    ...(file === undefined ? [] : [{ path: file, bytes: toJson(summary) }]),
  ]);

  if (options.json === true) console.print(toJson(summary).trimEnd());
  else if (fromFolder) console.print(showSummary(summary));
  else for (const { evaluation } of evaluations) console.print(showEvaluation(evaluation, options));
  for (const note of new Set(evaluations.flatMap(({ evaluation }) => evaluation.notes)))
    console.remark(`note: ${note}`);
  if (failures.length > 0) {
    for (const { error } of failures) console.remark(`error: ${error}`);
    throw new FileError(
      prediction,
      `${failures.length} of ${plural(failures.length + evaluations.length, "pair")} could not be evaluated`,
    );
  }
}

interface Case {
  readonly name: string;
  readonly evaluation: Evaluation;
}

interface Failure {
  readonly name: string;
  readonly error: string;
}

function one(prediction: string, target: string, options: EvalOptions): { evaluations: Case[] } {
  return {
    evaluations: [
      { name: prediction, evaluation: evaluate(prediction, target, options.loss, readingOf(options)) },
    ],
  };
}

/** Evaluates pair by pair. A bad file does not stop the others; it is listed at the end. */
async function evaluateFolders(predictions: string, targets: string, options: EvalOptions, console: Console) {
  const { pairs, single } = pairFolders(predictions, targets);
  if (single.length > 0 && !options.skipUnpaired) throw unpaired(single, pairs);
  for (const path of single) console.remark(`note: ${path} has no partner`);
  const evaluations: Case[] = [];
  const failures: Failure[] = [];
  await console.progress(pairs, "evaluating", ({ name, prediction, target }: Pair) => {
    try {
      evaluations.push({ name, evaluation: evaluate(prediction, target, options.loss, readingOf(options)) });
    } catch (error) {
      if (exitCodeOf(error) !== badData) throw error;
      failures.push({ name, error: (error as Error).message });
    }
  });
  return { evaluations, failures };
}

/** A mean over half of the cases would look like any other. */
function unpaired([first, ...others]: readonly string[], [pair]: readonly Pair[]): FileError {
  const more = others.length === 0 ? "" : ` (nor have ${list(others)})`;
  const example = `${basename(pair!.prediction)} goes with ${basename(pair!.target)}`;
  return new FileError(
    first!,
    `it has no partner${more}; ${example}. Rename it, or leave it out with --skip-unpaired`,
  );
}

/** The first few names. */
function list(paths: readonly string[]): string {
  const names = paths.slice(0, 4).map((path) => basename(path));
  return [...names, ...(paths.length > 4 ? [`${paths.length - 4} more`] : [])].join(", ");
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Class by class over all cases, classes in the order in which they first occur. */
function meanScores(evaluations: readonly Evaluation[]): ClassScore[] {
  const byName = new Map<string, ClassScore[]>();
  for (const score of evaluations.flatMap((evaluation) => evaluation.classes)) {
    byName.set(score.name, [...(byName.get(score.name) ?? []), score]);
  }
  return [...byName.values()].map(meanScore);
}

function showEvaluation({ read, value, terms, classes }: Evaluation, { loss }: EvalOptions): string {
  const rows = [[printLoss(loss), short(value)]];
  if (loss.kind === "sum") {
    for (const term of terms)
      rows.push([`  ${term.weight === 1 ? "" : `${term.weight} × `}${term.loss}`, short(term.value)]);
  }
  return `${read}\n\n${table(rows)}\n\n${showClasses(classes)}`;
}

function showSummary({
  loss,
  value,
  classes,
  cases,
}: {
  loss: string;
  value: number;
  classes: ClassScore[];
  cases: object[];
}) {
  return `${plural(cases.length, "pair")}, means\n\n${table([[loss, short(value)]])}\n\n${showClasses(classes)}`;
}

function showClasses(classes: readonly ClassScore[]): string {
  const keys = Object.keys(metricNames) as (keyof typeof metricNames)[];
  const rows = classes.map((score) => [
    score.name,
    ...keys.map((key) =>
      key === "hausdorff95" || key === "averageSurfaceDistance" ? short(score[key]) : share(score[key]),
    ),
    String(score.pixels),
    String(score.predicted),
  ]);
  const unmatched = classes
    .filter((score) => score.unmatched > 0)
    .map(
      (score) =>
        `\n${score.name} is on one side only in ${plural(score.unmatched, "image")}: no finite distance there`,
    );
  return (
    table([["class", ...Object.values(metricNames), "pixels", "predicted"], ...rows]) + unmatched.join("")
  );
}

function csvRows(cases: readonly Case[], failures: readonly Failure[], { loss }: EvalOptions) {
  const keys = Object.keys(metricNames) as (keyof typeof metricNames)[];
  const terms = loss.kind === "sum" ? termsOf(loss).map((term) => term.loss) : [];
  const names = [
    ...new Set(cases.flatMap(({ evaluation }) => evaluation.classes.map((score) => score.name))),
  ];
  const head = [
    "name",
    "value",
    ...terms,
    ...names.flatMap((name) => keys.map((key) => `${name}.${key}`)),
    "error",
  ];
  const rows = cases.map(({ name, evaluation }) => [
    name,
    evaluation.value,
    ...(terms.length > 0 ? evaluation.terms.map((term) => term.value) : []),
    ...names.flatMap((className) => {
      const score = evaluation.classes.find((entry) => entry.name === className);
      return keys.map((key) => score?.[key] ?? "");
    }),
    "",
  ]);
  const failed = failures.map(({ name, error }) => [name, ...head.slice(2).map(() => ""), error]);
  return [head, ...rows, ...failed];
}
