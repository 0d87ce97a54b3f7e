/**
 * Memory inside the WebAssembly module. `allocate` gives a user's array a home there; `Staging` carries
 * everything else in and out for the length of one call.
 */
import { allocate as allocateBytes, release } from "../../pkg/segrad.js";
import { bufferOf, byteLengthOf, byteOffsetOf, classOf, type NumberArray, plain } from "../array.ts";
import { rangeError, show, typeError } from "../error.ts";
import { memory, requireModule } from "./module.ts";

/** Bytes of WebAssembly memory there can be: 4 GiB, the reach of its 32-bit pointers. */
const reach = 2 ** 32;

/** Bytes of WebAssembly memory, to be given back by `release`. */
export function take(bytes: number): number {
  const pointer = bytes < reach ? allocateBytes(bytes) >>> 0 : 0;
  if (pointer === 0) throw noRoom(bytes);
  return pointer;
}

/** There is no room for so many bytes. */
export function noRoom(bytes: number): Error {
  const message = `${bytes} bytes do not fit into WebAssembly memory, which ends at 4 GiB`;
  return rangeError("out-of-memory", `${message}; evaluate fewer images at a time`);
}

/** The bytes of every block that a buffer holds, by pointer: where in this memory a caller's array may lie. */
const held = new Map<number, number>();

function giveBack(pointer: number, bytes: number): void {
  held.delete(pointer);
  release(pointer, bytes);
}

/** Blocks whose buffers were forgotten without `dispose`. */
const forgotten = new FinalizationRegistry<{ pointer: number; bytes: number }>(({ pointer, bytes }) =>
  giveBack(pointer, bytes),
);

/** Whose view an array is. It keeps its buffer from being forgotten. */
const owners = new WeakMap<NumberArray, WasmBuffer<BufferType>>();

/**
 * The arrays that calls use in place, by their type of number: labels come in any of the integers, all else in
 * float32.
 */
export interface BufferArrays {
  readonly float32: Float32Array<ArrayBuffer>;
  readonly uint8: Uint8Array<ArrayBuffer>;
  readonly int8: Int8Array<ArrayBuffer>;
  readonly uint16: Uint16Array<ArrayBuffer>;
  readonly int16: Int16Array<ArrayBuffer>;
  readonly uint32: Uint32Array<ArrayBuffer>;
  readonly int32: Int32Array<ArrayBuffer>;
}

/** A type of number that `allocate` makes room for. */
export type BufferType = keyof BufferArrays;

const arrays = {
  float32: Float32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
} as const;

/** An array inside WebAssembly memory. */
export class WasmBuffer<Type extends BufferType = "float32"> {
  /** How many numbers it holds. */
  readonly length: number;
  readonly #type: Type;
  readonly #bytes: number;
  #pointer: number;
  #view: BufferArrays[Type] | undefined;

