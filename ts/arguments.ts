/** Arguments of the maps, metrics and helpers, read and checked before anything is computed. */
import { plain } from "./array.ts";
import { type Labels, labelTypes, typed } from "./batch.ts";
import { rangeError, show, typeError } from "./error.ts";

/** The shape of one image, and the size of its pixels. */
export interface GridOptions {
  /** [height, width] or [depth, height, width]. */
  readonly shape: readonly number[];
  /** Distance between neighbouring pixels along each of these axes; 1 by default. */
  readonly spacing?: readonly number[] | undefined;
}

/** The own fields of `options`; throws for names that are not among `names`. */
export function readOptions<const N extends string>(
  options: unknown,
  names: readonly N[],
): { readonly [name in N]?: unknown } {
  if (typeof options !== "object" || options === null) {
    throw typeError("invalid-argument", `the options are ${show(options)}; they are { ${names.join(", ")} }`);
  }
  const unknown = Object.keys(options).find((name) => !(names as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw typeError(
      "unknown-option",
      `there is no option ${show(unknown)} here; there is ${names.join(", ")}`,
    );
  }
  return Object.assign(Object.create(null), options);
}

/** An integer of at least `least`. */
export function readCount(name: string, value: unknown, least: number): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value;
  const message = `${name} is ${show(value)}; it must be an integer ≥ ${least}`;
  throw typeof value === "number"
    ? rangeError("invalid-argument", message)
    : typeError("invalid-argument", message);
}

/** A number of classes. Labels that were read wrongly can ask for billions, so there is a limit. */
export function readClasses(value: unknown, most = 65_536): number {
  const classes = readCount("classes", value, 1);
  if (classes <= most) return classes;
  throw rangeError("invalid-argument", `classes is ${classes}; it must be an integer from 1 to ${most}`);
}

/** The most classes of a matrix of classes: 128 MiB. */
export const mostOfMatrix = 4096;

/** The label to leave out; null for none. */
export function readIgnoreIndex(value: unknown): number | null {
  return value === undefined || value === null ? null : readCount("ignoreIndex", value, -(2 ** 53) + 1);
}

/** Labels from 0 to classes − 1, or `ignoreIndex`, as a plain array. */
export function readLabels(
  name: string,
  labels: unknown,
  classes: number,
  ignoreIndex: number | null,
  length?: number,
): Labels {
  const checked: Labels = plain(typed(name, labels, labelTypes, length));
  for (let i = 0; i < checked.length; i++) {
    const label = checked[i]!;
    if ((label >= 0 && label < classes) || label === ignoreIndex) continue;
    const allowed = `a class from 0 to ${classes - 1}${ignoreIndex === null ? "" : `, or ${ignoreIndex}`}`;
    throw rangeError("invalid-label", `${name}[${i}] is ${label}; it must be ${allowed}`);
  }
  return checked;
}

/** A new array of `length` zeros. */
export function zeros<T>(Type: new (length: number) => T, length: number): T {
  try {
    return new Type(length);
  } catch {
    throw rangeError(
      "out-of-memory",
      `an array of ${length} numbers is more than this machine makes room for`,
    );
  }
}
