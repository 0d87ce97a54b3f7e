/** Before the tests of the package: builds and packs it once, and installs the tarball into an empty project. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { npm } from "../../scripts/npm.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Where the packed library is. */
export interface Packed {
  readonly tarball: string;
  /** A project outside this repository, with the tarball as its only dependency and the fixtures beside it. */
  readonly consumer: string;
}

declare module "vitest" {
  interface ProvidedContext {
    packed: Packed;
  }
}

export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), "segrad-package-"));
  npm(["pack", "--pack-destination", folder], root);
  const tarball = join(folder, readdirSync(folder).find((name) => name.endsWith(".tgz"))!);

  const consumer = join(folder, "consumer");
  mkdirSync(consumer);
  writeFileSync(join(consumer, "package.json"), JSON.stringify({ private: true, type: "module" }));
  npm(["install", "--ignore-scripts", tarball], consumer);
  cpSync(join(root, "test/package/fixtures"), consumer, { recursive: true });
  cpSync(join(root, "test/golden/public.json"), join(consumer, "public/golden.json"));

  project.provide("packed", { tarball, consumer });
  return () => rmSync(folder, { recursive: true, force: true });
}
