/** A small web server for the pages of the tests. */
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const types: Record<string, string> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

export interface Site extends AsyncDisposable {
  readonly address: string;
}

/**
 * Serves files. `places` maps beginnings of addresses to files or folders, the longest first; every answer carries
 * `headers`.
 */
export async function serve(
  places: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Site> {
  const prefixes = Object.keys(places).sort((a, b) => b.length - a.length);
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url!, "http://localhost").pathname);
    const prefix = prefixes.find((start) => path.startsWith(start));
    const file = prefix === undefined ? undefined : join(places[prefix]!, path.slice(prefix.length));
    const found = file !== undefined && statSync(file, { throwIfNoEntry: false })?.isFile();
    if (!found) {
      response.writeHead(path === "/favicon.ico" ? 204 : 404).end();
      return;
    }
    response.writeHead(200, {
      "content-type": types[extname(file)] ?? "application/octet-stream",
      ...headers,
    });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  return {
    address: `http://localhost:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
