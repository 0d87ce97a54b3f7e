/**
 * The module's bytes in the source tree, where they are a file. In the published package they are text inside the
 * code: `scripts/buildDist.ts` puts `embedded.dist.ts` in place of this file.
 */
export async function embeddedBytes(): Promise<ArrayBuffer> {
  const response = await fetch(new URL("../../../pkg/segrad_bg.wasm", import.meta.url));
  return response.arrayBuffer();
}
