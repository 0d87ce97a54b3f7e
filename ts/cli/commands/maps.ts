/** `segrad maps`: distance, signed distance and U-Net weight maps of a mask. */
import type { Command } from "commander";
import { distanceTransform, signedDistance, unetWeightMap } from "../../core/entry/node.ts";
import type { Console } from "../console.ts";
import { FileError, UsageError } from "../failure.ts";
import { writeNpy } from "../files/npy.ts";
import { readTensor } from "../files/read.ts";
import { showShape, type Tensor } from "../files/tensor.ts";
import { checkOutputs, type Output, writeOutputs } from "../files/write.ts";
import { parseCount, parseIndex, parseInteger, parseNumber, parseSpacing } from "../options.ts";
import { type Place, pickPlace, planeAt, showPlace, within } from "../picture/pick.ts";
import { paintDiverging, paintSequential } from "../picture/picture.ts";
import type { Axes } from "../subject/axes.ts";
import { wholeNumbers } from "../subject/subject.ts";
import { short } from "../text/number.ts";

interface MapOptions {
  readonly output?: string;
  readonly png?: string;
  readonly spacing?: number[];
  readonly channel?: number;
  readonly slice?: number;
  readonly classes?: number;
  readonly ignoreIndex?: number;
  readonly w0?: number;
  readonly sigma?: number;
  readonly classBalance?: boolean;
}

/** A mask as the library wants it. */
interface Mask {
  readonly labels: NonNullable<ReturnType<typeof wholeNumbers>>;
  readonly grid: { readonly shape: readonly number[]; readonly spacing: readonly number[] };
}

interface MapOf {
  readonly values: Float32Array | Float64Array;
  readonly channels: number;
}

export function addMaps(program: Command, console: Console): void {
  const maps = program
    .command("maps")
    .summary("distance, signed distance and U-Net weight maps of a mask")
    .description("Maps of a mask or label image (2D, or a volume), as .npy and as a picture.")
    .addHelpText("after", examples);
  const add = (name: string, summary: string, map: (mask: Mask, options: MapOptions) => MapOf) =>
    maps
      .command(name)
      .summary(summary)
      .description(`${summary[0]!.toUpperCase()}${summary.slice(1)}.`)
      .argument("<mask>", "label image: .png, .tif, .npy, .npz or .nii")
      .option("-o, --output <file>", "write the map as .npy")
      .option("--png <file>", "paint it")
      .option("--spacing <sizes>", "pixel size along y,x or z,y,x, or one for all", parseSpacing)
      .option(
        "--slice <index>",
        "z to paint in a volume (default: the one with most of the mask in it)",
        parseIndex,
      )
      .action((path: string, options: MapOptions) => run(name, path, options, map, console));

  add("distance", "Euclidean distance of every non-zero pixel to the nearest zero", ({ labels, grid }) => ({
    values: distanceTransform(labels, grid),
    channels: 1,
  }));
  add("signed", "signed distance to each class, as boundary losses use it: negative inside", signed)
    .option(
      "--classes <count>",
      "number of classes (default: 2, and only the map of class 1 is kept)",
      parseCount,
    )
    .option("--ignore-index <label>", "pixels with this label are neither inside nor outside", parseInteger)
    .option("--channel <index>", "class to paint (default: 1)", parseIndex);
  add("unet", "U-Net weight map of instance ids: large between instances that almost touch", unet)
    .option("--w0 <number>", "weight where two instances touch (default: 10)", parseNumber)
    .option("--sigma <number>", "how fast it falls with the distance (default: 5)", parseNumber)
    .option("--class-balance", "add weights that balance background and foreground");
}

const examples = `
Examples:
  $ segrad maps distance mask.png -o distance.npy --png distance.png
  $ segrad maps signed labels.nii.gz --classes 4 -o phi.npy --png phi.png --channel 2
  $ segrad maps unet instances.png -o weights.npy --w0 10 --sigma 5`;

