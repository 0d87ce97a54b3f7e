//! Focal loss (Lin et al. 2017): ℓ = q^γ u at the label, q = 1 − p.
//!
//! ∂ℓ/∂ln p = −q^γ (1 + γ p u / q). Written with the ratio u / q, which tends to 1 as p → 1, the
//! slope is q^γ times something finite for every γ ≥ 0: never ∞ · 0.

use super::pointwise::{Pointwise, Shape, Weights};
use super::{Loss, Numbers, Reduction};
use crate::activation::powers::Power;
use crate::simd::F32x4;

/// Options of the focal loss.
pub struct Focal {
    /// γ
    pub gamma: f64,
    /// α: nothing, a number (1 − α for negatives or class 0, α for the others), or one a class.
    pub alpha: Numbers,
    /// Mean or sum.
    pub reduction: Reduction,
}

/// ℓ = q^γ u
#[derive(Clone, Copy)]
struct Modulated<M> {
    modulation: M,
    gamma: F32x4,
}

/// Where q^γ comes from.
trait Modulation: Copy + 'static {
    /// Whether from rows that were raised.
    const AHEAD: bool;
    /// Raises a row of q, if so.
    fn raise(self, row: &mut [f32]);
    /// q^γ, given q and what became of it there.
    fn of(self, q: F32x4, raised: F32x4) -> F32x4;
}
impl Modulation for Power {
    const AHEAD: bool = true;
    #[inline(always)]
    fn raise(self, row: &mut [f32]) {
        self.raise(row);
    }
    #[inline(always)]
    fn of(self, _q: F32x4, raised: F32x4) -> F32x4 {
        raised
    }
}
/// The usual γ = 2, which costs less than a row that goes to memory and back.
#[derive(Clone, Copy)]
struct Square;
impl Modulation for Square {
    const AHEAD: bool = false;
    #[inline(always)]
    fn raise(self, _row: &mut [f32]) {}
    #[inline(always)]
    fn of(self, q: F32x4, _raised: F32x4) -> F32x4 {
        q * q
    }
}

impl<M: Modulation> Shape for Modulated<M> {
    const AHEAD: bool = M::AHEAD;
    /// q^γ
    fn ahead(&self, _u: &[f32], q: &[f32], raised: &mut [f32]) {
        raised.copy_from_slice(q);
        self.modulation.raise(raised);
    }
    #[inline(always)]
    fn against(&self, u: F32x4, p: F32x4, q: F32x4, raised: F32x4) -> (F32x4, F32x4) {
        // −q times the slope below, in which nothing is divided.
        let modulation = self.modulation.of(q, raised);
        (modulation * u, modulation * (self.gamma * p * u + q))
    }
    #[inline(always)]
    fn at(&self, u: F32x4, p: F32x4, q: F32x4, raised: F32x4) -> (F32x4, F32x4) {
        let (one, zero) = (F32x4::splat(1.0), F32x4::zero());
        let modulation = self.modulation.of(q, raised);
        let ratio = q.eq(zero).select(one, u / q);
        // p = 0 where u is beyond e^x's range: p u is 0 there.
        let tail = (self.gamma * p * ratio).drop(p.eq(zero));
        (modulation * u, -modulation * (one + tail))
    }
}

impl Focal {
    /// The loss with these options.
    pub fn build(self) -> Box<dyn Loss> {
        let gamma = F32x4::splat(self.gamma as f32);
        let weights = match self.alpha {
            Numbers::One(alpha) => Weights::Alpha(alpha),
            list => Weights::PerClass(list),
        };
        let loss = match Power::new(self.gamma) {
            Power::Two => Pointwise::new(Modulated { modulation: Square, gamma }, self.reduction),
            modulation => Pointwise::new(Modulated { modulation, gamma }, self.reduction),
        };
        Box::new(loss.weighted(weights))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gamma_0_is_cross_entropy_and_certainty_costs_nothing() {
        let at = |gamma: f64, p: f32, q: f32| {
            let shape = Modulated { modulation: Power::new(gamma), gamma: F32x4::splat(gamma as f32) };
            let mut raised = [0.0; 4];
            shape.ahead(&[0.0; 4], &[q; 4], &mut raised);
            let u = if q < 0.5 { -(-f64::from(q)).ln_1p() } else { -f64::from(p).ln() } as f32;
            let (value, slope) = shape.at(F32x4::splat(u), F32x4::splat(p), F32x4::splat(q), F32x4::load(&raised));
            (value.lanes()[0], slope.lanes()[0])
        };
        assert_eq!(at(0.0, 0.25, 0.75).1, -1.0);
        assert_eq!(at(0.5, 1.0, 0.0), (0.0, -0.0));
        // γ = 2, p = ½: ℓ = ¼ ln 2, slope −¼ (1 + 2 ln 2)
        let (value, slope) = at(2.0, 0.5, 0.5);
        assert!((value - 0.25 * std::f32::consts::LN_2).abs() < 1e-7);
        assert!((slope + 0.25 * (1.0 + 2.0 * std::f32::consts::LN_2)).abs() < 1e-6);
    }
}
