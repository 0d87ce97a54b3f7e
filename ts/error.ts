/**
 * Every error this library throws on purpose is a `SegradError`: a `TypeError` where a value has the wrong
 * type, a `RangeError` where it has the right type and an impossible value. `code` is stable across versions;
 * the message names the argument, its value and what is allowed, and may change.
 *
 * ```ts
 * try {
 *   value(dice({ smooth: -1 }), batch);
 * } catch (error) {
 *   if (error instanceof SegradError && error.code === "invalid-option") console.log(error.message);
 * }
 * ```
 */

/** What went wrong, for programs. */
export type ErrorCode =
  /** A loss is not a plain object with a `kind`, or a sum is empty, cyclic or too large. */
  | "invalid-loss"
  /** There is no loss of this `kind`. */
  | "unknown-kind"
  /** The loss has no option of this name. */
  | "unknown-option"
  /** An option has the wrong type or lies outside its bounds. */
  | "invalid-option"
  /** The loss and the batch do not go together, for example a binary loss and many classes. */
  | "incompatible"
  /** The batch is not an object, or one of its fields has a wrong or unknown value or name. */
  | "invalid-batch"
  /** A shape is not a list of positive integers of the right rank, or its product overflows. */
  | "invalid-shape"
  /** An array is not of an accepted typed array class. */
  | "invalid-array"
  /** An array does not have the length its shape asks for (a detached array has length 0). */
  | "invalid-length"
  /** A label is neither a class nor `ignoreIndex`. */
  | "invalid-label"
  /** A soft target is NaN or outside [0, 1]. */
  | "invalid-target"
  /** A pixel weight is negative, infinite or NaN. */
  | "invalid-weight"
  /** A given distance is infinite or NaN. */
  | "invalid-distance"
  /** With `check: true` a logit is infinite or NaN; with `fromLogits: false` a probability is outside [0, 1]. */
  | "invalid-logits"
  /** Another argument of a function has a wrong type or value. */
  | "invalid-argument"
  /** The WebAssembly module is not there yet: await `init()` first. */
  | "not-ready"
  /** The arrays do not fit into the memory of the WebAssembly module. */
  | "out-of-memory"
  /** The buffer was disposed of. */
  | "disposed"
  /** The machine lacks something, for example WebAssembly SIMD. */
  | "unsupported";

/** Found by this mark, so that two copies of the library in one program recognise each other's errors. */
const mark = Symbol.for("segrad.error");

/** The common face of this library's errors: `error instanceof SegradError` is true for every one of them. */
export abstract class SegradError extends Error {
  /** What went wrong, for programs. */
  abstract readonly code: ErrorCode;

  static override [Symbol.hasInstance](value: unknown): value is SegradError {
    return typeof value === "object" && value !== null && mark in value;
  }
}

class SegradTypeError extends TypeError {
  override readonly name = "SegradError";
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

class SegradRangeError extends RangeError {
  override readonly name = "SegradError";
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

for (const { prototype } of [SegradTypeError, SegradRangeError]) {
  Object.defineProperty(prototype, mark, { value: true });
}

/** A value of the wrong type: a `SegradError` that also is a `TypeError`. */
export function typeError(code: ErrorCode, message: string): SegradError & TypeError {
  return new SegradTypeError(code, message);
}

/** A value of the right type that is out of range: a `SegradError` that also is a `RangeError`. */
export function rangeError(code: ErrorCode, message: string): SegradError & RangeError {
  return new SegradRangeError(code, message);
}

/** A short text for any value, for messages. Runs none of the value's own code (no `toString`, no getters). */
export function show(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "bigint":
      return `${value}n`;
    case "object":
      if (value === null) return "null";
      if (ArrayBuffer.isView(value)) return `a ${arrayType(value) ?? "DataView"}`;
      return Array.isArray(value) ? `an array of length ${value.length}` : "an object";
    case "function":
      return "a function";
    default:
      return String(value); // undefined, boolean, symbol
  }
}

const tag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!;

/** The class name of a typed array of any realm (`"Float32Array"`), undefined for everything else. */
export function arrayType(value: unknown): string | undefined {
  return tag.get!.call(value);
}
