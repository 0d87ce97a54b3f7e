//! The steps of a sweep on one tile.

use crate::activation::{OutcomePlanes, SiteRows, decode_row, encode_row, given, sigmoid, softmax, softmax_chain};
use crate::kept::Kept;
use crate::labels::{put_own, take_own};
use crate::simd::F32x4;
use crate::slopes::Slopes;
use crate::tile::{Planes, PlanesMut, vectors, vectors_mut};
use crate::view::{Sums, Tile};
use crate::workspace::{Place, Workspace};

/// What losses that looked at planes left in the gradient buffer.
#[derive(Clone, Copy, PartialEq)]
pub enum Planar {
    /// Nothing.
    None,
    /// ∂L/∂p
    OfProbabilities,
    /// ∂L/∂z
    OfLogits,
}

/// One tile at work.
pub struct Work<'w, 'b> {
    pub(crate) space: &'w mut Workspace,
    pub(crate) place: Place<'w, 'b>,
    held: Held,
}

/// What a softmax's `x` holds.
#[derive(Clone, Copy, PartialEq)]
enum Held {
    /// Exponentials, not divided by their sum yet.
    Exponentials,
    /// Probabilities.
    Whole,
    /// Probabilities but the label's own, which is in its row.
    Apart,
}

impl<'w, 'b> Work<'w, 'b> {
    /// Makes room for a tile.
    pub fn open(space: &'w mut Workspace, place: Place<'w, 'b>) -> Self {
        space.fit(place.batch, place.width);
        Self { space, place, held: Held::Whole }
    }

    /// Reads its target and weights. Plain rows do so themselves.
    pub fn read(&mut self) {
        self.space.read(&self.place);
    }

    /// Logits to probabilities; under a softmax with hard labels only to exponentials.
    pub fn activate(&mut self) {
        let (place, batch) = (self.place, self.place.batch);
        let Workspace { width, outcomes, needs, dense, label, x, p, q, site, outcome, .. } = &mut *self.space;
        let width = *width;
        let [u, own, others] = site;
        let mut rows = SiteRows { u, p: own, q: others };
        let [_, u, pk, qk] = outcome;
        let mut planes = OutcomePlanes { u, p: pk, q: qk };
        let outcomes_too = *dense && needs.sites;
        if batch.sigmoid {
            let z = place.row(batch.logits, 0, width).unwrap_or_else(|| {
                place.gather(batch.logits, x, width);
                x
            });
            match (batch.from_logits, outcomes_too) {
                (true, true) => sigmoid::forward_dense(z, p, q, &mut planes),
                (true, false) if needs.sites => sigmoid::forward::<true>(z, label, p, q, &mut rows),
                (true, false) => sigmoid::forward::<false>(z, label, p, q, &mut rows),
                (false, _) => given::forward_sigmoid(z, label, p, q, &mut rows),
            }
            if !batch.from_logits && outcomes_too {
                given::outcomes(Planes::new(z, width, width), *outcomes, true, &mut planes);
            }
        } else {
            if batch.from_logits && !outcomes_too {
                self.held = Held::Exponentials;
                self.exponentiate(true, None);
                return;
            }
            place.gather(batch.logits, x, width);
            match (batch.from_logits, outcomes_too) {
                (true, _) => softmax::forward_dense(x, width, &mut planes),
                (false, true) => given::outcomes(Planes::new(x, width, width), *outcomes, false, &mut planes),
                (false, false) => given::sites(Planes::new(x, width, width), batch.channels, label, &mut rows),
            }
        }
        if self.space.masked {
            self.space.mask(batch.pixel_weights.is_some(), self.space.needs.planes);
        }
    }

    /// Exponentials to probabilities, if they are not that already. Adds up each class, if there are
    /// sums.
    pub fn normalise(&mut self, sums: &mut [Sums]) {
        let Workspace { width, many, label, own, x, inverse, .. } = &mut *self.space;
        if self.held == Held::Exponentials {
            let mut planes = PlanesMut::new(x, *width, *width);
            softmax::multiply_planes(&mut planes, self.place.section.channels, inverse);
            if *many {
                put_own(&mut planes, label, own);
            }
            self.held = Held::Whole;
        }
        let tile = self.space.tile(&self.place).0;
        sums.iter_mut().enumerate().for_each(|(k, sums)| sums.add(&tile, k));
    }

    /// Takes the labels' own probabilities out of a softmax's planes, as its chain rule wants it.
    fn set_apart(&mut self) {
        let batch = self.place.batch;
        if self.held == Held::Whole && !batch.sigmoid && batch.from_logits && !self.space.dense {
            let Workspace { width, label, x, site: [_, own, _], .. } = &mut *self.space;
            take_own(&mut PlanesMut::new(x, *width, *width), label, own);
            self.held = Held::Apart;
        }
    }

