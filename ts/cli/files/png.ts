/** PNG: grey or palette images of 1 to 16 bits per pixel; colour where red, green and blue are the same. */
import { type DecodedPng, decode } from "fast-png";
import { FileError } from "../failure.ts";
import type { Tensor } from "./tensor.ts";

export function readPng(file: string, bytes: Uint8Array): Tensor {
  const image = decodePng(file, bytes);
  const { width, height, depth, palette } = image;
  const data = depth < 8 ? unpack(image) : grey(file, image);
  // A palette picks colours: its indices are labels, and no number of them means white.
  const white = palette === undefined ? { white: 2 ** depth - 1 } : {};
  return { file, data, shape: [height, width], axes: "yx", ...white };
}

/** The brightness of any PNG, for pictures: colours by how bright they look (ITU-R BT.601). */
export function readBrightness(file: string, bytes: Uint8Array): Tensor {
  const image = decodePng(file, bytes);
  if (image.palette !== undefined || image.channels < 3) return readPng(file, bytes);
  const { width, height, channels, data } = image;
  const brightness = Float32Array.from({ length: width * height }, (_, i) => {
    const [red, green, blue] = [0, 1, 2].map((channel) => data[i * channels + channel]!) as [
      number,
      number,
      number,
    ];
    return 0.299 * red + 0.587 * green + 0.114 * blue;
  });
  return { file, data: brightness, shape: [height, width], axes: "yx" };
}

function decodePng(file: string, bytes: Uint8Array): DecodedPng {
  try {
    return decode(bytes);
  } catch (error) {
    throw new FileError(file, `it cannot be read as PNG (${(error as Error).message})`);
  }
}

/** One number per pixel, out of several channels that agree. Opacity is not looked at. */
function grey(file: string, { data, channels, width }: DecodedPng): Uint8Array | Uint16Array {
  const numbers = data instanceof Uint16Array ? data : Uint8Array.from(data);
  if (channels === 1) return numbers;
  // Two channels are grey and opacity.
  return numbers.filter((value, i) => {
    const channel = i % channels;
    if (channels >= 3 && channel > 0 && channel < 3 && value !== numbers[i - channel]) {
      const pixel = Math.floor(i / channels);
      const place = `y ${Math.floor(pixel / width)}, x ${pixel % width}`;
      throw new FileError(file, `it is a colour image (at ${place}); a grey or palette image is needed`);
    }
    return channel === 0;
  });
}

/** Pixels of 1, 2 or 4 bits, several to a byte; every row starts at a byte. */
function unpack({ data, depth, width, height }: DecodedPng): Uint8Array {
  const rowBytes = Math.ceil((width * depth) / 8);
  const perByte = 8 / depth;
  return Uint8Array.from({ length: width * height }, (_, i) => {
    const x = i % width;
    const byte = data[Math.floor(i / width) * rowBytes + Math.floor(x / perByte)]!;
    return (byte >> (8 - depth * ((x % perByte) + 1))) & (2 ** depth - 1);
  });
}
