/** The truth, and a prediction of it. */
import { type Point, paintStroke } from "./brush.ts";
import { type Distortion, distort } from "./distortion.ts";
import { pixels } from "./grid.ts";
import { type PresetName, presets } from "./presets.ts";

/** Where the prediction starts from, before anyone paints on it. */
export const sources = {
  copy: "A distorted copy of the truth",
  image: "The brightness of the image",
  given: "The logits that were loaded",
  blank: "Nothing: p = 0.5 everywhere",
} as const;

export type Source = keyof typeof sources;

export type Layer = "truth" | "prediction";

export class Scene {
  /** 0 or 1 per pixel. */
  mask: Uint8Array = presets.sizes.mask();
  /** A picture to look at while painting: brightness, 0 … 255. */
  image: Uint8Array | null = null;
  source: Source = "copy";
  distortion: Distortion = { shiftX: 5, shiftY: 3, grow: -1, blur: 4, noise: 0.4, confidence: 4 };
  /** What was painted on the prediction: 1 foreground, −1 background, 0 nothing. */
  readonly strokes = new Int8Array(pixels);
  #given: Float32Array = new Float32Array(pixels);

  load(name: PresetName): void {
    this.setTruth(presets[name].mask(), null);
  }

  /** A new truth. A prediction that was loaded for the old one goes with it. */
  setTruth(mask: Uint8Array, image: Uint8Array | null): void {
    this.mask = mask;
    this.image = image;
    this.strokes.fill(0);
    if (this.source === "given" || (this.source === "image" && image === null)) this.source = "copy";
  }

  setLogits(logits: Float32Array): void {
    this.#given = logits;
    this.strokes.fill(0);
    this.source = "given";
  }

  /** Whether the prediction can start from there. */
  has(source: Source): boolean {
    return source === "image" ? this.image !== null : source !== "given" || this.source === "given";
  }

  paint(layer: Layer, from: Point, to: Point, radius: number, isForeground: boolean): void {
    if (layer === "truth") {
      this.mask = this.mask.slice();
      paintStroke(this.mask, from, to, radius, isForeground ? 1 : 0);
    } else {
      paintStroke(this.strokes, from, to, radius, isForeground ? 1 : -1);
    }
  }

  /** The logits of the prediction; painted pixels are as sure as the slider says. */
  logits(): Float32Array {
    const logits = this.#base();
    for (let i = 0; i < pixels; i++) {
      if (this.strokes[i] !== 0) logits[i] = this.strokes[i]! * this.distortion.confidence;
    }
    return logits;
  }

  #base(): Float32Array {
    switch (this.source) {
      case "copy":
        return distort(this.mask, this.distortion);
      case "image":
        return fromBrightness(this.image!);
      case "given":
        return this.#given.slice();
      case "blank":
        return new Float32Array(pixels);
    }
  }
}

/** What a brightness says about the foreground, as logits: 2 per standard deviation above the mean, within ±6. */
export function fromBrightness(image: Uint8Array): Float32Array {
  const mean = image.reduce((sum, level) => sum + level, 0) / image.length;
  const variance = image.reduce((sum, level) => sum + (level - mean) ** 2, 0) / image.length;
  const deviation = Math.sqrt(variance) || 1;
  return Float32Array.from(image, (level) => Math.min(6, Math.max(-6, (2 * (level - mean)) / deviation)));
}
