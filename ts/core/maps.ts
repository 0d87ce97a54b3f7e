/** Calls of the core that look at one image: maps, and distances between surfaces. */
import { Maps } from "../../pkg/segrad.js";
import { zeros } from "../arguments.ts";
import { labelTypes, type resolveGrid } from "../batch.ts";
import { arrayType } from "../error.ts";
import { floatsAt, type NumberArray, Staging } from "./memory.ts";

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

/** One serves every call: it keeps the memory it works in, which is a few times that of the image. */
let shared: Maps | undefined;

/** Images of more pixels leave no memory behind. */
const large = 2 ** 22;

function withMaps<T>({ spatial, spacing, pixels }: Grid, run: (maps: Maps) => T): T {
  const maps = shared ?? new Maps(...spatial, ...spacing);
  shared = undefined;
  maps.layout(...spatial, ...spacing);
  const result = run(maps);
  if (pixels > large) maps.free();
  else shared = maps;
  return result;
}

/** Makes `count` maps of an image, one after the other, by `make`, which writes the map `index` to `map`. */
export function makeMaps(
  grid: Grid,
  image: NumberArray,
  count: number,
  make: (maps: Maps, image: Argument, map: number, index: number) => void,
): Float32Array {
  const { pixels } = grid;
  const result = zeros(Float32Array, count * pixels);
  const staging = new Staging();
  const input = argument(image, staging);
  const map = staging.room(pixels * Float32Array.BYTES_PER_ELEMENT);
  staging.commit();
  withMaps(grid, (maps) => {
    for (let index = 0; index < count; index++) {
      make(maps, input(), map(), index);
      result.set(floatsAt(map(), pixels), index * pixels);
    }
  });
  return result;
}

/** Runs `measure` with two images in the core. */
export function measure<T>(
  grid: Grid,
  [first, second]: readonly [NumberArray, NumberArray],
  run: (maps: Maps, first: Argument, second: Argument) => T,
): T {
  const staging = new Staging();
  const [one, other] = [argument(first, staging), argument(second, staging)];
  staging.commit();
  return withMaps(grid, (maps) => run(maps, one(), other()));
}
