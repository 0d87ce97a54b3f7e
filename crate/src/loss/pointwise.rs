//! Pointwise losses: a mean (or sum) over sites of w · ℓ(u, p, q), where u = −ln p is the surprise
//! at the label. A loss of this family says what ℓ and ∂ℓ/∂ln p are, and which weight an outcome has;
//! the same code serves softmax and sigmoids, labels and soft targets.
//!
//! The normaliser depends on the target alone, so a sum of pointwise losses needs one sweep.

use super::{Loss, Needs, Numbers, OutcomeSlopes, Reduction};
use crate::activation::sigmoid;
use crate::batch::{Batch, NO_LABEL, Section};
use crate::census::Census;
use crate::simd::{F32x4, U32x4};
use crate::slopes::Slopes;
use crate::tile::{Planes, vectors, vectors_mut};
use crate::view::{Outcomes, Site, Sums, Tile, Truth};

/// What is particular to one pointwise loss.
pub trait Shape: Copy + 'static {
    /// ℓ and ∂ℓ/∂ln p for one outcome with probability p, u = −ln p, q = 1 − p.
    fn at(&self, u: F32x4, p: F32x4, q: F32x4) -> (F32x4, F32x4);
    /// Whether `at` looks at u for its slope: the second sweep recalls it only then.
    const SLOPE_NEEDS_SURPRISE: bool = true;
    /// Whether ℓ is u itself.
    const IS_SURPRISE: bool = false;
}

/// How much each outcome counts.
pub enum Weights {
    /// Weights of the classes: of the label under softmax, of the channel under sigmoids.
    PerClass(Numbers),
    /// Negatives and positives of a sigmoid.
    Sides(f64, f64),
    /// Focal's α: 1 − α for outcome 0, background or negative, and α for the others.
    Alpha(f64),
    /// β for positives and 1 − β for negatives, where β is the share of negatives in the section,
    /// within [0.01, 0.99].
    Balanced,
}

/// A pointwise loss: its shape, and how sites are weighted and averaged.
pub struct Pointwise<S> {
    shape: S,
    weights: Weights,
    /// Whether the mean divides by the sum of the class weights (cross-entropy, as in PyTorch)
    /// instead of the number of sites.
    weighted_mean: bool,
    /// ε of label smoothing.
    smoothing: f32,
    reduction: Reduction,

    /// Weight of each outcome in each section.
    table: Vec<f32>,
    /// Whether all of them are 1.
    even: bool,
    outcomes: usize,
    per_site: f64,
    sum: f64,
    /// w of each pixel of the tile, times ω.
    row: Vec<f32>,
}

impl<S: Shape> Pointwise<S> {
    /// The mean over all valid sites, evenly weighted.
    pub fn new(shape: S, reduction: Reduction) -> Self {
        Self {
            shape,
            weights: Weights::PerClass(Numbers::None),
            weighted_mean: false,
            smoothing: 0.0,
            reduction,
            table: Vec::new(),
            even: true,
            outcomes: 0,
            per_site: 0.0,
            sum: 0.0,
            row: Vec::new(),
        }
    }
    /// With these weights.
    pub fn weighted(mut self, weights: Weights) -> Self {
        self.weights = weights;
        self
    }
    /// With the mean over the sum of class weights.
    pub fn over_weights(mut self) -> Self {
        self.weighted_mean = true;
        self
    }
    /// With label smoothing ε: y becomes (1 − ε) y + ε/K over K outcomes.
    pub fn smoothed(mut self, smoothing: f64) -> Self {
        self.smoothing = smoothing as f32;
        self
    }

    fn fill_table(&mut self, batch: &Batch, census: &Census) {
        self.outcomes = batch.outcomes();
        self.table.clear();
        for section in batch.sections() {
            for k in 0..self.outcomes {
                self.table.push(match &self.weights {
                    Weights::PerClass(list) => list.get(if batch.sigmoid { section.class } else { k }) as f32,
                    Weights::Alpha(alpha) => (if k == 0 { 1.0 - alpha } else { *alpha }) as f32,
                    Weights::Sides(negative, positive) => [*negative, *positive][k.min(1)] as f32,
                    Weights::Balanced => {
                        let valid = census.valid(section.index);
                        let negatives = if valid > 0.0 { census.count(section.index, 0) / valid } else { 0.5 };
                        let beta = negatives.clamp(0.01, 0.99);
                        [1.0 - beta, beta][k.min(1)] as f32
                    }
                });
            }
        }
        self.even = self.table.iter().all(|&weight| weight == 1.0);
    }

