/** Which room may see which: imports of TypeScript, floors of the crate, and where unsafe code may live. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

const root = new URL("..", import.meta.url).pathname;
const read = (file: string) => readFileSync(join(root, file), "utf8");

/** Files that are in the repository, or about to be. */
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => file !== "" && existsSync(join(root, file)));
const under = (folder: string, end: string) =>
  files.filter((file) => file.startsWith(folder) && file.endsWith(end));

/** What a TypeScript file imports when it runs: packages by name, files from the root of the repository. */
function runtimeImports(file: string): string[] {
  const statements = read(file).matchAll(
    /^(?:import|export) (?!type )([^;"']*? from )?["']([^"']+)["']|import\(["']([^"']+)["']\)/gm,
  );
  return [...statements].flatMap(([, names, from, dynamic]) => {
    // { type A, type B } is gone when it runs.
    const members = /\{([\s\S]*)\}/
      .exec(names ?? "")?.[1]
      ?.split(",")
      .filter((member) => member.trim() !== "");
    if (members?.every((member) => /^\s*type /.test(member))) return [];
    const target = (from ?? dynamic)!;
    return [target.startsWith(".") ? relative(root, join(root, dirname(file), target)) : target];
  });
}

/** Expects the files of a room to import nothing but what is allowed. */
function expectImports(room: readonly string[], allowed: RegExp) {
  expect(room.length).toBeGreaterThan(0);
  const strangers = room.flatMap((file) =>
    runtimeImports(file)
      .filter((target) => !allowed.test(target))
      .map((target) => `${file} imports ${target}`),
  );
  expect(strangers).toEqual([]);
}

const ts = under("ts/", ".ts");
const isEntry = (file: string) => file.startsWith("ts/core/entry/");
const core = ts.filter((file) => file.startsWith("ts/core/") && !isEntry(file));

test("the words stand on nothing but words", () => {
  expectImports(["ts/error.ts"], /^$/);
  expectImports(["ts/option.ts"], /^ts\/error\.ts$/);
  expectImports(["ts/array.ts"], /^ts\/error\.ts$/);
  expectImports(["ts/define.ts", "ts/batch.ts", "ts/arguments.ts"], /^ts\/(error|array|option|batch)\.ts$/);
  expectImports(under("ts/loss/", ".ts"), /^ts\/((error|option|define)\.ts|loss\/\w+\.ts)$/);
});

test("the reference shares the words, and nothing that computes", () => {
  const words = /^ts\/((error|option|define|batch|arguments)\.ts|(loss|reference)\/\w+\.ts)$/;
  expectImports(under("ts/reference/", ".ts"), words);
});

test("only the core touches the module", () => {
  const outside = ts.filter((file) => !file.startsWith("ts/core/"));
  expectImports(outside, /^(?!.*pkg\/)/);
  expectImports(
    core,
    /^(pkg\/segrad\.js|ts\/(core\/\w+|error|array|batch|arguments|option)\.ts|ts\/loss\/\w+\.ts)$/,
  );
});

