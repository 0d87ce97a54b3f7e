//! Whole sweeps of a softmax with labels, plane by plane and where the gradient lies.
//!
//! Losses that look at nothing but the labels' own u, p, q and at each class's sums need no probability
//! of the others before the gradient: the gradient buffer holds exponentials from the first pass on, in
//! runs so long that the processor sees them coming (at 21 classes 1.3 instead of 1.8 ns per element
//! for cross-entropy). Only what does not lie pixel after pixel, or ends before a block does, is staged.

use crate::activation::softmax_few::{self, FEW, VECTOR};
use crate::activation::softmax_few_chain;
use crate::activation::softmax_many::{self, Labels};
use crate::activation::{SiteRows, fill_masked, softmax, softmax_planes};
use crate::kept::Kept;
use crate::loss::Needs;
use crate::tile::{Planes, PlanesMut, divide_row, multiply_row, sum_of_row};
use crate::view::Sums;
use crate::work::{Planar, Work};
use crate::workspace::{Place, Workspace, zero};

impl Work<'_, '_> {
    /// Whether this is all that the losses need here.
    pub fn is_swept_by_planes(&self) -> bool {
        self.space.by_planes
    }

    /// Gives the planes that hold exponentials, and then the gradient, to `act`: those of the buffer, or
    /// staged ones.
    fn with_planes<R>(
        &mut self,
        buffer: Option<&mut [f32]>,
        act: impl FnOnce(&mut Workspace, &Place, &mut PlanesMut) -> R,
    ) -> R {
        let (place, width, stride) = (self.place, self.space.width, self.space.stride());
        if let Some(mut planes) = buffer.and_then(|buffer| self.planes_in(buffer)) {
            return act(self.space, &place, &mut planes);
        }
        let mut x = std::mem::take(&mut self.space.x);
        x.resize(place.section.channels * stride, 0.0);
        let result = act(self.space, &place, &mut PlanesMut::new(&mut x, stride, width));
        self.space.x = x;
        result
    }

