/**
 * Losses as text, for command lines:
 *
 * ```
 * loss    = [sign] term { sign term }          sign = "+" | "-"
 * term    = [ number "*" ] ( name [ options ] | "(" loss ")" )
 * options = "(" [ name "=" value { "," name "=" value } ] ")"
 * value   = number | word | string | "[" value { "," value } "]"      words: true, false, none, present, …
 * ```
 *
 * `dice + 0.5*crossEntropy`, `tversky(alpha=0.3, beta=0.7)`, `dice(classes=[1,2])`. A text that starts with `{` is
 * the loss as JSON. Which names and options there are is up to the table of losses.
 */
import { SegradError, show } from "../../error.ts";
import { type LossSpec, losses, sum } from "../../loss/index.ts";
import { resolveLoss } from "../../loss/resolve.ts";
import { type Option, parseNumber } from "../../option.ts";
import { closest } from "./closest.ts";

/** A text that is no loss: `message` says what is wrong and shows the place. */
export class LossTextError extends Error {
  override readonly name = "LossTextError";
  /** Index of the character that is wrong. */
  readonly position: number;
  constructor(what: string, text: string, position: number, isPlace = true) {
    super(isPlace ? `${what}\n  ${text}\n  ${" ".repeat(position)}^` : what);
    this.position = position;
  }
}

/** Reads a loss. Throws a `LossTextError` that points at the first thing it does not understand. */
export function parseLoss(text: string): LossSpec {
  return text.trimStart().startsWith("{") ? parseJson(text) : new Reader(text).whole();
}

function parseJson(text: string): LossSpec {
  try {
    const loss = JSON.parse(text) as LossSpec;
    resolveLoss(loss);
    return loss;
  } catch (error) {
    const reason = (error as Error).message;
    throw new LossTextError(
      error instanceof SegradError ? reason : `not valid JSON: ${reason}`,
      text,
      0,
      false,
    );
  }
}

/** Parentheses beyond this depth are no loss anybody means. */
const deepest = 1000;

class Reader {
  private readonly text: string;
  private at = 0;
  private depth = 0;

  constructor(text: string) {
    // One line, so that a caret below it points at the right column.
    this.text = text.replace(/\s/g, " ");
  }

  whole(): LossSpec {
    const loss = this.loss();
    if (this.at < this.text.length) this.fail(`expected "+", "-" or the end, found ${this.found()}`);
    return loss;
  }

  private loss(): LossSpec {
    const terms: [number, LossSpec][] = [];
    let isSum = false;
    do {
      const sign = this.take("-") ? -1 : 1;
      if (sign > 0) this.take("+");
      this.skip();
      const place = this.at;
      const weight = this.match(/(\d+\.?\d*|\.\d+)(e[+-]?\d+)?/iy);
      this.located(place, () => parseNumber(Number(weight), "the weight"));
      if (weight !== null && !this.take("*"))
        this.fail(`expected "*" after the weight, found ${this.found()}`);
      isSum ||= weight !== null || sign < 0 || terms.length > 0;
      const start = this.at;
      const loss = this.take("(") ? this.group(start) : this.named();
      terms.push([sign * Number(weight ?? 1), loss]);
    } while (this.next() === "+" || this.next() === "-");
    return isSum ? sum(terms) : terms[0]![1];
  }

  private group(start: number): LossSpec {
    if (++this.depth > deepest) this.fail(`parentheses deeper than ${deepest}`, start);
    const loss = this.loss();
    this.depth -= 1;
    if (!this.take(")")) this.fail(`expected ")", found ${this.found()}`);
    return loss;
  }

  private named(): LossSpec {
    this.skip();
    const start = this.at;
    const name = this.match(/[a-z_]\w*/iy);
    if (name === null) this.fail(`expected a loss, found ${this.found()}`);
    if (!Object.hasOwn(losses, name)) {
      const known = Object.keys(losses);
      this.fail(`there is no loss ${show(name)}; ${suggestion(name, known)}`, start);
    }
    const construct = losses[name as keyof typeof losses];
    const rows: { readonly [name: string]: Option<unknown> } = construct.options;
    const given: { [name: string]: unknown } = {};
    if (this.take("(") && !this.take(")")) {
      do this.option(name, rows, given);
      while (this.take(","));
      if (!this.take(")")) this.fail(`expected "," or ")", found ${this.found()}`);
    }
    return this.located(start, () => (construct as (options: object) => LossSpec)(given));
  }

  private option(
    kind: string,
    rows: { readonly [name: string]: Option<unknown> },
    given: { [name: string]: unknown },
  ): void {
    this.skip();
    const start = this.at;
    const name = this.match(/[a-z_]\w*/iy);
    if (name === null) this.fail(`expected an option of ${kind}, found ${this.found()}`);
    if (!Object.hasOwn(rows, name)) {
      this.fail(`${kind} has no option ${show(name)}; ${suggestion(name, Object.keys(rows))}`, start);
    }
    if (Object.hasOwn(given, name)) this.fail(`${kind}.${name} is given twice`, start);
    if (!this.take("=")) this.fail(`expected "=" after ${name}, found ${this.found()}`);
    this.skip();
    const place = this.at;
    const value = this.value();
    this.located(place, () => rows[name]!.parse(value, `${kind}.${name}`));
    given[name] = value;
  }

  private value(): unknown {
    if (this.take("[")) {
      const list: unknown[] = [];
      if (this.take("]")) return list;
      do list.push(this.value());
      while (this.take(","));
      if (!this.take("]")) this.fail(`expected "," or "]", found ${this.found()}`);
      return list;
    }
    const number = this.match(/[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?/iy);
    if (number !== null) return Number(number);
    const quoted = this.match(/"[^"]*"/y);
    if (quoted !== null) return quoted.slice(1, -1);
    const word = this.match(/[a-z_]\w*/iy);
    if (word === null) this.fail(`expected a number, a word or a list, found ${this.found()}`);
    if (word === "true" || word === "false") return word === "true";
    return word === "none" || word === "null" ? null : word;
  }

  private skip(): void {
    while (this.text[this.at] === " ") this.at += 1;
  }

  private next(): string | undefined {
    this.skip();
    return this.text[this.at];
  }

  private take(sign: string): boolean {
    const isThere = this.next() === sign;
    if (isThere) this.at += 1;
    return isThere;
  }

  /** The text that `pattern` (sticky) matches here; null, and nothing read, if it does not. */
  private match(pattern: RegExp): string | null {
    this.skip();
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? null;
    this.at += found?.length ?? 0;
    return found;
  }

  private found(): string {
    const next = this.next();
    return next === undefined ? "the end" : show(next);
  }

  /** Runs a constructor of the library; what it objects to is shown at `position`. */
  private located<T>(position: number, run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (error instanceof SegradError) this.fail(error.message, position);
      throw error;
    }
  }

  private fail(what: string, position = this.at): never {
    throw new LossTextError(what, this.text, position);
  }
}

function suggestion(name: string, known: readonly string[]): string {
  const similar = closest(name, known);
  const all = known.length === 0 ? "it has none" : `there are ${known.join(", ")}`;
  return similar === undefined ? all : `did you mean ${similar}?`;
}
