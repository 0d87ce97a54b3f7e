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
    /// Writes slopes.
    #[inline(never)]
    pub fn write(&self, run: &Run, values: &[f32]) {
        let slopes = &self.slopes[run.at..];
        let write = |(slope, &value): (&Cell<f32>, &f32)| slope.set(value);
        match run.step {
            // Neighbours in memory are written by vectors.
            1 => slopes[..values.len()].iter().zip(values).for_each(write),
            step => slopes.iter().step_by(step).zip(values).for_each(write),
        }
    }
    /// Reads slopes.
    #[inline(never)]
    pub fn read(&self, run: &Run, values: &mut [f32]) {
        let slopes = &self.slopes[run.at..];
        let read = |(slope, value): (&Cell<f32>, &mut f32)| *value = slope.get();
        match run.step {
            1 => slopes[..values.len()].iter().zip(values).for_each(read),
            step => slopes.iter().step_by(step).zip(values).for_each(read),
        }
    }
    /// Sets the slopes of one image to 0.
    pub fn clear(&self, batch: &Batch, image: usize) {
        runs(batch, image, self.class).for_each(|run| self.write(&run, &[0.0; RUN][..run.length]));
    }
}

/// Pixels handled at once.
pub const RUN: usize = 512;

/// Up to [`RUN`] pixels of an image, one after the other.
pub struct Run {
    /// Which image.
    pub image: usize,
    /// The first of them.
    pub start: usize,
    /// How many.
    pub length: usize,
    /// Where the first is in an array shaped like the logits.
    pub at: usize,
    /// How far apart they lie there.
    pub step: usize,
}

/// A class of an image in runs.
pub fn runs(batch: &Batch, image: usize, class: usize) -> impl Iterator<Item = Run> + use<> {
    let (pixels, (first, step)) = (batch.pixels(), batch.plane(image, class));
    (0..pixels).step_by(RUN).map(move |start| Run {
        image,
        start,
        length: RUN.min(pixels - start),
        at: first + start * step,
        step,
    })
}

/// Lets weighted losses look at every class, and leaves the sum of their slopes in its place; by the logits
/// if one of them gives those. `aside` is memory for several losses.
pub fn look(batch: &Batch, losses: &mut [(f32, &mut dyn Loss)], buffer: &mut [f32], aside: &mut Vec<f32>) {
    if let [(weight, loss)] = losses {
        let cells = Cell::from_mut(&mut *buffer).as_slice_of_cells();
        (0..batch.channels).for_each(|class| loss.look(batch, &Plane { class, probabilities: cells, slopes: cells }));
        if *weight != 1.0 {
            buffer.iter_mut().for_each(|slope| *slope *= *weight);
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
        let plane = Plane { class, probabilities: Cell::from_mut(&mut *buffer).as_slice_of_cells(), slopes: own };
        for (weight, loss) in losses.iter_mut() {
            loss.look(batch, &plane);
            let turn = of_logits && !loss.needs(batch).logit_slopes;
            for image in 0..batch.images {
                let (start, step) = batch.plane(image, class);
                for at in (start..).step_by(step).take(batch.pixels()) {
                    let (p, q) = plane.probability(at);
                    total[at] += *weight * own[at].get() * if turn { p * q } else { 1.0 };
                }
            }
        }
    }
    buffer.copy_from_slice(total);
}
