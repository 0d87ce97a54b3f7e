//! A loss made of others, each with a weight: exponential logarithmic and combo.

use super::{Loss, Needs, OutcomeSlopes};
use crate::batch::{Batch, Section};
use crate::census::Census;
use crate::slopes::Slopes;
use crate::view::{Sums, Tile};

/// Σ weight · part
pub struct Parts(pub Vec<(f64, Box<dyn Loss>)>);

impl Loss for Parts {
    fn needs(&self, batch: &Batch) -> Needs {
        self.0.iter().fold(Needs::default(), |needs, (_, part)| needs.and(part.needs(batch)))
    }
    fn begin(&mut self, batch: &Batch, census: &Census) {
        self.0.iter_mut().for_each(|(_, part)| part.begin(batch, census));
    }
    fn observe(&mut self, tile: &Tile) {
        self.0.iter_mut().for_each(|(_, part)| part.observe(tile));
    }
    fn settle(&mut self, sums: &[Sums]) -> f64 {
        let parts = self.0.iter_mut().map(|(weight, part)| (*weight, part.settle(sums)));
        // A part that weighs nothing adds nothing, even where it is infinite.
        parts.filter(|(weight, _)| *weight != 0.0).map(|(weight, value)| weight * value).sum()
    }
    fn pull(&mut self, tile: &Tile, scale: f32, slopes: &mut Slopes) {
        self.0.iter_mut().for_each(|(weight, part)| part.pull(tile, scale * *weight as f32, slopes));
    }
    fn observe_surprise(&mut self, section: usize, surprise: [f64; 2]) {
        self.0.iter_mut().for_each(|(_, part)| part.observe_surprise(section, surprise));
    }
    fn pull_outcomes(&self, section: &Section, scale: f64, slopes: &mut OutcomeSlopes) {
        self.0.iter().for_each(|(weight, part)| part.pull_outcomes(section, scale * weight, slopes));
    }
}
