//! Conservative loss (Zhu et al. 2018), as published: ℓ = λ (1 − v)² log_a v, with v = −log_a p =
//! u / ln a, v clamped to [floor, ∞).
//!
//! ∂ℓ/∂ln p = −λ / ln²a · (1 − v) [(1 − v) / v − 2 ln v]; 0 below the floor. It is decreasing in p:
//! as p → 1 the value tends to −∞ (to the floor's), and p = 1/a is a flat inflection.

use super::pointwise::{Pointwise, Shape};
use super::{Loss, Reduction};
use crate::math::ln_normal;
use crate::simd::F32x4;
use crate::tile::{vectors, vectors_mut};

/// Options of the conservative loss.
pub struct Conservative {
    /// a
    pub base: f64,
    /// λ
    pub lambda: f64,
    /// Smallest v.
    pub floor: f64,
    /// Mean or sum.
    pub reduction: Reduction,
}

#[derive(Clone, Copy)]
struct Published {
    per_log_base: F32x4,
    value_scale: F32x4,
    slope_scale: F32x4,
    floor: F32x4,
}
impl Published {
    #[inline(always)]
    fn clamped(&self, u: F32x4) -> F32x4 {
        // A given p of 0 has u = ∞, and ∞ / ∞ is no slope.
        (u * self.per_log_base).max(self.floor).min(F32x4::splat(f32::MAX))
    }
}
impl Shape for Published {
    const AHEAD: bool = true;
    /// ln v
    fn ahead(&self, u: &[f32], _q: &[f32], logs: &mut [f32]) {
        for (u, log) in vectors(u).iter().zip(vectors_mut(logs)) {
            ln_normal(self.clamped(F32x4::load(u))).store(log);
        }
    }
    #[inline(always)]
    fn at(&self, u: F32x4, _p: F32x4, _q: F32x4, log: F32x4) -> (F32x4, F32x4) {
        let v = self.clamped(u);
        let rest = F32x4::splat(1.0) - v;
        let value = self.value_scale * (rest * rest) * log;
        let slope = self.slope_scale * rest * (rest / v - (log + log));
        (value, slope.drop((u * self.per_log_base).lt(self.floor)))
    }
}

impl Conservative {
    /// The loss with these options.
    pub fn build(self) -> Box<dyn Loss> {
        let log_base = self.base.ln();
        let shape = Published {
            per_log_base: F32x4::splat((1.0 / log_base) as f32),
            value_scale: F32x4::splat((self.lambda / log_base) as f32),
            slope_scale: F32x4::splat((-self.lambda / (log_base * log_base)) as f32),
            // Where logarithms of f32 end.
            floor: F32x4::splat((self.floor as f32).max(f32::MIN_POSITIVE)),
        };
        Box::new(Pointwise::new(shape, self.reduction))
    }
}
