/** NIfTI 1 and 2, plain or gzipped. x varies fastest: in C order the axes are z, y, x, and channels come first. */
import { gunzipSync } from "fflate";
import { isNIFTI, NIFTI1, type NIFTI2, readHeader } from "nifti-reader-js";
import { FileError } from "../failure.ts";
import { type Numbers, sizeOf, type Tensor } from "./tensor.ts";

interface Reading {
  readonly make: (length: number) => Numbers;
  readonly read: (view: DataView, at: number, isLittle: boolean) => number;
}

const readings: { readonly [code: number]: Reading } = {
  [NIFTI1.TYPE_UINT8]: { make: (n) => new Uint8Array(n), read: (view, at) => view.getUint8(at) },
  [NIFTI1.TYPE_INT8]: { make: (n) => new Int8Array(n), read: (view, at) => view.getInt8(at) },
  [NIFTI1.TYPE_UINT16]: {
    make: (n) => new Uint16Array(n),
    read: (view, at, little) => view.getUint16(at, little),
  },
  [NIFTI1.TYPE_INT16]: {
    make: (n) => new Int16Array(n),
    read: (view, at, little) => view.getInt16(at, little),
  },
  [NIFTI1.TYPE_UINT32]: {
    make: (n) => new Uint32Array(n),
    read: (view, at, little) => view.getUint32(at, little),
  },
  [NIFTI1.TYPE_INT32]: {
    make: (n) => new Int32Array(n),
    read: (view, at, little) => view.getInt32(at, little),
  },
  [NIFTI1.TYPE_FLOAT32]: {
    make: (n) => new Float32Array(n),
    read: (view, at, little) => view.getFloat32(at, little),
  },
  [NIFTI1.TYPE_FLOAT64]: {
    make: (n) => new Float64Array(n),
    read: (view, at, little) => view.getFloat64(at, little),
  },
};

export function readNifti(file: string, bytes: Uint8Array): Tensor {
  const { header, buffer } = open(file, bytes);
  const [rank = 0, width = 1, height = 1, depth = 1, ...further] = header.dims.slice(0, header.dims[0]! + 1);
  const channels = sizeOf(further);
  if (rank < 2 || rank > 5 || (rank === 5 && further[0] !== 1)) {
    throw new FileError(
      file,
      `it has ${rank} axes (${header.dims.slice(1, rank + 1).join(" × ")}); x, y, z and channels are read`,
    );
  }
  const reading = readings[header.datatypeCode];
  if (reading === undefined) {
    throw new FileError(
      file,
      `its numbers have NIfTI type ${header.datatypeCode}; integers up to 32 bits and floats are read`,
    );
  }
  const length = width * height * depth * channels;
  const raw = reading.make(length);
  const have = buffer.byteLength - header.vox_offset;
  if (have < raw.byteLength) {
    throw new FileError(
      file,
      `it is cut off: its header promises ${raw.byteLength} bytes, ${Math.max(0, have)} follow`,
    );
  }
  const view = new DataView(buffer, header.vox_offset);
  for (let i = 0; i < length; i++)
    raw[i] = reading.read(view, i * raw.BYTES_PER_ELEMENT, header.littleEndian);

  const isFlat = depth === 1;
  const [x, y, z] = header.pixDims.slice(1, 4).map(Math.abs) as [number, number, number];
  const spacing = isFlat ? [y, x] : [z, y, x];
  const scaled = scale(raw, header);
  return {
    file,
    data: scaled,
    shape: [...(channels > 1 ? [channels] : []), ...(isFlat ? [] : [depth]), height, width],
    axes: `${channels > 1 ? "c" : ""}${isFlat ? "yx" : "zyx"}`,
    ...(spacing.every((size) => size > 0 && size < Infinity) ? { spacing } : {}),
    ...affineOf(header),
    ...(scaled instanceof Uint8Array
      ? { white: 255 }
      : scaled instanceof Uint16Array
        ? { white: 65_535 }
        : {}),
  };
}

/** Where the voxels lie, if one of the two forms of the header says so. */
function affineOf({ affine, qform_code, sform_code }: NIFTI1 | NIFTI2): Pick<Tensor, "affine"> {
  const rows = affine.slice(0, 3);
  // nifti-reader-js makes NaN of a quaternion that is a rounding error longer than 1.
  const isKnown = (qform_code > 0 || sform_code > 0) && rows.flat().every(Number.isFinite);
  return isKnown ? { affine: rows } : {};
}

function open(file: string, bytes: Uint8Array): { header: NIFTI1 | NIFTI2; buffer: ArrayBuffer } {
  try {
    const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
    const buffer = new Uint8Array(plain).buffer;
    if (!isNIFTI(buffer)) throw new Error("its header has no NIfTI mark");
    return { header: readHeader(buffer), buffer };
  } catch (error) {
    throw new FileError(file, `it cannot be read as NIfTI (${(error as Error).message})`);
  }
}

/** Applies the slope and intercept of the header; a slope of 0 means none. */
function scale(raw: Numbers, { scl_slope: slope, scl_inter: intercept }: NIFTI1 | NIFTI2): Numbers {
  const isTrivial = !Number.isFinite(slope) || slope === 0 || (slope === 1 && !(intercept !== 0));
  return isTrivial ? raw : Float64Array.from(raw, (number) => number * slope + intercept);
}
