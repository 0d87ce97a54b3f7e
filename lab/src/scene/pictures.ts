/** Pictures from files: the nuclei that come with the page, and the visitor's own. */
import { decode } from "fast-png";
import { pixels, side } from "./grid.ts";

const imageAddress = new URL("../../../demo/data/nuclei/image.png", import.meta.url);
const instancesAddress = new URL("../../../demo/data/nuclei/instances.png", import.meta.url);

/** A part of the micrograph in which nuclei of all sizes lie apart and touch. */
const crop = { left: 32, top: 256 };

export interface Micrograph {
  /** Brightness, 0 … 255. */
  readonly image: Uint8Array;
  readonly mask: Uint8Array;
}

/** The nuclei of the Data Science Bowl 2018 (CC0): brightness, and the truth from their outlines. */
export async function loadNuclei(
  read: (address: URL) => Promise<Uint8Array> = download,
): Promise<Micrograph> {
  const [image, instances] = await Promise.all([read(imageAddress), read(instancesAddress)]);
  return { image: stretch(cut(image)), mask: cut(instances).map((instance) => (instance > 0 ? 1 : 0)) };
}

async function download(address: URL): Promise<Uint8Array> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address.pathname} was answered with status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

function cut(png: Uint8Array): Uint8Array {
  const { data, width } = decode(png);
  return Uint8Array.from({ length: pixels }, (_, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    return data[(y + crop.top) * width + x + crop.left]!;
  });
}

/** Brightness from the darkest pixel, 0, to the brightest, 255. */
function stretch(image: Uint8Array): Uint8Array {
  const [low, high] = [Math.min(...image), Math.max(...image)];
  return image.map((level) => Math.round((255 * (level - low)) / Math.max(1, high - low)));
}

/** Brightness of any picture the browser can read, its middle square brought to the size of the grid. */
export async function readBrightness(file: Blob): Promise<Uint8Array> {
  const bitmap = await createImageBitmap(file);
  const canvas = new OffscreenCanvas(side, side);
  const context = canvas.getContext("2d")!;
  const size = Math.min(bitmap.width, bitmap.height);
  const [left, top] = [(bitmap.width - size) / 2, (bitmap.height - size) / 2];
  context.drawImage(bitmap, left, top, size, size, 0, 0, side, side);
  bitmap.close();
  const { data } = context.getImageData(0, 0, side, side);
  return Uint8Array.from({ length: pixels }, (_, i) => {
    const [red, green, blue, opacity] = data.subarray(4 * i, 4 * i + 4);
    return ((0.299 * red! + 0.587 * green! + 0.114 * blue!) * opacity!) / 255;
  });
}
