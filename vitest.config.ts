import { defineConfig } from "vitest/config";

/** Tests import what users import: the package by its name. */
export const alias = {
  "segrad/reference": new URL("./ts/reference/index.ts", import.meta.url).pathname,
  "segrad/tfjs": new URL("./ts/adapters/tfjs.ts", import.meta.url).pathname,
  "segrad/jax": new URL("./ts/adapters/jax.ts", import.meta.url).pathname,
  segrad: new URL("./ts/core/entry/node.ts", import.meta.url).pathname,
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
          exclude: ["test/package/**"],
          testTimeout: 60_000,
        },
      },
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
