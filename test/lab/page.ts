/** The built page in Chromium, under a strict content security policy, in fresh profiles. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from "playwright-core";
import { type Batch, type LossSpec, valueAndGrad } from "segrad";
import { build, type PreviewServer, preview } from "vite";
import { shape } from "../../lab/src/scene/grid.ts";
import { Scene } from "../../lab/src/scene/scene.ts";

const root = fileURLToPath(new URL("../../lab", import.meta.url));
const configFile = join(root, "vite.config.ts");

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const args = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];

const policy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; connect-src 'self'";

export interface Lab extends AsyncDisposable {
  /** Opens the page and waits until it is ready. */
  open(options?: BrowserContextOptions): Promise<Visit>;
}

export interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** What the console and the page reported as warnings and errors. */
  readonly complaints: readonly string[];
}

export async function openLab(): Promise<Lab> {
  if (!existsSync(executablePath)) {
    throw new Error(
      `no Chromium at ${executablePath}: apt-get install chromium, or set CHROMIUM to its path`,
    );
  }
  const outDir = mkdtempSync(join(tmpdir(), "segrad-lab-"));
  await build({ root, configFile, logLevel: "warn", build: { outDir, emptyOutDir: true } });
  const server = await preview({
    root,
    configFile,
    logLevel: "warn",
    build: { outDir },
    preview: { port: 0, host: "localhost", headers: { "content-security-policy": policy } },
  });
  const browser = await chromium.launch({
    executablePath,
    args: [...args, "--disable-component-update", "--disable-sync"],
  });
  return {
    open: (options) => open(browser, server, options),
    async [Symbol.asyncDispose]() {
      await browser.close();
      await server.close();
      rmSync(outDir, { recursive: true, force: true });
    },
  };
}

async function open(
  browser: Browser,
  server: PreviewServer,
  options?: BrowserContextOptions,
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(server.resolvedUrls!.local[0]!);
  await page.locator('html[data-state="ready"]').waitFor({ state: "attached" });
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}

/** All digits of a number on the page. */
export async function numberIn(place: Locator): Promise<number> {
  await settled(place.page());
  return Number(await place.getAttribute("value"));
}

/** Waits until what was asked for has been drawn: everything is drawn within a frame. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(
    () => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))),
  );
}

/** The colours of a picture, four bytes per pixel. */
export async function pixelsOf(canvas: Locator): Promise<number[]> {
  await settled(canvas.page());
  return canvas.evaluate((element) => {
    const { width, height } = element as HTMLCanvasElement;
    return [...(element as HTMLCanvasElement).getContext("2d")!.getImageData(0, 0, width, height).data];
  });
}

/** Elements of one side of the page. */
export function sideOf({ page }: Visit, name: "A" | "B") {
  const editor = page.getByRole("region", { name: `Loss ${name}`, exact: true });
  const run = page.getByRole("region", { name: `Results of loss ${name}` });
  return {
    editor,
    kind: editor.getByLabel(`Loss ${name}: kind`),
    value: run.locator("data.value"),
    terms: run.locator(".term-values data"),
    dice: run.locator(".facts data").nth(0),
    steepest: run.locator(".facts data").nth(1),
    milliseconds: run.locator(".facts data").nth(2),
    picture: run.locator("canvas").nth(1),
    note: run.locator(".note"),
    problem: run.locator(".problem"),
  };
}

/** The value that comes with the gradient: that of `value` alone is rounded otherwise. */
export const valueWithGrad = (loss: LossSpec, batch: Batch) => valueAndGrad(loss, batch).value;

/** What the page starts with. */
export function startBatch() {
  const scene = new Scene();
  return { logits: scene.logits(), target: scene.mask, shape };
}
