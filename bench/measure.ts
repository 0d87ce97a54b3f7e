/** Runs the tasks one after the other behind a progress bar. */
import { SingleBar } from "cli-progress";
import { inCurrentNode, timeInCurrentNode } from "./currentNode.ts";
import { memoryGrowth } from "./growth.ts";
import { arePeersReady, installPeers, timePeers } from "./peers.ts";
import { machine, type Results, type Timing, versions } from "./results.ts";
import { makeTasks, type Task } from "./tasks.ts";
import { patience, time } from "./timing.ts";
import type { Size } from "./workloads.ts";

export interface Plan {
  readonly size: Size;
  /** Only tasks whose title has one of these words; null for all. */
  readonly only: readonly string[] | null;
  /** Whether to run the Python libraries too. */
  readonly peers: boolean;
}

export async function measure({ size, only, peers }: Plan): Promise<Results> {
  if (peers && !(await arePeersReady())) {
    console.log("Making bench/.venv and installing the Python libraries: some minutes, this once.");
    await installPeers(console.log);
  }
  const tasks = makeTasks(size).filter((task) => matches(titleOf(task), only));
  const [doMemory, doCurrent] = [matches("memory", only), matches(inCurrentNode, only)];
  if (tasks.length === 0 && !doMemory && !doCurrent && !peers) {
    throw new Error(
      `no row has one of the words ${only?.join(", ")}; a row is, for example, "losses W1 segrad dice"`,
    );
  }
  const bar = makeBar();
  bar.start(tasks.length + Number(peers) + Number(doMemory) + Number(doCurrent), 0, { title: "" });

  const timings: Timing[] = [];
  const failures: { title: string; message: string }[] = [];
  /** A row that fails is told at the end; the others are still worth having. */
  const attempt = async (title: string, run: () => Promise<void>): Promise<void> => {
    bar.update({ title });
    try {
      await run();
    } catch (error) {
      failures.push({ title, message: error instanceof Error ? error.message : String(error) });
    }
    bar.increment();
  };

  for (const task of tasks) {
    await attempt(titleOf(task), async () => {
      const { open, ...row } = task;
      const { elements, call, dispose } = await open();
      try {
        timings.push({ ...row, elements, ...time(call, patience[size]) });
      } finally {
        dispose();
      }
    });
  }
  let memory: Results["memory"] = null;
  if (doMemory) {
    await attempt("memory", async () => {
      memory = memoryGrowth(1000);
    });
  }
  let otherVersions = {};
  if (doCurrent) {
    await attempt(inCurrentNode, async () => {
      const found = await timeInCurrentNode(size);
      timings.push(...found.timings);
      otherVersions = { "current Node": found.version };
    });
  }
  if (peers) {
    await attempt("Python", async () => {
      const found = await timePeers(size, (line) =>
        bar.update({ title: `Python ${line.slice(0, 40).trim()}` }),
      );
      timings.push(...found.timings);
      otherVersions = { ...otherVersions, ...found.versions };
    });
  }
  bar.stop();
  return {
    date: new Date().toISOString().slice(0, 16).replace("T", " "),
    size,
    machine: machine(),
    versions: { ...versions(), ...otherVersions },
    timings,
    memory,
    failures,
  };
}

const titleOf = ({ group, workload, engine, loss }: Task): string => `${group} ${workload} ${engine} ${loss}`;

const matches = (title: string, only: readonly string[] | null): boolean =>
  only === null || only.some((word) => title.includes(word));

function makeBar(): SingleBar {
  return new SingleBar({
    format: "{bar} {value}/{total}  {duration_formatted}  {title}",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    noTTYOutput: true,
    notTTYSchedule: 10_000,
  });
}
