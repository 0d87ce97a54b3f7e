/**
 * Reverse-mode differentiation of arrays: every vector remembers how to pull a gradient back to what it was
 * made of. The losses of this folder state only their value; their gradients come from here.
 *
 * Three rules keep the limits right where IEEE arithmetic would answer NaN: a constant factor of 0 removes an entry
 * even if it is infinite, an entry nobody depends on (gradient 0) pulls nothing, and a function that is flat (slope
 * 0) hands nothing back.
 */

/** What a vector can be combined with that has no gradient. */
export type Constant = number | Float64Array;

/** The record of a computation. */
export class Tape {
  readonly #pulls: (() => void)[] = [];

  /** A vector to differentiate by. */
  variable(value: Float64Array): Vector {
    return new Vector(this, value);
  }

  record(pull: () => void): void {
    this.#pulls.push(pull);
  }

  /** Fills the `grad` of every vector that `result` (of length 1) was made of. */
  differentiate(result: Vector): void {
    result.grad[0] = 1;
    for (let i = this.#pulls.length - 1; i >= 0; i--) this.#pulls[i]!();
  }
}

/** A list of numbers on a tape. */
export class Vector {
  readonly tape: Tape;
  readonly value: Float64Array;
  /** The derivative of the result by each entry, after `differentiate`. */
  readonly grad: Float64Array;

  constructor(tape: Tape, value: Float64Array) {
    this.tape = tape;
    this.value = value;
    this.grad = new Float64Array(value.length);
  }

  /** A vector with this `value` whose entry i hands a gradient g back through `pull(i, g)`. */
  derive(value: Float64Array, pull: (i: number, g: number) => void): Vector {
    const result = new Vector(this.tape, value);
    this.tape.record(() => {
      result.grad.forEach((g, i) => {
        if (g !== 0) pull(i, g);
      });
    });
    return result;
  }

  /** f(x) of every entry, given its slope f′(x). */
  map(f: (x: number) => number, slope: (x: number) => number): Vector {
    return this.derive(this.value.map(f), (i, g) => {
      const rise = slope(this.value[i]!);
      if (rise !== 0) this.grad[i]! += g * rise;
    });
  }

  plus(other: Vector | Constant): Vector {
    const b = entries(other);
    return this.derive(
      this.value.map((a, i) => a + b(i)),
      (i, g) => {
        this.grad[i]! += g;
        if (other instanceof Vector) other.grad[i]! += g;
      },
    );
  }

  minus(other: Vector | Constant): Vector {
    return this.plus(
      other instanceof Vector ? other.times(-1) : typeof other === "number" ? -other : other.map((x) => -x),
    );
  }

  times(other: Vector | Constant): Vector {
    const b = entries(other);
    const isRemoved = (i: number) => !(other instanceof Vector) && b(i) === 0 && !Number.isNaN(this.value[i]);
    return this.derive(
      this.value.map((a, i) => (isRemoved(i) ? 0 : a * b(i))),
      (i, g) => {
        if (isRemoved(i)) return;
        this.grad[i]! += g * b(i);
        if (other instanceof Vector) other.grad[i]! += g * this.value[i]!;
      },
    );
  }

  /** The quotient; where both are 0 it is `empty`, and flat. */
  over(other: Vector | Constant, empty = Number.NaN): Vector {
    const b = entries(other);
    const isEmpty = (i: number) => this.value[i] === 0 && b(i) === 0;
    const quotient = this.value.map((a, i) => (isEmpty(i) ? empty : a / b(i)));
    return this.derive(quotient, (i, g) => {
      if (isEmpty(i)) return;
      this.grad[i]! += g / b(i);
      if (other instanceof Vector) other.grad[i]! -= (g * quotient[i]!) / b(i);
    });
  }

  /**
   * x^exponent for x ≥ 0. At x = 0 with an exponent below 1 the slope is infinite; it counts as 0 there, the limit
   * of its product with anything that vanishes as fast as x. At x = ∞ such a slope tends to 0, but its product with
   * that of −ln p does not: it stays above 0.
   */
  power(exponent: number): Vector {
    return this.map(
      (x) => x ** exponent,
      (x) => {
        if (exponent === 0 || (x === 0 && exponent < 1)) return 0;
        const rise = exponent * x ** (exponent - 1);
        return x === Number.POSITIVE_INFINITY ? Math.max(rise, 1e-200) : rise;
      },
    );
  }

  /** ln x. */
  log(): Vector {
    return this.map(Math.log, (x) => 1 / x);
  }

  /** ln(1 + x), accurate for small x. */
  log1p(): Vector {
    return this.map(Math.log1p, (x) => 1 / (1 + x));
  }

  /** max(x, floor), flat at and below the floor. */
  atLeast(floor: number): Vector {
    return this.map(
      (x) => Math.max(x, floor),
      (x) => (x <= floor ? 0 : 1),
    );
  }

  /** Sums of the entries with the same group, for groups 0 … count − 1; entries of group −1 are left out. */
  sumBy(group: Int32Array, count: number): Vector {
    const sums = new Float64Array(count);
    this.value.forEach((x, i) => {
      if (group[i]! >= 0) sums[group[i]!]! += x;
    });
    const result = new Vector(this.tape, sums);
    this.tape.record(() => {
      group.forEach((to, i) => {
        if (to >= 0) this.grad[i]! += result.grad[to]!;
      });
    });
    return result;
  }

  /** The sum of all entries, a vector of length 1. */
  sum(): Vector {
    return this.sumBy(new Int32Array(this.value.length), 1);
  }

  /** The mean of all entries, a vector of length 1; 0 if there are none. */
  mean(): Vector {
    return this.sum().over(this.value.length, 0);
  }
}

/** Reads entry i of a vector, an array, or a number that stands for every entry. */
function entries(x: Vector | Constant): (i: number) => number {
  if (typeof x === "number") return () => x;
  const array = x instanceof Vector ? x.value : x;
  return (i) => array[i]!;
}
