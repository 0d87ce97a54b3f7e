/** The Loss Lab in the hand: painting, errors, small screens, labels. */
import { crossEntropy, dice } from "segrad";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Scene } from "../../lab/src/scene/scene.ts";
import { type Lab, numberIn, openLab, settled, sideOf, startBatch, valueWithGrad } from "./page.ts";

const side = 128;
const shape = [1, 1, side, side];

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
}, 60_000);
afterAll(() => lab?.[Symbol.asyncDispose]());

describe("painting", () => {
  test("by mouse changes the prediction, and can be cleared", async () => {
    await using visit = await lab.open();
    const { page } = visit;
    const { value: shown } = sideOf(visit, "A");
    const before = await numberIn(shown);
    await page.getByLabel("Width", { exact: true }).fill("9"); // no pixel centre lies on the edge of such a brush
    const box = (await page.locator("#stage canvas").boundingBox())!;
    const at = (x: number, y: number) =>
      [box.x + (x / side) * box.width, box.y + (y / side) * box.height] as const;
    await page.mouse.move(...at(20.5, 110.5));
    await page.mouse.down();
    await page.mouse.move(...at(50.5, 110.5), { steps: 5 });
    await page.mouse.up();
    const scene = new Scene();
    scene.paint("prediction", { x: 20, y: 110 }, { x: 50, y: 110 }, 4.5, true);
    const painted = { logits: scene.logits(), target: scene.mask, shape };
    expect(await numberIn(shown)).toBe(valueWithGrad(crossEntropy(), painted));
    expect(await numberIn(shown)).toBeGreaterThan(before);
    await page.getByRole("button", { name: "Clear strokes" }).click();
    expect(await numberIn(shown)).toBe(before);
  });

  test("by keys changes the truth", async () => {
    await using visit = await lab.open();
    const { page } = visit;
    await page.getByRole("button", { name: "Nothing" }).click();
    await page.getByLabel("Truth", { exact: true }).check();
    await page.locator("#stage").focus();
    await page.keyboard.down("Space");
    for (let i = 0; i < 3; i++) await page.keyboard.press("Shift+ArrowRight");
    await page.keyboard.up("Space");
    await page.keyboard.press("ArrowDown");
    const scene = new Scene();
    scene.load("empty");
    scene.paint("truth", { x: 64, y: 64 }, { x: 88, y: 64 }, 4, true);
    const area = page.locator("#scene-facts data").first();
    expect(await numberIn(area)).toBe(scene.mask.reduce((a, b) => a + b, 0));
    expect(await page.locator("#readout").textContent()).toMatch(/^x 88, y 65 · inside/);
    await page.keyboard.press("e");
    await page.keyboard.press("Space");
    expect(await numberIn(area)).toBeLessThan(scene.mask.reduce((a, b) => a + b, 0));
    expect(visit.complaints).toEqual([]);
  });

  test("a slider of the distortion moves the prediction", async () => {
    await using visit = await lab.open();
    await visit.page.getByLabel("Shift right").fill("0");
    const scene = new Scene();
    scene.distortion = { ...scene.distortion, shiftX: 0 };
    const batch = { logits: scene.logits(), target: scene.mask, shape };
    expect(await numberIn(sideOf(visit, "B").value)).toBe(valueWithGrad(dice(), batch));
  });
});

describe("what cannot be computed", () => {
  test("is told by the library's message, at the field or at the loss", async () => {
    await using visit = await lab.open();
    const { editor, kind, problem, value: shown } = sideOf(visit, "A");
    await kind.selectOption("tversky");
    await editor.getByText("Options").click();
    const field = editor.getByLabel("A tversky: alpha", { exact: true });
    await field.fill("-1");
    expect(await field.getAttribute("aria-invalid")).toBe("true");
    expect(await editor.getByText(/alpha is -1; it must be a finite number ≥ 0/).isVisible()).toBe(true);
    await field.fill("0.3");
    expect(await field.getAttribute("aria-invalid")).toBe(null);
    await kind.selectOption("crossEntropy");
    const weights = editor.getByLabel(/^A crossEntropy: classWeights/);
    await weights.fill("1, 2");
    await settled(visit.page);
    expect(await problem.textContent()).toMatch(/classWeights has 2 entries; this batch needs 1/);
    await weights.fill("2,");
    const expected = valueWithGrad(crossEntropy({ classWeights: [2] }), startBatch());
    expect(await numberIn(shown)).toBe(expected);
    expect(await problem.isVisible()).toBe(false);
    expect(visit.complaints).toEqual([]);
  });
});

describe("the page", () => {
  test.each([
    [375, "light"],
    [375, "dark"],
    [768, "light"],
    [1280, "dark"],
  ] as const)(
    "at %i pixels, %s, scrolls down only, with a label on every control",
    async (width, colorScheme) => {
      await using visit = await lab.open({ viewport: { width, height: 812 }, colorScheme });
      const { page } = visit;
      await page.getByText("Options").first().click();
      await page.getByRole("button", { name: "Add a term" }).last().click();
      await settled(page);
      const [content, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      expect(content).toBeLessThanOrEqual(room!);
      const nameless = await page.evaluate(() =>
        [...document.querySelectorAll<HTMLInputElement>("input, select, button")]
          .filter((control) => !(control.ariaLabel || control.labels?.length || control.textContent?.trim()))
          .map((control) => control.outerHTML),
      );
      expect(nameless).toEqual([]);
      const ground = await page.evaluate(
        () => getComputedStyle(document.body).backgroundColor.match(/\d+/)![0],
      );
      if (colorScheme === "dark") expect(Number(ground)).toBeLessThan(40);
      else expect(Number(ground)).toBeGreaterThan(220);
      expect(visit.complaints).toEqual([]);
    },
  );

  test("every kind of the table can be picked, and is computed", async () => {
    await using visit = await lab.open();
    const { kind, value: shown, problem } = sideOf(visit, "A");
    const kinds = await kind.locator("option").allTextContents();
    expect(kinds).toHaveLength(16);
    for (const name of kinds) {
      await kind.selectOption(name);
      expect(await numberIn(shown), name).not.toBeNaN();
      expect(await problem.isVisible(), name).toBe(false);
    }
    expect(visit.complaints).toEqual([]);
  });
});