    /// The planes of a buffer that can be swept where they lie.
    fn planes_in<'a>(&self, buffer: &'a mut [f32]) -> Option<PlanesMut<'a>> {
        match self.space.in_blocks {
            true => self.place.block_mut(buffer, self.space.width),
            false => self.place.planes_mut(buffer, self.space.width),
        }
    }

    /// Logits to probabilities, and each class's sums, in one pass; says whether it was done. For three to five classes
    /// and pixels that all count alike, where nobody asks for more.
    pub fn sum_at_once(&mut self, buffer: Option<&mut [f32]>, sums: &mut [Sums]) -> bool {
        let (needs, batch) = (self.space.needs, self.place.batch);
        let is_alike = batch.pixel_weights.is_none() && !self.space.masked;
        let is_more = needs.sites || needs.distance || needs.planes;
        if is_more || !is_alike || !(3..=FEW).contains(&sums.len()) {
            return false;
        }
        self.with_planes(buffer, |space, place, x| {
            let stride = space.stride();
            let Workspace { width, label, staged, inverse, .. } = space;
            match (place.planes(batch.logits, *width), place.pixels(batch.logits, *width)) {
                (None, Some(z)) if batch.channels == VECTOR => {
                    softmax_few::probabilities_of_pixels(z, x, label, inverse, sums)
                }
                _ => {
                    let z = planes_of(batch.logits, place, stride, staged);
                    softmax_planes::probabilities(z, x, label, inverse, sums)
                }
            }
        })
    }

    /// Logits to exponentials, and to u, p and q of the labels. Returns Σ u where nobody needs
    /// `rows`.
    pub fn exponentiate(&mut self, rows: bool, buffer: Option<&mut [f32]>) -> f64 {
        if self.space.by_pixels {
            return self.exponentiate_pixels(rows, buffer);
        }
        self.with_planes(buffer, |space, place, x| {
            let stride = space.stride();
            let Workspace { label, staged, inverse, site: [_, p, q], .. } = space;
            let batch = place.batch;
            inverse.fill(0.0);
            let is_healthy = match place.pixels(batch.logits, place.width) {
                Some(z) if batch.channels == VECTOR => softmax_planes::exponentials_of_pixels(z, x, label, [p, q]),
                _ => {
                    let z = planes_of(batch.logits, place, stride, staged);
                    softmax_planes::exponentials(z, x, batch.channels, label, [inverse, p, q])
                }
            };
            if !is_healthy {
                stage(batch.logits, place, stride, staged);
                softmax::subtract_top(&mut PlanesMut::new(staged, stride, place.width), batch.channels, inverse);
                let z = Planes::new(staged, stride, place.width);
                softmax_planes::exponentials(z, x, batch.channels, label, [&mut space.chain[0], p, q]);
            }
            let total = space.divide(place, rows);
            if space.many && (space.needs.planes || !space.by_planes) {
                space.own.copy_from_slice(&space.site[1]);
            }
            if space.masked {
                let pixels = space.mask(batch.pixel_weights.is_some(), space.needs.planes);
                clear(x, batch.channels, &pixels, place.width);
            }
            total
        })
    }

    /// Σ u of the labels, where it was needed of each.
    pub fn sum_of_surprises(&self) -> f64 {
        sum_of_row(&self.space.site[0])
    }

    /// Adds up what is needed of each class.
    pub fn add_up(&mut self, buffer: Option<&mut [f32]>, sums: &mut [Sums]) {
        if sums.is_empty() {
            return;
        }
        self.with_planes(buffer, |space, place, x| {
            let stride = space.stride();
            let Workspace { needs, label, weights, inverse, staged, site: [_, p, q], chain, .. } = space;
            let [row, ..] = chain;
            if needs.sums {
                let weights = place.batch.pixel_weights.map(|_| &**weights);
                if let Some(weights) = weights {
                    multiply_row(inverse, weights);
                }
                softmax_planes::add_up(x, Labels { class: label, p, inverse }, weights, sums);
                set_inverse(inverse, weights);
                if needs.misses {
                    softmax_many::add_up_labels(label, q, weights, sums, |sums| &mut sums.false_negatives);
                }
            }
            if let Some(distance) = place.batch.distance.filter(|_| needs.distance) {
                let distance = planes_of(distance, place, stride, staged);
                let labels = Labels { class: label, p, inverse };
                softmax_planes::add_up_distances(x.as_planes(), labels, distance, row, sums);
            }
        });
    }

    /// Exponentials to encoded probabilities, for losses that look at planes.
    pub fn encode(&mut self, buffer: &mut [f32]) {
        self.with_planes(Some(buffer), |space, place, x| {
            let Workspace { label, inverse, own, chain: [rest, ..], .. } = space;
            softmax_planes::encode(x, place.batch.channels, label, inverse, own, rest);
        });
        self.finish(buffer);
    }

    /// Keeps what the second sweep needs of the first.
    pub fn keep(&mut self, kept: Option<Kept>, buffer: &mut [f32]) {
        if let Some(kept) = kept {
            kept.store(self.space);
        }
        self.finish(buffer);
    }

    /// Brings back what the first sweep left.
    pub fn recall_planes(&mut self, kept: Option<Kept>, buffer: &mut [f32]) {
        if self.planes_in(buffer).is_none() {
            self.with_planes(None, |space, place, x| place.gather(buffer, x.data_mut(), space.stride()));
        }
        let Workspace { inverse, weights, .. } = &mut *self.space;
        set_inverse(inverse, self.place.batch.pixel_weights.map(|_| &**weights));
        let Some(kept) = kept else { return };
        kept.load(self.space);
        if self.space.masked {
            self.space.mask(self.place.batch.pixel_weights.is_some(), false);
        }
    }

    /// Exponentials and slopes to the gradient, and Σ p φ into `sums`, if there are any. `planar`: where the buffer
    /// holds slopes by p, the exponentials are staged.
    pub fn chain_planes(&mut self, planar: Planar, buffer: &mut [f32], sums: &mut [Sums]) {
        let place = self.place;
        if self.space.is_labels_alone() && !self.space.is_even() {
            let Workspace { label, inverse, site: [_, _, q], slopes, .. } = &mut *self.space;
            softmax_planes::label_factors(label, inverse, q, slopes);
        }
        if self.space.by_pixels {
            return self.chain_pixels(buffer);
        }
        if self.space.in_blocks
            && place.batch.channels == VECTOR
            && self.space.is_labels_alone()
            && let Some(mut block) = place.block_mut(buffer, self.space.width)
        {
            return chain_block(self.space, block.data_mut());
        }
        if planar == Planar::None {
            self.with_planes(Some(buffer), |space, place, x| chain(space, place, x, None, sums));
            if self.space.in_blocks
                && let Some(mut block) = place.block_mut(buffer, self.space.width)
            {
                self.space.x.resize(block.data_mut().len(), 0.0);
                self.space.x.copy_from_slice(block.data_mut());
                return place.scatter(&self.space.x, buffer, self.space.width);
            }
            return self.finish(buffer);
        }
        let left = &*buffer;
        self.with_planes(None, |space, place, x| chain(space, place, x, Some(left), sums));
        place.scatter(&self.space.x, buffer, self.space.stride());
    }

    /// Staged planes go to the buffer.
    fn finish(&mut self, buffer: &mut [f32]) {
        if self.planes_in(buffer).is_none() {
            self.place.scatter(&self.space.x, buffer, self.space.stride());
        }
    }
}

impl Workspace {
    /// Whether all labels have one slope, and nothing else has any. Then `divide` leaves their factors.
    pub(crate) fn is_even(&self) -> bool {
        self.by_planes && self.needs.sites && !self.needs.rows && self.is_labels_alone()
    }

