//! Tversky (Salehi et al. 2017): 1 − T, T = (TP + s) / (TP + α FP + β FN + s), with TP = I,
//! FP = Σ p (1 − y), FN = Σy − I.

use super::overlap::{Cost, Overlap, Score, Sums};
use super::{Classes, Loss, Over};

/// Options of Tversky.
pub struct Tversky {
    /// Statistics per image or over the batch.
    pub over: Over,
    /// Which classes count.
    pub classes: Classes,
    /// α weighs false positives.
    pub alpha: f64,
    /// β weighs false negatives.
    pub beta: f64,
    /// s
    pub smooth: f64,
}

/// The Tversky index.
#[derive(Clone, Copy)]
pub(super) struct Index {
    pub alpha: f64,
    pub beta: f64,
    pub smooth: f64,
}
impl Score for Index {
    fn pair(&self, sums: &Sums) -> Cost {
        let Self { alpha, beta, smooth } = *self;
        let (hits, false_positives) = (sums.of.intersection, sums.of.false_positives);
        let false_negatives = sums.target - hits;
        Cost::of_score(
            [hits + smooth, 1.0, 0.0],
            [hits + alpha * false_positives + beta * false_negatives + smooth, 1.0 - alpha - beta, alpha],
        )
    }
}

impl Index {
    /// 1 − T from the errors themselves.
    pub fn exact(&self, sums: &Sums) -> Cost {
        let Self { alpha, beta, smooth } = *self;
        let error = alpha * sums.of.false_positives + beta * sums.of.false_negatives;
        let denominator = sums.of.intersection + error + smooth;
        Cost::of_error(error, [1.0, 0.0], [denominator, 1.0 - alpha - beta, alpha])
    }
}

impl Tversky {
    /// The loss with these options.
    pub fn build(self) -> Box<dyn Loss> {
        let index = Index { alpha: self.alpha, beta: self.beta, smooth: self.smooth };
        Box::new(Overlap::new(index, self.over, self.classes))
    }
}
