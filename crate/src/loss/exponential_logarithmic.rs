//! Exponential logarithmic loss (Wong et al. 2018): w_D · mean (−ln D)^γ_D + w_X · mean w_l u^γ_X.
//! Powers of −ln D and of u are floored at 1e-7: a perfect pixel has gradient 0, not NaN.

use super::focal_tversky::floored_power;
use super::overlap::{Cost, Overlap, Score, Sums};
use super::parts::Parts;
use super::pointwise::{Pointwise, Shape, Weights};
use super::{Classes, Numbers, Over, Reduction};
use crate::activation::powers::Power;
use crate::math::ln_1p;
use crate::simd::F32x4;
use crate::tile::{vectors, vectors_mut};

/// Options of the exponential logarithmic loss.
pub struct ExponentialLogarithmic {
    /// Statistics of Dice per image or over the batch.
    pub over: Over,
    /// Which classes count in Dice.
    pub classes: Classes,
    /// w_D
    pub dice_weight: f64,
    /// w_X
    pub cross_weight: f64,
    /// γ_D
    pub dice_gamma: f64,
    /// γ_X
    pub cross_gamma: f64,
    /// w_l
    pub class_weights: Numbers,
    /// s of Dice
    pub smooth: f64,
}

struct LogDice {
    gamma: f64,
    smooth: f64,
}
impl Score for LogDice {
    fn pair(&self, sums: &Sums) -> Cost {
        // 1 − D = (FP + FN) / S, and −ln D = −ln(1 − that).
        let error = sums.of.false_positives + sums.of.false_negatives;
        let denominator = 2.0 * sums.of.intersection + error + self.smooth;
        let cost = Cost::of_error(error, [2.0, 0.0], [denominator, 0.0, 1.0]);
        floored_power(cost.then(-ln_1p(-cost.value), 1.0 / (1.0 - cost.value)), self.gamma)
    }
    fn misses(&self) -> bool {
        true
    }
}

/// The least u.
const FLOOR: f32 = 1e-7;

/// ℓ = u^γ, ∂ℓ/∂ln p = −γ u^(γ − 1)
#[derive(Clone, Copy)]
struct PowerOfSurprise {
    gamma: F32x4,
    /// u^(γ − 1); u^γ is u times that.
    below: Power,
}
impl Shape for PowerOfSurprise {
    const AHEAD: bool = true;
    /// u^(γ − 1)
    fn ahead(&self, u: &[f32], _q: &[f32], powers: &mut [f32]) {
        for (u, power) in vectors(u).iter().zip(vectors_mut(powers)) {
            F32x4::load(u).max(F32x4::splat(FLOOR)).store(power);
        }
        self.below.raise(powers);
    }
    #[inline(always)]
    fn at(&self, u: F32x4, _p: F32x4, _q: F32x4, power: F32x4) -> (F32x4, F32x4) {
        let floor = F32x4::splat(FLOOR);
        (u.max(floor) * power, (-self.gamma * power).drop(u.lt(floor)))
    }
}

impl ExponentialLogarithmic {
    /// The loss with these options.
    pub fn build(self) -> Parts {
        let dice = LogDice { gamma: self.dice_gamma, smooth: self.smooth };
        let shape =
            PowerOfSurprise { gamma: F32x4::splat(self.cross_gamma as f32), below: Power::new(self.cross_gamma - 1.0) };
        let cross = Pointwise::new(shape, Reduction::Mean).weighted(Weights::PerClass(self.class_weights));
        Parts(vec![
            (self.dice_weight, Box::new(Overlap::new(dice, self.over, self.classes))),
            (self.cross_weight, Box::new(cross)),
        ])
    }
}
