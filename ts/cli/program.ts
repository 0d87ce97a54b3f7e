/** The command line: commands, help, and what happens when something goes wrong. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { addEval } from "./commands/eval.ts";
import { addGrad } from "./commands/grad.ts";
import { addLandscape } from "./commands/landscape.ts";
import { addLosses } from "./commands/losses.ts";
import { addMaps } from "./commands/maps.ts";
import { type Console, realConsole } from "./console.ts";
import { exitCodeOf, success, usage } from "./failure.ts";

/** Runs the program and returns its exit code. */
export async function run(args: readonly string[], console: Console = realConsole): Promise<number> {
  try {
    await makeProgram(console).parseAsync(args, { from: "user" });
    return success;
  } catch (error) {
    // Commander has written its own message by now; help and version are no errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? success : usage;
    const code = exitCodeOf(error);
    if (code === undefined) throw error;
    console.remark(`error: ${(error as Error).message}`);
    return code;
  }
}

function makeProgram(console: Console): Command {
  const program = new Command("segrad")
    .description("Segmentation losses with gradients, on files.")
    .version(version(), "-V, --version")
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => console.print(text.trimEnd()),
      writeErr: (text) => console.remark(text.trimEnd()),
    })
    .exitOverride()
    .addHelpText("after", help);
  for (const add of [addEval, addGrad, addMaps, addLandscape, addLosses]) add(program, console);
  inherit(program);
  return program;
}

/** Commands made by `command()` copy settings at that moment; those of deeper levels are set here. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inherit(child);
  }
}

const help = `
Examples:
  $ segrad eval logits.npy mask.png --loss dice+0.5*crossEntropy
  $ segrad eval predictions/ targets/ --loss dice --csv scores.csv
  $ segrad grad logits.npy mask.png --loss lovaszHinge -o grad.npy --png heat.png
  $ segrad maps signed mask.png -o phi.npy --png phi.png
  $ segrad landscape -o landscape.html

Files: .npy, .npz (file.npz:name picks an array), grey or palette .png and .tif, .nii and .nii.gz.
Exit codes: 0 all went well, 1 the command line is wrong, 2 a file or its contents are wrong.`;

/** The version of the package this file belongs to, which lies somewhere above it. */
function version(): string {
  for (let folder = new URL(".", import.meta.url); ; folder = new URL("..", folder)) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL("package.json", folder), "utf8"));
      if (name === "segrad") return version;
    } catch {
      // No package here.
    }
    if (folder.pathname === "/") return "unknown";
  }
}
