/**
 * `defineLoss` turns one row of data, a kind and its options, into the constructor of that loss.
 * Losses are plain, frozen, serialisable objects: `dice({ smooth: 1 })` is `{ kind: "dice", smooth: 1 }`.
 */
import type { Mode } from "./batch.ts";
import { show, typeError } from "./error.ts";
import type { Option } from "./option.ts";

/** The options of a loss, by name, in order. */
// biome-ignore lint/suspicious/noExplicitAny: rows hold options of every type
export type Options = Readonly<Record<string, Option<any>>>;

type ValueOf<T> = T extends Option<infer V> ? V : never;

/** The options as a caller gives them: any of them. */
export type Given<O extends Options> = { readonly [P in keyof O]?: ValueOf<O[P]> };

/** The options with every default filled in. */
export type Filled<O extends Options> = { readonly [P in keyof O]: ValueOf<O[P]> };

/** What a loss asks of a batch where it is not defined for every one, and what to take `instead`. */
export interface Needs {
  readonly modes: readonly Mode[];
  readonly logits?: true;
  readonly instead: string;
}

/** The constructor of a loss, which carries its row as data. */
export interface LossConstructor<K extends string, O extends Options> {
  (options?: Given<O>): Readonly<{ kind: K } & Given<O>>;
  readonly kind: K;
  readonly options: O;
  readonly needs: Needs | null;
}

/** Makes the constructor of the loss `kind`. The constructor validates and returns only the options given. */
export function defineLoss<const K extends string, const O extends Options>(
  kind: K,
  options: O,
  needs: Needs | null = null,
): LossConstructor<K, O> {
  const construct = (given: Given<O> = {}) => {
    if (typeof given !== "object" || given === null) {
      throw typeError("invalid-option", `the options of ${kind} are ${show(given)}; they must be an object`);
    }
    return Object.freeze({ kind, ...parseGiven(kind, options, given) });
  };
  return Object.assign(construct, { kind, options, needs });
}

/** Reads the own properties of `given`, each once, and validates them. `undefined` counts as not given. */
function parseGiven<O extends Options>(kind: string, options: O, given: object): Given<O> {
  const parsed: Record<string, unknown> = {};
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(options, name)) {
      const known = Object.keys(options).join(", ");
      throw typeError("unknown-option", `${kind} has no option ${show(name)}; it has ${known || "none"}`);
    }
    const value = (given as Record<string, unknown>)[name];
    if (value !== undefined) parsed[name] = options[name]!.parse(value, `${kind}.${name}`);
  }
  return parsed as Given<O>;
}

/** Every option of a row: those `given` validated, the others by default, in the order of the row. */
export function fillOptions<O extends Options>(kind: string, options: O, given: object): Filled<O> {
  const parsed = parseGiven(kind, options, given);
  const filled: Record<string, unknown> = {};
  for (const name of Object.keys(options)) {
    filled[name] = Object.hasOwn(parsed, name) ? parsed[name] : options[name]!.default;
  }
  return filled as Filled<O>;
}
