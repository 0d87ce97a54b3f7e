/** A colour scale with its numbers. */
import { short } from "../../../ts/cli/text/number.ts";
import { cssGradient, type Scale } from "./colour.ts";
import { html, setNumeral } from "./dom.ts";

export class Legend {
  readonly element: HTMLElement;
  readonly #bar = html("span", { class: "legend-bar", "aria-hidden": "true" });
  readonly #low = html("data");
  readonly #high = html("data");
  readonly #words = html("span", { class: "legend-words" });

  constructor() {
    this.element = html(
      "figcaption",
      { class: "legend" },
      this.#words,
      this.#bar,
      html("span", { class: "legend-ends" }, this.#low, this.#high),
    );
  }

  /** Words alone: there is nothing to read off. */
  clear(words: string): void {
    this.show(words, new Uint32Array(256), 0, 0);
    this.element.classList.add("empty");
  }

  show(words: string, colours: Scale, low: number, high: number): void {
    this.element.classList.remove("empty");
    this.#words.textContent = words;
    this.#bar.style.backgroundImage = cssGradient(colours);
    setNumeral(this.#low, low, showEnd);
    setNumeral(this.#high, high, showEnd);
  }
}

const showEnd = (value: number) => (Number.isInteger(value) ? String(value) : short(value));
