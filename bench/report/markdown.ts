/** RESULTS.md: everything in it follows from the results. */
import { type Group, nanoseconds, type Results, type Timing } from "../results.ts";
import {
  fastest,
  flatness,
  javascriptTargets,
  machineTargets,
  mapTargets,
  outcome,
  peerTargets,
  spread,
  stretchTargets,
  type Target,
} from "../targets.ts";
import { masksNames, workloadNames } from "../workloads.ts";
import { digits, table } from "./table.ts";
import { titleOf } from "./titles.ts";

/** The whole page. `pictures` are shown in its order, by file name and what they show. */
export function markdown(results: Results, pictures: readonly { file: string; title: string }[]): string {
  const parts = [
    "# Results of the benchmark",
    "Written by `npm run bench`; made from `results.json` alone (`npm run bench -- --report` writes it again).",
    setting(results),
    "Times are of the value and the gradient with respect to the logits, one thread. **ns** is the shortest run in nanoseconds per element (pixel × class), *median* the median run. Every row has a warm-up, then at least 9 runs and at least 0.4 s of them (SciPy 3 runs). TensorFlow.js cpu and segrad/reference run on a corner of the first image (16 384 and 4 096 pixels), since they need microseconds per element.",
    "Ratios are segrad's time ÷ the other's, of the shortest runs, in brackets of the medians; then whether the target is met, the target, and who was fastest.",
    ...pictures.map(({ file, title }) => `![${title}](${file})`),
    ...section("## Against native libraries in Python, one thread", [
      targetTable(results, peerTargets, workloadNames),
      note(
        targetTable(results, mapTargets, masksNames),
        "segrad's signed distance is one call that makes two maps, of the background and of the mask; `edt.sdf` makes one:",
      ),
      targetTable(results, stretchTargets, workloadNames),
    ]),
    ...section("## Against other libraries in JavaScript", [
      targetTable(results, javascriptTargets, workloadNames),
    ]),
    ...section("## Against the machine and itself", [
      note(
        targetTable(results, machineTargets, workloadNames),
        "The exp sweep reads, takes exponentials and writes, in the same module: no loss can be faster.",
      ),
      growth(results),
    ]),
    missed(results),
    ...workloadNames.flatMap((workload) =>
      section(`## ${titleOf(workload)}`, [
        ownTimes(results, "losses", workload),
        otherTimes(results, "losses", workload),
      ]),
    ),
    ...section("## Maps", [
      ...masksNames.flatMap((masks) => [
        ownTimes(results, "maps", masks),
        otherTimes(results, "maps", masks),
      ]),
    ]),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** A heading and what stands below it; nothing where all of that is empty. */
const section = (heading: string, parts: readonly string[]): string[] =>
  parts.every((part) => part === "") ? [] : [heading, ...parts];

/** A part with a sentence before it; nothing where the part is empty. */
const note = (part: string, sentence: string): string => (part === "" ? "" : `${sentence}\n\n${part}`);

function setting({ date, size, machine, versions }: Results): string {
  const lines = [
    `- Date: ${date}`,
    `- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.gigabytes} GB, ${machine.system}`,
    `- Versions: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join("; ")}`,
  ];
  if (size === "quick") lines.push("- **Quick run on tiny arrays: these times say nothing.**");
  return lines.join("\n");
}

/** Ratios of the shortest runs, of the medians in brackets, with the limit and the fastest of the others. */
function targetTable(results: Results, targets: readonly Target[], columns: readonly string[]): string {
  const rows = targets
    .filter(({ cells }) => cells.some((cell) => outcome(results, cell) !== null))
    .map(({ title, cells }) => [
      title,
      ...cells.map((cell) => {
        const found = outcome(results, cell);
        if (found === null) return "";
        const verdict =
          found.isMet === null || results.size === "quick"
            ? ""
            : ` ${found.isMet ? "✓" : "✗"} ≤ ${cell.limit}`;
        const rival = found.engine.startsWith("segrad") ? "" : `, ${found.engine}`;
        return `${digits(found.ratio)} (${digits(found.ofMedians)})${verdict}${rival}`;
      }),
    ]);
  return rows.length === 0 ? "" : table(["segrad ÷ …", ...columns], rows);
}

function growth(results: Results): string {
  const lines = (["elements", "classes"] as const).flatMap((group) =>
    ["crossEntropy", "dice"].flatMap((loss) => {
      const found = spread(results, group, loss);
      if (found === null) return [];
      const over = group === "elements" ? "from 10⁵ to 10⁸ elements" : "from 2 to 150 classes";
      const verdict = found <= flatness ? "✓" : "✗";
      return [
        `- ${loss} ${over}: the slowest is ${digits(found)} × the fastest per element ${verdict} ≤ ${flatness}`,
      ];
    }),
  );
  if (results.memory) {
    const { calls, before, after } = results.memory;
    const verdict = after === before ? "✓" : "✗";
    lines.push(
      `- WebAssembly memory grew by ${after - before} bytes over ${calls} calls of all losses ${verdict} 0`,
    );
  }
  return lines.join("\n");
}

/** Targets that are not met: by how much, and what was tried. */
function missed(results: Results): string {
  const all = [...peerTargets, ...mapTargets, ...javascriptTargets, ...machineTargets, ...stretchTargets];
  const lines = all.flatMap(({ title, cells, tried }) => {
    const places = cells.flatMap((cell) => {
      const found = outcome(results, cell);
      if (found?.isMet !== false) return [];
      const share = Math.round((found.ratio / cell.limit! - 1) * 100);
      return [`${cell.column}: ${digits(found.ratio)} for ${cell.limit}, ${share}% over`];
    });
    return places.length === 0 ? [] : [`- ${title}: ${places.join("; ")}.${tried ? ` Seen: ${tried}.` : ""}`];
  });
  if (results.size === "quick") return "";
  return lines.length === 0 ? "" : ["### Missed", "", ...lines].join("\n");
}

const select = (results: Results, group: Group, workload: string): readonly Timing[] =>
  results.timings.filter((timing) => timing.group === group && timing.workload === workload);

/** segrad's own times: per element, against the exp sweep, and as throughput. */
function ownTimes(results: Results, group: Group, workload: string): string {
  const own = select(results, group, workload).filter(({ engine }) => engine === "segrad");
  if (own.length === 0) return "";
  const floors = select(results, "floor", workload);
  const exp = floors.find(({ loss }) => loss === "exp sweep");
  const rows = [...floors, ...own].map((timing) => [
    timing.loss,
    digits(nanoseconds(timing)),
    digits((timing.median * 1e6) / timing.elements),
    ...(exp ? [digits(nanoseconds(timing) / nanoseconds(exp))] : []),
    digits(1e3 / nanoseconds(timing)),
  ]);
  const name = group === "maps" ? `segrad on ${workload}` : "segrad";
  return table([name, "ns", "*median*", ...(exp ? ["÷ exp sweep"] : []), "million elements/s"], rows);
}

/** ns per element of the other engines, a column each, for the losses they have. */
function otherTimes(results: Results, group: Group, workload: string): string {
  const all = select(results, group, workload);
  const others = all.filter(({ engine }) => engine !== "segrad");
  const engines = [...new Set(others.map(({ engine }) => engine))];
  // In the order of segrad's own rows, which come first.
  const losses = [...new Set(all.map(({ loss }) => loss))].filter((loss) =>
    others.some((t) => t.loss === loss),
  );
  if (others.length === 0) return "";
  const rows = losses.map((loss) => [
    loss,
    ...["segrad", ...engines].map((engine) => {
      const found = fastest(results, { group, workload, engines: [engine], loss });
      return found === null ? "" : digits(nanoseconds(found));
    }),
  ]);
  return table(["ns", "segrad", ...engines], rows);
}
