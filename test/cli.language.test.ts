/** Losses as text: what is printed is read back, and what is wrong is pointed at. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LossTextError, parseLoss } from "../ts/cli/language/parse.ts";
import { printLoss } from "../ts/cli/language/print.ts";
import { crossEntropy, dice, focal, type Kind, type Loss, losses, sum, tversky } from "../ts/loss/index.ts";
import { lossOf } from "./support/arbitrary.ts";

const one = fc
  .record({
    kind: fc.constantFrom(...(Object.keys(losses) as Kind[])),
    channels: fc.integer({ min: 1, max: 4 }),
    spatial: fc.constantFrom([2, 2], [2, 2, 2]),
  })
  .chain(({ kind, ...shape }) => lossOf(kind, shape));

/** Losses and sums of sums of them, with weights of every sign and size. */
const any = fc.letrec<{ loss: Loss; sum: Loss }>((tie) => ({
  loss: fc.oneof({ maxDepth: 3, withCrossShrink: true }, one, tie("sum")),
  sum: fc
    .array(
      fc.tuple(fc.oneof(fc.constant(1), fc.double({ noNaN: true, min: -3e38, max: 3e38 })), tie("loss")),
      {
        minLength: 1,
        maxLength: 3,
      },
    )
    .map((terms) => sum(terms)),
})).loss;

test("every loss survives printing and reading", () => {
  fc.assert(
    fc.property(any, (loss) => {
      expect(parseLoss(printLoss(loss))).toEqual(loss);
    }),
    { numRuns: 500 },
  );
});

test("every loss survives with spaces around its signs", () => {
  const spaced = (text: string) => text.replace(/(?<!e)[-+](?=[a-z(]|\d[^*]*\*)|[(),=[\]*]/g, " $& ");
  fc.assert(
    fc.property(any, (loss) => {
      expect(parseLoss(spaced(printLoss(loss)))).toEqual(loss);
    }),
  );
});

test("any text is a loss or a LossTextError that points into it", () => {
  const pieces = fc.constantFrom(
    "dice",
    "crossEntropy",
    "smooth",
    "=",
    "(",
    ")",
    "[",
    "]",
    ",",
    "+",
    "-",
    "*",
    "1",
    "0.5",
    "1e-5",
    " ",
    "none",
    "é",
    '"',
    "{",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((list) => list.join("")),
      ),
      (text) => {
        try {
          expect(printLoss(parseLoss(text))).not.toBe("");
        } catch (error) {
          expect(error).toBeInstanceOf(LossTextError);
          const { position } = error as LossTextError;
          expect(position).toBeGreaterThanOrEqual(0);
          expect(position).toBeLessThanOrEqual(text.length);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

describe("what texts mean", () => {
  test.each([
    ["dice", dice()],
    ["dice()", dice()],
    ["(dice)", dice()],
    ["1*dice", sum([dice()])],
    ["dice+0.5*crossEntropy", sum([dice(), [0.5, crossEntropy()]])],
    [" dice - 2 * focal ", sum([dice(), [-2, focal()]])],
    ["-dice", sum([[-1, dice()]])],
    [
      ".5*dice + 1e-3*focal",
      sum([
        [0.5, dice()],
        [0.001, focal()],
      ]),
    ],
    ["tversky(alpha=0.3, beta=0.7)", tversky({ alpha: 0.3, beta: 0.7 })],
    ["dice(classes=[1,2],squared=true)", dice({ classes: [1, 2], squared: true })],
    ['dice(classes="present")', dice({ classes: "present" })],
    ["focal(alpha=none)", focal({ alpha: null })],
    ["dice+2*(focal+crossEntropy)", sum([dice(), [2, sum([focal(), crossEntropy()])]])],
    ['{"kind":"dice","smooth":1}', dice({ smooth: 1 })],
  ])("%s", (text, loss) => expect(parseLoss(text)).toEqual(loss));
});

describe("errors point at the place", () => {
  test.each([
    ["", 0, /expected a loss, found the end/],
    ["dise", 0, /no loss "dise"; did you mean dice\?/],
    ["dice+Focal", 5, /did you mean focal\?/],
    ["dice+xyz", 5, /there are crossEntropy, /],
    ["dice(smooht=1)", 5, /no option "smooht"; did you mean smooth\?/],
    ["dice(smooth=-1)", 12, /dice\.smooth is -1; it must be a finite number ≥ 0/],
    ["tversky(alpha=1,alpha=2)", 16, /given twice/],
    ["dice(classes=[1,1])", 13, /classes\[1\]/],
    ["dice(smooth)", 11, /expected "="/],
    ["dice(smooth=1", 13, /expected "," or "\)", found the end/],
    ["dice)", 4, /expected "\+", "-" or the end/],
    ["0.5 dice", 4, /expected "\*"/],
    ["1e39*dice", 0, /weight is 1e\+39/],
    ["dice\n+dise", 6, /did you mean dice/],
    ["lovaszHinge(smooth=1)", 12, /there are over/],
  ])("%j", (text, position, message) => {
    let error: unknown;
    try {
      parseLoss(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(LossTextError);
    expect(error).toMatchObject({ position, message: expect.stringMatching(message) });
    const [, line, caret] = (error as Error).message.split("\n");
    expect(caret).toBe(`${" ".repeat(2 + position)}^`);
    expect(line).toBe(`  ${text.replace("\n", " ")}`);
  });

  test.each([
    ["{", /not valid JSON/],
    ['{"kind":"dise"}', /"dise"; it must be one of/],
    ['{"kind":"dice","smooth":-1}', /dice\.smooth/],
  ])("JSON %s", (text, message) => expect(() => parseLoss(text)).toThrow(message));

  test("endless parentheses are refused", () => {
    expect(() => parseLoss("(".repeat(100_000))).toThrow(/deeper than 1000/);
  });
});
