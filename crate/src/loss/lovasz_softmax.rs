//! Lovász-Softmax (Berman et al. 2018): per class, errors m = |y − p| sorted downwards, L = Σ m g with
//! g the growth of the Jaccard loss along them; ∂L/∂p = sign(p − y) g / number of classes.

use super::lovasz::{Sorts, turn};
use super::planar::Plane;
use super::{Classes, Loss, Needs, Over};
use crate::batch::Batch;
use crate::census::Census;
use crate::slopes::Slopes;
use crate::view::{Sums, Tile};

/// Options of Lovász-Softmax.
pub struct LovaszSoftmax {
    /// Sorted per image or over the batch.
    pub over: Over,
    /// Which classes count.
    pub classes: Classes,
}

struct Sorted(Sorts);

impl LovaszSoftmax {
    /// The loss with these options.
    pub fn build(self) -> Box<dyn Loss> {
        Box::new(Sorted(Sorts::new(self.over, self.classes)))
    }
}

impl Loss for Sorted {
    fn needs(&self, _batch: &Batch) -> Needs {
        Needs { planes: true, counts: true, ..Needs::default() }
    }
    fn scratch(&self, batch: &Batch) -> usize {
        self.0.scratch(batch)
    }
    fn begin(&mut self, batch: &Batch, census: &Census) {
        self.0.begin(batch, census);
    }
    fn look(&mut self, batch: &Batch, plane: &Plane) {
        // The code is p up to ½ and p − 1 above (see `activation::encode`); p − y is that, or one more
        // step towards the other side.
        self.0.look(batch, plane, &|run, row| {
            turn(run, row, plane.probabilities, |side, code| {
                let code = code.get();
                let across = (code.to_bits() ^ side.to_bits()) >> 31 == 1;
                code + if across { side } else { 0.0 }
            });
        });
    }
    fn settle(&mut self, _sums: &[Sums]) -> f64 {
        self.0.mean()
    }
    fn pull(&mut self, _tile: &Tile, _scale: f32, _slopes: &mut Slopes) {}
}
