//! Overlap losses: a function of three sums per class, I = Σ ω p y, Σ ω p and Σ ω y, per image or
//! pooled over the batch. A loss of this family says what a pair (image, class) costs and how that
//! changes with I and with Σ ω p; here the sums are collected and the slopes spread over the pixels:
//! ∂L/∂p = ω (∂L/∂I · y + ∂L/∂Σp), or 2 ω p ∂L/∂Σp² for the squared form.

use super::{Classes, Loss, Needs, Over};
use crate::batch::Batch;
use crate::census::Census;
use crate::simd::{F32x4, U32x4};
use crate::tile::{Slopes, Tile, Truth, vectors};

/// The sums of one class in one image (or the batch).
#[derive(Clone, Copy, Default, Debug)]
pub struct Sums {
    /// I = Σ ω p y
    pub intersection: f64,
    /// Σ ω p, or Σ ω p² where the loss is squared
    pub predicted: f64,
    /// Σ ω y, or Σ ω y² where the loss is squared
    pub target: f64,
}

/// A value and its slopes with respect to the sums.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub struct Cost {
    /// L
    pub value: f64,
    /// ∂L/∂I
    pub by_intersection: f64,
    /// ∂L/∂Σp
    pub by_predicted: f64,
}

impl Cost {
    /// Cost of 1 − numerator / denominator, given how both change with I and Σp.
    pub fn of_score(numerator: [f64; 3], denominator: [f64; 3]) -> Self {
        let score = numerator[0] / denominator[0];
        Self {
            value: 1.0 - score,
            by_intersection: -(numerator[1] - score * denominator[1]) / denominator[0],
            by_predicted: -(numerator[2] - score * denominator[2]) / denominator[0],
        }
    }
    /// Cost of f(L), given f and f′ at L.
    pub fn then(self, value: f64, derivative: f64) -> Self {
        Self { value, by_intersection: derivative * self.by_intersection, by_predicted: derivative * self.by_predicted }
    }
    /// Cost times a number.
    pub fn times(self, factor: f64) -> Self {
        self.then(factor * self.value, factor)
    }
}

/// What is particular to one overlap loss.
pub trait Score: 'static {
    /// Cost of one pair (image, class).
    fn pair(&self, sums: &Sums) -> Cost;
    /// Costs of the selected classes of one image (or the batch), whose values are added up. Pairs
    /// that do not know of each other are averaged over all `pairs`.
    fn image(&self, selected: &[Sums], pairs: f64, _images: f64, costs: &mut Vec<Cost>) {
        costs.extend(selected.iter().map(|sums| self.pair(sums).times(1.0 / pairs)));
    }
    /// Whether sums are of squares.
    fn squared(&self) -> bool {
        false
    }
}

/// An overlap loss: its score, and what it is averaged over.
pub struct Overlap<S> {
    score: S,
    over: Over,
    classes: Classes,

    channels: usize,
    selected: Vec<bool>,
    sums: Vec<Sums>,
    costs: Vec<Cost>,
}

impl<S: Score> Overlap<S> {
    /// A score over the selected classes.
    pub fn new(score: S, over: Over, classes: Classes) -> Self {
        Self { score, over, classes, channels: 0, selected: Vec::new(), sums: Vec::new(), costs: Vec::new() }
    }
    /// Where the sums of a class in an image are.
    fn cell(&self, image: usize, class: usize) -> usize {
        match self.over {
            Over::Image => image * self.channels + class,
            Over::Batch => class,
        }
    }

    fn add_tile<const WEIGHTED: bool, const SQUARED: bool>(&mut self, tile: &Tile) {
        for k in 0..tile.section.channels {
            let (mut intersection, mut predicted) = (F32x4::zero(), F32x4::zero());
            let outcome = tile.outcome_of(k);
            let mut add = |i: usize, p: F32x4, hit: F32x4| {
                let (mut p, mut hit) = (if SQUARED { p * p } else { p }, hit);
                if WEIGHTED && let Some(weights) = tile.weights {
                    let weight = F32x4::load(&vectors(weights)[i]);
                    (p, hit) = (p * weight, hit * weight);
                }
                predicted = predicted + p;
                intersection = intersection + hit;
            };
            let p = tile.probability.plane(k).iter();
            match tile.truth {
                Truth::Hard { label, .. } => {
                    let class = U32x4::splat(outcome as u32);
                    for (i, (p, label)) in p.zip(vectors(label)).enumerate() {
                        let p = F32x4::load(p);
                        add(i, p, p.keep(U32x4::load(label).eq(class)));
                    }
                }
                Truth::Dense(outcomes) => {
                    for (i, (p, y)) in p.zip(outcomes.y.plane(outcome)).enumerate() {
                        let p = F32x4::load(p);
                        add(i, p, p * F32x4::load(y));
                    }
                }
            }
            let cell = self.cell(tile.section.image, tile.section.class + k);
            self.sums[cell].intersection += intersection.sum();
            self.sums[cell].predicted += predicted.sum();
        }
    }

