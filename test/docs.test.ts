/** The site of the documentation builds without a warning, and every link inside it leads somewhere. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type Kind, losses } from "segrad";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildDocs } from "../scripts/docs.ts";

const site = mkdtempSync(join(tmpdir(), "segrad-docs-"));
const read = (path: string) => readFileSync(join(site, path), "utf8");
const pages = () =>
  readdirSync(site, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".html"));

beforeAll(async () => {
  expect(await buildDocs(site)).toBe(true);
}, 120_000);
afterAll(() => rmSync(site, { recursive: true }));

test("every entry of the package and every guide has its page", () => {
  expect(readdirSync(join(site, "modules")).sort()).toEqual([
    "segrad.html",
    "segrad_jax.html",
    "segrad_reference.html",
    "segrad_tfjs.html",
  ]);
  for (const name of readdirSync(new URL("../docs/guides", import.meta.url))) {
    const [, title] = /^# (.*)/.exec(
      readFileSync(new URL(`../docs/guides/${name}`, import.meta.url), "utf8"),
    )!;
    expect(readdirSync(join(site, "documents"))).toContain(`${title!.replaceAll(" ", "_")}.html`);
  }
  expect(read("index.html")).toContain("Segmentation losses with gradients, for JavaScript.");
});

test.each(Object.keys(losses) as Kind[])("the page of %s has a row for every option", (kind) => {
  const rows = [...read(`variables/segrad.${kind}.html`).matchAll(/<tr>\s*<td><code>(\w+)<\/code><\/td>/g)];
  expect(rows.map(([, name]) => name)).toEqual(Object.keys(losses[kind].options));
  expect(read("index.html")).toContain(`href="variables/segrad.${kind}.html"`);
});

test("links lead somewhere, also those to headings", () => {
  const list = pages();
  expect(list.length).toBeGreaterThan(100);
  for (const page of list) {
    for (const [, href] of read(page).matchAll(/ (?:href|src)="([^"]+)"/g)) {
      if (/^(https?|data):/.test(href!)) continue;
      const [path, anchor] = href!.split("#");
      const place = path === "" ? join(site, page) : resolve(site, dirname(page), decodeURI(path!));
      const file = place === site ? join(site, "index.html") : place;
      expect(existsSync(file), `${page}: ${href}`).toBe(true);
      if (anchor) expect(readFileSync(file, "utf8"), `${page}: ${href}`).toContain(` id="${anchor}"`);
    }
  }
});
