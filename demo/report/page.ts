import type { Comparison } from "../compare.ts";
export function page(_: Comparison): string {
  return "";
}
