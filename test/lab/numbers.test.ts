/** The Loss Lab, clicked through: what it shows is what the library gives in Node. */
import { readFile } from "node:fs/promises";
import {
  crossEntropy,
  dice,
  focal,
  generalizedDice,
  lossMap,
  lovaszHinge,
  metrics,
  sum,
  valueAndGrad,
} from "segrad";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { foreground } from "../../lab/src/scene/grid.ts";
import { loadNuclei } from "../../lab/src/scene/pictures.ts";
import { Scene } from "../../lab/src/scene/scene.ts";
import { batchAt, type Path } from "../../ts/cli/landscape/experiment.ts";
import { truth } from "../../ts/cli/landscape/scene.ts";
import { type Lab, numberIn, openLab, pixelsOf, settled, sideOf, startBatch, valueWithGrad } from "./page.ts";

const side = 128;
const pixels = side * side;
const shape = [1, 1, side, side];

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
}, 60_000);
afterAll(() => lab?.[Symbol.asyncDispose]());

describe("numbers on the page are those of the library in Node", () => {
  test("of the first scene, and of a mix of losses with options", async () => {
    await using visit = await lab.open();
    const [a, b] = [sideOf(visit, "A"), sideOf(visit, "B")];
    const batch = startBatch();
    expect(await numberIn(a.value)).toBe(valueWithGrad(crossEntropy(), batch));
    expect(await numberIn(b.value)).toBe(valueWithGrad(dice(), batch));
    const { grad } = valueAndGrad(crossEntropy(), batch);
    expect(await numberIn(a.steepest)).toBe(grad.reduce((most, slope) => Math.max(most, Math.abs(slope)), 0));

    await a.kind.selectOption("focal");
    await a.editor.getByText("Options").click();
    await a.editor.getByLabel("A focal: gamma", { exact: true }).fill("1.5");
    await a.editor.getByRole("button", { name: "Add a term" }).click();
    await a.kind.nth(1).selectOption("lovaszHinge");
    await a.editor.getByLabel("Loss A: weight", { exact: true }).nth(1).fill("0.25");
    const loss = sum([focal({ gamma: 1.5 }), [0.25, lovaszHinge()]]);
    const expected = valueAndGrad(loss, batch);
    expect(await numberIn(a.value)).toBe(expected.value);
    expect(await Promise.all((await a.terms.all()).map(numberIn))).toEqual(expected.terms);

    // Two channels instead of one: the same prediction for losses that weigh classes.
    await b.kind.selectOption("generalizedDice");
    const planes = new Float32Array(2 * pixels);
    batch.logits.forEach((logit, i) => {
      planes[i] = -logit / 2;
      planes[pixels + i] = logit / 2;
    });
    const pair = { logits: planes, target: batch.target, shape: [1, 2, side, side] };
    expect(await numberIn(b.value)).toBe(valueWithGrad(generalizedDice(), pair));

    // Classes by words, and as a list in a field of its own.
    await b.editor.getByRole("button", { name: "Add a term" }).click();
    await b.kind.nth(1).selectOption("dice");
    await b.editor.getByText("Options").nth(1).click();
    const classes = b.editor.getByLabel("B dice: classes", { exact: true });
    const field = b.editor.getByLabel("B dice: classes, a list of class numbers");
    expect(await field.isVisible()).toBe(false);
    await classes.selectOption("list");
    for (const [text, list] of [
      ["0", [0]],
      ["1", [1]],
      ["1, 0", [1, 0]],
    ] as const) {
      await field.fill(text);
      const both = sum([generalizedDice(), dice({ classes: list })]);
      expect(await numberIn(b.value), text).toBe(valueWithGrad(both, pair));
    }
    await field.fill("0.5");
    expect(await field.getAttribute("aria-invalid")).toBe("true");
    await classes.selectOption("present");
    expect(await field.isVisible()).toBe(false);
    expect(await field.getAttribute("aria-invalid")).toBe(null);
    const present = sum([generalizedDice(), dice({ classes: "present" })]);
    expect(await numberIn(b.value)).toBe(valueWithGrad(present, pair));
    expect(visit.complaints).toEqual([]);
  });

  test("of a scene taken from the drift, whose curves are marked with the same values", async () => {
    await using visit = await lab.open();
    const { page } = visit;
    await page.getByLabel("Drift", { exact: true }).selectOption("growth");
    await page.getByLabel("Amount", { exact: true }).fill("10");
    const path: Path = { size: "small", drift: "growth", sharpness: "soft" };
    const batch = batchAt(path, 5);
    const marked = page.getByLabel("Loss B along the drift").locator("li.small data").first();
    expect(await numberIn(marked)).toBe(valueWithGrad(dice(), batch));
    await page.getByRole("button", { name: "Paint on the small one" }).click();
    expect(await numberIn(sideOf(visit, "A").value)).toBe(valueWithGrad(crossEntropy(), batch));
    expect(await numberIn(sideOf(visit, "B").value)).toBe(valueWithGrad(dice(), batch));
    const [, object] = metrics(foreground(batch.logits), truth("small"), {
      shape: [side, side],
      classes: 2,
    });
    expect(await numberIn(page.locator("#scene-facts data").nth(2))).toBe(object!.dice);
    expect(await numberIn(page.locator("#scene-facts data").nth(3))).toBe(object!.hausdorff95);
  });

  test("of the nuclei, and of the brightness of their image", async () => {
    await using visit = await lab.open();
    const { page } = visit;
    await page.getByRole("button", { name: "Cell nuclei" }).click();
    await page.locator("#source").selectOption("image");
    const { image, mask } = await loadNuclei((address) => readFile(address));
    const scene = new Scene();
    scene.setTruth(mask, image);
    scene.source = "image";
    const batch = { logits: scene.logits(), target: mask, shape };
    expect(await numberIn(page.locator("#scene-facts data").first())).toBe(mask.reduce((a, b) => a + b, 0));
    expect(await numberIn(sideOf(visit, "B").value)).toBe(valueWithGrad(dice(), batch));
    expect(visit.complaints).toEqual([]);
  });
});

