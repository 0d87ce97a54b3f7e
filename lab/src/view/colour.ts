/** Colour scales as tables of canvas pixels, one set for light pages and one for dark ones. */

/** 256 colours from one end of a scale to the other. */
export type Scale = Uint32Array;

export interface Palette {
  /** p from 0 to 1. */
  readonly probability: Scale;
  /** Gradients from −limit to +limit; the middle is the ground of the page. */
  readonly gradient: Scale;
  /** Losses of pixels from 0 to the limit. */
  readonly loss: Scale;
  /** An image from its brightest pixels to its darkest, which are the ground of the page; pale enough to paint on. */
  readonly image: Scale;
}

const light: Palette = {
  probability: scale("fcfcfb", "cfe9e2", "62b8a6", "0f766a", "07463f"),
  gradient: scale("0a3470", "2a78d6", "a5cbf4", "fcfcfb", "f5b5ac", "db4943", "74171b"),
  loss: scale("fcfcfb", "edcbe5", "b858a5", "4a1040"),
  image: scale("a9adb3", "fcfcfb"),
};

const dark: Palette = {
  probability: scale("14171c", "163f3b", "22796d", "43b8a4", "a5f3e4"),
  gradient: scale("b4dbff", "4c9bf3", "1d4478", "14171c", "722f2e", "ec6a60", "ffccc4"),
  loss: scale("14171c", "4c2046", "b860a7", "fbd4f1"),
  image: scale("8a919b", "14171c"),
};

const darkness = matchMedia("(prefers-color-scheme: dark)");

export function palette(): Palette {
  return darkness.matches ? dark : light;
}

/** Calls `redraw` whenever the page turns light or dark. */
export function onPaletteChange(redraw: () => void): void {
  darkness.addEventListener("change", redraw);
}

/** The table position of a share in [0, 1]. */
export function position(share: number): number {
  return share >= 1 ? 255 : share > 0 ? Math.round(255 * share) : 0;
}

/** One pixel over another; `share` of the upper one. */
export function blend(lower: number, upper: number, share: number): number {
  const part = (shift: number) => {
    const [from, to] = [(lower >>> shift) & 255, (upper >>> shift) & 255];
    return Math.round(from + share * (to - from)) << shift;
  };
  return (part(0) | part(8) | part(16) | (255 << 24)) >>> 0;
}

/** A gradient of CSS through a scale, for legends. */
export function cssGradient(colours: Scale): string {
  const stops = Array.from({ length: 17 }, (_, i) => {
    const pixel = colours[Math.round((i * 255) / 16)]!;
    return `rgb(${pixel & 255} ${(pixel >>> 8) & 255} ${(pixel >>> 16) & 255})`;
  });
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

/** Evenly spaced colours, mixed in between. Pixels are red, green, blue, opacity from the lowest byte up. */
function scale(...colours: string[]): Scale {
  const stops = colours.map((colour) => Number.parseInt(colour.replace(/(..)(..)(..)/, "ff$3$2$1"), 16));
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const place = (i / 255) * (stops.length - 1);
    const from = Math.min(stops.length - 2, Math.floor(place));
    return blend(stops[from]!, stops[from + 1]!, place - from);
  });
}
