/** Presets, files and sliders of truth and prediction. */
import { metrics } from "segrad";
import { short } from "../../../ts/cli/text/number.ts";
import type { Laboratory } from "../laboratory.ts";
import type { Distortion } from "../scene/distortion.ts";
import { foreground, side } from "../scene/grid.ts";
import { loadNuclei, readBrightness } from "../scene/pictures.ts";
import { type PresetName, presets } from "../scene/presets.ts";
import { fromBrightness, type Source, sources } from "../scene/scene.ts";
import { byId, html, numeral, oncePerFrame } from "./dom.ts";

interface Slider {
  readonly title: string;
  readonly unit: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

const sliders: Readonly<Record<keyof Distortion, Slider>> = {
  shiftX: { title: "Shift right", unit: "px", min: -40, max: 40, step: 1 },
  shiftY: { title: "Shift down", unit: "px", min: -40, max: 40, step: 1 },
  grow: { title: "Grow", unit: "px", min: -12, max: 12, step: 0.5 },
  blur: { title: "Blur", unit: "px", min: 0, max: 20, step: 0.5 },
  noise: { title: "Noise", unit: "logits", min: 0, max: 6, step: 0.1 },
  confidence: { title: "Confidence", unit: "logits", min: 0.5, max: 16, step: 0.5 },
};

export function sceneControls(laboratory: Laboratory): void {
  const { scene } = laboratory;
  wirePresets(laboratory);
  wireFiles(laboratory);

  const source = byId<HTMLSelectElement>("source");
  const options = (Object.keys(sources) as Source[]).map((name) =>
    html("option", { value: name }, sources[name]),
  );
  source.append(...options);
  source.addEventListener("change", () => {
    laboratory.edit((scene) => {
      scene.source = source.value as Source;
    });
  });

  const rows = Object.entries(sliders).map(([name, slider]) =>
    sliderRow(slider, scene.distortion[name as keyof Distortion], (value) => {
      laboratory.edit((scene) => {
        scene.distortion = { ...scene.distortion, [name]: value };
      });
    }),
  );
  byId("distortion").append(...rows);
  byId("clear-strokes").addEventListener("click", () => {
    laboratory.edit((scene) => scene.strokes.fill(0));
  });

  const show = oncePerFrame(() => {
    options.forEach((option) => {
      option.disabled = option.hidden = !scene.has(option.value as Source);
    });
    source.value = scene.source;
    byId("distortion").hidden = scene.source !== "copy";
    byId<HTMLButtonElement>("clear-strokes").disabled = scene.strokes.every((stroke) => stroke === 0);
    showFacts(laboratory);
  });
  laboratory.listen((change) => {
    if (change === "scene") show();
  });
  show();
}

function wirePresets(laboratory: Laboratory): void {
  const list = byId("presets");
  const button = (title: string, name: string, load: () => void) => {
    const element = html("button", { type: "button", "data-preset": name }, title);
    element.addEventListener("click", load);
    return element;
  };
  const entries = Object.entries(presets).map(([name, { title }]) =>
    button(title, name, () => laboratory.edit((scene) => scene.load(name as PresetName))),
  );
  const nuclei = button("Cell nuclei", "nuclei", async () => {
    try {
      const { image, mask } = await loadNuclei();
      laboratory.edit((scene) => scene.setTruth(mask, image));
      say("");
    } catch (error) {
      say(`The nuclei cannot be loaded: ${(error as Error).message}`);
    }
  });
  list.append(nuclei, ...entries);
}

/** A mask is what is brighter than the middle; a prediction is as sure as it is bright. */
function wireFiles(laboratory: Laboratory): void {
  const onFile = (id: string, use: (brightness: Uint8Array) => void) => {
    const input = byId<HTMLInputElement>(id);
    input.addEventListener("change", async () => {
      const file = input.files?.[0];
      if (file === undefined) return;
      try {
        use(await readBrightness(file));
        say("");
      } catch {
        say(`${file.name} is not a picture this browser can read`);
      }
      input.value = "";
    });
  };
  onFile("mask-file", (brightness) => {
    const mask = brightness.map((level) => (level > 127 ? 1 : 0));
    laboratory.edit((scene) => scene.setTruth(mask, null));
  });
  onFile("prediction-file", (brightness) => {
    laboratory.edit((scene) => scene.setLogits(fromBrightness(brightness)));
  });
}

function say(message: string): void {
  byId("scene-message").textContent = message;
}

function sliderRow(
  { title, unit, min, max, step }: Slider,
  value: number,
  report: (value: number) => void,
): HTMLElement {
  const input = html("input", { type: "range", min, max, step, value });
  const output = html("output");
  const show = () => {
    output.textContent = `${input.value.replace("-", "−")} ${unit}`;
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => {
    show();
    report(input.valueAsNumber);
  });
  show();
  return html("label", { class: "slider" }, html("span", {}, title), input, output);
}

/** Sizes, and how well the two agree, by the library's metrics. */
function showFacts({ scene }: Laboratory): void {
  const prediction = foreground(scene.logits());
  const [, object] = metrics(prediction, scene.mask, { shape: [side, side], classes: 2 });
  const count = (mask: Uint8Array) => mask.reduce((sum, label) => sum + label, 0);
  const fact = (term: string, value: number, show = (number: number) => short(number)) =>
    html("div", {}, html("dt", {}, term), html("dd", {}, numeral(value, show)));
  byId("scene-facts").replaceChildren(
    fact("Truth, px", count(scene.mask), String),
    fact("Predicted, px", count(prediction), String),
    fact("Dice", object!.dice, (dice) => dice.toFixed(3)),
    fact("HD95, px", object!.hausdorff95, (distance) =>
      Number.isFinite(distance) ? distance.toFixed(1) : "∞",
    ),
  );
}