    fn denominator(&self, batch: &Batch, census: &Census) -> f64 {
        let even = matches!(self.weights, Weights::PerClass(Numbers::None));
        if !self.weighted_mean || even || (batch.soft() && !batch.sigmoid) {
            return census.valid_total();
        }
        let sections = batch.sections().map(|section| {
            let weight = |k: usize| f64::from(self.table[section.index * self.outcomes + k]);
            if batch.sigmoid {
                census.valid(section.index) * weight(0)
            } else {
                (0..self.outcomes).map(|k| census.count(section.index, k) * weight(k)).sum()
            }
        });
        sections.sum()
    }

    /// w ω of every site's label, or nothing where all are 1.
    fn site_weights<'r>(&'r mut self, tile: &'r Tile, label: &[u32]) -> Option<&'r [f32]> {
        if self.even {
            return tile.weights;
        }
        let table = &self.table[tile.section.index * self.outcomes..][..self.outcomes];
        self.row.clear();
        // Masked sites have no entry in the table.
        self.row.extend(label.iter().map(|&label| table.get(label as usize).copied().unwrap_or(0.0)));
        if let Some(weights) = tile.weights {
            self.row.iter_mut().zip(weights).for_each(|(w, weight)| *w *= weight);
        }
        Some(&self.row)
    }

    /// Visits the weighted value and slope of every vector of sites.
    #[inline(always)]
    fn each_site(&mut self, tile: &Tile, label: &[u32], site: Site, mut visit: impl FnMut(usize, F32x4, F32x4)) {
        let shape = self.shape;
        let weights = self.site_weights(tile, label).map(vectors);
        let rows = vectors(site.u).iter().zip(vectors(site.p)).zip(vectors(site.q)).zip(vectors(label));
        for (i, (((u, p), q), label)) in rows.enumerate() {
            let (u, p, q) = (F32x4::load(u), F32x4::load(p), F32x4::load(q));
            let (value, slope) = shape.at(u, p, q);
            let masked = U32x4::load(label).eq(U32x4::splat(NO_LABEL));
            match weights {
                None => visit(i, value.drop(masked), slope.drop(masked)),
                Some(weights) => {
                    let weight = F32x4::load(&weights[i]);
                    let none = masked | weight.eq(F32x4::zero());
                    visit(i, (value * weight).drop(none), (slope * weight).drop(none));
                }
            }
        }
    }

    /// Visits the value and slope of every outcome, weighted with its share of the target.
    #[inline(always)]
    fn each_outcome(&self, tile: &Tile, outcome: Outcomes, mut visit: impl FnMut(usize, usize, F32x4, F32x4)) {
        let table = &self.table[tile.section.index * self.outcomes..][..self.outcomes];
        let (keep, share) = (1.0 - self.smoothing, self.smoothing / self.outcomes as f32);
        for (k, &weight) in table.iter().enumerate() {
            let read = |plane: Planes, i: usize| F32x4::load(&plane.plane(k)[i]);
            for i in 0..outcome.y.plane(k).len() {
                let (u, p, q) = (read(outcome.u, i), read(outcome.p, i), read(outcome.q, i));
                let mut y = read(outcome.y, i) * F32x4::splat(keep) + F32x4::splat(share);
                y = y * F32x4::splat(weight);
                if let Some(weights) = tile.weights {
                    y = y * F32x4::load(&vectors(weights)[i]);
                }
                let (value, slope) = self.shape.at(u, p, q);
                // No share, no loss, even where u is infinite. Masked pixels hold p = q = 0.
                let none = y.eq(F32x4::zero()) | (p + q).eq(F32x4::zero());
                visit(k, i, (y * value).drop(none), (y * slope).drop(none));
            }
        }
    }

