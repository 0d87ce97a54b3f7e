//! Combo loss (Taghanaki et al. 2019): α · mean [β y u⁺ + (1 − β) (1 − y) u⁻] − (1 − α) D. The
//! official code gives the false-positive term the wrong sign; this is the paper's.

use super::cross_entropy::Surprise;
use super::dice::dice_cost;
use super::overlap::{Cost, Overlap, Score, Sums};
use super::parts::Parts;
use super::pointwise::{Pointwise, Weights};
use super::{Classes, Over, Reduction};

/// Options of combo.
pub struct Combo {
    /// Statistics of Dice per image or over the batch.
    pub over: Over,
    /// Which classes count in Dice.
    pub classes: Classes,
    /// α: cross-entropy against Dice.
    pub alpha: f64,
    /// β: positives against negatives.
    pub beta: f64,
    /// s of Dice
    pub smooth: f64,
}

/// −D
struct NegativeDice {
    smooth: f64,
}
impl Score for NegativeDice {
    fn pair(&self, sums: &Sums) -> Cost {
        let cost = dice_cost(sums, self.smooth);
        cost.then(cost.value - 1.0, 1.0)
    }
}

impl Combo {
    /// The loss with these options.
    pub fn build(self) -> Parts {
        let cross = Pointwise::new(Surprise, Reduction::Mean).weighted(Weights::Sides(1.0 - self.beta, self.beta));
        let dice = Overlap::new(NegativeDice { smooth: self.smooth }, self.over, self.classes);
        Parts(vec![(self.alpha, Box::new(cross)), (1.0 - self.alpha, Box::new(dice))])
    }
}
