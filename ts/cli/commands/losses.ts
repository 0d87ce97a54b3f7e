/** `segrad losses`: the losses and their options, from the table itself. */
import type { Command } from "commander";
import { losses } from "../../core/entry/node.ts";
import type { Bounds, ChoiceOption, NumbersOption, Option } from "../../option.ts";
import type { Console } from "../console.ts";
import { UsageError } from "../failure.ts";
import { closest } from "../language/closest.ts";
import { table } from "../text/table.ts";

export function addLosses(program: Command, console: Console): void {
  program
    .command("losses")
    .summary("the losses, their options and defaults")
    .description("Lists the losses, or the options of one of them.")
    .argument("[loss]", "name of a loss")
    .action((name?: string) => {
      console.print(name === undefined ? overview() : details(name));
    });
}

function overview(): string {
  const rows = Object.values(losses).map(({ kind, options }) => [kind, Object.keys(options).join(", ")]);
  const width = Math.max(...rows.map(([kind]) => kind!.length));
  const list = rows.map(([kind, options]) => `${kind!.padEnd(width)}  ${options}`.trimEnd());
  return `${list.join("\n")}\n\nsegrad losses NAME tells what the options of a loss can be.`;
}

function details(name: string): string {
  if (!Object.hasOwn(losses, name)) {
    const similar = closest(name, Object.keys(losses));
    throw new UsageError(
      `there is no loss ${JSON.stringify(name)}${similar === undefined ? "" : `; did you mean ${similar}?`}`,
    );
  }
  const { kind, options, needs } = losses[name as keyof typeof losses];
  const rows = Object.entries(options as { readonly [name: string]: Option<unknown> }).map(
    ([option, row]) => [`  ${option}`, showValue(row.default), allowed(row)],
  );
  const where =
    needs === null ? [] : [`for ${needs.modes.join(" and ")} batches${needs.logits ? " of logits" : ""}`];
  return [[kind, ...where].join(", "), table([["  option", "default", "allowed"], ...rows])].join("\n");
}

function showValue(value: unknown): string {
  return value === null ? "none" : String(value);
}

/** What an option can be, in the words of the command line. */
function allowed(option: Option<unknown>): string {
  switch (option.type) {
    case "flag":
      return "true, false";
    case "choice":
      return (option as ChoiceOption<string>).choices.join(", ");
    case "classes":
      return "all, present, [1,2,…]";
    case "number":
      return bounds(option as Option<unknown> & Bounds);
    case "numberOrAuto":
      return `auto, ${bounds(option as Option<unknown> & Bounds)}`;
    case "numbers": {
      const row = option as NumbersOption<unknown>;
      const list = `[…] with one ${bounds(row)} per ${row.per}`;
      return row.single === undefined ? list : `${bounds(row.single)}, ${list}`;
    }
  }
}

function bounds({ min, max, above, below }: Bounds): string {
  const limits = [
    ...(min === undefined ? [] : [`≥ ${min}`]),
    ...(above === undefined ? [] : [`> ${above}`]),
    ...(max === undefined ? [] : [`≤ ${max}`]),
    ...(below === undefined ? [] : [`< ${below}`]),
  ];
  return `number ${limits.join(" ")}`.trimEnd();
}