    fn sweep(&mut self, tile: &Tile, scale: f32, values: bool, slopes: Option<&mut Slopes>) {
        let scale = F32x4::splat(scale * self.per_site as f32);
        let mut sum = F32x4::zero();
        match (tile.truth, slopes) {
            (Truth::Hard { label, site }, None) => self.each_site(tile, label, site, |_, value, _| sum = sum + value),
            (Truth::Hard { label, site }, Some(slopes)) => {
                let mut b = slopes.b();
                let b = b.plane(0);
                self.each_site(tile, label, site, |i, value, slope| {
                    sum = sum + value;
                    (F32x4::load(&b[i]) + slope * scale).store(&mut b[i]);
                });
            }
            (Truth::Dense(outcome), None) => self.each_outcome(tile, outcome, |_, _, value, _| sum = sum + value),
            (Truth::Dense(outcome), Some(slopes)) => {
                let mut b = slopes.b();
                self.each_outcome(tile, outcome, |k, i, value, slope| {
                    sum = sum + value;
                    let b = &mut b.plane(k)[i];
                    (F32x4::load(b) + slope * scale).store(b);
                });
            }
        }
        if values {
            self.sum += sum.sum();
        }
    }
}

impl<S: Shape> Loss for Pointwise<S> {
    fn needs(&self, _batch: &Batch) -> Needs {
        Needs {
            sites: true,
            outcomes: self.smoothing > 0.0,
            surprise_again: S::SLOPE_NEEDS_SURPRISE,
            uneven: !matches!(self.weights, Weights::PerClass(_)),
            counts: matches!(self.weights, Weights::Balanced | Weights::PerClass(Numbers::List(_))),
            ..Needs::default()
        }
    }
    fn begin(&mut self, batch: &Batch, census: &Census) {
        self.fill_table(batch, census);
        let denominator = match self.reduction {
            Reduction::Mean => self.denominator(batch, census),
            Reduction::Sum => 1.0,
        };
        // A mean over nothing is 0.
        self.per_site = if denominator > 0.0 { 1.0 / denominator } else { 0.0 };
        self.sum = 0.0;
    }
    fn observe(&mut self, tile: &Tile) {
        self.sweep(tile, 0.0, true, None);
    }
    fn pull(&mut self, tile: &Tile, scale: f32, slopes: &mut Slopes) {
        self.sweep(tile, scale, false, Some(slopes));
    }
    fn observe_and_pull(&mut self, tile: &Tile, scale: f32, slopes: &mut Slopes) {
        self.sweep(tile, scale, true, Some(slopes));
    }
    fn settle(&mut self, _sums: &[Sums]) -> f64 {
        if self.per_site > 0.0 { self.sum * self.per_site } else { 0.0 }
    }
    fn observe_surprise(&mut self, section: usize, surprise: [f64; 2]) {
        let table = &self.table[section * self.outcomes..];
        self.sum += surprise[0] * f64::from(table[0]) + surprise[1] * f64::from(table[1]);
    }
    fn pull_outcomes(&self, section: &Section, scale: f64, slopes: &mut OutcomeSlopes) {
        for (slope, weight) in slopes.labels.iter_mut().zip(&self.table[section.index * self.outcomes..]) {
            *slope -= scale * self.per_site * f64::from(*weight);
        }
    }
    fn sweep_row(&mut self, section: usize, z: &[f32], label: &[u32], scale: f32, out: &mut [f32]) -> bool {
        let scale = scale * self.per_site as f32;
        let weights = [self.table[section * self.outcomes], self.table[section * self.outcomes + 1]];
        if S::IS_SURPRISE && weights[0] == weights[1] {
            self.sum += f64::from(weights[0]) * sigmoid::cross_entropy(z, label, scale * weights[0], out);
        } else {
            let shape = self.shape;
            self.sum += sigmoid::sweep(z, label, weights, scale, out, |u, p, q| shape.at(u, p, q));
        }
        true
    }
    fn map(&mut self, tile: &Tile, scale: f32, row: &mut [f32]) {
        let (row, scale) = (vectors_mut(row), F32x4::splat(scale));
        let mut add = |i: usize, value: F32x4| (F32x4::load(&row[i]) + value * scale).store(&mut row[i]);
        match tile.truth {
            Truth::Hard { label, site } => self.each_site(tile, label, site, |i, value, _| add(i, value)),
            Truth::Dense(outcome) => self.each_outcome(tile, outcome, |_, i, value, _| add(i, value)),
        }
    }
}
