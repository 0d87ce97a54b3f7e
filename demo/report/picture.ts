/** Small PNG pictures as data URIs. */
import { encode } from "fast-png";

/** Red, green, blue, opacity: 0 … 255 each. */
export type Colour = readonly [red: number, green: number, blue: number, opacity: number];

/** A rectangle of a larger image. */
export interface Frame {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Paints the pixels of a frame of an image that is `stride` pixels wide. */
export function paint(frame: Frame, stride: number, colourOf: (index: number) => Colour): string {
  const { top, left, height, width } = frame;
  const data = new Uint8Array(4 * height * width);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++)
      data.set(colourOf((top + row) * stride + left + column), 4 * (row * width + column));
  return uri(encode({ width, height, data, channels: 4, depth: 8 }));
}

/** Paints brightness as grey; the logarithm keeps dim nuclei visible beside bright ones. */
export function paintBrightness(frame: Frame, stride: number, brightness: ArrayLike<number>): string {
  const { top, left, height, width } = frame;
  const data = new Uint8Array(height * width);
  const darkest = Math.log1p(8);
  for (let i = 0; i < data.length; i++) {
    const level = brightness[(top + Math.floor(i / width)) * stride + left + (i % width)]!;
    data[i] = Math.max(0, (255 * (Math.log1p(level) - darkest)) / (Math.log1p(255) - darkest));
  }
  return uri(encode({ width, height, data, channels: 1, depth: 8 }));
}

const uri = (png: Uint8Array): string => `data:image/png;base64,${Buffer.from(png).toString("base64")}`;

const none: Colour = [0, 0, 0, 0];
const hit: Colour = [255, 255, 255, 96];
const missed: Colour = [57, 135, 229, 255];
const falseAlarm: Colour = [235, 104, 52, 255];

/** A mask against the truth: hits are veiled white, missed pixels blue, false alarms orange. */
export function agreement(mask: Uint8Array, truth: Uint8Array): (index: number) => Colour {
  return (i) => (mask[i] ? (truth[i] ? hit : falseAlarm) : truth[i] ? missed : none);
}

/** Diverging: negative blue, positive red, as opaque as the value is large; `limit` and beyond is solid. */
export function diverging(values: Float32Array, limit: number): (index: number) => Colour {
  return (i) => {
    const share = Math.min(1, Math.abs(values[i]!) / limit);
    const opacity = Math.round(255 * share);
    return values[i]! < 0 ? [42, 120, 214, opacity] : [227, 73, 72, opacity];
  };
}
