/**
 * The kinds of options a loss can have, as data: a kind knows its default, its bounds and how to read a value.
 * Everything that lists options (constructors, messages, command line, tests, the page) is driven by these.
 */
import { arrayType, rangeError, type SegradError, show, typeError } from "./error.ts";

/** Limits of a number: `min ≤ x ≤ max`, `above < x < below`. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
  readonly above?: number;
  readonly below?: number;
}

/** One option of a loss. `parse` returns the value to use, or throws a `SegradError` that calls it `name`. */
export interface Option<T> {
  readonly type: "number" | "flag" | "choice" | "classes" | "numbers" | "numberOrAuto";
  readonly default: T;
  parse(value: unknown, name: string): T;
}
export interface NumberOption extends Option<number>, Bounds {
  readonly type: "number";
}
export interface FlagOption extends Option<boolean> {
  readonly type: "flag";
}
export interface ChoiceOption<T extends string> extends Option<T> {
  readonly type: "choice";
  readonly choices: readonly T[];
}
/** Which classes take part: every one, those that occur in the target, or a list of class numbers. */
export type Classes = "all" | "present" | readonly number[];
export interface ClassesOption extends Option<Classes> {
  readonly type: "classes";
}
export interface NumbersOption<T> extends Option<T | null>, Bounds {
  readonly type: "numbers";
  /** What the list has one entry for. */
  readonly per: "class" | "axis";
  /** Bounds of a single number in place of the list; absent where only a list makes sense. */
  readonly single?: Bounds;
}
export interface NumberOrAutoOption extends Option<number | "auto">, Bounds {
  readonly type: "numberOrAuto";
}

/** The largest float32: numbers beyond it would reach the core as infinity. */
const largest = 3.4028234663852886e38;

function allowed({ min, max, above, below }: Bounds): string {
  const limits = [
    ...(min === undefined ? [] : [`≥ ${min}`]),
    ...(max === undefined ? [] : [`≤ ${max}`]),
    ...(above === undefined ? [] : [`> ${above}`]),
    ...(below === undefined ? [] : [`< ${below}`]),
  ];
  return `a finite number ${limits.join(" and ")}`.trimEnd();
}

function refuse(name: string, value: unknown, what: string, wrongType: boolean): SegradError {
  const message = `${name} is ${show(value)}; it must be ${what}`;
  return wrongType ? typeError("invalid-option", message) : rangeError("invalid-option", message);
}

/** `value` if it is a finite (float32) number within the bounds; throws otherwise. */
export function parseNumber(value: unknown, name: string, bounds: Bounds = {}): number {
  if (typeof value !== "number") throw refuse(name, value, allowed(bounds), true);
  const { min = -largest, max = largest, above = -Infinity, below = Infinity } = bounds;
  if (value >= min && value <= max && value > above && value < below) return value;
  throw refuse(name, value, allowed(bounds), false);
}

/** A frozen copy of a plain or typed array as a plain list, so that a spec stays serialisable. */
function parseList(value: unknown, name: string, what: string): unknown[] {
  if (!Array.isArray(value) && !/^(Float|Int|Uint)/.test(arrayType(value) ?? "")) {
    throw refuse(name, value, what, true);
  }
  const { length } = value as ArrayLike<unknown>;
  if (length === 0 || length > 65_536) throw refuse(name, value, `${what}, not empty`, false);
  return Array.from({ length }, (_, i) => (value as ArrayLike<unknown>)[i]);
}

/** A number, by default `initial`. */
export function number(initial: number, bounds: Bounds = {}): NumberOption {
  return {
    type: "number",
    default: initial,
    ...bounds,
    parse: (value, name) => parseNumber(value, name, bounds),
  };
}

/** True or false. */
export function flag(initial: boolean): FlagOption {
  return {
    type: "flag",
    default: initial,
    parse(value, name) {
      if (typeof value === "boolean") return value;
      throw refuse(name, value, "true or false", true);
    },
  };
}

/** One of a few words; the first is the default unless another is named. */
export function choice<const T extends string>(
  choices: readonly T[],
  initial: T = choices[0]!,
): ChoiceOption<T> {
  return {
    type: "choice",
    default: initial,
    choices,
    parse(value, name) {
      const found = choices.find((word) => word === value);
      if (found !== undefined) return found;
      throw refuse(name, value, `one of ${choices.map(show).join(", ")}`, typeof value !== "string");
    },
  };
}

/** `"all"`, `"present"`, or a list of distinct class numbers. */
export function classes(initial: "all" | "present" = "all"): ClassesOption {
  const what = `"all", "present" or a list of distinct class numbers`;
  return {
    type: "classes",
    default: initial,
    parse(value, name) {
      if (value === "all" || value === "present") return value;
      const list = parseList(value, name, what);
      const seen = new Set<unknown>();
      list.forEach((entry, index) => {
        if (!Number.isSafeInteger(entry) || (entry as number) < 0 || seen.has(entry)) {
          throw refuse(
            `${name}[${index}]`,
            entry,
            "a class number that occurs once",
            typeof entry !== "number",
          );
        }
        seen.add(entry);
      });
      return Object.freeze(list as number[]);
    },
  };
}

/** Null for none (the default), or a list of numbers, one per class or axis. */
export function numbers(per: "class" | "axis", bounds: Bounds = {}): NumbersOption<readonly number[]> {
  return {
    type: "numbers",
    default: null,
    per,
    ...bounds,
    parse(value, name) {
      if (value === null) return null;
      const list = parseList(value, name, `a list of numbers, one per ${per}`);
      return Object.freeze(list.map((entry, index) => parseNumber(entry, `${name}[${index}]`, bounds)));
    },
  };
}

/** As `numbers`, or a single number with its own bounds. */
export function numberOrNumbers(
  single: Bounds,
  per: "class" | "axis",
  bounds: Bounds = {},
): NumbersOption<number | readonly number[]> {
  const list = numbers(per, bounds);
  return {
    ...list,
    single,
    parse: (value, name) =>
      typeof value === "number" ? parseNumber(value, name, single) : list.parse(value, name),
  };
}

/** A number, or `"auto"` to have it computed from the batch (the default). */
export function numberOrAuto(bounds: Bounds = {}): NumberOrAutoOption {
  return {
    type: "numberOrAuto",
    default: "auto",
    ...bounds,
    parse(value, name) {
      if (value === "auto") return value;
      if (typeof value === "number") return parseNumber(value, name, bounds);
      throw refuse(name, value, `"auto" or ${allowed(bounds)}`, typeof value !== "string");
    },
  };
}
