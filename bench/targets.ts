/** The targets of the issue on speed, as data, and what a run says about them. */
import { inCurrentNode } from "./currentNode.ts";
import { type Group, nanoseconds, type Results, type Timing } from "./results.ts";
import { masksNames, workloadNames } from "./workloads.ts";

/** Which timing: of one loss and workload, by one of these engines. */
interface Which {
  readonly group: Group;
  readonly workload: string;
  readonly engines: readonly string[];
  readonly loss: string;
}

/** segrad's time ÷ another time, on one workload. */
export interface Cell {
  readonly column: string;
  readonly ours: Which;
  readonly theirs: Which;
  /** What the ratio must not exceed; null where it is only reported. */
  readonly limit: number | null;
}

export interface Target {
  readonly title: string;
  readonly cells: readonly Cell[];
  /** Where it is missed: what was tried. */
  readonly tried?: string;
}

export interface Outcome {
  /** Of the shortest runs, per element. */
  readonly ratio: number;
  readonly ofMedians: number;
  /** The fastest of the others. */
  readonly engine: string;
  readonly isMet: boolean | null;
}

type Limits = readonly (number | null)[];

const segrad = ["segrad"];
const python = ["torch", "monai", "smp", "kornia"];
/** The other libraries in JavaScript that compute on whole workloads. */
export const javascript = ["TensorFlow.js wasm", "jax-js wasm"];
/** The peers in Python, not counting the compiled ones. */
export const peers = [...python, "opencv", "edt", "scipy"];

/** One row for a loss on each workload: W1, W2, W3. */
function lossRow(
  title: string,
  loss: string | readonly string[],
  engines: readonly string[],
  limits: Limits,
): Target {
  return {
    title,
    ...(title in tried ? { tried: tried[title]! } : {}),
    cells: workloadNames.map((workload, i) => {
      const which = { group: "losses", workload, loss: typeof loss === "string" ? loss : loss[i]! } as const;
      return {
        column: workload,
        ours: { ...which, engines: segrad },
        theirs: { ...which, engines },
        limit: limits[i] ?? null,
      };
    }),
  };
}

/** One row for a loss against the same or another loss in another group of rows. */
function ownRow(title: string, ours: Partial<Which>, theirs: Partial<Which>, limits: Limits): Target {
  return {
    title,
    ...(title in tried ? { tried: tried[title]! } : {}),
    cells: workloadNames.map((workload, i) => {
      const which = { group: "losses", workload, engines: segrad, loss: "crossEntropy" } as const;
      return {
        column: workload,
        ours: { ...which, ...ours },
        theirs: { ...which, ...theirs },
        limit: limits[i] ?? null,
      };
    }),
  };
}

function mapRow(title: string, loss: string, engines: readonly string[], limits: Limits): Target {
  return {
    title,
    cells: masksNames.map((workload, i) => {
      const which = { group: "maps", workload, loss } as const;
      return {
        column: workload,
        ours: { ...which, engines: segrad },
        theirs: { ...which, engines },
        limit: limits[i] ?? null,
      };
    }),
  };
}

/**
 * What was tried where a target is missed. Read from V8's machine code (`--perf-basic-prof`, a debugger, objdump) and
 * from experiments that leave something out; nanoseconds per element on the machine of RESULTS.md.
 */
const floorOfExp =
  "exp is the largest part: twenty operations a vector, nearly each of which waits for the one before. Done: two loops a run, so that " +
  "the processor sees more vectors at a time (0.52 to 0.37; three loops 0.42, half of it in the next turn of one loop 0.48, two vectors " +
  "a turn 0.50). What is left are 22 vector operations, for which four units take 0.32 (Zen 3: 0.65, in the first cache too, at 4.6 instructions a cycle); both halves of a number side by side, so that one " +
  "pointer walks them, changes 1 %. Base 2 with one constant would take 0.02 off and cost " +
  "accuracy: up to 4e-6 of a probability near e^-60. Horner's scheme in the second loop 0.42. A second module with relaxed SIMD (fused multiply-add, selects of one instruction), " +
  "roughly made, took 0.88 to 0.96 of the time in Node 26, which has it: not worth twice the module and other bits in every engine";
