/**
 * The long test: `npm run soak` makes a million spoiled calls and fifty thousand comparisons with the reference, on
 * the guarded module. Ends with a table of figures, or at the first failure, with what to call to see it again.
 */
import { Command, InvalidArgumentError } from "commander";
import { guard, isGuardBuilt } from "../support/guard.ts";

function count(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new InvalidArgumentError("It must be an integer ≥ 0.");
}

export interface Options {
  readonly calls: number;
  readonly losses: number;
  readonly seed: number;
  readonly from: number;
}

const program = new Command("soak")
  .option("--calls <count>", "spoiled calls of every public function", count, 1_000_000)
  .option("--losses <count>", "losses compared with the float64 reference", count, 50_000)
  .option("--seed <number>", "where the random numbers start", count, 1)
  .option("--from <case>", "the first spoiled call, to see one again", count, 0)
  .parse();

if (!isGuardBuilt()) {
  console.error("There is no guarded module of this crate. Build it: scripts/build-wasm.sh guarded");
  process.exit(1);
}
guard(); // before anything imports "segrad"
const { run } = await import("./run.ts");
run(program.opts<Options>());
