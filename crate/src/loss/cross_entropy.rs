//! Cross-entropy: ℓ = u = −ln p of the label, ∂ℓ/∂ln p = −1; soft targets Σ y_k u_k. The logit
//! gradient is p − y. Mean over the sum of the labels' class weights, as in PyTorch.

use super::pointwise::{Pointwise, Shape, Weights};
use super::{Loss, Numbers, Reduction};
use crate::simd::F32x4;

/// Options of cross-entropy.
pub struct CrossEntropy {
    /// One weight a class; none: all 1.
    pub class_weights: Numbers,
    /// ε of label smoothing.
    pub label_smoothing: f64,
    /// Mean or sum.
    pub reduction: Reduction,
}

/// ℓ = u
#[derive(Clone, Copy)]
pub struct Surprise;
impl Shape for Surprise {
    const SLOPE_NEEDS_SURPRISE: bool = false;
    const IS_SURPRISE: bool = true;
    #[inline(always)]
    fn at(&self, u: F32x4, _p: F32x4, _q: F32x4, _ahead: F32x4) -> (F32x4, F32x4) {
        (u, F32x4::splat(-1.0))
    }
}

impl CrossEntropy {
    /// The loss with these options.
    pub fn build(self) -> Box<dyn Loss> {
        let loss = Pointwise::new(Surprise, self.reduction).over_weights().smoothed(self.label_smoothing);
        Box::new(loss.weighted(Weights::PerClass(self.class_weights)))
    }
}
