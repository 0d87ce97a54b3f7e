/** The control of one option of a loss, from the option's row in the library's table. */

import { short } from "../../../ts/cli/text/number.ts";
import type { Bounds, ChoiceOption, NumbersOption, Option } from "../../../ts/option.ts";
import { scaleOf } from "../loss/scale.ts";
import { freshId, html } from "./dom.ts";

export type Report = (value: unknown) => void;

/** `name` is the option's name in the library; `owner` tells its controls apart for those who hear the page. */
export function optionControl(
  name: string,
  option: Option<unknown>,
  value: unknown,
  owner: string,
  report: Report,
): HTMLElement {
  switch (option.type) {
    case "number":
      return numberControl(name, option as Option<number> & Bounds, value as number, owner, report);
    case "flag":
      return flagControl(name, value as boolean, owner, report);
    case "choice":
      return selectControl(name, (option as ChoiceOption<string>).choices, value, owner, report);
    case "classes":
      return classesControl(name, option, value, owner, report);
    case "numberOrAuto":
      return textControl(name, option, value, owner, "auto, or a number", readNumberOrAuto, report);
    case "numbers": {
      const { per, single } = option as NumbersOption<unknown>;
      const hint = `none${single ? ", a number" : ""}, or one number per ${per}`;
      const read = (text: string) => readNumbers(text, single !== undefined);
      return textControl(name, option, value, owner, hint, read, report);
    }
  }
}

/** A slider for a feeling, a field for the exact number; the field may go where the slider does not. */
export function numberControl(
  name: string,
  option: Pick<Option<number>, "default" | "parse"> & Bounds,
  value: number,
  owner: string,
  report: (value: number) => void,
): HTMLElement {
  const scale = scaleOf(option, option.default);
  const [id, problem] = [freshId("number"), problemLine()];
  const slider = html("input", {
    type: "range",
    min: 0,
    max: scale.last,
    step: 1,
    "aria-label": `${owner}: ${name}, slider`,
  });
  const field = html("input", { type: "number", id, step: "any", "aria-label": `${owner}: ${name}` });
  const place = (number: number) => {
    slider.value = String(scale.positionOf(number));
    slider.setAttribute("aria-valuetext", short(number));
  };
  field.value = String(value);
  place(value);
  slider.addEventListener("input", () => {
    const number = scale.valueAt(slider.valueAsNumber);
    field.value = String(number);
    slider.setAttribute("aria-valuetext", short(number));
    problem.clear(field);
    report(number);
  });
  field.addEventListener("input", () =>
    problem.watch(field, () => {
      const number = option.parse(field.valueAsNumber, name);
      place(number);
      report(number);
    }),
  );
  return html(
    "div",
    { class: "option", "data-option": name },
    html("label", { for: id }, html("code", {}, name)),
    slider,
    field,
    problem.element,
  );
}

function flagControl(name: string, value: boolean, owner: string, report: Report): HTMLElement {
  const id = freshId("flag");
  const box = html("input", { type: "checkbox", id, checked: value, "aria-label": `${owner}: ${name}` });
  box.addEventListener("change", () => report(box.checked));
  const label = html("label", { for: id }, html("code", {}, name));
  return html("div", { class: "option", "data-option": name }, label, html("span", { class: "wide" }, box));
}

function selectControl(
  name: string,
  choices: readonly string[],
  value: unknown,
  owner: string,
  report: Report,
): HTMLElement {
  const id = freshId("choice");
  const select = html("select", { id, class: "wide", "aria-label": `${owner}: ${name}` });
  select.append(...choices.map((word) => html("option", { value: word, selected: word === value }, word)));
  select.addEventListener("change", () => report(select.value));
  const label = html("label", { for: id }, html("code", {}, name));
  return html("div", { class: "option", "data-option": name }, label, select);
}

/** Two words, or a list that has a field of its own. */
function classesControl(
  name: string,
  option: Option<unknown>,
  value: unknown,
  owner: string,
  report: Report,
): HTMLElement {
  const [id, problem] = [freshId("classes"), problemLine()];
  const chosen = Array.isArray(value) ? "list" : value;
  const select = html("select", { id, "aria-label": `${owner}: ${name}` });
  const words = { all: "all", present: "present", list: "these:" };
  select.append(
    ...Object.entries(words).map(([word, text]) =>
      html("option", { value: word, selected: word === chosen }, text),
    ),
  );
  const field = html("input", {
    type: "text",
    value: Array.isArray(value) ? value.join(", ") : "0",
    autocomplete: "off",
    spellcheck: "false",
    hidden: chosen !== "list",
    "aria-label": `${owner}: ${name}, a list of class numbers`,
  });
  const take = () =>
    problem.watch(field, () =>
      report(
        option.parse(select.value === "list" ? readNumbers(field.value.trim(), false) : select.value, name),
      ),
    );
  select.addEventListener("change", () => {
    field.hidden = select.value !== "list";
    take();
    if (!field.hidden) field.select();
  });
  field.addEventListener("input", take);
  const label = html("label", { for: id }, html("code", {}, name));
  return html("div", { class: "option", "data-option": name }, label, select, field, problem.element);
}

function textControl(
  name: string,
  option: Option<unknown>,
  value: unknown,
  owner: string,
  hint: string,
  read: (text: string) => unknown,
  report: Report,
): HTMLElement {
  const [id, problem] = [freshId("text"), problemLine()];
  const field = html("input", {
    id,
    class: "wide",
    type: "text",
    placeholder: hint,
    autocomplete: "off",
    spellcheck: "false",
    "aria-label": `${owner}: ${name} (${hint})`,
  });
  field.value = value === null || value === option.default ? "" : String(value);
  field.addEventListener("input", () =>
    problem.watch(field, () => report(option.parse(read(field.value.trim()), name))),
  );
  const label = html("label", { for: id }, html("code", {}, name));
  return html("div", { class: "option", "data-option": name }, label, field, problem.element);
}

function readNumberOrAuto(text: string): unknown {
  return text === "" || text === "auto" ? "auto" : Number(text);
}

/** A comma makes a list, also of one. */
function readNumbers(text: string, isSingleAllowed: boolean): unknown {
  if (text === "" || text === "none") return null;
  if (isSingleAllowed && !/[\s,;]/.test(text)) return Number(text);
  return text
    .split(/[\s,;]+/)
    .filter((entry) => entry !== "")
    .map(Number);
}

/** Where the library's message stands while a field holds what it refuses. */
function problemLine() {
  const element = html("p", {
    class: "problem",
    id: freshId("problem"),
    "aria-live": "polite",
    hidden: true,
  });
  const clear = (field: HTMLInputElement) => {
    element.hidden = true;
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  };
  const watch = (field: HTMLInputElement, take: () => void) => {
    try {
      take();
      clear(field);
    } catch (error) {
      element.textContent = (error as Error).message;
      element.hidden = false;
      field.setAttribute("aria-invalid", "true");
      field.setAttribute("aria-describedby", element.id);
    }
  };
  return { element, clear, watch };
}
