//! Balanced cross-entropy (Xie and Tu 2015): β y u⁺ + (1 − β) (1 − y) u⁻; β a number, or each
//! section's own share of negatives.

use super::cross_entropy::Surprise;
use super::pointwise::{Pointwise, Weights};
use super::{Loss, Reduction};

/// Options of balanced cross-entropy.
pub struct BalancedCrossEntropy {
    /// β; NaN stands for "auto".
    pub beta: f64,
    /// Mean or sum.
    pub reduction: Reduction,
}

impl BalancedCrossEntropy {
    /// The loss with these options.
    pub fn build(self) -> Box<dyn Loss> {
        let weights = if self.beta.is_nan() { Weights::Balanced } else { Weights::Sides(1.0 - self.beta, self.beta) };
        Box::new(Pointwise::new(Surprise, self.reduction).weighted(weights))
    }
}
