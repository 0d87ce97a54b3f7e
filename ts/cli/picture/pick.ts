/** One plane out of arrays with images, channels and depth. */
import { UsageError } from "../failure.ts";
import type { Axes } from "../subject/axes.ts";
import type { Plane } from "./picture.ts";

/** Where a plane lies. */
export interface Place {
  readonly item: number;
  readonly channel: number;
  readonly z: number;
}

/** The plane asked for; where channel or depth are open, the one with the largest numbers. */
export function pickPlace(
  values: ArrayLike<number>,
  axes: Axes,
  wanted: { readonly [part in keyof Place]?: number | undefined },
): Place {
  const item = within("item", wanted.item ?? 0, axes.images);
  const range = (name: "channel" | "z", option: string, length: number) =>
    wanted[name] === undefined
      ? Array.from({ length }, (_, index) => index)
      : [within(option, wanted[name], length)];
  let best: Place = { item, channel: 0, z: 0 };
  let most = 0;
  for (const channel of range("channel", "channel", axes.channels)) {
    for (const z of range("z", "slice", depthOf(axes))) {
      const place = { item, channel, z };
      const size = squares(planeAt(values, axes, place).values);
      // Of equals, such as the two classes of a softmax, the later: foregrounds come after the background.
      if (size > 0.999 * most) [best, most] = [place, size];
    }
  }
  return best;
}

export function planeAt(values: ArrayLike<number>, axes: Axes, { item, channel, z }: Place): Plane {
  const [height, width] = axes.spatial.slice(-2) as [number, number];
  const pixels = depthOf(axes) * height * width;
  const isLast = axes.layout === "channels-last";
  const plane = Float64Array.from({ length: height * width }, (_, i) => {
    const pixel = z * height * width + i;
    return values[
      isLast
        ? (item * pixels + pixel) * axes.channels + channel
        : (item * axes.channels + channel) * pixels + pixel
    ]!;
  });
  return { values: plane, height, width };
}

/** `channel 2, z 80`: what has to be said to find a plane again. */
export function showPlace({ item, channel, z }: Place, axes: Axes): string {
  const parts = [
    ...(axes.images > 1 ? [`image ${item}`] : []),
    ...(axes.channels > 1 ? [`channel ${channel}`] : []),
    ...(depthOf(axes) > 1 ? [`z ${z}`] : []),
  ];
  return parts.join(", ");
}

export function depthOf({ spatial }: Axes): number {
  return spatial.length === 3 ? spatial[0]! : 1;
}

/** An index, if there is one like it. */
export function within(option: string, index: number, length: number): number {
  if (index < length) return index;
  throw new UsageError(`--${option} is ${index}; there are 0 to ${length - 1}`);
}

function squares(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i])) sum += values[i]! ** 2;
  return sum;
}
