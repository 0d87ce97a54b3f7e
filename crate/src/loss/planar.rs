//! Planar losses look at whole planes between the sweeps: one class of all images at a time. They
//! sort its errors (Lovász), or need its distance maps (boundary, Hausdorff).
//!
//! The gradient buffer holds the encoded probabilities of the class and receives its slopes in their
//! place, so that no other full-size memory is needed; the second sweep computes the probabilities
//! again from the logits, which costs little beside a sort.

use super::Loss;
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
    #[inline(never)]
    pub fn clear(&self, batch: &Batch, image: usize) {
        let (start, step) = batch.plane(image, self.class);
        match step {
            // Neighbours in memory are cleared by vectors.
            1 => self.slopes[start..][..batch.pixels()].iter().for_each(|slope| slope.set(0.0)),
            _ => self.slopes[start..].iter().step_by(step).take(batch.pixels()).for_each(|slope| slope.set(0.0)),
        }
    }
}

/// Pixels handled at once.
pub const RUN: usize = 512;

/// Visits an image's pixels in runs: first pixel, and how many.
pub fn runs(pixels: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..pixels).step_by(RUN).map(move |start| (start, RUN.min(pixels - start)))
}

/// Lets weighted losses look at every class, and leaves the sum of their slopes in its place; by the logits
/// if one of them gives those. `aside` is memory for several losses.
pub fn look(batch: &Batch, losses: &mut [(f32, &mut dyn Loss)], buffer: &mut [f32], aside: &mut Vec<f32>) {
    let buffer = Cell::from_mut(buffer).as_slice_of_cells();
    if let [(weight, loss)] = losses {
        for class in 0..batch.channels {
            loss.look(batch, &Plane { class, probabilities: buffer, slopes: buffer });
            if *weight != 1.0 {
                for_each_position(batch, class, |at| buffer[at].set(*weight * buffer[at].get()));
            }
        }
        return;
    }
    // The probabilities must outlive the first loss, so slopes are collected aside. This is the one case
    // that takes two more arrays of the batch's size.
    aside.clear();
    aside.resize(2 * buffer.len(), 0.0);
    let (total, own) = aside.split_at_mut(buffer.len());
    let own = Cell::from_mut(own).as_slice_of_cells();
    let of_logits = losses.iter().any(|(_, loss)| loss.needs(batch).logit_slopes);
    for class in 0..batch.channels {
        let plane = Plane { class, probabilities: buffer, slopes: own };
        for (weight, loss) in losses.iter_mut() {
            loss.look(batch, &plane);
            let turn = of_logits && !loss.needs(batch).logit_slopes;
            for_each_position(batch, class, |at| {
                let (p, q) = plane.probability(at);
                total[at] += *weight * own[at].get() * if turn { p * q } else { 1.0 };
            });
        }
        for_each_position(batch, class, |at| buffer[at].set(total[at]));
    }
}

/// Visits the positions of one class of all images in an array shaped like the logits.
fn for_each_position(batch: &Batch, class: usize, mut visit: impl FnMut(usize)) {
    for image in 0..batch.images {
        let (start, step) = batch.plane(image, class);
        (0..batch.pixels()).for_each(|pixel| visit(start + pixel * step));
    }
}
