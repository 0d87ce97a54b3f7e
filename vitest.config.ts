import { existsSync } from "node:fs";
import { defineConfig } from "vitest/config";

/** Tests import what users import: the package by its name. */
export const alias = {
  "segrad/reference": new URL("./ts/reference/index.ts", import.meta.url).pathname,
  "segrad/tfjs": new URL("./ts/adapters/tfjs.ts", import.meta.url).pathname,
  "segrad/jax": new URL("./ts/adapters/jax.ts", import.meta.url).pathname,
  segrad: new URL("./ts/core/entry/node.ts", import.meta.url).pathname,
};

/** The test build of the module, where `scripts/build-wasm.sh guarded` was run. CI always runs it. */
const isGuardedBuilt = existsSync(new URL("./target/guarded/segrad_bg.wasm", import.meta.url));

/** The same tests of bad input and of every loss, on a module whose memory is fenced and looked at after each case. */
const guarded = {
  extends: true as const,
  test: {
    name: "guarded",
    include: [
      "test/guarded/*.test.ts",
      "test/{errors,extremes,input,invariance,losses,maps,metrics}.test.ts",
      "test/loss/lovasz.test.ts",
    ],
    setupFiles: "test/guarded/setup.ts",
    env: { CASES: "20000", RUNS: "0.2" },
    testTimeout: 60_000,
  },
};

export default defineConfig({
  resolve: { alias },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "library",
          include: ["test/**/*.test.ts"],
          exclude: ["test/package/**", "test/guarded/**"],
          testTimeout: 60_000,
        },
      },
      ...(isGuardedBuilt ? [guarded] : []),
      {
        // What users install: packed once, then tried in empty projects and in a browser.
        extends: true,
        test: {
          name: "package",
          include: ["test/package/*.test.ts"],
          globalSetup: "test/package/pack.ts",
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
