/** A picture of the grid: a canvas of one pixel per number, and the outline of the truth over it. */
import { pixels, side } from "../scene/grid.ts";
import { html, svg } from "./dom.ts";

export class Picture {
  readonly element: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  /** Lies over the canvas, in units of its pixels. */
  readonly overlay: SVGSVGElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #data = new ImageData(side, side);
  readonly #colours = new Uint32Array(this.#data.data.buffer);
  readonly #lines = [svg("path", { class: "outline-ground" }), svg("path", { class: "outline" })];
  #mask: Uint8Array | null = null;

  constructor(label: string) {
    this.canvas = html("canvas", { width: side, height: side, role: "img", "aria-label": label });
    this.#context = this.canvas.getContext("2d")!;
    this.overlay = svg(
      "svg",
      { viewBox: `0 0 ${side} ${side}`, "aria-hidden": "true", focusable: "false" },
      ...this.#lines,
    );
    this.element = html("div", { class: "picture" }, this.canvas, this.overlay);
  }

  draw(colourOf: (pixel: number) => number): void {
    for (let i = 0; i < pixels; i++) this.#colours[i] = colourOf(i);
    this.#context.putImageData(this.#data, 0, 0);
  }

  /** Traces the truth, unless it is the one that is traced already. */
  outline(mask: Uint8Array): void {
    if (mask === this.#mask) return;
    this.#mask = mask;
    const path = outlineOf(mask);
    for (const line of this.#lines) line.setAttribute("d", path);
  }
}

/** The edges between foreground and background as an SVG path; neighbouring edges of a row or column are one. */
export function outlineOf(mask: Uint8Array): string {
  const at = (x: number, y: number) => (x < 0 || y < 0 || x >= side || y >= side ? 0 : mask[y * side + x]!);
  let path = "";
  for (let line = 0; line <= side; line++) {
    for (let place = 0, across = 0, down = 0; place <= side; place++) {
      if (place === side || at(place, line - 1) === at(place, line)) {
        if (place > across) path += `M${across} ${line}H${place}`;
        across = place + 1;
      }
      if (place === side || at(line - 1, place) === at(line, place)) {
        if (place > down) path += `M${line} ${down}V${place}`;
        down = place + 1;
      }
    }
  }
  return path;
}
