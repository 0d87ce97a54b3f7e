/** The Python peers: makes them a virtual environment, runs their script on one thread, reads what it found. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { check, run, withFile } from "./processes.ts";
import type { Timing } from "./results.ts";
import { masksNames, type Size, workloadNames } from "./workloads.ts";

const folder = new URL("./", import.meta.url).pathname;
const python = path.join(folder, ".venv", "bin", "python");
const script = path.join(folder, "peers", "time_peers.py");

/** What the script imports, as pip names it. */
const packages = "torch monai kornia segmentation-models-pytorch scipy edt opencv-python-headless".split(" ");

export interface Peers {
  readonly timings: readonly Timing[];
  readonly versions: { readonly [name: string]: string };
}

/** Whether the virtual environment is there and complete. */
export async function arePeersReady(): Promise<boolean> {
  if (!existsSync(python)) return false;
  const imports = "import torch, monai, kornia, segmentation_models_pytorch, scipy, edt, cv2";
  return (await run(python, ["-c", imports], () => {})).code === 0;
}

/** Makes the virtual environment and installs the peers: some minutes, once. */
export async function installPeers(say: (line: string) => void): Promise<void> {
  if (!existsSync(python)) await check("python3", ["-m", "venv", path.join(folder, ".venv")], say);
  await check(python, ["-m", "pip", "install", "--disable-pip-version-check", ...packages], say);
}

/** Runs the script; `say` gets each line it prints. */
export async function timePeers(size: Size, say: (line: string) => void): Promise<Peers> {
  return withFile(async (out) => {
    await check(python, [script, "1", out, ...(size === "quick" ? ["quick"] : [])], say);
    return {
      timings: readRows(JSON.parse(readFileSync(out, "utf8"))),
      versions: await installedVersions(),
    };
  });
}

/** A row as the script writes it. */
export interface PeerRow {
  readonly workload: string;
  readonly peer: string;
  readonly loss: string;
  readonly elements: number;
  readonly runs: number;
  readonly min_ms: number;
  readonly median_ms: number;
}

/** Rows under the names they have here. */
export function readRows(rows: readonly PeerRow[]): Timing[] {
  return rows.map((row) => {
    const isMap = (masksNames as readonly string[]).includes(row.workload);
    const workload = isMap ? row.workload : row.workload.slice(0, 2);
    if (!isMap && !(workloadNames as readonly string[]).includes(workload)) {
      throw new Error(`the peers' script timed an unknown workload: ${row.workload}`);
    }
    const lovasz = workload === "W1" ? "lovaszHinge" : "lovaszSoftmax";
    const names: { readonly [name: string]: string } = { "dice+ce": "dice + crossEntropy", lovasz };
    return {
      group: isMap ? "maps" : "losses",
      workload,
      engine: row.peer === "compiled" ? "torch.compile" : row.peer,
      loss: names[row.loss] ?? row.loss,
      elements: row.elements,
      runs: row.runs,
      min: row.min_ms,
      median: row.median_ms,
    };
  });
}

async function installedVersions(): Promise<{ [name: string]: string }> {
  let text = "";
  await check(python, ["-m", "pip", "list", "--format=json", "--disable-pip-version-check"], (line) => {
    text += line;
  });
  const installed: { name: string; version: string }[] = JSON.parse(text);
  const dashed = (name: string) => name.toLowerCase().replaceAll("_", "-");
  const version = (wanted: string) => installed.find(({ name }) => dashed(name) === wanted)?.version ?? "?";
  const interpreter: string[] = [];
  await check(python, ["--version"], (line) => void interpreter.push(line));
  return {
    Python: interpreter.join("").replace("Python ", ""),
    ...Object.fromEntries(packages.map((name) => [name, version(name)])),
  };
}
