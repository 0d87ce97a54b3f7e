/** Other programs, for what cannot be timed in this process. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

/** Runs a program to its end; the error of a failure is what it printed last. `say` gets each line of its output. */
export async function check(
  command: string,
  args: readonly string[],
  say: (line: string) => void,
): Promise<void> {
  const { code, errors } = await run(command, args, say);
  if (code === 0) return;
  throw new Error(`${path.basename(command)} ${args.join(" ")} ended with code ${code}:\n${errors}`);
}

/** Runs a program to its end, on one thread whatever its libraries think of the machine. */
export async function run(command: string, args: readonly string[], say: (line: string) => void) {
  const one = { OMP_NUM_THREADS: "1", MKL_NUM_THREADS: "1", TORCHINDUCTOR_COMPILE_THREADS: "1" };
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...one } });
  const errors: string[] = [];
  createInterface({ input: child.stdout }).on("line", say);
  createInterface({ input: child.stderr }).on("line", (line) => void errors.push(line));
  const [code] = await once(child, "close");
  return { code: code as number | null, errors: errors.slice(-20).join("\n") };
}

/** Gives `act` the path of a file that is gone afterwards. */
export async function withFile<T>(act: (file: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "segrad-bench-"));
  try {
    return await act(path.join(folder, "rows.json"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
