//! Dice: 1 − D, D = (2 I + s) / (Σp + Σy + s); squared (V-Net): squares in the denominator.
//! ∂L/∂p = (D − 2 y) / S, squared 2 (D p − y) / S.

use super::overlap::{Cost, Overlap, Score, Sums};
use super::{Classes, Loss, Over};

/// Options of Dice.
pub struct Dice {
    /// Statistics per image or over the batch.
    pub over: Over,
    /// Which classes count.
    pub classes: Classes,
    /// s
    pub smooth: f64,
    /// Squares in the denominator.
    pub squared: bool,
}

/// D with smoothing s, also for the losses built on it.
pub(super) fn dice_cost(sums: &Sums, smooth: f64) -> Cost {
    Cost::of_score(
        [2.0 * sums.of.intersection + smooth, 2.0, 0.0],
        [sums.of.predicted() + sums.target + smooth, 0.0, 1.0],
    )
}

struct Coefficient {
    smooth: f64,
    squared: bool,
}
impl Score for Coefficient {
    fn pair(&self, sums: &Sums) -> Cost {
        if !self.squared {
            return dice_cost(sums, self.smooth);
        }
        // Σp² + Σy² = 2 I + Σ (p − y)²: neither D nor 1 − D is a difference of sums, and both keep their digits.
        let denominator = 2.0 * sums.of.intersection + sums.of.square_error + self.smooth;
        Cost::of_error(sums.of.square_error, [2.0, 0.0], [denominator, 0.0, 1.0])
    }
    fn squared(&self) -> bool {
        self.squared
    }
}

impl Dice {
    /// The loss with these options.
    pub fn build(self) -> Box<dyn Loss> {
        let score = Coefficient { smooth: self.smooth, squared: self.squared };
        Box::new(Overlap::new(score, self.over, self.classes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // p = (0.5, 1), y = (1, 1): I = 1.5, S = 3.5, D = 6/7; ∂L/∂p = (6/7 − 2) / 3.5
        let mut sums = Sums { target: 2.0, ..Sums::default() };
        sums.of.intersection = 1.5;
        let cost = dice_cost(&sums, 0.0);
        assert!((cost.value - 1.0 / 7.0).abs() < 1e-15);
        assert!((cost.by_intersection + cost.by_predicted - (6.0 / 7.0 - 2.0) / 3.5).abs() < 1e-15);
    }
}
