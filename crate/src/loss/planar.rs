//! Planar losses look at whole planes between the sweeps: one class of all images at a time. They
//! sort its errors (Lovász), or need its distance maps (boundary, Hausdorff).
//!
//! The gradient buffer holds the encoded probabilities of the class and receives its slopes in their
//! place, so that no other full-size memory is needed; the second sweep computes the probabilities
//! again from the logits, which costs little beside a sort.

use crate::activation::decode_one;
use crate::batch::Batch;
use std::cell::Cell;

/// One class of all images: its probabilities, and where its slopes go. These may be the same
/// memory, so each probability is read before the slope of its pixel is written.
pub struct Plane<'a> {
    /// Which class.
    pub class: usize,
    /// Encoded probabilities, shaped like the logits.
    pub probabilities: &'a [Cell<f32>],
    /// Slopes, shaped like the logits.
    pub slopes: &'a [Cell<f32>],
}

impl Plane<'_> {
    /// (p, 1 − p) at a position of an array shaped like the logits.
    #[inline(always)]
    pub fn probability(&self, at: usize) -> (f32, f32) {
        decode_one(self.probabilities[at].get())
    }
    /// Sets the slopes of one image to 0.
    pub fn clear(&self, batch: &Batch, image: usize) {
        let (start, step) = batch.plane(image, self.class);
        self.slopes[start..].iter().step_by(step).take(batch.pixels()).for_each(|slope| slope.set(0.0));
    }
}

/// Pixels handled at once.
pub const RUN: usize = 512;

/// Visits an image's pixels in runs: first pixel, and how many.
pub fn runs(pixels: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..pixels).step_by(RUN).map(move |start| (start, RUN.min(pixels - start)))
}