describe("pictures", () => {
  test("are blue where the gradient is negative, red where it is positive", async () => {
    await using visit = await lab.open();
    const { grad } = valueAndGrad(crossEntropy(), startBatch());
    const colours = await pixelsOf(sideOf(visit, "A").picture);
    const limit = 0.3 * grad.reduce((most, slope) => Math.max(most, Math.abs(slope)), 0);
    const clear = [...grad.keys()].filter((i) => Math.abs(grad[i]!) > limit);
    expect(clear.length).toBeGreaterThan(100);
    for (const i of clear) {
      const [red, , blue] = colours.slice(4 * i, 4 * i + 3) as [number, number, number];
      expect(Math.sign(red - blue), `pixel ${i}`).toBe(Math.sign(grad[i]!));
    }
  });

  test("of losses per pixel are darkest where the loss is largest; a loss without a map says so", async () => {
    await using visit = await lab.open();
    const [a, b] = [sideOf(visit, "A"), sideOf(visit, "B")];
    await visit.page.getByLabel("Loss per pixel").check();
    const map = lossMap(crossEntropy(), startBatch());
    const colours = await pixelsOf(a.picture);
    const green = (i: number) => colours[4 * i + 1]!;
    const worst = map.indexOf(Math.max(...map));
    const best = map.indexOf(Math.min(...map));
    expect(green(worst)).toBeLessThan(60);
    expect(green(best)).toBeGreaterThan(240);
    expect(await b.note.isVisible()).toBe(true);
    expect(await a.note.isVisible()).toBe(false);
    expect(visit.complaints).toEqual([]);
  });
});

describe("the descent", () => {
  test("steps as plain gradient descent does, resets, and names its time", async () => {
    await using visit = await lab.open();
    const { page } = visit;
    const [a, b] = [sideOf(visit, "A"), sideOf(visit, "B")];
    const before = await numberIn(b.value);
    for (let i = 0; i < 10; i++) await page.getByRole("button", { name: "Step", exact: true }).click();
    for (const [loss, shown] of [
      [crossEntropy(), a],
      [dice(), b],
    ] as const) {
      const { logits, target } = startBatch();
      for (let i = 0; i < 10; i++) {
        const { grad } = valueAndGrad(loss, { logits, target, shape });
        for (let k = 0; k < pixels; k++) logits[k] = logits[k]! - 0.5 * pixels * grad[k]!;
      }
      expect(await numberIn(shown.value)).toBe(valueWithGrad(loss, { logits, target, shape }));
      expect(await numberIn(shown.milliseconds)).toBeGreaterThanOrEqual(0);
    }
    expect(await page.locator("#step-count").textContent()).toBe("10");
    await page.getByRole("button", { name: "Reset" }).click();
    expect(await numberIn(b.value)).toBe(before);
  });

  test("plays until it is paused, and falls", async () => {
    await using visit = await lab.open();
    const { page } = visit;
    const { value: shown, dice: agreement } = sideOf(visit, "B");
    const [before, diceBefore] = [await numberIn(shown), await numberIn(agreement)];
    await page.getByRole("button", { name: "Descend" }).click();
    await page.waitForFunction(() => Number(document.querySelector("#step-count")!.textContent) > 20);
    await page.getByRole("button", { name: "Pause" }).click();
    await settled(page);
    const steps = await page.locator("#step-count").textContent();
    expect(await numberIn(shown)).toBeLessThan(before);
    expect(await numberIn(agreement)).toBeGreaterThan(diceBefore);
    await page.waitForTimeout(200);
    expect(await page.locator("#step-count").textContent()).toBe(steps);
    expect(visit.complaints).toEqual([]);
  });

  test("shows few pictures to those who asked for less motion", async () => {
    await using visit = await lab.open({ reducedMotion: "reduce" });
    const { page } = visit;
    await page.evaluate(() => {
      const counter = document.querySelector("#step-count")!;
      const seen = new MutationObserver((changes) => {
        document.body.dataset["changes"] = String(
          Number(document.body.dataset["changes"] ?? 0) + changes.length,
        );
      });
      seen.observe(counter, { childList: true, characterData: true, subtree: true });
    });
    await page.getByRole("button", { name: "Descend" }).click();
    await page.waitForTimeout(1500);
    const changes = Number(await page.evaluate(() => document.body.dataset["changes"]));
    expect(changes).toBeGreaterThanOrEqual(1);
    expect(changes).toBeLessThanOrEqual(5);
    expect(Number(await page.locator("#step-count").textContent())).toBeGreaterThan(changes);
  });
});
