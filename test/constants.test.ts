/** Vector constants stand before loops, where engines make them once. */
import { readFileSync } from "node:fs";
import binaryen from "binaryen";
import { expect, test } from "vitest";
import {
  type Expression,
  hoistConstants,
  isCostly,
  isForm,
  parse,
  print,
} from "../scripts/hoistConstants.ts";

/** How many constants are in loops of an expression. */
function constantsInLoops(expression: Expression, isInLoop = false): number {
  if (typeof expression === "string") return 0;
  const inside = isInLoop || isForm(expression, "loop");
  return expression.reduce(
    (sum, part) => sum + constantsInLoops(part, inside),
    Number(isInLoop && isCostly(expression)),
  );
}

function assemble(text: string): Uint8Array<ArrayBuffer> {
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.SIMD128);
  expect(module.validate()).toBeTruthy();
  return new Uint8Array(module.emitBinary());
}

/** As binaryen writes it. */
const vector = (word: number): string => `(v128.const i32x4${` 0x0000000${word}`.repeat(4)})`;

/** Adds 3 and 5 in turns of two nested loops, and 7 outside: ((3 · 2 + 5) · turns + 7) in the first lane. */
const example = `(module
  ;; a comment with (an open parenthesis
  (export "f" (func $f))
  (func $f (param $turns i32) (result i32) (local $sum v128) (local $twice i32)
    (drop
      (loop $outer (result i32)
        (local.set $twice (i32.const 2))
        (loop $inner
          (local.set $sum (i32x4.add (local.get $sum) ${vector(3)}))
          (br_if $inner (local.tee $twice (i32.sub (local.get $twice) (i32.const 1)))))
        (local.set $sum (i32x4.add (v128.or (local.get $sum) ${vector(0)}) ${vector(5)}))
        (br_if $outer (local.tee $turns (i32.sub (local.get $turns) (i32.const 1))))
        (i32.const 1)))
    (i32x4.extract_lane 0 (i32x4.add (local.get $sum) ${vector(7)}))))`;

test("constants of loops are read from globals before them, and all else is as it was", () => {
  const before = parse(example);
  const after = hoistConstants(before);
  const text = print(after);
  expect(constantsInLoops(before)).toBe(2);
  expect(constantsInLoops(after)).toBe(0);
  expect(text.match(/0x00000000 0x00000000/g)).not.toBeNull(); // all zeros are cheap
  expect(text.match(/\(global \$/g)).toHaveLength(2); // 7 is in no loop
  expect(text.match(/\(global\.get \$/g)).toHaveLength(2); // once, before the outer of the loops
  for (const source of [example, text]) {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(assemble(source)));
    expect((exports["f"] as (turns: number) => number)(10)).toBe(11 * 10 + 7);
  }
});

test("names and texts with parentheses and quotes stay whole", () => {
  const source = '(module (data $"a (b" "\\"(\\00") (func $"c)" (nop)))';
  expect(print(parse(source)).replaceAll("\n", "")).toBe(source);
});

test("the module has no costly constant in a loop", () => {
  const module = binaryen.readBinary(readFileSync("pkg/segrad_bg.wasm"));
  const fields = parse(module.emitText());
  expect(fields.filter((field) => isForm(field, "func")).length).toBeGreaterThan(100);
  expect(fields.reduce((sum, field) => sum + constantsInLoops(field), 0)).toBe(0);
});
