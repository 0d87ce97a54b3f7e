//! Generalized Dice (Sudre et al. 2017): 1 − (2 Σ w I + s) / (Σ w (Σp + Σy) + s) per image, with
//! w = 1 / (Σy)² of each class. A class that is absent takes the largest weight of those that are
//! there (as MONAI does: an infinite weight would pin the loss at 1); where all are absent, 1.

use super::overlap::{Cost, Overlap, Score, Sums};
use super::{Classes, Loss, Over, Weighting};

/// Options of generalized Dice.
pub struct GeneralizedDice {
    /// Statistics per image or over the batch.
    pub over: Over,
    /// Which classes count.
    pub classes: Classes,
    /// How a class of size v is weighed.
    pub weighting: Weighting,
    /// s
    pub smooth: f64,
}

struct Weighed {
    weighting: Weighting,
    smooth: f64,
}

impl Weighed {
    fn weights(&self, sums: &[Sums]) -> Vec<f64> {
        let weight = |sums: &Sums| match self.weighting {
            Weighting::Square => 1.0 / (sums.target * sums.target),
            Weighting::Simple => 1.0 / sums.target,
            Weighting::Uniform => 1.0,
        };
        let weights: Vec<f64> = sums.iter().map(weight).collect();
        let largest = weights.iter().copied().filter(|w| w.is_finite()).fold(0.0, f64::max);
        let absent = if largest > 0.0 { largest } else { 1.0 };
        weights.into_iter().map(|w| if w.is_finite() { w } else { absent }).collect()
    }
}

impl Score for Weighed {
    fn pair(&self, sums: &Sums) -> Cost {
        super::dice::dice_cost(sums, self.smooth)
    }
    fn image(&self, selected: &[Sums], _pairs: f64, images: f64, costs: &mut Vec<Cost>) {
        let weights = self.weights(selected);
        let total = |f: fn(&Sums) -> f64| selected.iter().zip(&weights).map(|(sums, w)| w * f(sums)).sum::<f64>();
        let numerator = 2.0 * total(|sums| sums.of.intersection) + self.smooth;
        let denominator = total(|sums| sums.of.predicted() + sums.target) + self.smooth;
        // The value belongs to the image: the first class carries it.
        costs.extend(weights.iter().enumerate().map(|(i, w)| {
            let cost = Cost::of_score([numerator, 2.0 * w, 0.0], [denominator, 0.0, *w]).times(1.0 / images);
            Cost { value: if i == 0 { cost.value } else { 0.0 }, ..cost }
        }));
    }
}

impl GeneralizedDice {
    /// The loss with these options.
    pub fn build(self) -> Box<dyn Loss> {
        let score = Weighed { weighting: self.weighting, smooth: self.smooth };
        Box::new(Overlap::new(score, self.over, self.classes))
    }
}
