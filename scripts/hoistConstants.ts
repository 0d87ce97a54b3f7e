/**
 * `hoistConstants.ts module.wat`: vector constants of loops are read before the loop, from globals.
 *
 * Since Node 24, V8 builds a constant anew wherever it is used, in every turn of a loop: an immediate into an integer
 * register, from there into a vector, and a shuffle. exp has twelve constants, and losses took 1.5 to 2 times what they
 * take in Node 20. What was read from a global stays in a register like any other number. With it Node 24 and 26 are as
 * fast as Node 20, which is as fast as it was; Chromium 156 takes 0.85 of the time. The module has 1 KB more.
 *
 * The last step but assembling: an optimiser would see that nobody writes to the globals and make them constants again.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** `(head operand …)`; strings are names, numbers and quoted text as they stand. */
export type Expression = string | Expression[];

/** Constants, by their text, and what they are called. */
type Names = Map<string, string>;

export function parse(text: string): Expression[] {
  const withoutComments = text.replace(/^\s*;;.*$/gm, "");
  const open: Expression[][] = [[]];
  for (const [token] of withoutComments.matchAll(/[()]|(?:"(?:[^"\\]|\\.)*"|[^\s()"])+/g)) {
    if (token === "(") open.push([]);
    else if (token === ")") open.at(-2)!.push(open.pop()!);
    else open.at(-1)!.push(token);
  }
  return open[0]![0] as Expression[];
}

export function print(expression: Expression): string {
  return typeof expression === "string" ? expression : `(${expression.map(print).join(" ")})\n`;
}

export const isForm = (expression: Expression | undefined, ...heads: string[]): expression is Expression[] =>
  Array.isArray(expression) && heads.includes(expression[0] as string);

/** A vector other than all zeros or all ones, which engines make in one instruction. */
export function isCostly(expression: Expression): expression is string[] {
  return (
    isForm(expression, "v128.const") &&
    !["0x00000000", "0xffffffff"].some((word) => expression.slice(2).every((lane) => lane === word))
  );
}

/** The module with its loops' constants in globals. */
export function hoistConstants(module: Expression[]): Expression[] {
  const globals: Names = new Map();
  const hoisted = module.map((field) => (isForm(field, "func") ? hoistInFunction(field, globals) : field));
  const definitions = [...globals].map(([constant, name]) => ["global", name, ["mut", "v128"], constant]);
  const first = hoisted.findIndex((field) => isForm(field, "func")); // imports come before
  return hoisted.toSpliced(first, 0, ...definitions);
}

function hoistInFunction(definition: Expression[], globals: Names): Expression[] {
  const locals: Names = new Map();

  /** `used`: the constants of the outermost loop around, if there is one. */
  function visit(expression: Expression, used: Set<string> | null): Expression {
    if (typeof expression === "string") return expression;
    if (used !== null && isCostly(expression)) {
      const constant = print(expression);
      used.add(constant);
      nameOf(constant, globals, "$constant");
      return ["local.get", nameOf(constant, locals, "$hoisted")];
    }
    const isOutermost = used === null && isForm(expression, "loop");
    const inside = isOutermost ? new Set<string>() : used;
    const visited = expression.map((part) => visit(part, inside));
    if (!isOutermost || inside!.size === 0) return visited;
    const reads = [...inside!].map((constant) => [
      "local.set",
      locals.get(constant)!,
      ["global.get", globals.get(constant)!],
    ]);
    const result = expression.filter((part) => isForm(part, "result"));
    return ["block", ...result, ...reads, visited];
  }

  const hoisted = visit(definition, null) as Expression[];
  const body =
    hoisted.findLastIndex((part, i) => i < 2 || isForm(part, "param", "result", "local", "type")) + 1;
  return hoisted.toSpliced(body, 0, ...[...locals.values()].map((local) => ["local", local, "v128"]));
}

/** The name that goes with a constant, a new one if it has none. */
function nameOf(constant: string, names: Names, prefix: string): string {
  const name = names.get(constant) ?? `${prefix}${names.size}`;
  names.set(constant, name);
  return name;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = process.argv[2];
  if (path === undefined) throw new Error("usage: hoistConstants.ts module.wat");
  writeFileSync(path, print(hoistConstants(parse(readFileSync(path, "utf8")))));
}
