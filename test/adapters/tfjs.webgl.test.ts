/** segrad/tfjs on the webgl backend, in Chromium with WebGL in software. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

test("a step leaves the same weights as with TensorFlow.js' own operations, in one pass and in two", async () => {
  if (!existsSync(executablePath)) {
    throw new Error(
      `no Chromium at ${executablePath}: apt-get install chromium, or set CHROMIUM to its path`,
    );
  }
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ["test/adapters/webgl.page.ts"],
    bundle: true,
    write: false,
    format: "esm",
    logLevel: "error",
    alias: { segrad: `${root}ts/core/entry/web.ts`, "segrad/tfjs": `${root}ts/adapters/tfjs.ts` },
    tsconfigRaw: {},
  });
  const args = ["--no-sandbox", "--no-first-run", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"];
  const browser = await chromium.launch({ executablePath, args });
  try {
    const page = await browser.newPage();
    await page.addScriptTag({ content: outputFiles[0]!.text, type: "module" });
    await page.waitForFunction("globalThis.run");
    const module = JSON.stringify([...readFileSync(`${root}pkg/segrad_bg.wasm`)]);
    const results = (await page.evaluate(`run(${module})`)) as Record<string, unknown>[];
    expect(results.map(({ name }) => name)).toEqual(["cross-entropy", "Dice"]);
    for (const { backend, moved, values, weights, passes } of results) {
      expect(backend).toBe("webgl");
      expect(moved).toBeGreaterThan(1e-2);
      expect(values).toBeLessThan(1e-5);
      expect(weights).toBeLessThan(1e-5);
      expect(passes).toBeLessThan(1e-6);
    }
  } finally {
    await browser.close();
  }
});
