//! What both Lovász losses do with the Lovász extension: one sort per class and image, or per class,
//! of residuals whose size is a pixel's error and whose sign its class.

use super::lovasz_extension::LovaszExtension;
use super::planar::{Plane, RUN, Run, runs};
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

    /// Sorts one class. `residuals` turns the sides of a run, − in the class, + outside and 0 where ignored, into
    /// signed errors.
    pub fn look(&mut self, batch: &Batch, plane: &Plane, residuals: Residuals) {
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
    fn survey(&mut self, batch: &Batch, plane: &Plane, image: usize, residuals: Residuals) -> usize {
        let (mut foreground, mut row) = (0, [0.0; RUN]);
        for run in runs(batch, image, plane.class) {
            let row = &mut row[..run.length];
            batch.read_sides(image, plane.class, run.start, row);
            foreground += row.iter().map(|&side| u32::from(side < 0.0)).sum::<u32>() as usize;
            residuals(&run, row);
            weigh(batch, &run, row);
            self.extension.survey(row);
            plane.write(&run, row);
        }
        foreground
    }

    /// Sorts what was surveyed.
    fn settle(&mut self, batch: &Batch, plane: &Plane, images: std::ops::Range<usize>, foreground: usize) {
        self.extension.open(foreground, images.len() * batch.pixels());
        let each_run = || images.clone().flat_map(|image| runs(batch, image, plane.class));
        let mut row = [0.0; RUN];
        for run in each_run() {
            let row = &mut row[..run.length];
            plane.read(&run, row);
            self.extension.push(run.at as u32, run.step as u32, row);
            plane.write(&run, &[0.0; RUN][..run.length]);
        }
        let (slopes, scale) = (plane.slopes, 1.0 / self.pairs as f32);
        let deposit = |position: u32, slope: f32| slopes[position as usize].set(slope * scale);
        self.sum += self.extension.value(deposit);
        if batch.pixel_weights.is_some() {
            // Slopes by the residual, which is ω times the error, to slopes by the error.
            for run in each_run() {
                let row = &mut row[..run.length];
                plane.read(&run, row);
                weigh(batch, &run, row);
                plane.write(&run, row);
            }
        }
    }
}

/// Turns the sides of a run into signed errors.
type Residuals<'r> = &'r dyn Fn(&Run, &mut [f32]);

/// Turns each side of a run into the residual of the number beside it, in an array shaped like the logits; 0 stays 0.
#[inline(always)]
pub fn turn<Number>(run: &Run, row: &mut [f32], numbers: &[Number], residual: impl Fn(f32, &Number) -> f32) {
    let numbers = &numbers[run.at..];
    let turn = |(side, number): (&mut f32, &Number)| {
        let value = residual(*side, number);
        *side = if *side == 0.0 { 0.0 } else { value };
    };
    // Neighbours in memory, the usual case, are turned by vectors.
    if run.step == 1 {
        let numbers = &numbers[..row.len()];
        row.iter_mut().zip(numbers).for_each(turn);
    } else {
        row.iter_mut().zip(numbers.iter().step_by(run.step)).for_each(turn);
    }
}

/// Multiplies a row by the weights of its pixels, if they have any.
#[inline(never)]
fn weigh(batch: &Batch, run: &Run, row: &mut [f32]) {
    if let Some(weights) = batch.pixel_weights {
        let weights = &weights[run.image * batch.pixels() + run.start..];
        row.iter_mut().zip(weights).for_each(|(value, weight)| *value *= weight);
    }
}
