/** A small seeded generator: the same seed gives the same crops on every machine. */
export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Whole number in 0 … limit − 1. */
  below(limit: number): number;
  /** Standard normal (Box and Muller 1958). */
  normal(): number;
}

/**
 * Xorshift of Marsaglia (2003), 32 bits of state: far more than enough to choose crops and first weights.
 *
 * @param seed any integer; it is spread over the bits first, since xorshift starts slowly from small numbers
 */
export function random(seed: number): Random {
  let state = Math.imul(seed ^ 0x2545f491, 0x9e3779b1) | 1;
  const uniform = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 16; i++) uniform();
  return {
    uniform,
    below: (limit) => Math.floor(uniform() * limit),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}
