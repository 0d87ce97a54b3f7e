/** The painting area: prediction in colour, outline of the truth over it, painted by pointer or by keys. */

import { type Laboratory, names } from "../laboratory.ts";
import type { Point } from "../scene/brush.ts";
import { side } from "../scene/grid.ts";
import type { Layer } from "../scene/scene.ts";
import { blend, onPaletteChange, palette, position } from "./colour.ts";
import { byId, oncePerFrame, svg } from "./dom.ts";
import { Picture } from "./picture.ts";

const arrows: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export function stageView(laboratory: Laboratory): void {
  const stage = byId("stage");
  const readout = byId("readout");
  const picture = new Picture("Prediction in colour, outline of the truth over it");
  const cursor = svg("circle", { class: "cursor", r: 1 });
  picture.overlay.append(cursor);
  stage.append(picture.element);
  stage.tabIndex = 0;
  stage.role = "application";
  stage.ariaLabel = "Painting area";
  stage.setAttribute("aria-describedby", "paint-help");

  let place: Point = { x: 64, y: 64 };
  /** Where the stroke under way has come; null while nothing is painted. */
  let brush: Point | null = null;
  const layer = () => checked("layer") as Layer;
  const isForeground = () => checked("tool") === "brush";
  const radius = () => byId<HTMLInputElement>("brush-size").valueAsNumber / 2;

  const draw = oncePerFrame(() => {
    const { scene } = laboratory;
    const logits = scene.logits();
    const { probability, image } = palette();
    const { image: brightness } = scene;
    picture.draw((i) => {
      const p = 1 / (1 + Math.exp(-logits[i]!));
      const colour = probability[position(p)]!;
      return brightness === null
        ? colour
        : blend(image[255 - Math.round(Math.sqrt(255 * brightness[i]!))]!, colour, 0.15 + 0.6 * p);
    });
    picture.outline(scene.mask);
    follow();
  });
  const follow = () => {
    cursor.setAttribute("cx", String(place.x + 0.5));
    cursor.setAttribute("cy", String(place.y + 0.5));
    cursor.setAttribute("r", String(radius()));
    readout.textContent = describe(laboratory, place);
  };
  const soonFollow = oncePerFrame(follow);

  const paint = (from: Point, to: Point) => {
    laboratory.edit((scene) => scene.paint(layer(), from, to, radius(), isForeground()));
  };
  const pointOf = (event: PointerEvent): Point => {
    const box = picture.canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * side - 0.5,
      y: ((event.clientY - box.top) / box.height) * side - 0.5,
    };
  };
  const moveTo = (point: Point) => {
    place = { x: clamp(Math.round(point.x)), y: clamp(Math.round(point.y)) };
    soonFollow();
  };

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    stage.setPointerCapture(event.pointerId);
    brush = pointOf(event);
    moveTo(brush);
    paint(brush, brush);
  });
  stage.addEventListener("pointermove", (event) => {
    for (const part of event.getCoalescedEvents?.() ?? [event]) {
      const point = pointOf(part);
      if (brush !== null) {
        paint(brush, point);
        brush = point;
      }
      moveTo(point);
    }
  });
  for (const end of ["pointerup", "pointercancel", "blur"]) {
    stage.addEventListener(end, () => {
      brush = null;
    });
  }

  stage.addEventListener("keydown", (event) => {
    const arrow = arrows[event.key];
    if (arrow !== undefined) {
      const stride = event.shiftKey ? 8 : 1;
      const next = { x: clamp(place.x + stride * arrow[0]), y: clamp(place.y + stride * arrow[1]) };
      if (brush !== null) paint(place, next);
      moveTo(next);
    } else if (event.key === " ") {
      if (!event.repeat) paint(place, place);
      brush = place;
    } else if (event.key === "e") {
      byId(isForeground() ? "tool-erase" : "tool-brush").click();
    } else return;
    event.preventDefault();
  });
  stage.addEventListener("keyup", (event) => {
    if (event.key === " ") brush = null;
  });
  byId("brush-size").addEventListener("input", soonFollow);
  laboratory.listen((change) => {
    if (change === "scene") draw();
    else soonFollow();
  });
  onPaletteChange(draw);
  draw();
}

const clamp = (coordinate: number) => Math.min(side - 1, Math.max(0, coordinate));

function checked(name: string): string {
  return document.querySelector<HTMLInputElement>(`input[name="${name}"]:checked`)!.value;
}

/** What there is at a pixel, with the gradients of both losses. */
function describe({ scene, runs }: Laboratory, { x, y }: Point): string {
  const i = y * side + x;
  const gradients = runs.map((run, k) => `∂${names[k]} ${brief(run.gradient[i]!)}`);
  return [`x ${x}, y ${y}`, scene.mask[i] === 1 ? "inside" : "outside", ...gradients].join(" · ");
}

const brief = (value: number) => (value === 0 ? "0" : value.toExponential(1).replaceAll("-", "−"));
