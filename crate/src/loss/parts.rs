//! What a loss is made of: itself, or others with a weight each, as exponential logarithmic and combo. An objective
//! takes each part for itself.

use super::Loss;

/// Σ weight · part
pub struct Parts(pub Vec<(f64, Box<dyn Loss>)>);

impl From<Box<dyn Loss>> for Parts {
    fn from(loss: Box<dyn Loss>) -> Self {
        Self(vec![(1.0, loss)])
    }
}
