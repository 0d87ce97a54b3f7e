import { readFileSync } from "node:fs";
import { decode } from "fast-png";

/** One half of the microscope image. Rows first; every array holds `height · width` numbers. */
export interface Half {
  readonly height: number;
  readonly width: number;
  /** Brightness as the camera gave it, 0 … 255. */
  readonly brightness: Uint8Array;
  /** What the network sees: the logarithm of the brightness, standardised over the training half. */
  readonly input: Float32Array;
  /** One number per nucleus, 0 where there is none. */
  readonly instances: Uint16Array;
  /** 1 inside a nucleus: the truth that the scores are measured against. */
  readonly truth: Uint8Array;
  /** The truth with gaps between touching nuclei (see `separate`): what every loss is trained on. */
  readonly target: Uint8Array;
}

const folder = new URL("./data/nuclei/", import.meta.url);

/** The left half, for training, and the right half, which no training step sees. */
export function readHalves(): { training: Half; heldOut: Half } {
  const image = decode(readFileSync(new URL("image.png", folder)));
  const ids = decode(readFileSync(new URL("instances.png", folder)));
  const { width, height } = image;
  const middle = width / 2;

  const cut = (data: ArrayLike<number>, left: number): Uint16Array =>
    Uint16Array.from({ length: height * middle }, (_, i) =>
      Number(data[Math.floor(i / middle) * width + left + (i % middle)]),
    );
  const logarithm = (brightness: ArrayLike<number>): Float32Array =>
    Float32Array.from(brightness, Math.log1p);

  const seen = logarithm(cut(image.data, 0));
  const mean = seen.reduce((total, x) => total + x, 0) / seen.length;
  const deviation = Math.sqrt(seen.reduce((total, x) => total + (x - mean) ** 2, 0) / seen.length);

  const half = (left: number): Half => {
    const brightness = Uint8Array.from(cut(image.data, left));
    const instances = cut(ids.data, left);
    return {
      height,
      width: middle,
      brightness,
      input: logarithm(brightness).map((x) => (x - mean) / deviation),
      instances,
      truth: Uint8Array.from(instances, (id) => (id > 0 ? 1 : 0)),
      target: separate(instances, middle),
    };
  };
  return { training: half(0), heldOut: half(middle) };
}

/**
 * The mask of the nuclei with a gap of one pixel wherever two of them touch, as the targets of U-Net have it
 * (Ronneberger, Fischer and Brox 2015): a pixel next to a nucleus of a smaller number becomes background.
 * Without the gap no network could learn to tell touching nuclei apart.
 */
export function separate(instances: Uint16Array, width: number): Uint8Array {
  const height = instances.length / width;
  return Uint8Array.from(instances, (id, i) => {
    if (id === 0) return 0;
    const row = Math.floor(i / width);
    const column = i % width;
    for (let y = Math.max(0, row - 1); y <= Math.min(height - 1, row + 1); y++)
      for (let x = Math.max(0, column - 1); x <= Math.min(width - 1, column + 1); x++) {
        const neighbour = instances[y * width + x]!;
        if (neighbour > 0 && neighbour < id) return 0;
      }
    return 1;
  });
}
