//! Weighted cross-entropy: β y u⁺ + (1 − y) u⁻, β weighs the positives of a sigmoid. The logit
//! gradient is (1 − y) p − β y (1 − p). Mean over the number of sites.

use super::cross_entropy::Surprise;
use super::pointwise::{Pointwise, Weights};
use super::{Loss, Reduction};

/// Options of weighted cross-entropy.
pub struct WeightedCrossEntropy {
    /// β
    pub positive_weight: f64,
    /// Mean or sum.
    pub reduction: Reduction,
}

impl WeightedCrossEntropy {
    /// The loss with these options.
    pub fn build(self) -> Box<dyn Loss> {
        let weights = Weights::Sides(1.0, self.positive_weight);
        Box::new(Pointwise::new(Surprise, self.reduction).weighted(weights))
    }
}
