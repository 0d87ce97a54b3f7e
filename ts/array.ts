/**
 * Typed arrays as the engine knows them. An array may carry properties of its own (`length`, `buffer`, `set`), come
 * from another realm, or have no prototype at all: what it holds and where is asked of the engine, not of the array.
 */
import { arrayType } from "./error.ts";

/** A typed array of any number type. */
export type NumberArray =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array;

const classes = {
  Float32Array,
  Float64Array,
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
};

const prototype = Object.getPrototypeOf(Uint8Array.prototype);

function getter<T>(name: string): (array: NumberArray) => T {
  const { get } = Object.getOwnPropertyDescriptor(prototype, name)!;
  return (array) => get!.call(array);
}

/** How many numbers there are; 0 once the buffer is detached. */
export const lengthOf = getter<number>("length");
export const byteLengthOf = getter<number>("byteLength");
export const byteOffsetOf = getter<number>("byteOffset");
export const bufferOf = getter<ArrayBufferLike>("buffer");

/** The class of an array, as one of this realm. */
export function classOf(array: NumberArray): Float32ArrayConstructor {
  return classes[arrayType(array) as "Float32Array"]; // whichever it is: all are used alike
}

/** The same numbers in the same memory, as an array of this realm that carries nothing of its own. */
export function plain<T extends NumberArray>(array: T): T {
  const [Class, length] = [classOf(array), lengthOf(array)];
  // A detached buffer takes no new views.
  const copy =
    length === 0 ? new Class(0) : new Class(bufferOf(array) as ArrayBuffer, byteOffsetOf(array), length);
  return copy as NumberArray as T;
}
