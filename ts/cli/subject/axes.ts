/**
 * Which axis of a file means what. Letters name them: n images, c channels, z y x space. `ncyx` is a batch of 2D
 * images, `zyx` one binary volume.
 */
import type { Mode } from "../../batch.ts";
import { FileError, UsageError } from "../failure.ts";
import { sameShape, showShape, type Tensor } from "../files/tensor.ts";

/** Every order that can be read, by layout. Without c there is one channel, without n one image. */
const orders = {
  "channels-first": ["yx", "cyx", "nyx", "ncyx", "zyx", "czyx", "nzyx", "nczyx"],
  "channels-last": ["yx", "yxc", "nyx", "nyxc", "zyx", "zyxc", "nzyx", "nzyxc"],
} as const;

export type Layout = keyof typeof orders;

/** What is known about the axes from the command line. */
export interface AxesHints {
  readonly axes?: string | undefined;
  readonly layout?: Layout | undefined;
  readonly mode?: Mode | undefined;
  /** Predictions that are label images have no channels. */
  readonly labels?: boolean | undefined;
}

/** The axes of a file, and the sizes along them. */
export interface Axes {
  /** Such as `ncyx`. */
  readonly order: string;
  readonly layout: Layout;
  readonly images: number;
  readonly channels: number;
  /** [y, x] or [z, y, x]. */
  readonly spatial: readonly number[];
  /** Whether the target has one entry per channel and pixel, like the prediction, instead of one label per pixel. */
  readonly perChannel: boolean;
}

/** Reads the option `--axes`. */
export function parseOrder(text: string): string {
  const known: readonly string[] = [...orders["channels-first"], ...orders["channels-last"]];
  if (known.includes(text)) return text;
  throw new UsageError(
    `--axes is ${JSON.stringify(text)}; it must be one of ${[...new Set(known)].join(" ")}`,
  );
}

/**
 * Finds the order in which the shapes of prediction and target fit each other. Where several do, one volume is taken
 * for likelier than several images; whatever else is open is an error that asks for `--axes`.
 */
export function findAxes(prediction: Tensor, target: Tensor, hints: AxesHints): Axes {
  const fitting = candidates(prediction, hints)
    .map((order) => match(order, prediction.shape, target, hints))
    .filter((axes) => axes !== undefined);
  // Who names a mode with channels has channels.
  const hasChannels = hints.mode !== undefined && hints.mode !== "binary";
  const withChannels = fitting.filter(({ order }) => order.includes("c"));
  const meant = hasChannels && withChannels.length > 0 ? withChannels : fitting;
  // Of `zyx` and `nyx`, which always fit the same files, the volume.
  const likely = meant.filter(({ order }) => {
    const volume = order.replace("n", "z");
    return volume === order || !meant.some((axes) => axes.order === volume);
  });
  const [first, ...others] = likely;
  if (first === undefined) throw mismatch(prediction, target, hints);
  if (others.length === 0) return first;
  const list = likely.map((axes) => axes.order).join(" or ");
  throw new UsageError(
    `${prediction.file}: its ${showShape(prediction.shape)} can be read as ${list}; say which with --axes`,
  );
}

function candidates(
  { file, shape, axes: known }: Tensor,
  { axes, layout, labels }: AxesHints,
): readonly string[] {
  const order = axes ?? known;
  if (order !== undefined) {
    if (order.length === shape.length) return [order];
    throw new FileError(
      file,
      `it has ${shape.length} axes, ${showShape(shape)}, and --axes ${order} names ${order.length}`,
    );
  }
  return orders[layout ?? "channels-first"].filter(
    (candidate) => candidate.length === shape.length && !(labels && candidate.includes("c")),
  );
}

/** The axes if the target can be read along with this order, undefined if it cannot. */
function match(
  order: string,
  shape: readonly number[],
  target: Tensor,
  { mode }: AxesHints,
): Axes | undefined {
  const size = (axis: string) => shape[order.indexOf(axis)] ?? 1;
  const images = size("n");
  const channels = size("c");
  const spatial = [...order].filter((axis) => "zyx".includes(axis)).map(size);
  const fits = (wanted: readonly number[]) =>
    [wanted, ...(wanted[0] === 1 ? [wanted.slice(1)] : [])].some((list) => sameShape(list, target.shape));

  // Labels come without channels, or with a single one in the place where the scores have theirs.
  const single = shape.map((length, axis) => (order[axis] === "c" ? 1 : length));
  const labels = fits([images, ...spatial]) || fits(single) || fits([1, ...single]);
  const scores = channels > 1 && (fits(shape) || fits([images, ...shape]));
  const layout: Layout = order.endsWith("xc") ? "channels-last" : "channels-first";
  const axes = { order, layout, images, channels, spatial };
  if (mode === "binary" && channels > 1) return undefined;
  if (mode === "multilabel" && channels > 1) return scores ? { ...axes, perChannel: true } : undefined;
  if (labels) return { ...axes, perChannel: false };
  return scores ? { ...axes, perChannel: true } : undefined;
}

function mismatch(prediction: Tensor, target: Tensor, { mode, layout, axes }: AxesHints): FileError {
  const said = Object.entries({ "--axes": axes, "--layout": layout, "--mode": mode })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name} ${value}`);
  const shapes = `${showShape(target.shape)} does not go with ${prediction.file}, ${showShape(prediction.shape)}`;
  return new FileError(target.file, `its shape ${shapes}${said.length > 0 ? `, with${said.join("")}` : ""}`);
}
