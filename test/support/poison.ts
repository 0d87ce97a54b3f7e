/** Arguments of public functions, some of them spoiled: for the tests that nothing a caller passes does harm. */
import { runInNewContext } from "node:vm";

/** A source of uniform numbers in [0, 1). */
export type Random = () => number;

export const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(list.length * random())]!;

const typedArrays = [
  Float32Array,
  Float64Array,
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
] as const;

function detached(length: number): Float32Array {
  const array = new Float32Array(length);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

/** Of ES2024, and in Node since 20. */
const ResizableBuffer = ArrayBuffer as unknown as new (
  bytes: number,
  options: { maxByteLength: number },
) => ArrayBuffer & { resize(bytes: number): void };

/** A view that a resizable buffer can be shrunk under: of a fixed length, or following its buffer. */
export function shrunk(length: number, following: boolean, offset = 4) {
  const buffer = new ResizableBuffer(4 * length + offset, { maxByteLength: 4 * length + 64 });
  const array = following ? new Float32Array(buffer, offset) : new Float32Array(buffer, offset, length);
  return { array, shrink: () => buffer.resize(4 * Math.max(0, length - 2)) };
}

/** One that was. */
function shrunkAlready(length: number, following: boolean): Float32Array {
  const { array, shrink } = shrunk(length, following);
  shrink();
  return array;
}

function withHole(): number[] {
  const list = [1, 2, 3];
  delete list[1];
  return list;
}

/** Numbers that bring formulas and counts to their ends. */
const numbers = [
  ...[0, -0, 1, -1, 0.5, 1e-45, 1e-320, 3e38, -3e38, 1e39, Number.NaN, Infinity, -Infinity],
  ...[2 ** 24 + 1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 53, 1e308, 255, 256, -100],
];

/** Values of every kind. Built anew each time: some are spoiled by being used. */
const values: readonly ((random: Random) => unknown)[] = [
  (random) => pick(random, numbers),
  (random) => pick(random, numbers),
  () => undefined,
  () => null,
  (random) =>
    pick(random, ["", "1", "dice", "sum", "all", "mean", "binary", "__proto__", "constructor", "length"]),
  (random) => random() < 0.5,
  () => Symbol("poison"),
  () => 5n,
  () => () => 1,
  () => ({}),
  () => [],
  () => [[1]],
  () => Object.freeze([1, 2]),
  withHole,
  (random) => Array.from({ length: Math.floor(8 * random()) }, () => pick(random, numbers)),
  () => new Map([["kind", "dice"]]),
  () => new Date(0),
  () => /x/,
  () => Object.create(null),
  () => JSON.parse('{"__proto__": {"kind": "dice", "smooth": -1}, "kind": "dice"}'),
  () => ({ length: 1e9, 0: 1 }),
  () => ({ valueOf: () => 1, toString: () => "dice" }),
  () => new DataView(new ArrayBuffer(8)),
  () => new ArrayBuffer(24),
  () => new BigInt64Array(6),
  (random) => detached(Math.floor(13 * random())),
  (random) => shrunkAlready(12, random() < 0.5),
  (random) => new Float32Array(new SharedArrayBuffer(64), 4, pick(random, [6, 12])),
  (random) => disguise(random, arrayOf(random, pick(random, [6, 12]))),
  (random) => foreignCopy(arrayOf(random, pick(random, [6, 12]))),
  () => new Proxy([1, 2], {}),
  (random) => arrayOf(random, pick(random, [0, 1, 5, 6, 7, 11, 12, 13])),
  (random) => arrayOf(random, pick(random, [6, 12])),
  (random) => arrayOf(random, pick(random, [6, 12])),
];

/** A typed array of any class with strange numbers, often at an odd offset. */
function arrayOf(random: Random, length: number) {
  const Type = pick(random, typedArrays);
  const size = Type.BYTES_PER_ELEMENT;
  const array = new Type(new ArrayBuffer(size * (length + 3)), size * Math.floor(3 * random()), length);
  for (let i = 0; i < length; i++)
    array[i] = random() < 0.5 ? Math.floor(3 * random()) : pick(random, numbers);
  return array;
}

/** The classes of another realm, as an array from another frame or a test runner's sandbox has. */
const foreign: typeof typedArrays = runInNewContext(`[${typedArrays.map(({ name }) => name).join()}]`);

/** The same numbers in an array of another realm. */
export function foreignCopy<T extends ArrayBufferView>(array: T): T {
  const Class = foreign.find(({ name }) => name === array.constructor.name) as Float32ArrayConstructor;
  return new Class(array as never) as ArrayBufferView as T;
}

const disguises = [
  "length",
  "byteLength",
  "byteOffset",
  "buffer",
  "set",
  "constructor",
  Symbol.iterator,
] as const;

/** The array, with properties of its own that lie about it, or without the prototype that holds them. */
export function disguise<T extends object>(random: Random, array: T): T {
  if (random() < 0.2) return Object.setPrototypeOf(array, null);
  const value = pick<unknown>(random, [
    0,
    1,
    1e9,
    -1,
    undefined,
    new ArrayBuffer(8),
    () => [][Symbol.iterator](),
  ]);
  return Object.defineProperty(array, pick(random, disguises), { value, configurable: true });
}

/** Something that was not expected. */
export function poison(random: Random): unknown {
  return pick(random, values)(random);
}

/** Sets an own property, if that is possible: also one called `__proto__`. */
function write(root: object, key: string, value: unknown): void {
  Reflect.defineProperty(root, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Spoils `root` (an argument, made of plain objects and lists) in one place, and returns it. */
export function spoil(random: Random, root: unknown): unknown {
  if (ArrayBuffer.isView(root) && random() < 0.1) return disguise(random, root);
  if (typeof root !== "object" || root === null || ArrayBuffer.isView(root) || random() < 0.05)
    return poison(random);
  const keys = Object.keys(root);
  const dice = random();
  if (dice < 0.06) {
    write(root, pick(random, ["__proto__", "extra", "kind", "toString"]), poison(random));
  } else if (dice < 0.09 && keys.length > 0) Reflect.deleteProperty(root, pick(random, keys));
  else if (dice < 0.11 && keys.length > 0) write(root, pick(random, keys), root);
  else if (dice < 0.14) return Object.freeze(root);
  else if (dice < 0.16) return Object.assign(Object.create(root), {});
  else if (keys.length > 0) {
    const key = pick(random, keys);
    write(root, key, spoil(random, Reflect.get(root, key)));
  }
  return root;
}
