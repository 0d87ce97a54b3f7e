/** The losses that are timed: every row of the table of losses that fits, with the options of the peers, and sums. */
import { crossEntropy, dice, focal, type LossSpec, losses, SegradError, sum, value } from "segrad";
import type { Workload } from "./workloads.ts";

/** A loss under the name it has in the results. */
export interface Case {
  readonly name: string;
  readonly loss: LossSpec;
}

/** Where the peers use other options than the defaults. */
const options = {
  focal: (channels: number) => (channels === 1 ? { alpha: 0.25 } : {}),
  tversky: () => ({ alpha: 0.3, beta: 0.7 }),
};

const sums: readonly Case[] = [
  { name: "dice + crossEntropy", loss: sum([dice(), crossEntropy()]) },
  { name: "crossEntropy + dice + focal", loss: sum([crossEntropy(), dice(), focal()]) },
];

export function casesOf({ shape }: Workload): readonly Case[] {
  const channels = shape[1]!;
  const single = Object.keys(losses).map((kind) => {
    const special = kind in options ? options[kind as keyof typeof options](channels) : {};
    return { name: kind, loss: { kind, ...special } };
  });
  return [...single, ...sums].filter(({ loss }) => fits(loss, channels));
}

/** Whether a loss goes with this many channels: some are for binary masks only, some for classes only. */
function fits(loss: LossSpec, channels: number): boolean {
  const batch = { logits: new Float32Array(channels), target: new Uint8Array(1), shape: [1, channels, 1, 1] };
  try {
    value(loss, batch);
    return true;
  } catch (error) {
    if (error instanceof SegradError && error.code === "incompatible") return false;
    throw error;
  }
}
