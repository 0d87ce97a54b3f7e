/** What a loss says about logits on the grid, through the library. */
import { allocate, type Batch, lossMap, SegradError, valueAndGrad, type WasmBuffer } from "segrad";
import type { Candidate } from "../../../ts/cli/landscape/experiment.ts";
import { pixels, side } from "../scene/grid.ts";

export interface Evaluation {
  readonly value: number;
  readonly terms: readonly number[];
}

/** Logits and gradient of one loss, inside the memory of the module, so that a step copies nothing. */
export class Workspace {
  readonly #logits: WasmBuffer = allocate(pixels);
  readonly #gradient: WasmBuffer = allocate(pixels);
  /** A background and a foreground plane of each, for losses that weigh classes. */
  #planes: { readonly logits: WasmBuffer; readonly gradient: WasmBuffer } | undefined;

  /** Live views: read them anew after every call of the library. */
  get logits(): Float32Array {
    return this.#logits.data;
  }

  /** ∂L/∂z of the last evaluation. */
  get gradient(): Float32Array {
    return this.#gradient.data;
  }

  evaluate({ loss, mode }: Candidate, target: Uint8Array): Evaluation {
    if (mode !== "multiclass") {
      const out = this.gradient;
      const { value, terms } = valueAndGrad(loss, this.#batch(mode, target), { out });
      return { value, terms };
    }
    const batch = this.#batch(mode, target);
    const { value, terms } = valueAndGrad(loss, batch, { out: this.#planes!.gradient.data });
    // Softmax of (−z/2, z/2) is the sigmoid of z; the gradient of the second plane is that of z.
    this.gradient.set(this.#planes!.gradient.data.subarray(pixels));
    return { value, terms };
  }

  /** The loss of every pixel; null where the library knows no such thing. */
  map({ loss, mode }: Candidate, target: Uint8Array): Float32Array | null {
    try {
      return lossMap(loss, this.#batch(mode, target));
    } catch (error) {
      if (error instanceof SegradError && error.code === "incompatible") return null;
      throw error;
    }
  }

  #batch(mode: Candidate["mode"], target: Uint8Array): Batch {
    if (mode !== "multiclass") return { logits: this.logits, target, shape: [1, 1, side, side], mode };
    this.#planes ??= { logits: allocate(2 * pixels), gradient: allocate(2 * pixels) };
    const planes = this.#planes.logits.data;
    const logits = this.logits;
    for (let i = 0; i < pixels; i++) {
      planes[i] = -logits[i]! / 2;
      planes[pixels + i] = logits[i]! / 2;
    }
    return { logits: planes, target, shape: [1, 2, side, side], mode };
  }
}
