/** The program as a process: exit codes, streams, pipes, files. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "segrad-process-"));
afterAll(() => rmSync(folder, { recursive: true }));

const path = (name: string) => new URL(name, import.meta.url).pathname;
const data = (name: string) => path(`./data/cli/${name}`);
const command = [path("../node_modules/tsx/dist/cli.mjs"), path("../ts/cli/main.ts")];

function segrad(...args: string[]) {
  return spawnSync(process.execPath, [...command, ...args], { cwd: folder, encoding: "utf8" });
}

test("segrad eval: results on the output, nothing else there, no progress bar in a pipe", () => {
  const { status, stdout, stderr } = segrad(
    "eval",
    data("scores_f2.npy"),
    data("labels_1bit.png"),
    "--loss",
    "dice+focal",
    "--json",
  );
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ loss: "dice+focal" });
});

test("segrad grad and maps write their files and leave nothing else", () => {
  const grad = segrad(
    "grad",
    data("scores_f2.npy"),
    data("labels_1bit.png"),
    "-l",
    "dice",
    "-o",
    "g.npy",
    "--png",
    "g.png",
  );
  expect(grad).toMatchObject({ status: 0, stderr: "" });
  expect(segrad("maps", "signed", data("labels_1bit.png"), "--png", "s.png")).toMatchObject({
    status: 0,
    stderr: "",
  });
  expect(readdirSync(folder).sort()).toEqual(["g.npy", "g.png", "s.png"]);
});

test("segrad landscape writes report, picture and numbers", () => {
  const args = [
    "-l",
    "dice",
    "-l",
    "combo",
    "-l",
    "focal",
    "-o",
    "l.html",
    "--svg",
    "l.svg",
    "--json",
    "l.json",
  ];
  const { status, stdout, stderr } = segrad("landscape", ...args);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(stdout).toMatch(
    /“For small objects only combo and focal loss rise monotonically”[\s\S]*\nl\.html\nl\.svg\nl\.json\n$/,
  );
  const { rows } = JSON.parse(readFileSync(join(folder, "l.json"), "utf8"));
  expect(rows.map((row: { candidate: { title: string } }) => row.candidate.title)).toEqual([
    "dice",
    "combo",
    "focal",
  ]);
  expect(readFileSync(join(folder, "l.html"), "utf8")).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
});

test("exit codes: 1 for a wrong command line, 2 for a bad file; messages on the error stream", () => {
  const wrong = segrad("eval", data("scores_f2.npy"), data("labels_1bit.png"), "--loss", "dise");
  expect(wrong).toMatchObject({ status: 1, stdout: "" });
  expect(wrong.stderr).toMatch(/did you mean dice\?/);
  const bad = segrad("eval", data("colour.png"), data("labels_1bit.png"), "--loss", "dice");
  expect(bad).toMatchObject({ status: 2, stdout: "" });
  expect(bad.stderr).toMatch(/^error: .*colour\.png: it is a colour image/);
});

test("a reader that goes away early is no error", () => {
  const shell = `"${process.execPath}" ${command.map((part) => `"${part}"`).join(" ")} losses | head -1; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = spawnSync("bash", ["-c", shell], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(stdout.trim().split("\n").at(-1)).toBe("0");
});