test("the library imports no package, and nothing of Node but in its Node entry", () => {
  const library = ts.filter(
    (file) => !/^ts\/(cli|adapters)\//.test(file) && file !== "ts/core/entry/node.ts",
  );
  expectImports(library, /^(ts|pkg)\//);
  expectImports(["ts/core/entry/node.ts"], /^(node:fs|ts\/core\/module\.ts|ts\/index\.ts)$/);
});

test("an adapter knows its own framework, the public face and the words", () => {
  const shared = /^(segrad|ts\/adapters\/shared\/\w+\.ts|ts\/(error|batch)\.ts|ts\/loss\/\w+\.ts)$/;
  const allowed = (own: string) => new RegExp(`${shared.source}|^${own}`);
  expectImports(under("ts/adapters/tfjs", ".ts"), allowed("@tensorflow/"));
  expectImports(under("ts/adapters/jax", ".ts"), allowed("@jax-js/"));
  expectImports(under("ts/adapters/shared/", ".ts"), shared);
});

/** The floors of the crate, from the ground. A file sees floors below its own, and its own room. */
const floors = [
  ["simd", "batch", "sort"],
  ["math", "tile", "walk", "map"],
  ["labels", "view", "interleaved"],
  ["census", "slopes"],
  ["activation"],
  ["loss"],
  ["workspace"],
  ["kept"],
  ["work"],
  ["sweep_linear", "sweep_pixels", "sweep_planes", "sweep_rows"],
  ["terms"],
  ["objective"],
  ["exports"],
];
const rust = under("crate/src/", ".rs");
const roomOf = (file: string) => file.slice("crate/src/".length).split(/[/.]/)[0]!;
const floorOf = (room: string) => floors.findIndex((rooms) => rooms.includes(room));

test("arrows of the crate run down only", () => {
  const wrong = rust.flatMap((file) => {
    const own = roomOf(file);
    if (own === "lib") return [];
    expect(floorOf(own), `the floor of ${file}`).toBeGreaterThanOrEqual(0);
    const seen = [...withoutTests(read(file)).matchAll(/\bcrate::([a-z]\w*)/g)].map(([, room]) => room!);
    return seen
      .filter(
        (room) => room !== "losses" && room !== own && !(floorOf(room) >= 0 && floorOf(room) < floorOf(own)),
      )
      .map((room) => `${file} sees ${room}`);
  });
  expect(wrong).toEqual([]);
});

const withoutTests = (source: string) => source.split("#[cfg(test)]")[0]!;

test("unsafe code lives in simd, tile, walk and exports", () => {
  expect(read("crate/Cargo.toml")).toMatch(/^unsafe_code = "(deny|forbid)"$/m);
  const allowing = rust.filter((file) => /allow\([^)]*unsafe_code/.test(read(file))).map(roomOf);
  expect(new Set(allowing)).toEqual(new Set(["simd", "tile", "walk", "exports"]));
  const using = rust
    .filter((file) => /\bunsafe\s+(fn|impl|trait|\{)/.test(withoutTests(read(file))))
    .map(roomOf);
  for (const room of using) expect(["simd", "tile", "walk", "exports"]).toContain(room);
});

test("wasm-bindgen stays in exports, with numbers and pointers for arguments", () => {
  const bound = rust.filter((file) => read(file).includes("wasm_bindgen"));
  expect(bound.every((file) => roomOf(file) === "exports")).toBe(true);
  const forbidden = /&(mut )?\[|\bString\b|&str\b|\bVec<|JsValue|js_sys|Result<|Option<|Box<|\bf32\]/;
  for (const file of bound) {
    for (const [signature] of read(file).matchAll(/^ {0,4}pub fn [^{;]*/gm)) {
      expect(forbidden.test(signature), `${file}: ${signature.trim()}`).toBe(false);
    }
  }
  // The glue shows what really crosses: nothing that is copied, no text, no objects.
  const crossing = read("pkg/segrad.d.ts")
    .split("export type InitInput")[0]!
    .replace(/\/\*[\s\S]*?\*\//g, "");
  expect(crossing).not.toMatch(/Array|string|\bany\b|bigint|undefined/);
});

test("files fit in a head", () => {
  const long = [...ts, ...rust, ...under("test/", ".ts"), ...under("scripts/", ".ts")].filter(
    (file) => withoutTests(read(file)).split("\n").length > 350,
  );
  expect(long).toEqual([]);
});

test("no file names a machine or a registry", () => {
  const text = files.filter((file) =>
    /\.(ts|tsx|js|mjs|rs|md|json|toml|sh|yml|html|css|lock)$|^\.ci\//.test(file),
  );
  const names =
    /\/(work|root|home)\/[a-z]|\/tmp\/[a-z]|\blocalhost:(?!\$)\d{4}|https?:\/\/\d+\.\d+\.\d+\.\d+(?!.*127)/;
  const own = /^test\/walls\.test\.ts$/;
  const found = text.filter((file) => !own.test(file) && names.test(read(file)));
  expect(found).toEqual([]);
  const hosts = [...read("package-lock.json").matchAll(/"resolved": "https?:\/\/([^/"]+)/g)].map(
    ([, host]) => host,
  );
  expect([...new Set(hosts)].filter((host) => host !== "registry.npmjs.org")).toEqual([]);
});
