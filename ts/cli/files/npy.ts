/**
 * NumPy's `.npy`: a magic string, a Python dictionary with type, order and shape, then the numbers.
 *
 * It is read here because no package on npm does, tried on the files of test/data/cli. npyjs 1.2.0 refuses big-endian
 * numbers, hands out Fortran order unturned, and takes a file that was cut off for a shorter array. numpy-parser 1.2.3
 * reads neither halves, booleans, big-endian numbers nor Fortran order. @d4c/numjs 0.17.35 does not know the format.
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import { FileError } from "../failure.ts";
import { type Numbers, sizeOf, type Tensor } from "./tensor.ts";

const magic = "\x93NUMPY";

/** How numbers of a NumPy type are read: bytes each, where they go, and how one is read. */
interface Reading {
  readonly bytes: number;
  readonly make: (length: number) => Numbers;
  readonly read: (view: DataView, at: number, isLittle: boolean) => number;
}

const readings: { readonly [type: string]: Reading } = {
  b1: { bytes: 1, make: (n) => new Uint8Array(n), read: (view, at) => view.getUint8(at) },
  u1: { bytes: 1, make: (n) => new Uint8Array(n), read: (view, at) => view.getUint8(at) },
  i1: { bytes: 1, make: (n) => new Int8Array(n), read: (view, at) => view.getInt8(at) },
  u2: { bytes: 2, make: (n) => new Uint16Array(n), read: (view, at, little) => view.getUint16(at, little) },
  i2: { bytes: 2, make: (n) => new Int16Array(n), read: (view, at, little) => view.getInt16(at, little) },
  u4: { bytes: 4, make: (n) => new Uint32Array(n), read: (view, at, little) => view.getUint32(at, little) },
  i4: { bytes: 4, make: (n) => new Int32Array(n), read: (view, at, little) => view.getInt32(at, little) },
  u8: { bytes: 8, make: (n) => new Uint32Array(n), read: readUint64 },
  i8: { bytes: 8, make: (n) => new Int32Array(n), read: readInt64 },
  f2: { bytes: 2, make: (n) => new Float32Array(n), read: readHalf },
  f4: { bytes: 4, make: (n) => new Float32Array(n), read: (view, at, little) => view.getFloat32(at, little) },
  f8: { bytes: 8, make: (n) => new Float64Array(n), read: (view, at, little) => view.getFloat64(at, little) },
};

/** Reads a `.npy` file. 64-bit integers have to fit into 32 bits: labels do. */
export function readNpy(file: string, bytes: Uint8Array): Tensor {
  const { type, isLittle, isFortran, shape, start } = readHeader(file, bytes);
  const reading = readings[type];
  if (reading === undefined) {
    const known = Object.keys(readings).join(", ");
    throw new FileError(file, `its numbers have type ${type}; supported are ${known}`);
  }
  const length = sizeOf(shape);
  const have = bytes.length - start;
  if (have < length * reading.bytes) {
    throw new FileError(
      file,
      `it is cut off: its header promises ${length * reading.bytes} bytes, ${have} follow`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + start);
  const data = reading.make(length);
  for (let i = 0; i < length; i++) {
    const number = reading.read(view, i * reading.bytes, isLittle);
    data[i] = number;
    if (reading.bytes === 8 && type !== "f8" && data[i] !== number) {
      throw new FileError(file, `its element ${i} is ${number}, beyond 32 bits`);
    }
  }
  return { file, shape, data: isFortran ? fromFortran(data, shape, reading.make) : data };
}

function readHeader(file: string, bytes: Uint8Array) {
  const text = (from: number, to: number) => new TextDecoder("latin1").decode(bytes.subarray(from, to));
  // TextDecoder reads 0x93 as windows-1252 does.
  if (bytes.length < 12 || bytes[0] !== magic.charCodeAt(0) || text(1, 6) !== magic.slice(1)) {
    throw new FileError(file, "it is no .npy file (its first bytes are not \\x93NUMPY)");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [from, length] = bytes[6]! < 2 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const header = text(from, from + length);
  const descr = /'descr'\s*:\s*'([<>|=])(\w+)'/.exec(header);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header);
  const shape = /'shape'\s*:\s*\(([^)]*)\)/.exec(header);
  if (descr === null || order === null || shape === null) {
    throw new FileError(
      file,
      `its header has no plain type, order and shape: ${header.trim().slice(0, 120)}`,
    );
  }
  return {
    type: descr[2]!,
    isLittle: descr[1] !== ">",
    isFortran: order[1] === "True",
    shape: shape[1]!
      .split(",")
      .filter((part) => part.trim() !== "")
      .map(Number),
    start: from + length,
  };
}

/** Writes numbers as `.npy`, version 1.0, little-endian, C order. */
export function writeNpy({ data, shape }: Pick<Tensor, "data" | "shape">): Uint8Array {
  const name = data.constructor.name;
  const kind = name.startsWith("Float") ? "f" : name.startsWith("Uint") ? "u" : "i";
  const type = `${data.BYTES_PER_ELEMENT === 1 ? "|" : "<"}${kind}${data.BYTES_PER_ELEMENT}`;
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const dictionary = `{'descr': '${type}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // Numbers start at a multiple of 64, and the header ends with a newline.
  const header = `${dictionary.padEnd(64 * Math.ceil((11 + dictionary.length) / 64) - 11)}\n`;
  const bytes = new Uint8Array(10 + header.length + data.byteLength);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  // Every engine that runs WebAssembly SIMD in practice is little-endian.
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + header.length);
  return bytes;
}

/** From first axis fastest to last axis fastest. */
function fromFortran(data: Numbers, shape: readonly number[], make: (length: number) => Numbers): Numbers {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  const index = new Array<number>(shape.length).fill(0);
  const ordered = make(data.length);
  let from = 0;
  for (let to = 0; to < data.length; to++) {
    ordered[to] = data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return ordered;
}

function readUint64(view: DataView, at: number, isLittle: boolean): number {
  return Number(view.getBigUint64(at, isLittle));
}

function readInt64(view: DataView, at: number, isLittle: boolean): number {
  return Number(view.getBigInt64(at, isLittle));
}

/** An IEEE 754 half. */
function readHalf(view: DataView, at: number, isLittle: boolean): number {
  const bits = view.getUint16(at, isLittle);
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
