/** One side of the descent: what the logits look like, what the loss says of them. */
import { short } from "../../../ts/cli/text/number.ts";
import { largest, type Run } from "../loss/run.ts";
import { palette, position } from "./colour.ts";
import { html, numeral, setNumeral } from "./dom.ts";
import { Legend } from "./legend.ts";
import { Picture } from "./picture.ts";

/** What the lower picture shows. */
export type Lens = "gradient" | "map";

export class RunView {
  readonly element: HTMLElement;
  readonly #prediction: Picture;
  readonly #lower: Picture;
  readonly #probabilityLegend = new Legend();
  readonly #lowerLegend = new Legend();
  readonly #note = html("p", { class: "note", hidden: true }, "This loss is not a sum over pixels.");
  readonly #title = html("code", { class: "loss-text" });
  readonly #value = html("data", { class: "value" });
  readonly #terms = html("ul", { class: "term-values" });
  readonly #problem = html("p", { class: "problem", role: "alert", hidden: true });
  readonly #facts: Record<"dice" | "steepest" | "milliseconds", HTMLDataElement> = {
    dice: html("data"),
    steepest: html("data"),
    milliseconds: html("data"),
  };

  constructor(
    name: string,
    private readonly run: Run,
  ) {
    this.#prediction = new Picture(`Prediction of loss ${name}: the probability of every pixel`);
    this.#lower = new Picture(`Gradient of loss ${name} at every pixel`);
    const fact = (term: string, value: HTMLElement) =>
      html("div", {}, html("dt", {}, term), html("dd", {}, value));
    this.element = html(
      "section",
      { class: `run side-${name.toLowerCase()}`, "aria-label": `Results of loss ${name}` },
      html("h3", {}, html("span", { class: "chip" }, name), this.#title),
      html("div", { class: "value-line" }, this.#value, this.#terms, this.#problem),
      html(
        "div",
        { class: "pictures" },
        html("figure", {}, this.#prediction.element, this.#probabilityLegend.element),
        html(
          "figure",
          {},
          html("div", { class: "stack" }, this.#lower.element, this.#note),
          this.#lowerLegend.element,
        ),
      ),
      html(
        "dl",
        { class: "facts" },
        fact("Dice", this.#facts.dice),
        fact("Steepest", this.#facts.steepest),
        fact("ms per step", this.#facts.milliseconds),
      ),
    );
  }

  draw(mask: Uint8Array, lens: Lens): void {
    this.#drawNumbers();
    const { logits } = this.run;
    const { probability } = palette();
    this.#prediction.draw((i) => probability[position(1 / (1 + Math.exp(-logits[i]!)))]!);
    this.#prediction.outline(mask);
    this.#probabilityLegend.show("Prediction p", probability, 0, 1);
    this.#lower.outline(mask);
    if (lens === "gradient") this.#drawGradient();
    else this.#drawMap();
  }

  #drawNumbers(): void {
    const { candidate, evaluation } = this.run;
    const isRefused = typeof evaluation === "string";
    this.#title.textContent = candidate.title;
    this.#problem.hidden = !isRefused;
    if (isRefused && this.#problem.textContent !== evaluation) this.#problem.textContent = evaluation;
    const { value, terms } = isRefused ? { value: Number.NaN, terms: [] } : evaluation;
    setNumeral(this.#value, value, (number) => (Number.isNaN(number) ? "–" : short(number)));
    const loss = candidate.loss as { terms?: readonly { weight: number; loss: { kind: string } }[] };
    this.#terms.replaceChildren(
      ...(loss.terms === undefined ? [] : terms).map((term, i) => {
        const { weight, loss: part } = loss.terms![i]!;
        return html("li", {}, html("span", {}, `${weight} × ${part.kind}`), numeral(term));
      }),
    );
    setNumeral(this.#facts.dice, this.run.dice, (dice) => dice.toFixed(3));
    setNumeral(this.#facts.steepest, largest(this.run.gradient));
    setNumeral(this.#facts.milliseconds, this.run.milliseconds, (time) =>
      Number.isNaN(time) ? "–" : time.toFixed(2),
    );
  }

  #drawGradient(): void {
    const { gradient } = this.run;
    const { gradient: colours } = palette();
    const limit = usualLimit(gradient);
    const factor = limit > 0 ? 127.5 / limit : 0;
    this.#note.hidden = true;
    this.#lower.draw((i) => colours[shade(gradient[i]! * factor)]!);
    this.#lowerLegend.show("Gradient ∂L/∂z", colours, -limit, limit);
  }

  #drawMap(): void {
    const map = this.run.map();
    const { loss: colours } = palette();
    this.#note.hidden = map !== null;
    if (map === null) {
      this.#lower.draw(() => colours[0]!);
      this.#lowerLegend.clear("No loss per pixel");
      return;
    }
    const limit = usualLimit(map);
    this.#lower.draw((i) => colours[position(limit > 0 ? map[i]! / limit : 0)]!);
    this.#lowerLegend.show("Loss per pixel", colours, 0, limit);
  }
}

/** The table position of a number within ±127.5. */
function shade(value: number): number {
  return value >= 127.5 ? 255 : value <= -127.5 ? 0 : Math.round(127.5 + value) || 0;
}

/** The size that all but a few of the pixels that are not 0 stay below: outliers do not pale the rest. */
function usualLimit(values: Float32Array): number {
  const most = largest(values);
  const counts = new Uint32Array(256);
  let total = 0;
  for (const value of values) {
    if (value === 0 || !Number.isFinite(value)) continue;
    counts[Math.min(255, Math.floor((256 * Math.abs(value)) / most))]! += 1;
    total += 1;
  }
  let bin = 255;
  for (let beyond = counts[bin]!; bin > 0 && beyond <= 0.002 * total; beyond += counts[bin]!) bin -= 1;
  return (most * (bin + 1)) / 256;
}
