//! Planar losses look at whole planes between the sweeps: one class of all images at a time. They
//! sort its errors (Lovász), or need its distance maps (boundary, Hausdorff).
//!
//! The gradient buffer holds the encoded probabilities of the class and receives its slopes in their
//! place, so that no other full-size memory is needed; the second sweep computes the probabilities
//! again from the logits, which costs little beside a sort.

use crate::activation::decode_one;
use crate::batch::Batch;
use std::cell::Cell;

/// The probabilities of one class, in the gradient buffer.
pub struct Plane<'a> {
    /// Which class.
    pub class: usize,
    /// The gradient buffer, shaped like the logits.
    pub buffer: &'a [Cell<f32>],
}

impl Plane<'_> {
    /// (p, 1 − p) at a position of the buffer.
    #[inline(always)]
    pub fn probability(&self, at: usize) -> (f32, f32) {
        decode_one(self.buffer[at].get())
    }
    /// Writes ∂L/∂z for a sigmoid, from ∂L/∂p, in place: the two share a position.
    #[inline(always)]
    pub fn slope(&self, batch: &Batch, at: usize, by_probability: f32) -> f32 {
        if batch.sigmoid && batch.from_logits {
            let (p, q) = self.probability(at);
            by_probability * p * q
        } else {
            by_probability
        }
    }
}
