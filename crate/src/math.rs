//! exp, ln and their relatives over four lanes, as accurate as f32 sums need and no more.
//!
//! Each function states its largest error in ULP (units in the last place), measured against f64 by
//! the tests below over its whole range. Polynomials were fitted at Chebyshev nodes; the
//! coefficients are our own.

use crate::simd::{F32x4, U32x4};

/// Σ c_i x^i, in pairs (Estrin): two operations more than Horner's scheme, less than half as many that wait
/// for each other.
#[inline(always)]
fn polynomial(x: F32x4, coefficients: [f32; 8]) -> F32x4 {
    let [a, b, c, d, e, f, g, h] = coefficients.map(F32x4::splat);
    let square = x * x;
    let low = (a + b * x) + square * (c + d * x);
    let high = (e + f * x) + square * (g + h * x);
    low + square * square * high
}

/// ln 2 in two parts; the first has 11 bits, so its products with small integers are exact.
const LN2_HIGH: f32 = 0.693_115_23;
const LN2_LOW: f32 = 3.194_618_5e-5;

/// e^x for x ≤ 88, within 3 ULP; below −87.33 the result stays at 1.2e-38 instead of becoming
/// denormal, exp(0) is exactly 1, NaN stays NaN.
///
/// Adding 1.5·2²³ rounds to the nearest integer and leaves that integer in the low bits, ready to
/// be shifted into the exponent: `f32x4.nearest` and a saturating conversion cost twice the whole
/// polynomial in V8. Ten constants: with the numbers under way they just fit the fifteen registers V8
/// has.
#[inline(always)]
pub fn exp(x: F32x4) -> F32x4 {
    expand(reduce(x))
}

/// A number on half its way to e^x: 2^n e^`rest`, `exponent` holding n in its low bits.
pub struct Reduced {
    /// x − n ln 2, at most half of ln 2
    pub rest: F32x4,
    /// n + 1.5·2²³
    pub exponent: F32x4,
}

/// The first half of [`exp`].
#[inline(always)]
pub fn reduce(x: F32x4) -> Reduced {
    const ROUND: f32 = 12_582_912.0;
    let at = F32x4::splat;
    let x = x.max(at(-87.33));
    let exponent = x * at(std::f32::consts::LOG2_E) + at(ROUND);
    // −n, not n: the compiler would make a constant of its own of −ROUND.
    let n = at(ROUND) - exponent;
    Reduced { rest: x + n * at(LN2_HIGH) + n * at(LN2_LOW), exponent }
}

/// The second half of [`exp`].
#[inline(always)]
pub fn expand(Reduced { rest: r, exponent }: Reduced) -> F32x4 {
    let at = F32x4::splat;
    // 1 + r + … + r⁵/120 in pairs (Estrin): one operation more than Horner's scheme, half as many that
    // wait for each other.
    let square = r * r;
    let low = at(0.166_671_15) * r + at(0.499_992_3);
    let high = at(0.008_312_5) * r + at(0.041_890_33);
    let fraction = (square * low + square * square * high) + (at(1.0) + r);
    F32x4::from_bits(fraction.bits() + exponent.bits().shift_left(23))
}

/// ln x for finite x ≥ 1.2e-38 (not denormal), within 2 ULP, also near 1, where the result is small.
#[inline(always)]
pub fn ln_normal(x: F32x4) -> F32x4 {
    // x = 2^k · m with m in [√½, √2): subtracting the bits of √½ moves the exponent's step there.
    let sqrt_half = U32x4::splat(std::f32::consts::FRAC_1_SQRT_2.to_bits());
    let k = (x.bits() - sqrt_half).shift_right_signed(23);
    let m = F32x4::from_bits(x.bits() - k.shift_left(23));
    let k = k.to_float();
    let f = m - F32x4::splat(1.0); // exact: m is within a factor of 2 of 1
    let tail = polynomial(
        f,
        [
            0.333_333_3,
            -0.250_003_07,
            0.200_010_45,
            -0.166_412_81,
            0.142_144_96,
            -0.129_981_84,
            0.126_223_2,
            -0.079_027_44,
        ],
    );
    let square = f * f;
    let small = square * (f * tail) + k * F32x4::splat(LN2_LOW) - square * F32x4::splat(0.5);
    small + f + k * F32x4::splat(LN2_HIGH)
}

