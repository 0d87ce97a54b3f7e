/** The loss of one side: terms to pick, weigh and set. */
import type { Kind } from "segrad";
import { parseNumber } from "../../../ts/option.ts";
import { kinds, type Mix, optionsOf, type Term, term } from "../loss/mix.ts";
import { html } from "./dom.ts";
import { numberControl, optionControl } from "./optionControl.ts";

const weightBounds = { default: 1, min: 0, max: 2 };

/** Changes `mix` in place and calls `report` after each change. */
export function mixEditor(name: string, mix: Mix, report: () => void): HTMLElement {
  const list = html("ol", { class: "terms" });
  const add = html("button", { type: "button", class: "quiet" }, "Add a term");
  const changed = () => {
    report();
    list.classList.toggle("single", mix.length === 1);
  };

  const append = (entry: Term): HTMLElement => {
    const item = termEditor(name, entry, changed, () => {
      mix.splice(mix.indexOf(entry), 1);
      item.remove();
      renumber();
      changed();
      add.focus();
    });
    list.append(item);
    renumber();
    return item;
  };
  const renumber = () => {
    [...list.children].forEach((item, i) => {
      item.setAttribute("aria-label", `Loss ${name}, term ${i + 1}`);
    });
  };

  add.addEventListener("click", () => {
    const unused = kinds.find((kind) => mix.every((entry) => entry.kind !== kind)) ?? kinds[0]!;
    const entry = term(unused, 1);
    mix.push(entry);
    const item = append(entry);
    changed();
    item.querySelector("select")!.focus();
  });

  for (const entry of mix) append(entry);
  list.classList.toggle("single", mix.length === 1);
  return html(
    "section",
    { class: `mix side-${name.toLowerCase()}`, "aria-label": `Loss ${name}` },
    html("h3", {}, html("span", { class: "chip" }, name), `Loss ${name}`),
    list,
    add,
  );
}

function termEditor(name: string, entry: Term, changed: () => void, remove: () => void): HTMLElement {
  const select = html("select", { "aria-label": `Loss ${name}: kind` });
  select.append(...kinds.map((kind) => html("option", { value: kind, selected: kind === entry.kind }, kind)));
  const options = html("div", { class: "options" });
  const fold = html("details", {}, html("summary", {}, "Options"), options);

  const fill = () => {
    const rows = Object.entries(optionsOf(entry.kind)).map(([option, row]) =>
      optionControl(option, row, entry.options[option] ?? row.default, `${name} ${entry.kind}`, (value) => {
        if (value === row.default) delete entry.options[option];
        else entry.options[option] = value;
        changed();
      }),
    );
    options.replaceChildren(...rows);
  };
  fill();
  select.addEventListener("change", () => {
    entry.kind = select.value as Kind;
    entry.options = {};
    fill();
    changed();
  });

  const drop = html(
    "button",
    {
      type: "button",
      class: "quiet remove",
      "aria-label": `Loss ${name}: remove this term`,
      title: "Remove",
    },
    "×",
  );
  drop.addEventListener("click", remove);
  const weight = numberControl(
    "weight",
    { ...weightBounds, parse: (value, what) => parseNumber(value, what) },
    entry.weight,
    `Loss ${name}`,
    (value) => {
      entry.weight = value;
      changed();
    },
  );
  return html("li", {}, html("div", { class: "term-head" }, select, drop), weight, fold);
}
