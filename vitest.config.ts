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
  test: { include: ["test/**/*.test.ts"], testTimeout: 60_000 },
});
