import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const repository = fileURLToPath(new URL("..", import.meta.url));

/**
 * The page on its own: `vite build lab` writes lab/dist, which any static server can serve from any folder.
 * The library is built from its sources; its module becomes a file beside the code.
 */
export default defineConfig({
  base: "./",
  resolve: { alias: { segrad: `${repository}ts/core/entry/web.ts` } },
  server: { fs: { allow: [repository] } },
  build: { target: "es2022" },
});