function run(
  name: string,
  path: string,
  options: MapOptions,
  map: (mask: Mask, options: MapOptions) => MapOf,
  console: Console,
): void {
  const { output, png } = options;
  if (output === undefined && png === undefined) {
    throw new UsageError("say where the map goes: -o map.npy, --png map.png");
  }
  checkOutputs([
    { path: output, ending: ".npy" },
    { path: png, ending: ".png" },
  ]);
  const mask = readMask(readTensor(path), options);
  const { values, channels } = map(mask, options);
  const spatial = mask.grid.shape;
  const [low, high] = extremes(values);
  const lines = [
    `${showShape(spatial)}, spacing ${mask.grid.spacing.join(" × ")}: ${short(low)} … ${short(high)}`,
  ];

  const outputs: Output[] = [];
  if (output !== undefined) {
    const shape = channels > 1 ? [channels, ...spatial] : spatial;
    outputs.push({ path: output, bytes: writeNpy({ data: Float32Array.from(values), shape }) });
  }
  if (png !== undefined) {
    const axes: Axes = {
      order: "",
      layout: "channels-first",
      images: 1,
      channels,
      spatial,
      perChannel: true,
    };
    const place = placeOf(mask, axes, options);
    const plane = planeAt(values, axes, place);
    const [least, most] = extremes(plane.values);
    const limit = Math.max(-least, most);
    const isSigned = low < 0;
    const where = showPlace(place, axes);
    const about = `${name} map of ${path}${where && `, ${where}`}`;
    const bytes = isSigned ? paintDiverging(plane, limit, about) : paintSequential(plane, most, about);
    outputs.push({ path: png, bytes });
    const scale = isSigned
      ? `blue to −${short(limit)}, red to +${short(limit)}`
      : `black 0, bright ${short(most)}`;
    lines.push(`${png}  ${where && `${where}: `}${scale}`);
  }
  writeOutputs(outputs);
  console.print(lines.join("\n"));
  if (high === Infinity) console.remark("note: the mask has no zero pixel, so every distance is infinite");
  if (name === "unet" && high === 0)
    console.remark("note: fewer than two instances: there is nothing to keep apart");
}

/** The plane to paint: by default class 1, and in a volume the slice with most of the mask in it. */
function placeOf({ labels }: Mask, axes: Axes, { channel, slice }: MapOptions): Place {
  const isInside = Uint8Array.from(labels, (label) => (label === 0 ? 0 : 1));
  const { z } = pickPlace(isInside, { ...axes, channels: 1 }, { z: slice });
  return { item: 0, z, channel: within("channel", channel ?? Math.min(1, axes.channels - 1), axes.channels) };
}

function readMask(tensor: Tensor, { spacing }: MapOptions): Mask {
  const { file, shape } = tensor;
  const labels = wholeNumbers(tensor);
  if (labels === undefined) throw new FileError(file, "it must hold whole numbers");
  if (shape.length !== 2 && shape.length !== 3) {
    throw new FileError(file, `it has ${shape.length} axes (${showShape(shape)}); a map needs 2 or 3`);
  }
  const given = spacing ?? tensor.spacing ?? [1];
  const list = given.length === 1 ? shape.map(() => given[0]!) : given;
  if (list.length !== shape.length) {
    throw new UsageError(`--spacing has ${list.length} numbers; ${file} has ${shape.length} axes`);
  }
  return { labels, grid: { shape, spacing: list } };
}

function signed({ labels, grid }: Mask, { classes, ignoreIndex }: MapOptions): MapOf {
  const ignore = ignoreIndex === undefined ? {} : { ignoreIndex };
  if (classes !== undefined) {
    return { values: signedDistance(labels, { ...grid, ...ignore, classes }), channels: classes };
  }
  // A mask: whatever is not 0 is inside.
  const mask = Int32Array.from(labels, (label) => (label === ignoreIndex ? label : label === 0 ? 0 : 1));
  const both = signedDistance(mask, { ...grid, ...ignore, classes: 2 });
  return { values: both.subarray(both.length / 2), channels: 1 };
}

function unet({ labels, grid }: Mask, { w0, sigma, classBalance }: MapOptions): MapOf {
  const given = { ...(w0 === undefined ? {} : { w0 }), ...(sigma === undefined ? {} : { sigma }) };
  const options = { ...grid, ...given, ...(classBalance ? { classBalance } : {}) };
  return { values: unetWeightMap(labels, options), channels: 1 };
}

function extremes(values: ArrayLike<number>): [low: number, high: number] {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]!);
    high = Math.max(high, values[i]!);
  }
  return [low, high];
}