const diceTried =
  "one channel: exponentials 0.4, p and sums 0.27, second sweep 0.13, " +
  "labels and counts 0.08. 21 classes: exponentials 0.5, chain rule 0.37, where leaving out half of its operations changes nothing: both sweeps move " +
  "110 MB, and memory gives 25 to 30 GB/s (on Zen 3 a batch in the second cache takes 1.5 and one out of memory 1.6: there it is the operations). 4 classes: exponentials 0.55, sums 0.2, chain rule 0.37. Done: exponentials in two loops (0.82 of the " +
  "time at one channel), there of −z and not of −|z|, so that p takes four operations, and labels read as the bytes they came as (1.04 to 0.92), " +
  "groups of three or four classes and none left alone (0.97 at 21, 0.88 at 7), the chain rule of three to five classes by sums of all but each instead of every pair (0.92 of four, 0.88 of five), five classes in registers as four are (0.65), two as a sigmoid of the difference of their logits (0.7), pixels whose top " +
  "is a wrong class listed before they are looked at again (0.94 at 6 and 7), classes counted sixteen bytes at once (0.97 at 21), " +
  'labels in a buffer of "allocate" (0.94 at one channel), three and four classes added up while their run is in the first cache (0.91). ' +
  "No gain: slopes measured from the top class in the first pass over the planes (8 % slower at 21 classes, 8 to 15 % faster at 7 and 5), six classes " +
  "in registers (0.81, but cross-entropy 1.08, and 4 KB of module), labels as bytes in short copies, p in a loop of its own, sums by minimum and maximum instead of masks (3 % slower), two vectors a turn, the second sweep from the last tile to the " +
  "first (4 classes a third slower; by groups of 8 or 32 tiles no change), one exponential less of three to five classes, against the last (0.8 to 0.96, but gradients up to ten times as far off; against the one ahead at a tile's first pixel as accurate, and 2.5 KB of module), tiles half or twice as long, no factor in the last loop of 21 classes (0.987), a float of each line read ahead, image after image while they are in the cache";
const tried: Readonly<Record<string, string>> = {
  "cross-entropy ÷ torch":
    `${floorOfExp}. Done: planes swept in the gradient buffer (1.9 to 1.15 at 21 classes), Σ u as a product without a branch ` +
    "(1.7 to 1.45 at 4 classes), exponentials of three to five classes by the loops that many have (0.97 to 0.88), their labels looked up over a whole tile (0.98). No gain: one exponential less " +
    "against the last (0.88 to 1, but gradients up to ten times as far off) or the label's (8 % slower still)",
  "Dice ÷ best of MONAI, smp, torch": `with AVX-512 PyTorch is twice as fast as with AVX2, where this was met; ${diceTried}`,
  "Dice ÷ fastest of TensorFlow.js, jax-js": diceTried,
  "focal ÷ best of MONAI, smp, kornia, torch":
    "an exponential, a logarithm and divisions wait for each other. Done: u, p and q of the labels in loops of their own and from one division " +
    "(1.95 to 1.5 at one channel), all that needs labels beside the division, which takes longer (1.5 to 1.33), logarithms in pairs (Estrin), γ = 2 without a branch, no u / q, log1p as artanh with half the terms",
  "Dice + cross-entropy ÷ best of MONAI, torch": "as Dice; done: as there (1.85 to 1.5 at one channel)",
  "boundary, map given ÷ torch":
    "the map is read from memory twice: to see that it is finite before anything is written (0.2 at 21 classes), and for the gradient. " +
    "Done: the chain rule adds up Σ p φ on its way (2.0 to 1.7 at 21 classes, 2.0 to 1.5 at 4), and reads the labels' φ once the map is near (1.75 to 1.5); " +
    "labels are not read at one channel (0.9). No gain: looking at four places of the map at once (7 % slower), at the bits of its numbers",
  "Lovász ÷ best of smp, kornia":
    "at two million pixels a class: sorting inside the bins a third, slopes and their way back another, gathering 12 %. Done: pairs are placed " +
    "chunk by chunk and slopes left beside them, so that nothing is scattered over more than the second cache (37 to 28 there, 20 to 17.5 at " +
    "21 classes, 11.6 to 11.1 at one channel); the hinge sweeps nothing (12 to 8.3 at one channel), planes are swept as for Dice (13.7 to 8.5 at " +
    "21 classes). No gain: more and fewer bins, larger and smaller chunks, each pair's place in its bin noted when bins are " +
    "counted (2 % faster at 21 classes, 3 to 6 % slower elsewhere), pairs written by vectors, one digit with insertion instead of two, both digits counted at once, " +
    "functions instead of inlined loops (2 % slower), bins between the smallest and the largest key only. What is left beyond the cache: with all slopes written to one place nothing changes any more",
  "cross-entropy ÷ exp sweep":
    `${floorOfExp}. The sweep itself takes a fifth less since it goes in two loops; against the plain loop it was before, cross-entropy takes 1.5. Done: four classes ` +
    "share the wait for memory that begins each run (0.99 to 0.75), planes are multiplied in groups and the labels' cells taken and put instead of swapped (0.77 to 0.7), " +
    "factors of pixels in one loop with what labels get, where all have one slope (0.98 at 21 classes, 0.9 at 3). " +
    "No gain: the same in the loop that adds up u, sums looked at on their way out of the exponentials (5 % slower), cells taken and put four at a time, stretches of one class found once a tile (here they are ten pixels long: an eighth slower)",
  "cross-entropy + Dice + focal ÷ cross-entropy":
    "Dice alone takes two sweeps, and cross-entropy became faster than they did. Done: focal is evaluated once, in the second, from what the first left " +
    "(at one channel 10.7 to 5.0 on one machine, 3.1 to 2.6 on another); cross-entropy beside it needs Σ u only; its gradient is added where the others' is written (0.96 of all). At 4 classes focal is evaluated in the first sweep " +
    "and its slope kept, 4 bytes a pixel instead of 12 (0.92). No gain: the same at one channel, where its gradient goes out to memory and back (a fifth slower)",
  "cross-entropy, channels last ÷ first":
    "of four classes a transposed copy out. No gain: writing it from a copy beside the gradient, sweeping pixel after pixel as many classes " +
    "are (a tenth more). Done: more classes are swept pixel after pixel and never turned (2.3 to 1.75 at 21), four are turned on their way " +
    "into the exponentials (a tenth less)",
  "Dice, channels last ÷ first":
    "logits are turned to planes (0.4 at 21 classes), and the gradient back. Done: in runs of 256 pixels instead of 64 (8 % less, 12 % at 100 classes), " +
    "two transposed copies instead of four (3.75 to 2.85). No gain: exponentials first, turned while they are near (8 % slower at 21 classes, " +
    "7 % faster at 7), lines brought near by zeros before they are written, pixel after pixel as cross-entropy is swept (15 % slower at 21 classes, " +
    "30 % faster at 100, and 2.6 KB of module)",
};

