//! Pointwise losses: a mean (or sum) over sites of w · ℓ(u, p, q), where u = −ln p is the surprise
//! at the label. A loss of this family says what ℓ and ∂ℓ/∂ln p are, and which weight an outcome has;
//! the same code serves softmax and sigmoids, labels and soft targets.
//!
//! The normaliser depends on the target alone, so a sum of pointwise losses needs one sweep.

use super::smoothing::Smoothing;
use super::{Loss, Needs, Numbers, OutcomeSlopes, Reduction};
use crate::activation::{fill_masked, sigmoid_rows};
use crate::batch::{Batch, Section};
use crate::census::Census;
use crate::simd::F32x4;
use crate::slopes::Slopes;
use crate::tile::{SUM_RUN, sum_of_row, sum_runs, vectors, vectors_mut};
use crate::view::{Row, Sums, Tile, Truth};
use crate::walk::lockstep;
use std::ops::Range;

/// What is particular to one pointwise loss.
pub trait Shape: Copy + 'static {
    /// ℓ and ∂ℓ/∂ln p for one outcome with probability p, u = −ln p, q = 1 − p, and what was taken ahead.
    fn at(&self, u: F32x4, p: F32x4, q: F32x4, ahead: F32x4) -> (F32x4, F32x4);
    /// ℓ and ∂ℓ/∂a, where a = ln (q / p) is the logit against the label of a sigmoid: −q ∂ℓ/∂ln p.
    #[inline(always)]
    fn against(&self, u: F32x4, p: F32x4, q: F32x4, ahead: F32x4) -> (F32x4, F32x4) {
        let (value, slope) = self.at(u, p, q, ahead);
        (value, -slope * q)
    }
    /// Whether a function of u or q is taken ahead of the rest. A power or a logarithm is: with so many operations that
    /// wait for each other it takes half as long in loops of its own.
    const AHEAD: bool = false;
    /// That function, from rows of u and q.
    fn ahead(&self, _u: &[f32], _q: &[f32], _ahead: &mut [f32]) {}
    /// Whether `at` looks at u for its slope.
    const SLOPE_NEEDS_SURPRISE: bool = true;
    /// Whether ℓ is u itself.
    const IS_SURPRISE: bool = false;
}

/// A shape as an object: whole rows at a time, so that everything around it is compiled once.
trait Rows {
    /// ℓ and ∂ℓ/∂ln p of a row.
    fn evaluate(&self, u: &[f32], p: &[f32], q: &[f32], value: &mut [f32], slope: &mut [f32]);
    /// See [`sigmoid_rows::sweep`].
    fn sweep(&self, row: &Row, weights: [f32; 2], scale: f32, out: &mut [f32]) -> f64;
    fn slope_needs_surprise(&self) -> bool;
    fn is_surprise(&self) -> bool;
}

impl<S: Shape> Rows for S {
    fn evaluate(&self, u: &[f32], p: &[f32], q: &[f32], value: &mut [f32], slope: &mut [f32]) {
        let mut room = [0.0; SUM_RUN];
        let room = &mut room[..q.len()];
        self.ahead(u, q, room);
        let ahead = if S::AHEAD { &*room } else { q };
        for ([u, p, q, ahead], [value, slope]) in lockstep([u, p, q, ahead], [value, slope]) {
            let (cost, along) = self.at(u, p, q, ahead);
            cost.store(value);
            along.store(slope);
        }
    }
    fn sweep(&self, row: &Row, weights: [f32; 2], scale: f32, out: &mut [f32]) -> f64 {
        let ahead = |u: &[f32], q: &[f32], ahead: &mut [f32]| self.ahead(u, q, ahead);
        sigmoid_rows::sweep(row, weights, scale, out, S::AHEAD.then_some(ahead), |[u, p, q, ahead]| {
            self.against(u, p, q, ahead)
        })
    }
    fn slope_needs_surprise(&self) -> bool {
        S::SLOPE_NEEDS_SURPRISE
    }
    fn is_surprise(&self) -> bool {
        S::IS_SURPRISE
    }
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

/// Takes an outcome (0 where targets are hard), some pixels, and their values and slopes.
type Visit<'v> = &'v mut dyn FnMut(usize, Range<usize>, &[f32], &[f32]);

/// A pointwise loss: its shape, and how sites are weighted and averaged.
pub struct Pointwise {
    shape: Box<dyn Rows>,
    weights: Weights,
    /// Whether the mean divides by the sum of the class weights (cross-entropy, as in PyTorch)
    /// instead of the number of sites.
    weighted_mean: bool,
    smoothing: Smoothing,
    reduction: Reduction,

