/** TIFF: grey or palette pages of 1, 8 or 16 bits or floats. Several pages are the planes of a volume, z first. */
import { decode, type TiffIfd } from "tiff";
import { FileError } from "../failure.ts";
import { type Numbers, showShape, type Tensor } from "./tensor.ts";

const palette = 3;

export function readTiff(file: string, bytes: Uint8Array): Tensor {
  const pages = decodePages(file, bytes);
  const first = pages[0];
  if (first === undefined) throw new FileError(file, "there is no page in it");
  const data = pages.map((page, index) => {
    const what = pages.length === 1 ? "it" : `page ${index + 1}`;
    if (page.samplesPerPixel !== 1) {
      throw new FileError(
        file,
        `${what} has ${page.samplesPerPixel} channels; a grey or palette image is needed`,
      );
    }
    const shape = [page.height, page.width];
    if (
      page.width !== first.width ||
      page.height !== first.height ||
      page.data.constructor !== first.data.constructor
    ) {
      const wanted = showShape([first.height, first.width]);
      throw new FileError(file, `${what} is ${showShape(shape)} or of another type, and page 1 is ${wanted}`);
    }
    return page.data;
  });
  const spatial = [first.height, first.width];
  return {
    file,
    data: join(data),
    ...(pages.length === 1
      ? { shape: spatial, axes: "yx" }
      : { shape: [pages.length, ...spatial], axes: "zyx" }),
    ...(first.sampleFormat === 3 || first.type === palette ? {} : { white: 2 ** first.bitsPerSample - 1 }),
  };
}

function decodePages(file: string, bytes: Uint8Array): TiffIfd[] {
  try {
    const pages = decode(bytes);
    // Reduced copies of a page (bit 0 of the kind of page) are no planes.
    const planes = pages.filter((page) => ((page.newSubfileType ?? 0) & 1) === 0);
    const signed = planes.find((page) => page.sampleFormat === 2);
    if (signed !== undefined) throw new Error("signed integers are not supported");
    return planes;
  } catch (error) {
    throw new FileError(file, `it cannot be read as TIFF (${(error as Error).message})`);
  }
}

function join(pages: readonly Numbers[]): Numbers {
  const [first] = pages as [Numbers];
  if (pages.length === 1) return first;
  const Kind = first.constructor as new (length: number) => Numbers;
  const joined = new Kind(first.length * pages.length);
  pages.forEach((page, index) => {
    joined.set(page, index * first.length);
  });
  return joined;
}
