/** The landscape experiment, live: both losses while a prediction drifts away from a large and from a small object. */
import { SegradError, valueAndGrad } from "segrad";
import { batchAt, type Candidate, type Curve, follow } from "../../../ts/cli/landscape/experiment.ts";
import {
  type DriftName,
  drifts,
  type Sharpness,
  type Size,
  sizes,
  truth,
} from "../../../ts/cli/landscape/scene.ts";
import { judge } from "../../../ts/cli/landscape/verdict.ts";
import { type Laboratory, names } from "../laboratory.ts";
import { ChartFrame } from "./chart.ts";
import { byId, html, numeral, oncePerFrame, svg } from "./dom.ts";

/** Milliseconds of rest before curves are computed anew while a slider moves. */
const rest = 150;

export function driftView(laboratory: Laboratory): void {
  const charts = names.map((name) => new DriftChart(name));
  byId("drifts").append(...charts.map(({ element }) => element));
  const select = byId<HTMLSelectElement>("drift");
  select.append(...Object.values(drifts).map(({ name, title }) => html("option", { value: name }, title)));
  const slider = byId<HTMLInputElement>("amount");
  const output = byId<HTMLOutputElement>("amount-value");
  const sharpness = () =>
    document.querySelector<HTMLInputElement>('input[name="sharpness"]:checked')!.value as Sharpness;
  const drift = () => drifts[select.value as DriftName];

  /** The amount at the slider: the step of that number along the way of this size. */
  const amountOf = (size: Size) => drift().amounts(size)[slider.valueAsNumber]!;
  const mark = () => {
    const amounts = sizes.map(amountOf);
    const [large, small] = amounts as [number, number];
    const words =
      large === small ? quantity(large) : `${quantity(large)} (large), ${quantity(small)} (small)`;
    output.textContent = words;
    slider.setAttribute("aria-valuetext", words);
    for (const chart of charts) chart.mark(slider.valueAsNumber);
  };
  const quantity = (amount: number) => {
    const { unit } = drift();
    const [noun, ...others] = unit.split(" ");
    return [Number(amount.toFixed(2)), amount === 1 ? noun : `${noun}s`, ...others].join(" ");
  };
  const compute = () => {
    charts.forEach((chart, i) => {
      chart.follow(laboratory.runs[i]!.candidate, drift().name, sharpness());
    });
    mark();
  };

  let timer: ReturnType<typeof setTimeout> | undefined;
  laboratory.listen((change) => {
    if (change !== "loss") return;
    clearTimeout(timer);
    timer = setTimeout(compute, rest);
  });
  const restart = () => {
    slider.max = String(drift().amounts("large").length - 1);
    slider.value = String(Math.round(Number(slider.max) / 4));
    compute();
  };
  select.addEventListener("change", restart);
  for (const choice of document.querySelectorAll('input[name="sharpness"]')) {
    choice.addEventListener("change", compute);
  }
  slider.addEventListener("input", oncePerFrame(mark));
  for (const size of sizes) {
    byId(`take-${size}`).addEventListener("click", () => {
      const path = { size, drift: drift().name, sharpness: sharpness() };
      laboratory.edit((scene) => {
        scene.setTruth(truth(size), null);
        scene.setLogits(batchAt(path, amountOf(size)).logits);
      });
      byId("stage").scrollIntoView({ block: "nearest" });
    });
  }
  restart();
}

class DriftChart {
  readonly element: HTMLElement;
  readonly #chart = new ChartFrame(svg("svg", { class: "chart", role: "img" }));
  readonly #key = html("ul", { class: "key" });
  readonly #problem = html("p", { class: "problem", hidden: true });
  readonly #style: string;
  #title = "";
  #curves: Curve[] = [];

  constructor(readonly name: string) {
    this.#style = `line-${name.toLowerCase()}`;
    this.element = html(
      "figure",
      { class: `drift side-${name.toLowerCase()}`, "aria-label": `Loss ${name} along the drift` },
      this.#chart.element,
      this.#key,
      this.#problem,
    );
  }

  follow(candidate: Candidate, drift: DriftName, sharpness: Sharpness): void {
    this.#title = candidate.title;
    this.#problem.hidden = true;
    try {
      this.#curves = sizes.flatMap((size) => follow(valueAndGrad, [candidate], { size, drift, sharpness }));
    } catch (error) {
      if (!(error instanceof SegradError)) throw error;
      this.#curves = [];
      this.#problem.textContent = error.message;
      this.#problem.hidden = false;
    }
  }

  /** Draws the curves, with a mark at one step of the way. */
  mark(step: number): void {
    const last = Math.max(1, (this.#curves[0]?.amounts.length ?? 0) - 1);
    this.#chart.draw({
      lines: this.#curves.map(({ size, values }) => ({
        style: `${this.#style} ${size}`,
        xs: values.map((_, i) => i),
        ys: values,
      })),
      last,
      ends: ["the truth", "far away"],
      marker: step,
    });
    const words = this.#curves.map((curve) => {
      const value = numeral(curve.values[step] ?? Number.NaN);
      const norm = numeral(curve.norms[step] ?? Number.NaN);
      return html(
        "li",
        { class: curve.size },
        html("span", { class: `swatch ${this.#style} ${curve.size}`, "aria-hidden": "true" }),
        html("span", {}, `${curve.size} object`),
        value,
        html("span", { class: "course" }, judge(curve).course),
        html("span", { class: "norm" }, "‖∇‖ ", norm),
      );
    });
    this.#key.replaceChildren(...words);
    const courses = this.#curves.map((curve) => `${curve.size} object ${judge(curve).course}`).join(", ");
    this.#chart.element.setAttribute("aria-label", `${this.#title} along the drift: ${courses}`);
  }
}
