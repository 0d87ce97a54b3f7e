/**
 * The TypeScript of a Markdown page as one program: every block sees what the blocks before it declare, and may
 * declare the same name anew. `<!-- run … -->` holds lines that run and are not shown: what the reader has at hand.
 */
import { transform } from "esbuild";

/** Imports of all blocks first, then the blocks, each inside the one before it. */
export function programOf(markdown: string): string {
  const imports = new Map<string, Set<string>>();
  const bodies = blocksOf(markdown).map((block) =>
    block.replace(/^import ([^"]+?) from "(.+?)";$/gm, (_, names: string, from: string) => {
      const known = imports.get(from) ?? new Set();
      imports.set(from, known);
      for (const name of names.replace(/^\{|\}$/g, "").split(",")) if (name.trim()) known.add(name.trim());
      return "";
    }),
  );
  const lines = [...imports].flatMap(([from, names]) => {
    const isWhole = (name: string) => name.startsWith("* as ");
    const named = [...names].filter((name) => !isWhole(name));
    return [
      ...[...names].filter(isWhole).map((name) => `import ${name} from "${from}";`),
      ...(named.length > 0 ? [`import { ${named.join(", ")} } from "${from}";`] : []),
    ];
  });
  return [...lines, ...bodies.map((body) => `{\n${body}`), "}".repeat(bodies.length)].join("\n");
}

function blocksOf(markdown: string): string[] {
  const blocks = markdown.matchAll(/^```(?:ts|js)\n(.*?)^```$|^<!-- run\n(.*?)^-->$/gms);
  return [...blocks].map(([, shown, hidden]) => (shown ?? hidden)!);
}

/** What a page prints, line by line, and what it says it prints: behind `console.log(…)`, and in blocks of text. */
export interface Printed {
  readonly lines: string[];
  readonly promised: string[];
}

const AsyncFunction = (async () => {}).constructor as new (
  ...code: string[]
) => (...args: unknown[]) => Promise<void>;

/** Runs the program of a page with these modules. */
export async function run(markdown: string, modules: { readonly [name: string]: object }): Promise<Printed> {
  const { code } = await transform(programOf(markdown), { loader: "ts", format: "esm" });
  const script = code
    .replace(/^import \* as (\w+) from "(.+)";$/gm, 'const $1 = modules["$2"];')
    .replace(/^import (\{[^"]+?\}) from "(.+)";$/gm, (_, names: string, from: string) => {
      if (modules[from] === undefined) throw new Error(`no module ${from}`);
      return `const ${names.replaceAll(" as ", ": ")} = modules["${from}"];`;
    });
  const lines: string[] = [];
  const log = (...things: unknown[]) => lines.push(things.map(show).join(" "));
  await new AsyncFunction("modules", "console", script)(modules, { log });
  const promises = markdown.matchAll(/^ *console\.log\([^\n]*\); \/\/ ([^\n]*)$|^```text\n(.*?)\n```$/gms);
  return { lines, promised: [...promises].flatMap(([, line, list]) => line ?? list!.split("\n")) };
}

/** As Node prints it, on one line. */
function show(thing: unknown): string {
  if (ArrayBuffer.isView(thing)) return [...(thing as Float32Array)].map(show).join(", ");
  return Array.isArray(thing) ? thing.map(show).join(", ") : String(thing);
}
