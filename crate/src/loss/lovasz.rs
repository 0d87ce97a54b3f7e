//! What both Lovász losses do with the Lovász extension: one sort per class and image, or per class,
//! of residuals whose size is a pixel's error and whose sign its class.

use super::lovasz_extension::LovaszExtension;
use super::planar::{Plane, RUN, runs};
use super::{Classes, Over};
use crate::batch::Batch;
use crate::census::Census;
use std::cell::Cell;

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
    /// Bytes a sort takes: two arrays of (key, position).
    pub fn scratch(&self, batch: &Batch) -> usize {
        let images = if self.over == Over::Image { 1 } else { batch.images };
        16usize.saturating_mul(images * batch.pixels())
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

    /// Sorts one class. `residual(side, number)` is the signed error of a pixel, − in the class and +
    /// outside, from its number among `source`, an array shaped like the logits.
    pub fn look(&mut self, batch: &Batch, plane: &Plane, source: &[impl Number], residual: impl Fn(f32, f32) -> f32) {
        let groups: Vec<_> = match self.over {
            Over::Image => (0..batch.images).map(|image| image..image + 1).collect(),
            Over::Batch => std::iter::once(0..batch.images).collect(),
        };
        for images in groups {
            if !self.selected[images.start * batch.channels + plane.class] {
                images.for_each(|image| plane.clear(batch, image));
                continue;
            }
            self.extension.begin(images.len() * batch.pixels());
            let mut foreground = 0;
            for image in images.clone() {
                foreground += self.push(batch, plane.class, image, source, &residual);
            }
            self.settle(batch, plane, images, foreground);
        }
    }

    /// Sorts what was pushed. Apart from `look`, so that there is one of it for hinge and softmax.
    #[inline(never)]
    fn settle(&mut self, batch: &Batch, plane: &Plane, images: std::ops::Range<usize>, foreground: usize) {
        images.clone().for_each(|image| plane.clear(batch, image));
        let (slopes, scale) = (plane.slopes, 1.0 / self.pairs as f32);
        let deposit = |position: u32, slope: f32| slopes[position as usize].set(slope * scale);
        self.sum += self.extension.value(foreground, deposit);
        if let Some(weights) = batch.pixel_weights {
            images.for_each(|image| weigh(batch, plane, image, weights));
        }
    }

    /// Hands over the residuals of one image; returns how many of its pixels are in the class.
    fn push(
        &mut self,
        batch: &Batch,
        class: usize,
        image: usize,
        source: &[impl Number],
        residual: &impl Fn(f32, f32) -> f32,
    ) -> usize {
        let (first, step) = batch.plane(image, class);
        let (mut foreground, mut row) = (0, [0.0; RUN]);
        for (start, length) in runs(batch.pixels()) {
            let row = &mut row[..length];
            batch.read_sides(image, class, start, row);
            foreground += row.iter().map(|&side| u32::from(side < 0.0)).sum::<u32>() as usize;
            let source = &source[first + start * step..];
            let turn = |(side, number): (&mut f32, &_)| {
                let value = residual(*side, Number::read(number));
                *side = if *side == 0.0 { 0.0 } else { value };
            };
            // Neighbours in memory, the usual case, are turned by vectors.
            if step == 1 {
                row.iter_mut().zip(&source[..length]).for_each(turn);
            } else {
                row.iter_mut().zip(source.iter().step_by(step)).for_each(turn);
            }
            if let Some(weights) = batch.pixel_weights {
                let weights = &weights[image * batch.pixels() + start..];
                row.iter_mut().zip(weights).for_each(|(residual, weight)| *residual *= weight);
            }
            self.extension.push((first + start * step) as u32, step as u32, row);
        }
        foreground
    }
}

/// A number of an array that may be shared with what is written.
pub trait Number {
    /// Its value.
    fn read(&self) -> f32;
}
impl Number for f32 {
    #[inline(always)]
    fn read(&self) -> f32 {
        *self
    }
}
impl Number for Cell<f32> {
    #[inline(always)]
    fn read(&self) -> f32 {
        self.get()
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