    /// Weight of each outcome in each section.
    table: Vec<f32>,
    outcomes: usize,
    per_site: f64,
    sum: f64,
    /// Weights, values and slopes of some pixels: few, so that they stay in the first cache. (As whole rows of a tile focal
    /// of 4 classes took a third more where they came to lie badly beside those of the sites.)
    rows: [[f32; SUM_RUN]; 3],
}

impl Pointwise {
    /// The mean over all valid sites, evenly weighted.
    pub fn new(shape: impl Shape, reduction: Reduction) -> Self {
        Self {
            shape: Box::new(shape),
            weights: Weights::PerClass(Numbers::None),
            weighted_mean: false,
            smoothing: Smoothing::default(),
            reduction,
            table: Vec::new(),
            outcomes: 0,
            per_site: 0.0,
            sum: 0.0,
            rows: [[0.0; SUM_RUN]; 3],
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
    /// With label smoothing ε.
    pub fn smoothed(mut self, smoothing: f64) -> Self {
        self.smoothing = Smoothing::new(smoothing);
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
    }

    fn denominator(&self, batch: &Batch, census: &Census) -> f64 {
        let even = matches!(self.weights, Weights::PerClass(Numbers::None));
        if !self.weighted_mean || even || (batch.soft() && !batch.sigmoid) {
            return census.valid_total();
        }
        let sections = batch.sections().map(|section| {
            let weight = |k: usize| f64::from(self.table[section.index * self.outcomes + k]);
            match batch.sigmoid {
                true => census.valid(section.index) * weight(0),
                false => (0..self.outcomes).map(|k| census.count(section.index, k) * weight(k)).sum(),
            }
        });
        sections.sum()
    }

    /// Visits weighted values and slopes of a tile, of the label or of each outcome, run by run.
    fn visit(&mut self, tile: &Tile, visit: Visit) {
        let table = &self.table[tile.section.index * self.outcomes..][..self.outcomes];
        let is_even = table.iter().all(|&weight| weight == 1.0);
        let width = match tile.truth {
            Truth::Hard { label, .. } => label.len(),
            Truth::Dense(outcomes) => outcomes.u.row(0).len(),
        };
        for run in sum_runs(width) {
            let [weights, values, slopes] = self.rows.each_mut().map(|row| &mut row[..run.len()]);
            let pixel = tile.weights.map(|weights| &weights[run.clone()]);
            match tile.truth {
                Truth::Hard { label, site } => {
                    let label = &label[run.clone()];
                    let [u, p, q] = [site.u, site.p, site.q].map(|row| &row[run.clone()]);
                    self.shape.evaluate(u, p, q, values, slopes);
                    // Masked sites have no entry in the table.
                    let of_label = |&label: &u32| table.get(label as usize).copied().unwrap_or(0.0);
                    match pixel {
                        // Masked sites hold u = 0, but not every ℓ is 0 there.
                        None if is_even => {
                            if tile.masked {
                                [&mut *values, slopes].into_iter().for_each(|row| fill_masked(label, row, 0.0));
                            }
                        }
                        None => {
                            weights.iter_mut().zip(label).for_each(|(w, label)| *w = of_label(label));
                            weigh(weights, values, slopes);
                        }
                        Some(pixel) => {
                            let products = label.iter().zip(pixel).map(|(label, pixel)| of_label(label) * pixel);
                            weights.iter_mut().zip(products).for_each(|(w, product)| *w = product);
                            weigh(weights, values, slopes);
                        }
                    }
                    visit(0, run, values, slopes);
                }
                Truth::Dense(outcomes) => {
                    let [keep, share] = self.smoothing.of_shares(self.outcomes);
                    for (k, &weight) in table.iter().enumerate() {
                        let [u, p, q, y] =
                            [outcomes.u, outcomes.p, outcomes.q, outcomes.y].map(|planes| &planes.row(k)[run.clone()]);
                        self.shape.evaluate(u, p, q, values, slopes);
                        for (i, (w, y)) in weights.iter_mut().zip(y).enumerate() {
                            let masked = p[i] + q[i] == 0.0;
                            *w = if masked { 0.0 } else { (y * keep + share) * weight };
                            *w *= pixel.map_or(1.0, |pixel| pixel[i]);
                        }
                        weigh(weights, values, slopes);
                        visit(k, run.clone(), values, slopes);
                    }
                }
            }
        }
    }

    fn sweep(&mut self, tile: &Tile, scale: f32, values: bool, slopes: Option<&mut Slopes>) {
        let scale = F32x4::splat(scale * self.per_site as f32);
        let mut sum = 0.0;
        let mut add_up = |row: &[f32]| {
            if values {
                sum += sum_of_row(row);
            }
        };
        match slopes {
            None => self.visit(tile, &mut |_, _, value, _| add_up(value)),
            Some(slopes) => {
                let mut b = slopes.b();
                self.visit(tile, &mut |k, run, value, slope| {
                    add_up(value);
                    for (b, slope) in vectors_mut(&mut b.row(k)[run]).iter_mut().zip(vectors(slope)) {
                        (F32x4::load(b) + F32x4::load(slope) * scale).store(b);
                    }
                });
            }
        }
        self.sum += sum;
    }
}

/// Multiplies by the weights; no weight, no loss, whatever it would be.
fn weigh(weights: &[f32], values: &mut [f32], slopes: &mut [f32]) {
    for ((weight, value), slope) in vectors(weights).iter().zip(vectors_mut(values)).zip(vectors_mut(slopes)) {
        let weight = F32x4::load(weight);
        let none = weight.eq(F32x4::zero());
        (F32x4::load(value) * weight).drop(none).store(value);
        (F32x4::load(slope) * weight).drop(none).store(slope);
    }
}

impl Loss for Pointwise {
    fn needs(&self, batch: &Batch) -> Needs {
        let even = matches!(self.weights, Weights::PerClass(Numbers::None));
        Needs {
            sites: true,
            rows: self.shape.slope_needs_surprise() || !even || batch.pixel_weights.is_some(),
            outcomes: self.smoothing.needs_outcomes(batch),
            // Weighted rows of a sigmoid it sweeps apart.
            varied: self.shape.slope_needs_surprise() || batch.sigmoid && batch.pixel_weights.is_some(),
            // The classes of a softmax are outcomes.
            uneven: match &self.weights {
                Weights::PerClass(list) => !batch.sigmoid && matches!(list, Numbers::List(_)),
                _ => true,
            },
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
        self.smoothing.begin(batch, &mut self.table);
    }
    fn linear(&self) -> (&[f32], f32) {
        (self.smoothing.coefficients(), self.per_site as f32)
    }
    fn observe_linear(&mut self, sum: f64) {
        self.sum += sum;
    }
    fn observe(&mut self, tile: &Tile) {
        self.sweep(tile, 0.0, true, None);
    }
    fn pull(&mut self, tile: &Tile, scale: f32, slopes: &mut Slopes) {
        self.sweep(tile, scale, false, Some(slopes));
    }
    fn pull_evenly(&mut self, _tile: &Tile, scale: f32, slopes: &mut Slopes) {
        slopes.add_even(-scale * self.per_site as f32);
    }
    fn observe_and_pull(&mut self, tile: &Tile, scale: f32, slopes: &mut Slopes) {
        self.sweep(tile, scale, true, Some(slopes));
    }
    fn settle(&mut self, _sums: &[Sums]) -> f64 {
        if self.per_site > 0.0 { self.sum * self.per_site } else { 0.0 }
    }
    fn observe_surprise(&mut self, section: usize, surprise: [f64; 2]) {
        let table = &self.table[section * self.outcomes..];
        self.sum += surprise.iter().zip(table).map(|(surprise, &weight)| surprise * f64::from(weight)).sum::<f64>();
    }
    fn pull_outcomes(&self, section: &Section, scale: f64, slopes: &mut OutcomeSlopes) {
        for (slope, weight) in slopes.labels.iter_mut().zip(&self.table[section.index * self.outcomes..]) {
            *slope -= scale * self.per_site * f64::from(*weight);
        }
    }
    fn sweep_row(&mut self, row: &Row, scale: f32, out: &mut [f32]) -> bool {
        let scale = scale * self.per_site as f32;
        let table = &self.table[row.section.index * self.outcomes..];
        let weights = [table[0], table[1]];
        if self.shape.is_surprise() && weights[0] == weights[1] && row.weights.is_none() {
            self.sum += f64::from(weights[0]) * sigmoid_rows::cross_entropy(row, scale * weights[0], out);
        } else {
            self.sum += self.shape.sweep(row, weights, scale, out);
        }
        true
    }
    fn map(&mut self, tile: &Tile, scale: f32, row: &mut [f32]) {
        let scale = F32x4::splat(scale);
        self.visit(tile, &mut |_, run, value, _| {
            for (to, value) in vectors_mut(&mut row[run]).iter_mut().zip(vectors(value)) {
                (F32x4::load(to) + F32x4::load(value) * scale).store(to);
            }
        });
    }
}
