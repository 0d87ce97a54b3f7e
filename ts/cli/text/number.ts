/** Numbers for people and for programs. */

/** Four significant digits: `0.3142`, `12.50`, `3.142e-7`, `∞`. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (value === 0) return "0";
  const text = size >= 1e5 || size < 1e-4 ? tidy(value.toExponential(3)) : value.toPrecision(4);
  return text.replace("-", "−").replace("e-", "e−");
}

const tidy = (text: string) => text.replace("e+", "e");

/** A share with three digits: `0.912`. */
export function share(value: number): string {
  return Number.isFinite(value) ? value.toFixed(3) : short(value);
}

/** JSON has no word for infinity and NaN: they become text. */
export function toJson(value: unknown): string {
  const name = (_: string, entry: unknown) =>
    typeof entry === "number" && !Number.isFinite(entry) ? String(entry) : entry;
  return `${JSON.stringify(value, name, 2)}\n`;
}

/** `1 image`, `2 images`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