const overlapLimits = [0.65, 0.4, 0.45];
const overlapPeers = ["monai", "smp", "torch"];
const javascriptLimits = [0.15, 0.1, 0.1];
const lovasz = ["lovaszHinge", "lovaszSoftmax", "lovaszSoftmax"];

export const peerTargets: readonly Target[] = [
  lossRow("cross-entropy ÷ torch", "crossEntropy", ["torch"], [0.5, 0.5, 0.5]),
  lossRow("Dice ÷ best of MONAI, smp, torch", "dice", overlapPeers, overlapLimits),
  lossRow("Jaccard ÷ best of smp, torch", "jaccard", overlapPeers, overlapLimits),
  lossRow("Tversky ÷ best of MONAI, torch", "tversky", overlapPeers, overlapLimits),
  lossRow("focal ÷ best of MONAI, smp, kornia, torch", "focal", python, [0.2, 0.3, 0.4]),
  lossRow("Dice + cross-entropy ÷ best of MONAI, torch", "dice + crossEntropy", python, [0.35, 0.25, 0.27]),
  lossRow("boundary, map given ÷ torch", "boundary", ["torch"], [0.6, 0.5, 0.6]),
  lossRow("Lovász ÷ best of smp, kornia", lovasz, ["smp", "kornia"], [0.1, 0.1, 0.1]),
];

export const mapTargets: readonly Target[] = [
  mapRow("distance transform ÷ best of edt, OpenCV", "distance", ["edt", "opencv"], [0.7, 0.5, 0.5]),
  mapRow("signed distance, both maps ÷ edt.sdf", "signed", ["edt"], [0.5, 0.4, 0.4]),
];