    /// Whether only labels have slopes.
    fn is_labels_alone(&self) -> bool {
        let Needs { sums, distance, planes, .. } = self.needs;
        !sums && !distance && !planes
    }

    /// From exponentials of the labels and of the others to 1 / Σ, and u, p and q. Returns Σ u where nobody needs
    /// `rows`.
    pub(crate) fn divide(&mut self, place: &Place, rows: bool) -> f64 {
        let is_even = self.is_even();
        let Self { needs, label, masked, inverse, site: [u, p, q], slopes, .. } = self;
        if *masked {
            // A label without a doubt needs no logarithm of its own (cross-entropy of 4 classes, a tenth of whose
            // pixels are ignored, took 6.9 ns per element instead of 3.0).
            fill_masked(label, p, 1.0);
            fill_masked(label, q, 0.0);
        }
        let mut site = SiteRows { u, p, q };
        let logit = |k, pixel| place.logit(k, pixel);
        if needs.sites && !rows {
            let slope = is_even.then(|| slopes.even());
            return softmax::total_surprise(place.batch.channels, label, inverse, site.p, site.q, slope, &logit);
        }
        softmax::sites(needs.sites, label, inverse, &mut site, &logit);
        0.0
    }
}

/// What makes p of the planes once classes were added up: they hold p, or ω p.
fn set_inverse(inverse: &mut [f32], weights: Option<&[f32]>) {
    inverse.fill(1.0);
    if let Some(weights) = weights {
        divide_row(inverse, weights);
    }
}

/// Zeroes pixels of all planes.
fn clear(x: &mut PlanesMut, channels: usize, pixels: &[usize], width: usize) {
    (0..channels).for_each(|k| zero(x.row(k), pixels, width));
}

/// Exponentials and slopes of labels to the gradient, where four channels of a pixel lie together: turned on its way
/// (cross-entropy takes a twentieth less).
fn chain_block(space: &mut Workspace, block: &mut [f32]) {
    let Workspace { width, label, inverse, site: [_, _, q], x, .. } = space;
    x.resize(block.len(), 0.0);
    x.copy_from_slice(block);
    softmax_few_chain::chain_labels_to_pixels(Planes::new(x, *width, *width), block, label, inverse, q);
}

/// Exponentials and slopes to the gradient, in place. `left`: slopes that losses left which looked at planes.
fn chain(space: &mut Workspace, place: &Place, x: &mut PlanesMut, left: Option<&[f32]>, sums: &mut [Sums]) {
    let stride = space.stride();
    let Workspace { needs, label, weights, staged, inverse, site, slopes, chain, .. } = space;
    let weights = place.batch.pixel_weights.filter(|_| needs.sums).map(|_| &**weights);
    if let (Some(weights), true) = (weights, slopes.read_b().is_some()) {
        // All slopes are weighted in the end.
        divide_row(slopes.b().row(0), weights);
    }
    let map = match left {
        Some(_) => left,
        None => place.batch.distance.filter(|_| needs.distance),
    };
    if left.is_some() {
        (0..place.batch.channels).for_each(|k| slopes.add_map(k, 1.0));
    }
    if needs.sums || map.is_some() {
        let map = map.map(|map| planes_of(map, place, stride, staged));
        let labels = Labels { class: label, p: &site[1], inverse };
        softmax_planes::chain_classes(x, labels, slopes, map, chain, sums);
    } else {
        softmax_planes::chain_labels(x, place.batch.channels, label, inverse, &site[2]);
    }
    if let Some(weights) = weights {
        softmax::multiply_planes(x, place.batch.channels, weights);
    }
    // A NaN among the other pixels makes the slopes of whole classes NaN; 0 · NaN is not 0. And what only
    // weighs nothing still had an outline.
    let (constant, _, at_label) = space.slopes.classes();
    if space.masked && (left.is_some() || constant.iter().chain(at_label).any(|slope| !slope.is_finite())) {
        let pixels = space.masked_pixels(place.batch.pixel_weights.is_some());
        clear(x, place.batch.channels, &pixels, space.width);
    }
}

/// A tile's planes of an array shaped like the logits: where they lie, or staged.
fn planes_of<'a>(array: &'a [f32], place: &Place, stride: usize, staged: &'a mut Vec<f32>) -> Planes<'a> {
    place.planes(array, place.width).unwrap_or_else(|| {
        stage(array, place, stride, staged);
        Planes::new(staged, stride, place.width)
    })
}

/// Copies a tile's planes out of an array shaped like the logits.
fn stage(array: &[f32], place: &Place, stride: usize, staged: &mut Vec<f32>) {
    staged.resize(place.section.channels * stride, 0.0);
    place.gather(array, staged, stride);
}
