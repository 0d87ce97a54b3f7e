//! Lovász hinge (Berman et al. 2018): errors max(0, 1 − s z), s = ±1, sorted downwards; L = Σ m g with
//! g the growth of the Jaccard loss along them; ∂L/∂z = −s g where the error is positive.

use super::lovasz::{Sorts, turn};
use super::planar::Plane;
use super::{Classes, Loss, Needs, Over};
use crate::batch::Batch;
use crate::census::Census;
use crate::slopes::Slopes;
use crate::view::{Sums, Tile};

/// Options of the Lovász hinge.
pub struct LovaszHinge {
    /// Sorted per image or over the batch.
    pub over: Over,
}

struct Sorted(Sorts);

impl LovaszHinge {
    /// The loss with these options.
    pub fn build(self) -> Box<dyn Loss> {
        Box::new(Sorted(Sorts::new(self.over, Classes::All)))
    }
}

impl Loss for Sorted {
    fn needs(&self, _batch: &Batch) -> Needs {
        Needs { planes: true, logit_slopes: true, counts: true, ..Needs::default() }
    }
    fn scratch(&self, batch: &Batch) -> usize {
        self.0.scratch(batch)
    }
    fn begin(&mut self, batch: &Batch, census: &Census) {
        self.0.begin(batch, census);
    }
    fn look(&mut self, batch: &Batch, plane: &Plane) {
        self.0.look(batch, plane, &|run, row| {
            turn(run, row, batch.logits, |side, &z| {
                // 1 + side · z is the error; NaN must stay NaN.
                let error = 1.0 + side * z;
                if error < 0.0 { 0.0 } else { side * error }
            });
        });
    }
    fn settle(&mut self, _sums: &[Sums]) -> f64 {
        self.0.mean()
    }
    fn pull(&mut self, _tile: &Tile, _scale: f32, _slopes: &mut Slopes) {}
}
