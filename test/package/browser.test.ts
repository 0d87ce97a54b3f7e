/** The packed library in a real Chromium: on the main thread and in a worker, however the page was built. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { createServer } from "vite";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { esbuildBuild, plain, viteAlone, viteWithWasm, wasmFiles, webpackBuild } from "./bundlers.ts";
import { serve } from "./site.ts";

const { consumer } = inject("packed");
const installed = join(consumer, "node_modules/segrad");

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const args = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];

let browser: Browser;
/** What Node gives for the golden cases, and every page should. */
let inNode: string;

beforeAll(async () => {
  if (!existsSync(executablePath)) {
    throw new Error(
      `no Chromium at ${executablePath}: apt-get install chromium, or set CHROMIUM to its path`,
    );
  }
  browser = await chromium.launch({
    executablePath,
    args: [...args, "--disable-component-update", "--disable-sync"],
  });
  inNode = execFileSync(process.execPath, ["node.js"], { cwd: consumer, encoding: "utf8" }).trim();
  console.log(`Chromium ${browser.version()}, Node ${process.version}: ${inNode}`);
});

afterAll(() => browser?.close());

interface Visit {
  readonly outcomes: { readonly page: string; readonly worker: string };
  /** What the console and the page reported as errors. */
  readonly errors: readonly string[];
}

/** Opens a page in a fresh profile and waits for its outcomes. */
async function visit(address: string): Promise<Visit> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(address);
    const output = page.locator("output:not(:empty)");
    const text = await output.textContent({ timeout: 30_000 }).catch(() => {
      throw new Error(
        `the page at ${address} came to no end; it reported: ${errors.join("; ") || "nothing"}`,
      );
    });
    return { outcomes: JSON.parse(text!), errors };
  } finally {
    await context.close();
  }
}

const places = (folder: string) => ({
  "/": folder,
  "/golden.json": join(consumer, "public/golden.json"),
  "/segrad/": installed,
  "/segrad.wasm": join(installed, "pkg/segrad_bg.wasm"),
});

const policy = (scripts: string) => ({
  "content-security-policy": `default-src 'none'; script-src ${scripts}; worker-src 'self'; connect-src 'self'; img-src data:`,
});

const builds = {
  'a plain <script type="module">': plain,
  "a Vite build": viteAlone,
  "a Vite build with vite-plugin-wasm": viteWithWasm,
  "a webpack build": webpackBuild,
  "an esbuild build": esbuildBuild,
};

describe("the golden cases give the same bits as in Node, on the page and in its worker", () => {
  test.each(Object.entries(builds))("from %s, under a strict content security policy", async (_, build) => {
    const folder = await build(consumer);
    await using site = await serve(places(folder), policy("'self' 'wasm-unsafe-eval'"));
    expect(await visit(`${site.address}/index.html`)).toEqual({
      outcomes: { page: inNode, worker: inNode },
      errors: [],
    });
    expect(wasmFiles(folder)).toEqual([]);
  });

  test("from a module that the page hosts itself", async () => {
    await using site = await serve(places(await plain(consumer)));
    expect(await visit(`${site.address}/index.html?source=/segrad.wasm`)).toEqual({
      outcomes: { page: inNode, worker: inNode },
      errors: [],
    });
  });

  test("from Vite's development server", async () => {
    const server = await createServer({
      root: consumer,
      configFile: false,
      logLevel: "warn",
      server: { port: 0, host: "localhost" },
    });
    try {
      await server.listen();
      const address = server.resolvedUrls!.local[0]!;
      expect(await visit(`${address}index.html`)).toEqual({
        outcomes: { page: inNode, worker: inNode },
        errors: [],
      });
    } finally {
      await server.close();
    }
  });
});

test("a policy without 'wasm-unsafe-eval' gives an error that says so", async () => {
  await using site = await serve(places(await plain(consumer)), policy("'self'"));
  const { outcomes } = await visit(`${site.address}/index.html`);
  expect(outcomes.page).toMatch(/^unsupported: .*Content Security Policy/);
  expect(outcomes.worker).toMatch(/^unsupported: .*Content Security Policy/);
});

test("a module that is not there gives an error that names it", async () => {
  await using site = await serve(places(await plain(consumer)));
  const { outcomes } = await visit(`${site.address}/index.html?source=/missing.wasm`);
  expect(outcomes.page).toMatch(/^invalid-argument: .*\/missing\.wasm.* 404/);
  expect(outcomes.worker).toMatch(/^invalid-argument: .*\/missing\.wasm.* 404/);
});
