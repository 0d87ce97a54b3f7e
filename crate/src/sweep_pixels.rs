//! The whole sweep of a softmax with labels, pixel after pixel: where the channels of a pixel lie together and no loss
//! needs sums. Turned to planes and back, cross-entropy of 21 classes takes half as much again.

use crate::activation::softmax_pixels;
use crate::work::Work;
use crate::workspace::{Place, Workspace};

impl Work<'_, '_> {
    /// Gives the floats that hold exponentials, and then the gradient, to `act`: those of the buffer, or, where there
    /// is none or the tile has padding, a copy.
    fn with_pixels<R>(
        &mut self,
        buffer: Option<&mut [f32]>,
        act: impl FnOnce(&mut Workspace, &Place, &mut [f32]) -> R,
    ) -> R {
        let (place, width) = (self.place, self.space.width);
        if let Some(mut block) = buffer.and_then(|buffer| place.block_mut(buffer, width)) {
            return act(self.space, &place, block.data_mut());
        }
        let mut x = std::mem::take(&mut self.space.x);
        x.resize(place.batch.channels * width, 0.0);
        let result = act(self.space, &place, &mut x);
        self.space.x = x;
        result
    }

    /// As [`Work::exponentiate`].
    pub(crate) fn exponentiate_pixels(&mut self, rows: bool, buffer: Option<&mut [f32]>) -> f64 {
        self.with_pixels(buffer, |space, place, x| {
            let Workspace { label, staged, inverse, site: [_, p, q], .. } = space;
            let batch = place.batch;
            let stage = |staged: &mut Vec<f32>| {
                staged.clear();
                staged.extend_from_slice(&batch.logits[place.block()]);
                staged.resize(batch.channels * place.width, 0.0);
            };
            inverse.fill(0.0);
            let z = place.pixels(batch.logits, place.width).unwrap_or_else(|| {
                stage(staged);
                staged
            });
            if !softmax_pixels::exponentials(z, x, batch.channels, label, [p, q]) {
                stage(staged);
                softmax_pixels::subtract_top(staged, batch.channels, inverse);
                softmax_pixels::exponentials(staged, x, batch.channels, label, [p, q]);
            }
            let total = space.divide(place, rows);
            if space.masked {
                for pixel in space.mask(batch.pixel_weights.is_some(), false) {
                    x[pixel * batch.channels..][..batch.channels].fill(0.0);
                }
            }
            total
        })
    }

    /// Exponentials and the labels' factors to the gradient.
    pub(crate) fn chain_pixels(&mut self, buffer: &mut [f32]) {
        self.with_pixels(Some(&mut *buffer), |space, place, x| {
            let Workspace { label, inverse, site: [_, _, q], .. } = space;
            softmax_pixels::scale(x, place.batch.channels, label, inverse, q);
        });
        let Work { place, space, .. } = self;
        if place.length < space.width {
            let block = place.block();
            buffer[block.clone()].copy_from_slice(&space.x[..block.len()]);
        }
    }
}
