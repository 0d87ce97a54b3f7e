//! Jaccard: 1 − (I + s/2) / (U + s/2), U = Σp + Σy − I = Σ p (1 − y) + Σy.

use super::overlap::{Cost, Overlap, Score, Sums};
use super::{Classes, Loss, Over};

/// Options of Jaccard.
pub struct Jaccard {
    /// Statistics per image or over the batch.
    pub over: Over,
    /// Which classes count.
    pub classes: Classes,
    /// s
    pub smooth: f64,
}

struct Index {
    smooth: f64,
}
impl Score for Index {
    fn pair(&self, sums: &Sums) -> Cost {
        let union = sums.target + sums.of.false_positives;
        let half = self.smooth / 2.0;
        Cost::of_score([sums.of.intersection + half, 1.0, 0.0], [union + half, -1.0, 1.0])
    }
}

impl Jaccard {
    /// The loss with these options.
    pub fn build(self) -> Box<dyn Loss> {
        Box::new(Overlap::new(Index { smooth: self.smooth }, self.over, self.classes))
    }
}
