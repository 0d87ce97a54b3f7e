//! What both Lovász losses do with the Lovász extension: one sort per class and image, or per class,
//! of residuals whose size is a pixel's error and whose sign its class.

use super::lovasz_extension::LovaszExtension;
use super::planar::{Plane, RUN, runs};
use super::{Classes, Over};
use crate::batch::Batch;
use crate::census::Census;

/// The sorts of one loss, and the values they gave.
pub struct Sorts {
    over: Over,
    classes: Classes,
    /// Which (image, class) pairs are sorted; one row where the batch is pooled.
    selected: Vec<bool>,
    pairs: usize,
    extension: LovaszExtension,
    sum: f64,
}

impl Sorts {
    /// Sorts of these classes, of each image or of the batch.
    pub fn new(over: Over, classes: Classes) -> Self {
        Self { over, classes, selected: Vec::new(), pairs: 0, extension: LovaszExtension::default(), sum: 0.0 }
    }
    /// Bytes a sort takes, at most: where all errors are nearly the same, one bin holds all pairs (see
    /// `crate::sort`).
    pub fn scratch(&self, batch: &Batch) -> usize {
        let images = if self.over == Over::Image { 1 } else { batch.images };
        26usize.saturating_mul(images * batch.pixels())
    }
    /// Forgets all values; chooses what will be sorted.
    pub fn begin(&mut self, batch: &Batch, census: &Census) {
        self.sum = 0.0;
        self.selected = self.classes.pairs(self.over, batch, census);
        self.pairs = self.selected.iter().filter(|&&selected| selected).count();
    }
    /// Mean over all sorts, 0 if there were none.
    pub fn mean(&self) -> f64 {
        if self.pairs > 0 { self.sum / self.pairs as f64 } else { 0.0 }
    }

    /// Sorts one class. `residuals(first, step, row)` turns sides, − in the class, + outside and 0 where
    /// ignored, into signed errors; of pixels from `first` on, `step` apart, in an array shaped like the
    /// logits.
    pub fn look(&mut self, batch: &Batch, plane: &Plane, residuals: &dyn Fn(usize, usize, &mut [f32])) {
        let together = if self.over == Over::Image { 1 } else { batch.images };
        for start in (0..batch.images).step_by(together) {
            let images = start..start + together;
            if !self.selected[start * batch.channels + plane.class] {
                images.for_each(|image| plane.clear(batch, image));
                continue;
            }
            self.extension.begin();
            let mut foreground = 0;
            for image in images.clone() {
                foreground += self.survey(batch, plane, image, residuals);
            }
            self.settle(batch, plane, images, foreground);
        }
    }

    /// Leaves the residuals of one image where its slopes will be; returns how many of its pixels are in
    /// the class.
    fn survey(
        &mut self,
        batch: &Batch,
        plane: &Plane,
        image: usize,
        residuals: &dyn Fn(usize, usize, &mut [f32]),
    ) -> usize {
        let (first, step) = batch.plane(image, plane.class);
        let (mut foreground, mut row) = (0, [0.0; RUN]);
        for (start, length) in runs(batch.pixels()) {
            let row = &mut row[..length];
            batch.read_sides(image, plane.class, start, row);
            foreground += row.iter().map(|&side| u32::from(side < 0.0)).sum::<u32>() as usize;
            residuals(first + start * step, step, row);
            if let Some(weights) = batch.pixel_weights {
                let weights = &weights[image * batch.pixels() + start..];
                row.iter_mut().zip(weights).for_each(|(residual, weight)| *residual *= weight);
            }
            self.extension.survey(row);
            plane.write(first + start * step, step, row);
        }
        foreground
    }

    /// Sorts what was surveyed.
    fn settle(&mut self, batch: &Batch, plane: &Plane, images: std::ops::Range<usize>, foreground: usize) {
        self.extension.open(foreground, images.len() * batch.pixels());
        for image in images.clone() {
            let (first, step) = batch.plane(image, plane.class);
            for (start, length) in runs(batch.pixels()) {
                let mut residuals = [0.0; RUN];
                plane.take(first + start * step, step, &mut residuals[..length]);
                self.extension.push((first + start * step) as u32, step as u32, &residuals[..length]);
            }
        }
        let (slopes, scale) = (plane.slopes, 1.0 / self.pairs as f32);
        let deposit = |position: u32, slope: f32| slopes[position as usize].set(slope * scale);
        self.sum += self.extension.value(deposit);
        if let Some(weights) = batch.pixel_weights {
            images.for_each(|image| weigh(batch, plane, image, weights));
        }
    }
}

/// Turns each side of a row into the residual of the number beside it, `step` apart; 0 stays 0.
#[inline(always)]
pub fn turn<Number>(row: &mut [f32], numbers: &[Number], step: usize, residual: impl Fn(f32, &Number) -> f32) {
    let turn = |(side, number): (&mut f32, &Number)| {
        let value = residual(*side, number);
        *side = if *side == 0.0 { 0.0 } else { value };
    };
    // Neighbours in memory, the usual case, are turned by vectors.
    if step == 1 {
        let numbers = &numbers[..row.len()];
        row.iter_mut().zip(numbers).for_each(turn);
    } else {
        row.iter_mut().zip(numbers.iter().step_by(step)).for_each(turn);
    }
}

/// Slopes by the residual, which is ω times the error, to slopes by the error.
fn weigh(batch: &Batch, plane: &Plane, image: usize, weights: &[f32]) {
    let (first, step) = batch.plane(image, plane.class);
    let slopes = plane.slopes[first..].iter().step_by(step);
    for (slope, weight) in slopes.zip(&weights[image * batch.pixels()..][..batch.pixels()]) {
        slope.set(slope.get() * weight);
    }
}
