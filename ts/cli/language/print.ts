/** Losses as text: the inverse of `parseLoss`. */
import type { LossSpec, Sum } from "../../loss/index.ts";

/** The shortest text that `parseLoss` reads back as this loss, such as `dice(smooth=1)+0.5*crossEntropy`. */
export function printLoss(loss: LossSpec): string {
  if (loss.kind === "sum") return printSum(loss as Sum);
  const { kind, ...options } = loss;
  const list = Object.entries(options).map(([name, value]) => `${name}=${printValue(value)}`);
  return list.length === 0 ? kind : `${kind}(${list.join(",")})`;
}

function printSum({ terms }: Sum): string {
  const text = terms.map(({ weight, loss }) => {
    const isNegative = weight < 0 || Object.is(weight, -0);
    // The weight of a single term is what makes it a sum.
    const factor = weight === 1 && terms.length > 1 ? "" : `${Math.abs(weight)}*`;
    const inner = printLoss(loss);
    return `${isNegative ? "-" : "+"}${factor}${loss.kind === "sum" ? `(${inner})` : inner}`;
  });
  return text.join("").replace(/^\+/, "");
}

function printValue(value: unknown): string {
  if (value === null) return "none";
  if (Object.is(value, -0)) return "-0";
  if (Array.isArray(value)) return `[${value.map(printValue).join(",")}]`;
  if (typeof value === "string") return isWord(value) ? value : JSON.stringify(value);
  return String(value);
}

const isWord = (text: string) => /^[a-z]\w*$/i.test(text) && !/^(true|false|none|null)$/.test(text);
