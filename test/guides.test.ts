/** Every TypeScript block of the README and the guides compiles, runs, and prints what it says it prints. */
import "@tensorflow/tfjs-backend-cpu";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import * as jaxJs from "@jax-js/jax";
import * as segrad from "segrad";
import * as jax from "segrad/jax";
import * as reference from "segrad/reference";
import * as tfjs from "segrad/tfjs";
import ts from "typescript";
import { expect, test } from "vitest";
import { everyLoss } from "../ts/cli/landscape/candidates.ts";
import { overviewFile } from "../ts/cli/landscape/report/overview.ts";
import { survey } from "../ts/cli/landscape/survey.ts";
import { evidence } from "./guides/evidence.ts";
import { programOf, run } from "./guides/program.ts";
import * as tensorflow from "./guides/tfjs.ts";

const root = new URL("../", import.meta.url).pathname;
const guides = readdirSync(`${root}docs/guides`).filter((name) => name.endsWith(".md"));
const pages = new Map(
  ["README.md", ...guides.map((name) => `docs/guides/${name}`)].map((path) => [
    path,
    readFileSync(root + path, "utf8"),
  ]),
);
const modules = {
  segrad,
  "segrad/reference": reference,
  "segrad/tfjs": tfjs,
  "segrad/jax": jax,
  "@tensorflow/tfjs": tensorflow,
  "@jax-js/jax": jaxJs,
};

test.each([...pages.keys()])("%s runs, and prints what it says", async (path) => {
  const { lines, promised } = await run(pages.get(path)!, modules);
  expect(lines).toEqual(promised);
});

test("all of them compile", () => {
  expect(
    complaintsOf(new Map([...pages].map(([path, text]) => [`${root}${path}.ts`, programOf(text)]))),
  ).toEqual([]);
});

test("the guide to losses shows the landscape as it is", async () => {
  const landscape = await survey(segrad.valueAndGrad, everyLoss());
  const guide = pages.get("docs/guides/choosing-a-loss.md")!;
  expect(guide.match(/^\| `\w+` \| .* % \|$/gm)).toEqual(evidence(landscape));
  expect(guide).toContain("](../landscape.svg)");
  expect(readFileSync(`${root}docs/landscape.svg`, "utf8")).toBe(overviewFile(landscape));
});

test("links between the pages lead somewhere", () => {
  for (const [path, text] of pages) {
    for (const [, to] of text.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [file, heading] = to!.split("#");
      const target = file === "" ? root + path : resolve(root + path, "..", file!);
      expect(existsSync(target), `${path}: ${to}`).toBe(true);
      if (heading !== undefined)
        expect(headings(readFileSync(target, "utf8")), `${path}: ${to}`).toContain(heading);
    }
  }
});

/** What GitHub makes of the headings of a page. */
const headings = (markdown: string) =>
  [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, text]) =>
    text!
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );

test("a page that does not compile, run or keep its word is noticed", async () => {
  const page = (code: string) => `Text.\n\n\`\`\`ts\n${code}\n\`\`\`\n`;
  await expect(run(page('throw new Error("no")'), modules)).rejects.toThrow("no");
  const { lines, promised } = await run(page("console.log(1 + 1); // 3"), modules);
  expect([lines, promised]).toEqual([["2"], ["3"]]);
  const wrong = page('import { dice } from "segrad";\ndice({ smoth: 1 });');
  expect(complaintsOf(new Map([[`${root}wrong.ts`, programOf(wrong)]]))).toEqual([
    expect.stringContaining("smoth"),
  ]);
});

/** What the compiler says about programs that are nowhere on the disk. */
function complaintsOf(programs: ReadonlyMap<string, string>): string[] {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  config.compilerOptions.paths["@tensorflow/tfjs"] = ["./test/guides/tfjs.ts"];
  config.include = [];
  const { options } = ts.parseJsonConfigFileContent({ ...config, files: [] }, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => programs.has(name) || fileExists(name);
  host.readFile = (name) => programs.get(name) ?? readFile(name);
  host.getSourceFile = (name, target) => {
    const text = programs.get(name);
    return text === undefined
      ? getSourceFile.call(host, name, target)
      : ts.createSourceFile(name, text, target);
  };
  const program = ts.createProgram([...programs.keys()], options, host);
  return [...programs.keys()].flatMap((name) => {
    const file = program.getSourceFile(name)!;
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ messageText, start }) => {
        const line = file.getLineAndCharacterOfPosition(start ?? 0).line;
        const text = ts.flattenDiagnosticMessageText(messageText, " ");
        return `${name.slice(root.length)}: ${text}\n${file.text.split("\n")[line]}`;
      },
    );
  });
}
