import { execFile, execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, inject, test } from "vitest";
import { currentNode } from "../../scripts/currentNode.ts";
import { root } from "./pack.ts";

const { consumer } = inject("packed");
const execFileAsync = promisify(execFile);

/** The first TypeScript block of the README that uses the library. It is plain JavaScript, too. */
function readmeExample(): string {
  const readme = readFileSync(join(consumer, "node_modules/segrad/README.md"), "utf8");
  const blocks = [...readme.matchAll(/^```(?:ts|js)\n(.*?)^```/gms)].map(([, code]) => code!);
  const example = blocks.find((code) => code.includes('from "segrad"'));
  if (example === undefined) throw new Error('README.md has no ```ts block with an import from "segrad"');
  return example;
}

const nodes = [
  { name: "this Node", node: () => process.execPath },
  { name: "a current Node", node: currentNode },
];

describe.each(nodes)("installed into an empty project, in $name", ({ node }) => {
  const run = (...args: string[]) => {
    const { stdout, stderr, status } = spawnSync(node(), args, { cwd: consumer, encoding: "utf8" });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    return stdout.trim();
  };

  test("the README's example runs as written", () => {
    writeFileSync(join(consumer, "readme.mjs"), readmeExample());
    expect(run("readme.mjs")).toMatch(/^\d+\.\d{4} /);
  });

  test("the golden cases give the bits that this Node gives", () => {
    const here = execFileSync(process.execPath, ["node.js"], { cwd: consumer, encoding: "utf8" });
    const version = run("--version");
    const there = run("node.js");
    console.log(`Node ${version}: ${there}`);
    expect(there).toMatch(/^[1-9]\d* cases [0-9a-f]{64}$/);
    expect(there).toBe(here.trim());
  });
});

/** What either Node printed. */
const outcomes: string[] = [];

test.each(nodes)(
  "eight workers and the main thread get the same bits at the same time, in $name",
  ({ node }) => {
    const outcome = execFileSync(node(), ["workers.js"], { cwd: consumer, encoding: "utf8" }).trim();
    expect(outcome).toMatch(/^8 workers of 1000 calls, 100 refused, [0-9a-f]{64}$/);
    outcomes.push(outcome);
    expect(outcomes.every((other) => other === outcome)).toBe(true);
  },
);

describe("the types compile under strict, libraries checked", () => {
  const base = {
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    target: "ES2022",
    typeRoots: [] as string[],
  };
  const configurations = {
    "module nodenext, with the DOM": {
      module: "nodenext",
      moduleResolution: "nodenext",
      lib: ["ES2022", "DOM"],
      types: [],
    },
    "module nodenext, with Node's types only": {
      module: "nodenext",
      moduleResolution: "nodenext",
      lib: ["ES2022"],
      types: ["node"],
      typeRoots: [join(root, "node_modules/@types")],
    },
    "module esnext, resolved by a bundler": {
      module: "esnext",
      moduleResolution: "bundler",
      lib: ["ES2022", "DOM"],
      types: [],
    },
  };

  writeFileSync(join(consumer, "readme.ts"), readmeExample());

  test.concurrent.each(Object.entries(configurations))("%s", async (name, options) => {
    const file = join(consumer, `tsconfig.${name.replace(/\W+/g, "-")}.json`);
    const files = ["consumer.ts", "readme.ts"];
    writeFileSync(file, JSON.stringify({ compilerOptions: { ...base, ...options }, files }));
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    // A rejection carries what the compiler printed.
    const { stdout } = await execFileAsync(process.execPath, [compiler, "-p", file]).catch((error) => error);
    expect(stdout).toBe("");
  });
});

/** Each adapter, and the peer dependency it needs. */
const adapters = [
  { name: "tfjs", peer: "@tensorflow/tfjs-core" },
  { name: "jax", peer: "@jax-js/jax" },
];

test.each(adapters)("segrad/$name loads beside $peer", ({ name, peer }) => {
  const link = join(consumer, "node_modules", peer);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(join(root, "node_modules", peer), link);
  const script = `console.log(Object.keys(await import("segrad/${name}")).join())`;
  const args = ["--input-type=module", "-e", script];
  expect(execFileSync(process.execPath, args, { cwd: consumer, encoding: "utf8" }).trim()).toMatch(/^\w+/);
});

test("the command `segrad` is installed", () => {
  const command = join(consumer, "node_modules/.bin/segrad");
  const { version } = JSON.parse(readFileSync(join(consumer, "node_modules/segrad/package.json"), "utf8"));
  expect(execFileSync(command, ["--version"], { encoding: "utf8" }).trim()).toBe(version);
  expect(execFileSync(command, ["--help"], { encoding: "utf8" })).toContain("Usage: segrad");
});

test("the module lies where `segrad/segrad.wasm` says", () => {
  const script = 'console.log(import.meta.resolve("segrad/segrad.wasm"))';
  const address = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: consumer,
    encoding: "utf8",
  });
  expect(existsSync(new URL(address.trim()))).toBe(true);
});
