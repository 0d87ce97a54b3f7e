//! Where tiles lie in the batch, and how they get in and out.

use crate::batch::{Batch, Section, Target};
use crate::interleaved;
use crate::tile::{BLOCK, Planes, PlanesMut, long_width, staged_width, tile_width};
use std::ops::Range;

/// Where a tile lies in the batch.
#[derive(Clone, Copy)]
pub struct Place<'w, 'b> {
    /// The batch.
    pub batch: &'w Batch<'b>,
    /// The section it is cut from.
    pub section: Section,
    /// First pixel.
    pub start: usize,
    /// Pixels in it, without padding.
    pub length: usize,
    /// With padding.
    pub width: usize,
}

impl<'b> Place<'_, 'b> {
    /// Where the tile starts in an array shaped like the logits, and its strides over channels and
    /// pixels.
    pub(crate) fn strides(&self) -> (usize, usize, usize) {
        let (first, step) = self.batch.plane(self.section.image, self.section.class);
        (first + self.start * step, self.batch.channel_stride(), step)
    }
    /// The tile's labels and weights, if they can be read where they lie: labels are bytes, and all of them count.
    pub fn untouched(&self) -> Option<(&'b [u8], Option<&'b [f32]>)> {
        let (batch, (first, step)) = (self.batch, self.batch.label_plane(&self.section));
        let Target::U8(labels, _) = batch.target else { return None };
        if step != 1 || self.length < self.width || batch.ignore.is_some() {
            return None;
        }
        let weights = batch.pixel_weights.map(|_| self.weights());
        let all_count = !weights.is_some_and(any_zero);
        all_count.then(|| (&labels[first + self.start..][..self.length], weights))
    }
    /// The tile's weights, which there must be.
    pub(super) fn weights(&self) -> &'b [f32] {
        let weights = self.batch.pixel_weights.unwrap_or(&[]);
        &weights[self.section.image * self.batch.pixels() + self.start..][..self.length]
    }
    /// A logit of the tile.
    pub fn logit(&self, k: usize, pixel: usize) -> f32 {
        let (first, channel, step) = self.strides();
        self.batch.logits[first + k * channel + pixel * step]
    }
    /// Channel k of the tile in an array shaped like the logits, if it can be read where it lies.
    pub fn row<'a>(&self, from: &'a [f32], k: usize, width: usize) -> Option<&'a [f32]> {
        let (first, channel, step) = self.strides();
        (step == 1 && self.length == width).then(|| &from[first + k * channel..][..width])
    }
    /// The tile's planes in an array shaped like the logits, if they can be read where they lie.
    pub fn planes<'a>(&self, from: &'a [f32], width: usize) -> Option<Planes<'a>> {
        let (first, channel, step) = self.strides();
        (step == 1 && self.length == width).then(|| Planes::new(&from[first..], channel, width))
    }
    /// The tile's pixels in an array shaped like the logits, if their channels lie together and there is no padding.
    pub fn pixels<'a>(&self, from: &'a [f32], width: usize) -> Option<&'a [f32]> {
        let (_, channel, step) = self.strides();
        (step != 1 && channel == 1 && self.length == width).then(|| &from[self.block()])
    }
    /// The tile's planes in an array shaped like the logits, if they can be written where they lie.
    pub fn planes_mut<'a>(&self, to: &'a mut [f32], width: usize) -> Option<PlanesMut<'a>> {
        let (first, channel, step) = self.strides();
        (step == 1 && self.length == width).then(|| PlanesMut::new(&mut to[first..], channel, width))
    }
    /// The tile's part of an array shaped like the logits whose channels lie together.
    #[inline(never)]
    pub(crate) fn block(&self) -> Range<usize> {
        let first = self.strides().0;
        first..first + self.section.channels * self.length
    }
    /// The same as planes one after the other; if it has no padding.
    pub fn block_mut<'a>(&self, to: &'a mut [f32], width: usize) -> Option<PlanesMut<'a>> {
        (self.length == width).then(|| PlanesMut::new(&mut to[self.block()], width, width))
    }
    /// Copies the tile out of an array shaped like the logits; padding becomes 0.
    pub fn gather(&self, from: &[f32], to: &mut [f32], width: usize) {
        let (first, channel, step) = self.strides();
        if step != 1 && channel == 1 {
            return interleaved::gather(&from[first..], to, step, self.length, width);
        }
        for (k, row) in to.chunks_exact_mut(width).enumerate() {
            let (row, padding) = row.split_at_mut(self.length);
            row.copy_from_slice(&from[first + k * channel..][..self.length]);
            padding.fill(0.0);
        }
    }
    /// Copies the tile into an array shaped like the logits.
    pub fn scatter(&self, from: &[f32], to: &mut [f32], width: usize) {
        let (first, channel, step) = self.strides();
        if step != 1 && channel == 1 {
            return interleaved::scatter(from, &mut to[first..], step, self.length, width);
        }
        for (k, row) in from.chunks_exact(width).enumerate() {
            to[first + k * channel..][..self.length].copy_from_slice(&row[..self.length]);
        }
    }
}

/// Visits the tiles of a batch, section by section. `by_planes`: for sweeps plane by plane.
pub fn for_each_tile<'w, 'b>(batch: &'w Batch<'b>, by_planes: bool, visit: &mut dyn FnMut(Place<'w, 'b>)) {
    let pixels = batch.pixels();
    let longest = longest(batch, by_planes);
    for section in batch.sections() {
        let mut start = 0;
        while start < pixels {
            let left = pixels - start;
            // Where planes are swept as they lie, a tile ends with a block: only what is left at last is staged.
            let whole = if by_planes && left >= BLOCK { left - left % BLOCK } else { left };
            let length = longest.min(whole);
            let width = if by_planes { length.next_multiple_of(BLOCK) } else { longest };
            visit(Place { batch, section, start, length, width });
            start += length;
        }
    }
}

/// Pixels of a tile, but for the last.
pub(super) fn longest(batch: &Batch, by_planes: bool) -> usize {
    let channels = if batch.sigmoid { 1 } else { batch.channels };
    match (by_planes, batch.channels_last) {
        (true, false) => long_width(channels),
        (true, true) => staged_width(channels),
        (false, _) => tile_width(channels, batch.pixels()),
    }
}

/// Whether something weighs nothing. Looks at all of them, in vectors.
#[inline(never)]
pub(super) fn any_zero(weights: &[f32]) -> bool {
    weights.iter().fold(0, |any, &weight| any | u32::from(weight == 0.0)) != 0
}
