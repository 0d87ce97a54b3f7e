/** Elements in few words. */
import { short } from "../../../ts/cli/text/number.ts";

type Child = Node | string;
type Attributes = Readonly<Record<string, string | number | boolean>>;

/** An HTML element. An attribute that is `true` is there, one that is `false` is not. */
export function html<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  set(element, attributes);
  element.append(...children);
  return element;
}

/** An SVG element. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  set(element, attributes);
  element.append(...children);
  return element;
}

function set(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** The element of the page with this id. */
export function byId<E extends Element = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element #${id}`);
  return found as unknown as E;
}

/** A number to read, with all its digits for machines. */
export function numeral(value: number, show: (value: number) => string = short): HTMLDataElement {
  const element = html("data");
  setNumeral(element, value, show);
  return element;
}

export function setNumeral(
  element: HTMLDataElement,
  value: number,
  show: (value: number) => string = short,
): void {
  element.value = String(value);
  element.textContent = show(value);
}

let ids = 0;

/** An id that no other element has. */
export function freshId(word: string): string {
  ids += 1;
  return `${word}-${ids}`;
}

/** Calls of the returned function within one frame become one call of `draw`. */
export function oncePerFrame(draw: () => void): () => void {
  let isAsked = false;
  return () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      draw();
    });
  };
}
