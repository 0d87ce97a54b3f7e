/** The descent: play, pause, step, reset, and how both sides come along. */
import { type Laboratory, names } from "../laboratory.ts";
import type { Rule } from "../loss/run.ts";
import { ChartFrame } from "./chart.ts";
import { onPaletteChange } from "./colour.ts";
import { byId, oncePerFrame } from "./dom.ts";
import { type Lens, RunView } from "./runView.ts";

/** Pictures per second for people who asked for less motion. */
const calmRate = 2;

export function descentView(laboratory: Laboratory): void {
  const views = laboratory.runs.map((run, i) => new RunView(names[i]!, run));
  byId("runs").append(...views.map(({ element }) => element));
  const play = byId<HTMLButtonElement>("play");
  const chart = new ChartFrame(byId<SVGSVGElement>("dice-chart"));
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let lens: Lens = "gradient";
  let isPlaying = false;
  let drawn = 0;

  const draw = () => {
    views.forEach((view) => {
      view.draw(laboratory.scene.mask, lens);
    });
    drawHistory(chart, laboratory);
    byId("step-count").textContent = String(laboratory.runs[0].steps);
  };
  const soon = oncePerFrame(draw);
  laboratory.listen((change) => {
    if (change !== "step" || !isPlaying) soon();
  });
  onPaletteChange(soon);

  const frame = (now: number) => {
    if (!isPlaying) return;
    laboratory.step(Number(byId<HTMLSelectElement>("pace").value));
    if (!calm.matches || now - drawn >= 1000 / calmRate) {
      drawn = now;
      draw();
    }
    requestAnimationFrame(frame);
  };
  const toggle = (wanted: boolean) => {
    isPlaying = wanted;
    play.textContent = wanted ? "Pause" : "Descend";
    play.setAttribute("aria-pressed", String(wanted));
    if (wanted) requestAnimationFrame(frame);
    else soon();
  };
  play.addEventListener("click", () => toggle(!isPlaying));
  byId("step").addEventListener("click", () => {
    toggle(false);
    laboratory.step();
  });
  byId("reset").addEventListener("click", () => {
    toggle(false);
    laboratory.reset();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) toggle(false);
  });

  wireRate(laboratory);
  const rule = byId<HTMLSelectElement>("rule");
  rule.addEventListener("change", () => {
    laboratory.rule = rule.value as Rule;
  });
  for (const choice of document.querySelectorAll<HTMLInputElement>('input[name="lens"]')) {
    choice.addEventListener("change", () => {
      lens = choice.value as Lens;
      soon();
    });
  }
  soon();
}

/** The slider counts twentieths of a power of ten: 0.01 to 10. */
function wireRate(laboratory: Laboratory): void {
  const slider = byId<HTMLInputElement>("rate");
  const output = byId<HTMLOutputElement>("rate-value");
  const read = () => {
    laboratory.rate = Number((10 ** (slider.valueAsNumber / 20)).toPrecision(2));
    output.textContent = String(laboratory.rate);
    slider.setAttribute("aria-valuetext", String(laboratory.rate));
  };
  slider.addEventListener("input", read);
  read();
}

function drawHistory(chart: ChartFrame, laboratory: Laboratory): void {
  const { runs } = laboratory;
  const last = Math.max(1, runs[0].steps);
  chart.draw({
    lines: runs.map(({ history }, i) => ({
      style: `line-${names[i]!.toLowerCase()}`,
      xs: history.map(({ step }) => step),
      ys: history.map(({ dice }) => dice),
    })),
    last,
    ends: ["start", `step ${last}`],
    range: [0, 1],
    marker: runs[0].steps,
  });
  byId("dice-empty").hidden = runs[0].steps > 0;
}
