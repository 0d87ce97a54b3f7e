//! What both Lovász losses do with the Lovász extension: one sort per class and image, or per class,
//! of residuals whose size is a pixel's error and whose sign its class.

use super::Over;
use super::lovasz_extension::LovaszExtension;
use super::planar::{Plane, RUN, runs};
use crate::batch::Batch;

/// What a sort takes: two arrays of (key, position).
pub fn sort_bytes(over: Over, batch: &Batch) -> usize {
    let images = if over == Over::Image { 1 } else { batch.images };
    16usize.saturating_mul(images * batch.pixels())
}

/// Sorts of one loss, and the values they gave.
#[derive(Default)]
pub struct Sorts {
    extension: LovaszExtension,
    /// Sum over the (image, class) pairs, or classes, that were sorted.
    sum: f64,
}

impl Sorts {
    /// Forgets all values.
    pub fn begin(&mut self) {
        self.sum = 0.0;
    }
    /// Mean over this many sorts, 0 if there were none.
    pub fn mean(&self, pairs: usize) -> f64 {
        if pairs > 0 { self.sum / pairs as f64 } else { 0.0 }
    }

    /// Sorts one class, of each image `over: image`, else of all. `selected(image)` tells whether it
    /// counts; `residual(side, position)` is the signed error of a pixel, − in the class and + outside;
    /// slopes by the residual are written times `scale`.
    pub fn look(
        &mut self,
        batch: &Batch,
        plane: &Plane,
        over: Over,
        selected: impl Fn(usize) -> bool,
        scale: f32,
        residual: impl Fn(f32, usize) -> f32,
    ) {
        let groups: Vec<_> = match over {
            Over::Image => (0..batch.images).map(|image| image..image + 1).collect(),
            Over::Batch => std::iter::once(0..batch.images).collect(),
        };
        for images in groups {
            if !selected(images.start) {
                images.for_each(|image| plane.clear(batch, image));
                continue;
            }
            self.extension.begin(images.len() * batch.pixels());
            let mut foreground = 0;
            for image in images.clone() {
                foreground += self.push(batch, plane.class, image, &residual);
            }
            images.for_each(|image| plane.clear(batch, image));
            self.sum += self.extension.value(foreground, |position, slope| {
                let at = position as usize;
                plane.slopes[at].set(slope * scale * weight_at(batch, at));
            });
        }
    }

    /// Hands over the residuals of one image; returns how many of its pixels are in the class.
    fn push(&mut self, batch: &Batch, class: usize, image: usize, residual: &impl Fn(f32, usize) -> f32) -> usize {
        let (first, step) = batch.plane(image, class);
        let (mut foreground, mut row) = (0, [0.0; RUN]);
        for (start, length) in runs(batch.pixels()) {
            let row = &mut row[..length];
            batch.read_sides(image, class, start, row);
            for (i, side) in row.iter_mut().enumerate() {
                foreground += usize::from(*side < 0.0);
                *side = if *side == 0.0 { 0.0 } else { residual(*side, first + (start + i) * step) };
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

/// ω at a position of an array shaped like the logits.
#[inline(always)]
fn weight_at(batch: &Batch, at: usize) -> f32 {
    let Some(weights) = batch.pixel_weights else { return 1.0 };
    let (pixels, channels) = (batch.pixels(), batch.channels);
    if batch.channels_last { weights[at / channels] } else { weights[at / (pixels * channels) * pixels + at % pixels] }
}
