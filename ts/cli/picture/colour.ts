/** Colour scales for numbers. */

/** Red, green, blue: 0 … 255 each. */
export type Colour = readonly [red: number, green: number, blue: number];

export const white: Colour = [255, 255, 255];

/** From negative to positive; the middle is see-through. */
const negative: readonly Colour[] = [
  [158, 197, 244],
  [42, 120, 214],
  [13, 54, 107],
];
const positive: readonly Colour[] = [
  [245, 178, 174],
  [227, 73, 72],
  [116, 22, 27],
];

/** Blue below zero, red above, paler towards zero, where `ground` shows. `value` is held within ±1. */
export function diverging(value: number, ground: Colour = white): Colour {
  const size = Math.min(1, Math.abs(value));
  const scale = value < 0 ? negative : positive;
  // The first third fades the ground out, the rest runs through the scale.
  return size < 1 / 3 ? mix(ground, scale[0]!, 3 * size) : along(scale, (size - 1 / 3) * 1.5);
}

/** Inferno, by Nathaniel Smith and Stéfan van der Walt (CC0), at six of its colours. */
const inferno: readonly Colour[] = [
  [0, 0, 4],
  [66, 10, 104],
  [147, 38, 103],
  [221, 81, 58],
  [252, 165, 10],
  [252, 255, 164],
];

/** Dark to bright. `value` is held within [0, 1]. */
export function sequential(value: number): Colour {
  return along(inferno, Math.min(1, Math.max(0, value)));
}

export function grey(level: number): Colour {
  const shade = Math.round(255 * Math.min(1, Math.max(0, level)));
  return [shade, shade, shade];
}

function along(scale: readonly Colour[], share: number): Colour {
  const place = Math.min(1, share) * (scale.length - 1);
  const from = Math.min(scale.length - 2, Math.floor(place));
  return mix(scale[from]!, scale[from + 1]!, place - from);
}

function mix(from: Colour, to: Colour, share: number): Colour {
  const part = (channel: 0 | 1 | 2) => Math.round(from[channel] + share * (to[channel] - from[channel]));
  return [part(0), part(1), part(2)];
}