/// ln x for every x: −∞ at 0, NaN below, ∞ at ∞, denormals included; within 2 ULP.
#[inline(always)]
pub fn ln(x: F32x4) -> F32x4 {
    let tiny = x.lt(F32x4::splat(f32::MIN_POSITIVE));
    let scaled = tiny.select(x * F32x4::splat(16_777_216.0), x);
    let mut result = ln_normal(scaled) - F32x4::splat(16.635_532).keep(tiny);
    result = x.eq(F32x4::zero()).select(F32x4::splat(f32::NEG_INFINITY), result);
    let finite = x.lt(F32x4::splat(f32::INFINITY)); // false for NaN
    let valid = x.lt(F32x4::zero());
    let result = valid.select(F32x4::splat(f32::NAN), result);
    finite.select(result, x + x)
}

/// ln(1 + x) for x ≥ 0, within 3 ULP also where x is tiny: the part of x that 1 + x rounds away is
/// added back.
#[inline(always)]
pub fn log1p(x: F32x4) -> F32x4 {
    let one = F32x4::splat(1.0);
    let y = one + x;
    let lost = x - (y - one);
    // Not `keep(x < 1)`: a NaN must stay NaN, and ln_normal knows none.
    ln_normal(y) + lost.drop(x.gt(one))
}

/// −ln(1 − x) for 0 ≤ x ≤ ½, within 3 ULP, also where x is tiny: 2 artanh (x / (2 − x)), whose series needs
/// half as many terms as that of the logarithm.
#[inline(always)]
pub fn minus_log1m(x: F32x4) -> F32x4 {
    twice_artanh(x / (F32x4::splat(2.0) - x))
}

/// 2 artanh x for 0 ≤ x ≤ ⅓.
#[inline(always)]
pub fn twice_artanh(x: F32x4) -> F32x4 {
    let at = F32x4::splat;
    // In pairs (Estrin): a kernel with a logarithm and an exponential in a row mostly waits.
    let square = x * x;
    let fourth = square * square;
    let high = fourth * (at(0.400_249_1) + at(0.279_606) * square + at(0.281_783_34) * fourth);
    (x + x) + x * (at(0.666_663_17) * square + high)
}

/// Σ ln(1 + x) of many x ≥ 0 without a logarithm for each: Π (1 + x) − 1 is built up as E + x + x E, which
/// loses nothing where all x are tiny, and its logarithm is taken at the end. Three operations a number
/// instead of thirty.
#[derive(Clone, Copy)]
pub struct LogProduct(F32x4);

impl Default for LogProduct {
    /// Of nothing.
    fn default() -> Self {
        Self(F32x4::zero())
    }
}

impl LogProduct {
    /// One more in each lane. Their product must stay below 2^127.
    #[inline(always)]
    pub fn multiply(&mut self, x: F32x4) {
        self.0 = (self.0 + x) + self.0 * x;
    }
    /// Of numbers up to 1: the sum, and nothing from here on, if the products are so large that 128 more could
    /// leave the range; else 0.
    #[inline(always)]
    pub fn spill(&mut self) -> f64 {
        // 2^127 / 2^(128 / 4)
        if (!self.0.lt(F32x4::splat(3.9e28))).any() { std::mem::take(self).sum() } else { 0.0 }
    }
    /// Whether all products have stayed in range.
    #[inline(always)]
    pub fn fits(self) -> bool {
        !(!self.0.lt(F32x4::splat(1e30))).any()
    }
    /// The sum in each lane.
    #[inline(always)]
    pub fn lanes(self) -> F32x4 {
        log1p(self.0)
    }
    /// The sum.
    pub fn sum(self) -> f64 {
        self.lanes().sum()
    }
}

/// 1 − p, where p = e^−u, without cancellation as p → 1: by the series of 1 − e^−u for small u.
/// Within 4 ULP.
#[inline(always)]
pub fn complement(p: F32x4, u: F32x4) -> F32x4 {
    let taylor = [1.0, -0.5, 1.0 / 6.0, -1.0 / 24.0, 1.0 / 120.0, -1.0 / 720.0, 1.0 / 5040.0, -1.0 / 40320.0];
    let series = u * polynomial(u, taylor);
    u.lt(F32x4::splat(0.6)).select(series, F32x4::splat(1.0) - p)
}

/// x^y for x > 0, within 1e-14 of itself where it is neither huge nor tiny. A correctly rounded `powf` would be 1.3 of
/// the module's 100 KB. Squares are what the Hausdorff loss takes of every distance.
pub fn power(x: f64, exponent: f64) -> f64 {
    if exponent == 2.0 { x * x } else { (exponent * x.ln()).exp() }
}