export const javascriptTargets: readonly Target[] = [
  lossRow("cross-entropy ÷ fastest of TensorFlow.js, jax-js", "crossEntropy", javascript, javascriptLimits),
  lossRow("focal ÷ fastest of TensorFlow.js, jax-js", "focal", javascript, javascriptLimits),
  lossRow("Dice ÷ fastest of TensorFlow.js, jax-js", "dice", javascript, javascriptLimits),
  lossRow(
    "Dice + cross-entropy ÷ fastest of TensorFlow.js, jax-js",
    "dice + crossEntropy",
    javascript,
    javascriptLimits,
  ),
];

const floor = { group: "floor", loss: "exp sweep" } as const;
const layout = { group: "layout", engines: ["segrad, channels last"] } as const;
const copied = { group: "copies", engines: ["segrad, plain arrays"] } as const;
const renewed = { group: "copies", engines: ["segrad, new arrays"] } as const;

export const machineTargets: readonly Target[] = [
  ownRow("cross-entropy ÷ exp sweep", {}, floor, [null, 1.6, null]),
  ownRow(
    "cross-entropy + Dice + focal ÷ cross-entropy",
    { loss: "crossEntropy + dice + focal" },
    {},
    [1.5, 1.5, 1.5],
  ),
  ownRow("cross-entropy, channels last ÷ first", layout, {}, [null, 1.25, 1.25]),
  ownRow("Dice, channels last ÷ first", { ...layout, loss: "dice" }, { loss: "dice" }, [null, 1.25, 1.25]),
  ownRow("cross-entropy, plain arrays ÷ buffers", copied, {}, []),
  ownRow("cross-entropy, new gradient each call ÷ buffers", renewed, {}, []),
  ownRow("Dice, plain arrays ÷ buffers", { ...copied, loss: "dice" }, { loss: "dice" }, []),
  ownRow("Dice, new gradient each call ÷ buffers", { ...renewed, loss: "dice" }, { loss: "dice" }, []),
  ...Object.entries({ "cross-entropy": "crossEntropy", Dice: "dice", focal: "focal" }).map(([name, loss]) =>
    ownRow(
      `${name}, current Node ÷ this`,
      { group: "variants", engines: [inCurrentNode], loss },
      { loss },
      [],
    ),
  ),
  ...["borders ignored", "weighted pixels", "odd sizes"].flatMap((variant) => {
    const which = { group: "variants", engines: [`segrad, ${variant}`] } as const;
    return [
      ownRow(`cross-entropy, ${variant} ÷ plain batch`, which, {}, []),
      ownRow(`Dice, ${variant} ÷ plain batch`, { ...which, loss: "dice" }, { loss: "dice" }, []),
    ];
  }),
];

/** Compiled PyTorch, which fuses: the stretch goal. */
export const stretchTargets: readonly Target[] = [
  lossRow("Dice ÷ torch.compile", "dice", ["torch.compile"], [1, null, null]),
  lossRow("cross-entropy ÷ torch.compile", "crossEntropy", ["torch.compile"], [null, 1, null]),
];

/** The fastest timing that fits; null where none was taken. */
export function fastest(results: Results, { group, workload, engines, loss }: Which): Timing | null {
  const found = results.timings.filter(
    (timing) =>
      timing.group === group &&
      timing.workload === workload &&
      timing.loss === loss &&
      engines.includes(timing.engine),
  );
  return found.reduce<Timing | null>(
    (best, timing) => (best !== null && nanoseconds(best) <= nanoseconds(timing) ? best : timing),
    null,
  );
}

/** What a run says about a cell; null where one side was not measured. */
export function outcome(results: Results, { ours, theirs, limit }: Cell): Outcome | null {
  const [our, their] = [fastest(results, ours), fastest(results, theirs)];
  if (our === null || their === null) return null;
  const ratio = nanoseconds(our) / nanoseconds(their);
  return {
    ratio,
    ofMedians: our.median / our.elements / (their.median / their.elements),
    engine: their.engine,
    isMet: limit === null ? null : ratio <= limit,
  };
}

/** Beyond this many elements the cost per element must stay within `flatness` of itself. */
const flatBeyond = 1e5;
export const flatness = 1.5;

/** Largest ÷ smallest time per element of a loss over sizes beyond 10⁵ elements, or over numbers of classes. */
export function spread(results: Results, group: "elements" | "classes", loss: string): number | null {
  const times = results.timings
    .filter((timing) => timing.group === group && timing.loss === loss && timing.elements >= flatBeyond)
    .map(nanoseconds);
  return times.length < 2 ? null : Math.max(...times) / Math.min(...times);
}