    /// What the losses see, and where they report.
    pub fn tile(&mut self) -> (Tile<'_>, &mut Slopes) {
        self.space.tile(&self.place)
    }

    /// Leaves the probabilities in the buffer for the second sweep, and in `kept` what it needs of the labels.
    pub fn store_probabilities(&mut self, kept: Option<Kept>, buffer: &mut [f32]) {
        if let Some(kept) = kept {
            self.set_apart();
            kept.store(self.space);
        }
        let Workspace { width, x, p, q, .. } = &mut *self.space;
        if self.place.batch.sigmoid {
            encode_row(p, q, x);
        }
        self.place.scatter(x, buffer, *width);
    }

    /// Leaves p and 1 − p in the buffer, for losses that look at planes.
    pub fn store_encoded(&mut self, buffer: &mut [f32]) {
        let Workspace { width, x, p, q, .. } = &mut *self.space;
        if self.place.batch.sigmoid {
            encode_row(p, q, x);
        } else {
            softmax::encode_planes(x, *width, self.place.batch.from_logits);
        }
        self.place.scatter(x, buffer, *width);
    }

    /// Probabilities of the first sweep, from where `store_probabilities` left them.
    pub fn recall(&mut self, kept: Option<Kept>, buffer: &[f32]) {
        let (place, batch) = (self.place, self.place.batch);
        let Workspace { width, x, p, q, .. } = &mut *self.space;
        place.gather(buffer, x, *width);
        if batch.sigmoid {
            decode_row(x, p, q);
        }
        if let Some(kept) = kept {
            kept.load(self.space);
            self.held = Held::Apart;
        }
        if self.space.masked {
            self.space.mask(batch.pixel_weights.is_some(), false);
        }
    }

    /// The same, and room to report if it is wanted.
    pub fn tile_and_slopes(&mut self, is_wanted: bool) -> (Tile<'_>, Option<&mut Slopes>) {
        if is_wanted {
            self.reset_slopes();
        }
        let (tile, slopes) = self.tile();
        (tile, is_wanted.then_some(slopes))
    }

    /// Makes room for this tile's slopes.
    pub fn reset_slopes(&mut self) {
        let outcomes = if self.space.dense { self.space.outcomes } else { 1 };
        self.space.slopes.reset(self.place.section.channels, outcomes, self.space.width);
    }

    /// Slopes to the gradient, and into the buffer. `planar`: what losses that looked at planes left
    /// there; it is added.
    pub fn chain(&mut self, planar: Planar, buffer: &mut [f32]) {
        let (place, batch) = (self.place, self.place.batch);
        let width = self.space.width;
        self.set_apart();
        if planar == Planar::OfProbabilities {
            let mut left = vec![0.0; self.space.x.len()];
            place.gather(buffer, &mut left, width);
            let mut a = self.space.slopes.a();
            left.chunks_exact(width).enumerate().for_each(|(k, left)| add_row(a.plane(k), left));
        }
        let (mut slopes, dense) = (std::mem::take(&mut self.space.slopes), self.space.dense);
        slopes.spread_distances(&self.space.tile(&place).0);
        if dense || batch.sigmoid || !batch.from_logits {
            slopes.spread(&self.space.tile(&place).0);
        }
        let weights = batch.pixel_weights.is_some();
        let Workspace { label, x, p, q, site: [_, own, _], outcome, weights: row, .. } = &mut *self.space;
        let planes = |i: usize| Planes::new(&outcome[i], width, width);
        match (batch.from_logits, batch.sigmoid, dense && slopes.read_b().is_some()) {
            (true, false, false) if !dense => softmax_chain::chain(x, label, own, weights.then_some(&**row), &slopes),
            (true, false, _) => softmax_chain::chain_dense(x, width, planes(3), &slopes),
            (true, true, false) => sigmoid::chain(p, q, label, &slopes, x),
            (true, true, true) => sigmoid::chain_dense(p, q, &slopes, x),
            (false, sigmoid, false) => given::chain(x, sigmoid, label, own, &slopes),
            (false, sigmoid, true) => given::chain_dense(x, width, sigmoid, planes(2), &slopes),
        }
        self.space.slopes = slopes;
        if planar == Planar::OfLogits {
            let mut left = vec![0.0; width];
            place.gather(buffer, &mut left, width);
            add_row(vectors_mut(&mut self.space.x), &left);
        }
        if self.space.masked {
            self.space.mask(weights, false);
        }
        place.scatter(&self.space.x, buffer, width);
    }
}

/// Adds a row to another.
pub(crate) fn add_row(to: &mut [[f32; 4]], row: &[f32]) {
    for (to, row) in to.iter_mut().zip(vectors(row)) {
        (F32x4::load(to) + F32x4::load(row)).store(to);
    }
}