/// ln(1 + x) for x > −1, as accurate as ln itself: 1 + x loses of x what it loses of the divisor. `ln_1p` would be
/// another 0.4 KB.
pub fn ln_1p(x: f64) -> f64 {
    let y = 1.0 + x;
    if y == 1.0 { x } else { y.ln() * (x / (y - 1.0)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest error of `ours` in ULP of the exact result, over about two million arguments.
    fn worst(range: std::ops::Range<f32>, ours: impl Fn(F32x4) -> F32x4, exact: impl Fn(f64) -> f64) -> f64 {
        let mut worst = 0.0f64;
        let mut check = |x: f32| {
            let got = f64::from(ours(F32x4::splat(x)).lanes()[0]);
            let want = exact(f64::from(x));
            let exponent = (want as f32).to_bits() >> 23 & 255;
            let ulp = 2f64.powi(exponent.max(1) as i32 - 127 - 23);
            worst = worst.max((got - want).abs() / ulp);
        };
        // Evenly in value, and evenly in bits towards 0.
        for i in 0..1_000_000 {
            check(range.start + (range.end - range.start) * (i as f32 / 1e6));
        }
        for sign in [1.0f32, -1.0] {
            for bits in (f32::MIN_POSITIVE.to_bits()..f32::MAX.to_bits()).step_by(1999) {
                let x = sign * f32::from_bits(bits);
                if range.contains(&x) {
                    check(x);
                }
            }
        }
        worst
    }

    #[test]
    fn exp_is_within_3_ulp() {
        assert!(worst(-87.0..88.0, exp, f64::exp) < 3.0);
        assert_eq!(exp(F32x4::zero()).lanes(), [1.0; 4]);
        assert!(exp(F32x4::splat(f32::NAN)).lanes()[0].is_nan());
        assert!(exp(F32x4::splat(f32::NEG_INFINITY)).lanes()[0] < 1.3e-38);
    }

    #[test]
    fn ln_is_within_2_ulp() {
        assert!(worst(0.0..f32::MAX, ln, f64::ln) < 2.0);
        assert!(worst(0.5..2.0, ln, f64::ln) < 2.0);
        assert_eq!(ln(F32x4::zero()).lanes()[0], f32::NEG_INFINITY);
        assert_eq!(ln(F32x4::splat(f32::INFINITY)).lanes()[0], f32::INFINITY);
        assert!(ln(F32x4::splat(-1.0)).lanes()[0].is_nan());
        assert!(ln(F32x4::splat(f32::NAN)).lanes()[0].is_nan());
        let denormal = f32::from_bits(12345);
        assert!((ln(F32x4::splat(denormal)).lanes()[0] - denormal.ln()).abs() < 1e-5);
    }

    #[test]
    fn log1p_is_within_3_ulp() {
        assert!(worst(0.0..1e6, log1p, f64::ln_1p) < 3.0);
        assert!(worst(0.0..0.5, minus_log1m, |x| -(-x).ln_1p()) < 3.0);
        assert!(log1p(F32x4::splat(f32::NAN)).lanes()[0].is_nan());
    }

    #[test]
    fn products_spill_before_they_leave_the_range() {
        let (mut logs, mut spilled, runs) = (LogProduct::default(), 0.0, 100);
        for _ in 0..runs {
            // 128 numbers, none larger than 1.
            (0..32).for_each(|_| logs.multiply(F32x4::load(&[1.0, 1.0, 0.5, 1e-6])));
            assert!(logs.lanes().lanes().iter().all(|sum| sum.is_finite()));
            spilled += logs.spill();
        }
        let exact = f64::from(32 * runs) * (2.0 * 2f64.ln() + 1.5f64.ln() + 1e-6f64.ln_1p());
        assert!(spilled > 0.9 * exact && ((spilled + logs.sum()) / exact - 1.0).abs() < 1e-5);
    }

    #[test]
    fn complement_is_within_4_ulp() {
        let ours = |u: F32x4| complement(exp(-u), u);
        assert!(worst(0.0..80.0, ours, |u| -(-u).exp_m1()) < 4.0);
    }

    #[test]
    fn real_numbers_to_real_powers() {
        for x in [1e-7f64, 0.03, 0.5, 1.0, 7.5, 4e3] {
            for exponent in [-0.25, 0.0, 0.3, 1.0, 2.0, 4.0] {
                let want = x.powf(exponent);
                assert!((power(x, exponent) - want).abs() <= 1e-14 * want, "{x}^{exponent}");
            }
        }
    }

    #[test]
    fn logarithms_near_1() {
        for x in [-0.999, -0.5, -1e-3, -3e-9, -1e-15, -1e-17, 0.0, 1e-300, 2e-16, 1e-8, 0.3, 7.0] {
            assert!((ln_1p(x) - x.ln_1p()).abs() <= 5e-16 * x.ln_1p().abs(), "ln(1 + {x})");
        }
    }
}
