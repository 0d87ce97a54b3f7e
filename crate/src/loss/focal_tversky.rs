//! Focal Tversky (Abraham and Khan 2019): (1 − T)^γ, 1 − T floored at 1e-7 so that a perfect class
//! has slope 0.

use super::overlap::{Cost, Overlap, Score, Sums};
use super::tversky::Index;
use super::{Classes, Loss, Over};
use crate::math::power;

/// Options of focal Tversky.
pub struct FocalTversky {
    /// Statistics per image or over the batch.
    pub over: Over,
    /// Which classes count.
    pub classes: Classes,
    /// α weighs false positives.
    pub alpha: f64,
    /// β weighs false negatives.
    pub beta: f64,
    /// γ
    pub gamma: f64,
    /// s
    pub smooth: f64,
}

/// f^γ where f ≥ 1e-7; below, the floor's value and slope 0.
pub(super) fn floored_power(cost: Cost, gamma: f64) -> Cost {
    const FLOOR: f64 = 1e-7;
    if cost.value < FLOOR {
        return cost.then(power(FLOOR, gamma), 0.0);
    }
    cost.then(power(cost.value, gamma), gamma * power(cost.value, gamma - 1.0))
}

struct Focused {
    index: Index,
    gamma: f64,
}
impl Score for Focused {
    fn pair(&self, sums: &Sums) -> Cost {
        floored_power(self.index.exact(sums), self.gamma)
    }
    fn misses(&self) -> bool {
        true
    }
}

impl FocalTversky {
    /// The loss with these options.
    pub fn build(self) -> Box<dyn Loss> {
        let index = Index { alpha: self.alpha, beta: self.beta, smooth: self.smooth };
        Box::new(Overlap::new(Focused { index, gamma: self.gamma }, self.over, self.classes))
    }
}