  /** @internal */
  constructor(length: number, type: Type) {
    this.length = length;
    this.#type = type;
    this.#bytes = length * arrays[type].BYTES_PER_ELEMENT;
    this.#pointer = take(this.#bytes);
    held.set(this.#pointer, this.#bytes);
    this.data.fill(0);
    forgotten.register(this, { pointer: this.#pointer, bytes: this.#bytes }, this);
  }

  /**
   * A view of the numbers. When WebAssembly memory grows, the engine detaches older views (their length becomes
   * 0, and every function of this library refuses them), so read `data` anew rather than keeping it for long.
   *
   * @throws SegradError `disposed` after `dispose()`.
   */
  get data(): BufferArrays[Type] {
    if (this.#pointer === 0) throw typeError("disposed", "this buffer was disposed of");
    // The same view until it is detached, so that loops may ask for it at every number.
    let view = this.#view;
    if (view?.buffer !== memory()) {
      view = new arrays[this.#type](memory(), this.#pointer, this.length) as BufferArrays[Type];
      this.#view = view;
      owners.set(view, this);
    }
    return view;
  }

  /** @internal */
  get isDisposed(): boolean {
    return this.#pointer === 0;
  }

  /** Gives the memory back. Doing it twice does no harm; a buffer that is forgotten is given back in time. */
  dispose(): void {
    if (this.#pointer === 0) return;
    forgotten.unregister(this);
    giveBack(this.#pointer, this.#bytes);
    this.#pointer = 0;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

// `using` works wherever the syntax does, also where the engine does not know the symbol yet.
(Symbol as { dispose?: symbol }).dispose ??= Symbol.for("Symbol.dispose");

/**
 * A buffer of `length` zeros inside WebAssembly memory. Functions of this library use views of it in place;
 * all other arrays are copied in and out once per call.
 *
 * @param length how many numbers, ≥ 0
 * @param type `"float32"`, the default, for logits, gradients, maps, weights and soft targets; for labels also
 * `"uint8"`, `"int8"`, `"uint16"`, `"int16"`, `"uint32"` or `"int32"`
 * @returns a buffer whose `data` is the view, until `dispose()`
 *
 * @example
 * const logits = allocate(2 * 3 * 64 * 64, "float32");
 * const target = allocate(2 * 64 * 64, "uint8");
 * logits.data.set(fromMyNetwork);
 * target.data.set(labels);
 * valueAndGrad(loss, { logits: logits.data, target: target.data, shape: [2, 3, 64, 64] });
 * logits.dispose();
 * target.dispose();
 *
 * @throws SegradError `invalid-argument` for a length that is no count or another type than these,
 * `out-of-memory` where WebAssembly memory has no room, `not-ready` before `init()` in a browser.
 */
export function allocate<Type extends BufferType = "float32">(length: number, type?: Type): WasmBuffer<Type>;
export function allocate(length: number, type: BufferType = "float32"): WasmBuffer<BufferType> {
  requireModule();
  if (typeof type !== "string" || !Object.hasOwn(arrays, type)) {
    const allowed = Object.keys(arrays).map(show).join(", ");
    throw typeError("invalid-argument", `type is ${show(type)}; it must be one of ${allowed}`);
  }
  if (!Number.isSafeInteger(length) || length < 0) {
    throw rangeError("invalid-argument", `length is ${show(length)}; it must be an integer ≥ 0`);
  }
  return new WasmBuffer(length, type);
}

/** Blocks of a staging area start at multiples of this. */
const alignment = 16;
const padded = (bytes: number) => Math.ceil(bytes / alignment) * alignment;

/** The block that every call stages its arrays in, kept because the next call has the same sizes. */
let block = { pointer: 0, bytes: 0 };

/** A block much larger than a call needs is not kept: one large volume should not cost memory for ever. */
const generous = 4;

/** Plans which arrays a call carries in and out, then gives each a pointer. */
export class Staging {
  #bytes = 0;
  #incoming: { array: NumberArray; offset: number }[] = [];

  /** A pointer to `array`: itself where it lives in WebAssembly memory, else a copy. 0 for null. */
  bring(array: NumberArray | null): () => number {
    if (array === null) return () => 0;
    const home = residence(array); // asked now: growing the memory detaches the view
    if (home !== null) return () => home.start;
    const offset = this.#reserve(byteLengthOf(array));
    this.#incoming.push({ array: plain(array), offset });
    return () => block.pointer + offset;
  }

  /** A pointer to `bytes` of room. */
  room(bytes: number): () => number {
    const offset = this.#reserve(bytes);
    return () => block.pointer + offset;
  }

  #reserve(bytes: number): number {
    const offset = this.#bytes;
    this.#bytes += padded(bytes);
    return offset;
  }

  /** Copies everything in. Pointers are valid from here to the next `commit` of any staging. */
  commit(): void {
    if (block.bytes < this.#bytes || block.bytes > generous * this.#bytes + 2 ** 20) {
      if (block.pointer !== 0) release(block.pointer, block.bytes);
      block = { pointer: 0, bytes: 0 };
      block = { pointer: take(this.#bytes), bytes: this.#bytes };
    }
    const buffer = memory();
    for (const { array, offset } of this.#incoming) {
      const Class = classOf(array);
      new Class(buffer, block.pointer + offset, array.length).set(array);
    }
  }
}

/**
 * Where an array lies in WebAssembly memory, or null.
 *
 * @throws SegradError `disposed` for a view that outlived its buffer: others may live there now.
 */
export function residence(array: NumberArray): { start: number; end: number } | null {
  if (bufferOf(array) !== memory()) return null;
  const start = byteOffsetOf(array);
  const end = start + byteLengthOf(array);
  const isWithin = (pointer: number, bytes: number) => pointer <= start && end <= pointer + bytes;
  const isHeld = isWithin(start, held.get(start) ?? -1) || [...held].some((block) => isWithin(...block));
  if (isHeld && !owners.get(array)?.isDisposed) return { start, end };
  throw typeError("disposed", "an array is a view of a buffer in WebAssembly memory that was disposed of");
}

/** A view of what a call left at `pointer`. */
export function floatsAt(pointer: number, length: number): Float32Array<ArrayBuffer> {
  return new Float32Array(memory(), pointer, length);
}
