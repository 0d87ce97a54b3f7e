/** Reads any loss specification: validates it, fills in defaults, and flattens nested sums into parts. */
import { fillOptions } from "../define.ts";
import { rangeError, show, typeError } from "../error.ts";
import { parseNumber } from "../option.ts";
import { type Kind, losses, type OptionsOf } from "./index.ts";

/** One loss of a flattened sum, with every option filled in. */
export type Part = {
  [K in Kind]: {
    readonly kind: K;
    readonly options: OptionsOf<K>;
    /** Its factor in the whole objective. */
    readonly weight: number;
    /** Its factor in the value of the top-level term it belongs to. */
    readonly scale: number;
    /** The top-level term it belongs to. */
    readonly term: number;
  };
}[Kind];

/** A flattened loss: value = Σ part.weight · value(part), terms[t] = Σ over the parts of t of part.scale · value(part). */
export interface ResolvedLoss {
  readonly parts: readonly Part[];
  /** How many top-level terms there are: those of a sum, or 1. */
  readonly terms: number;
}

/** Sums that refer to the same loss many times could unfold without end; this is far beyond any real objective. */
const mostLosses = 20_000;

/** A sum on the path from the root to the term in hand. */
interface OpenSum {
  readonly source: unknown;
  readonly terms: readonly unknown[];
  readonly scale: number;
  next: number;
}

/**
 * Validates `loss`, which may be any value, and flattens it. Nested sums are walked with a list instead of
 * recursion, so their depth does not matter; a sum that contains itself is an error.
 */
export function resolveLoss(loss: unknown): ResolvedLoss {
  const first = readLoss(loss);
  if (first.kind !== "sum") return { parts: [part(first, 1, 1, 0)], terms: 1 };

  const parts: Part[] = [];
  const root = openSum(first, 1);
  const path: OpenSum[] = [root];
  const open = new Set<unknown>([loss]);
  let top = 1;
  for (let visited = 0; path.length > 0; ) {
    const sum = path[path.length - 1]!;
    if (sum.next === sum.terms.length) {
      open.delete(sum.source);
      path.pop();
      continue;
    }
    if (++visited > mostLosses)
      throw rangeError("invalid-loss", `a sum holds more than ${mostLosses} losses`);

    const { weight, loss: inner } = readTerm(sum.terms[sum.next++]);
    if (sum === root) top = weight;
    const scale = sum === root ? 1 : parseNumber(sum.scale * weight, "product of the weights of nested sums");
    const spec = readLoss(inner);
    if (spec.kind === "sum") {
      if (open.has(inner)) throw typeError("invalid-loss", "a sum contains itself");
      open.add(inner);
      path.push(openSum(spec, scale));
    } else {
      const total = parseNumber(top * scale, "product of the weights of nested sums");
      parts.push(part(spec, total, scale, root.next - 1));
    }
  }
  return { parts, terms: root.terms.length };
}

/** A loss as it was read: its own enumerable properties, each read once. */
interface Spec {
  readonly source: unknown;
  readonly kind: Kind | "sum";
  readonly given: object;
}

function readLoss(source: unknown): Spec {
  if (typeof source !== "object" || source === null) {
    throw typeError(
      "invalid-loss",
      `the loss is ${show(source)}; it must be an object such as { kind: "dice" }`,
    );
  }
  const { kind, ...given } = { ...source } as { kind?: unknown };
  if (kind === "sum" || (typeof kind === "string" && Object.hasOwn(losses, kind))) {
    return { source, kind: kind as Kind | "sum", given };
  }
  const known = [...Object.keys(losses), "sum"].join(", ");
  throw typeError("unknown-kind", `the loss has kind ${show(kind)}; it must be one of ${known}`);
}

function part(spec: Spec, weight: number, scale: number, term: number): Part {
  const kind = spec.kind as Kind;
  return { kind, options: fillOptions(kind, losses[kind].options, spec.given), weight, scale, term } as Part;
}

function openSum({ source, given }: Spec, scale: number): OpenSum {
  const { terms, ...unknown } = given as { terms?: unknown };
  refuseUnknown(unknown, "sum", "kind, terms");
  if (!Array.isArray(terms) || terms.length === 0) {
    throw typeError("invalid-loss", `sum.terms is ${show(terms)}; it must be a list of terms, not empty`);
  }
  return { source, terms, scale, next: 0 };
}

function readTerm(term: unknown): { weight: number; loss: unknown } {
  if (typeof term !== "object" || term === null) {
    throw typeError("invalid-loss", `a term of a sum is ${show(term)}; it must be { weight, loss }`);
  }
  const { weight, loss, ...unknown } = { ...term } as { weight?: unknown; loss?: unknown };
  refuseUnknown(unknown, "a term of a sum", "weight, loss");
  return { weight: parseNumber(weight, "the weight of a term of a sum"), loss };
}

function refuseUnknown(rest: object, what: string, known: string): void {
  for (const name of Object.keys(rest)) {
    throw typeError("unknown-option", `${what} has no ${show(name)}; it has ${known}`);
  }
}