    fn pull_tile<const WEIGHTED: bool, const SQUARED: bool>(&self, tile: &Tile, scale: f32, slopes: &mut Slopes) {
        let mut a = slopes.a();
        for k in 0..tile.section.channels {
            let cost = self.costs[self.cell(tile.section.image, tile.section.class + k)];
            let by_intersection = F32x4::splat((cost.by_intersection * f64::from(scale)) as f32);
            let doubled = if SQUARED { 2.0 } else { 1.0 };
            let by_predicted = F32x4::splat((cost.by_predicted * f64::from(scale) * doubled) as f32);
            let outcome = tile.outcome_of(k);
            let (p, a) = (tile.probability.plane(k), a.plane(k));
            let add = |i: usize, a: &mut [f32; 4], hit: F32x4| {
                let predicted = if SQUARED { by_predicted * F32x4::load(&p[i]) } else { by_predicted };
                let mut slope = predicted + hit;
                if WEIGHTED && let Some(weights) = tile.weights {
                    slope = slope * F32x4::load(&vectors(weights)[i]);
                }
                (F32x4::load(a) + slope).store(a);
            };
            match tile.truth {
                Truth::Hard { label, .. } => {
                    let class = U32x4::splat(outcome as u32);
                    for (i, (a, label)) in a.iter_mut().zip(vectors(label)).enumerate() {
                        add(i, a, by_intersection.keep(U32x4::load(label).eq(class)));
                    }
                }
                Truth::Dense(outcomes) => {
                    for (i, (a, y)) in a.iter_mut().zip(outcomes.y.plane(outcome)).enumerate() {
                        add(i, a, by_intersection * F32x4::load(y));
                    }
                }
            }
        }
    }
}

impl<S: Score> Loss for Overlap<S> {
    fn needs(&self) -> Needs {
        Needs { sums: true, counts: true, ..Needs::default() }
    }
    fn begin(&mut self, batch: &Batch, census: &Census) {
        self.channels = batch.channels;
        let groups = if self.over == Over::Image { batch.images } else { 1 };
        self.sums.clear();
        self.sums.resize(groups * batch.channels, Sums::default());
        let mut counts = vec![0.0; self.sums.len()];
        let mut valid = vec![false; self.sums.len()];
        for image in 0..batch.images {
            for class in 0..batch.channels {
                let (cell, section) = (self.cell(image, class), batch.section_of(image, class));
                let outcome = batch.outcome_of(class);
                counts[cell] += census.count(section, outcome);
                valid[cell] |= census.valid(section) > 0.0;
                let (mass, square) = (census.mass(section, outcome), census.square(section, outcome));
                self.sums[cell].target += if self.score.squared() { square } else { mass };
            }
        }
        // A pair of which every pixel is ignored is no pair.
        self.selected.clear();
        let cells = counts.iter().zip(valid).enumerate();
        self.selected
            .extend(cells.map(|(cell, (&count, valid))| valid && self.classes.select(cell % batch.channels, count)));
    }
    fn observe(&mut self, tile: &Tile) {
        match (tile.weights.is_some(), self.score.squared()) {
            (false, false) => self.add_tile::<false, false>(tile),
            (false, true) => self.add_tile::<false, true>(tile),
            (true, false) => self.add_tile::<true, false>(tile),
            (true, true) => self.add_tile::<true, true>(tile),
        }
    }
    fn settle(&mut self) -> f64 {
        let pairs = self.selected.iter().filter(|&&selected| selected).count() as f64;
        let by_image = || self.selected.chunks(self.channels).zip(self.sums.chunks(self.channels));
        let images = by_image().filter(|(selected, _)| selected.contains(&true)).count() as f64;
        self.costs.clear();
        let mut value = 0.0;
        for (selected, sums) in by_image() {
            let chosen: Vec<Sums> =
                selected.iter().zip(sums).filter(|(selected, _)| **selected).map(|(_, sums)| *sums).collect();
            let mut costs = Vec::with_capacity(chosen.len());
            if !chosen.is_empty() {
                self.score.image(&chosen, pairs, images, &mut costs);
            }
            value += costs.iter().map(|cost| cost.value).sum::<f64>();
            let mut costs = costs.into_iter();
            self.costs.extend(
                selected.iter().map(
                    |&selected| {
                        if selected { costs.next().unwrap_or_default() } else { Cost::default() }
                    },
                ),
            );
        }
        value
    }
    fn pull(&mut self, tile: &Tile, scale: f32, slopes: &mut Slopes) {
        match (tile.weights.is_some(), self.score.squared()) {
            (false, false) => self.pull_tile::<false, false>(tile, scale, slopes),
            (false, true) => self.pull_tile::<false, true>(tile, scale, slopes),
            (true, false) => self.pull_tile::<true, false>(tile, scale, slopes),
            (true, true) => self.pull_tile::<true, true>(tile, scale, slopes),
        }
    }
}
