/** Calls of the core that look at one image: maps, and distances between surfaces. */
import { Maps, release } from "../../pkg/segrad.js";
import { zeros } from "../arguments.ts";
import type { NumberArray } from "../array.ts";
import { labelTypes, type resolveGrid } from "../batch.ts";
import { arrayType } from "../error.ts";
import { floatsAt, Staging, take } from "./memory.ts";

/** The sides of an image, and its pixel size. */
export type Grid = ReturnType<typeof resolveGrid>;

/** The core's numbers for types: labels in order, then Float32Array. */
const types = [...labelTypes, "Float32Array"];

/** An array as the core takes it. */
export type Argument = [pointer: number, type: number];

function argument(array: NumberArray, staging: Staging): () => Argument {
  const pointer = staging.bring(array);
  const type = types.indexOf(arrayType(array)!);
  return () => [pointer(), type];
}

/** Bytes the core works in, beside what it is given: per pixel, and per pixel of one layer. */
export type Scratch = readonly [perPixel: number, perLayerPixel: number];

/** One serves every call, since it keeps the memory it works in: of images up to `large` pixels. */
let shared: Maps | undefined;
let room = 0;
const large = 2 ** 22;

/** Runs `run` in the core. Without room to work in, it throws here: the core could only end the module. */
function withMaps<T>(
  { spatial, spacing, pixels }: Grid,
  [perPixel, perLayerPixel]: Scratch,
  run: (maps: Maps) => T,
): T {
  const bytes = Math.ceil(perPixel * pixels + perLayerPixel * (pixels / spatial[0]));
  if (bytes > room) {
    release(take(bytes), bytes);
    room = bytes;
  }
  shared ??= new Maps();
  shared.layout(...spatial, ...spacing);
  const result = run(shared);
  if (pixels > large) {
    shared.free();
    [shared, room] = [undefined, 0];
  }
  return result;
}

/** Makes `count` maps of an image, one after the other, by `make`, which writes the map `index` to `map`. */
export function makeMaps(
  grid: Grid,
  image: NumberArray,
  count: number,
  scratch: Scratch,
  make: (maps: Maps, image: Argument, map: number, index: number) => void,
): Float32Array {
  const { pixels } = grid;
  const result = zeros(Float32Array, count * pixels);
  const staging = new Staging();
  const input = argument(image, staging);
  const map = staging.room(pixels * Float32Array.BYTES_PER_ELEMENT);
  staging.commit();
  withMaps(grid, scratch, (maps) => {
    for (let index = 0; index < count; index++) {
      make(maps, input(), map(), index);
      result.set(floatsAt(map(), pixels), index * pixels);
    }
  });
  return result;
}

/** Runs `measure` with two images in the core. */
export function measureImages<T>(
  grid: Grid,
  [first, second]: readonly [NumberArray, NumberArray],
  scratch: Scratch,
  measure: (maps: Maps, first: Argument, second: Argument) => T,
): T {
  const staging = new Staging();
  const [one, other] = [argument(first, staging), argument(second, staging)];
  staging.commit();
  return withMaps(grid, scratch, (maps) => measure(maps, one(), other()));
}
