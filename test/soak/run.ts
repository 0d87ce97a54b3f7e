/** What `npm run soak` does, once the guarded module is loaded. */
import { SingleBar } from "cli-progress";
import fc from "fast-check";
import { memory } from "../../ts/core/module.ts";
import { type Case, cases, randomNumbers } from "../support/arbitrary.ts";
import { calls, trySpoiled } from "../support/calls.ts";
import { expectAgreement } from "../support/compare.ts";
import { bytesHeld } from "../support/guard.ts";
import { expectSound } from "../support/sound.ts";
import type { Options } from "./main.ts";

/** A golden case is proven again after so many calls. */
const often = 20;

interface Figures {
  readonly [what: string]: string | number;
}

export function run(options: Options): void {
  const start = performance.now();
  const figures = { ...spoiledCalls(options), ...comparisons(options) };
  const seconds = Math.round((performance.now() - start) / 1000);
  console.table({
    ...figures,
    "bytes held": bytesHeld(),
    "WebAssembly memory": memory().byteLength,
    seconds,
  });
}

/** Runs `work`, which ticks, behind a progress bar. */
function withBar(what: string, from: number, total: number, work: (tick: () => void) => void): void {
  const bar = new SingleBar({
    format: `${what.padEnd(13)} {bar} {value} of {total}, {eta_formatted} left`,
    noTTYOutput: true,
    notTTYSchedule: 30_000,
  });
  bar.start(total, from);
  try {
    work(() => bar.increment());
  } finally {
    bar.stop();
  }
}

function spoiledCalls({ calls: total, seed, from }: Options): Figures {
  let [refused, golden, slowest] = [0, 0, 0];
  let settled = { held: 0, memory: 0 };
  withBar("spoiled calls", from, total, (tick) => {
    for (let i = from; i < total; i++) {
      const before = performance.now();
      try {
        if (trySpoiled(calls[i % calls.length]!, randomNumbers(seed * 0x9e3779b1 + i))) refused++;
        if (i % often === 0) {
          expectSound();
          golden++;
        }
      } catch (error) {
        throw new Error(`spoiled call ${i}: npm run soak -- --seed ${seed} --from ${i}`, { cause: error });
      }
      slowest = Math.max(slowest, performance.now() - before);
      if (i === Math.floor(total / 10)) settled = { held: bytesHeld(), memory: memory().byteLength };
      tick();
    }
  });
  return {
    "spoiled calls": total - from,
    "of them refused": refused,
    "golden cases between them": golden,
    "slowest call, ms": Math.round(slowest),
    "bytes held more than after a tenth": bytesHeld() - settled.held,
    "memory grown since a tenth": memory().byteLength - settled.memory,
  };
}

function comparisons({ losses: total, seed }: Options): Figures {
  let [tried, gradients] = [0, 0];
  withBar("losses", 0, total, (tick) => {
    const compare = ({ loss, batch }: Case) => {
      tried++;
      if (expectAgreement(loss, batch)) gradients++;
      if (tried % often === 0) expectSound();
      tick();
    };
    for (const logits of ["moderate", "extreme"] as const) {
      fc.assert(fc.property(cases({ logits }), compare), { seed, numRuns: Math.ceil(total / 2) });
    }
  });
  return { "losses compared": tried, "of them with gradients": gradients };
}
