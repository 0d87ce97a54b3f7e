//! Overlap losses: a function of three sums per class, I = Σ ω p y, Σ ω p and Σ ω y, per image or
//! pooled over the batch. A loss of this family says what a pair (image, class) costs and how that
//! changes with I and with Σ ω p; here the sums are collected and the slopes spread over the pixels:
//! ∂L/∂p = ω (∂L/∂I · y + ∂L/∂Σp), or 2 ω p ∂L/∂Σp² for the squared form.

use super::{Classes, Loss, Needs, OutcomeSlopes, Over};
use crate::batch::{Batch, Section};
use crate::census::Census;
use crate::slopes::Slopes;

use crate::view::{self, Tile};

/// The sums of one class in one image (or the batch), and what the target holds of it.
#[derive(Clone, Copy, Default, Debug)]
pub struct Sums {
    /// Sums over the prediction.
    pub of: view::Sums,
    /// Σ ω y
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
    /// Cost of 1 − numerator / denominator, given how both change with I and Σp. Nothing over nothing
    /// costs nothing.
    pub fn of_score(numerator: [f64; 3], denominator: [f64; 3]) -> Self {
        let [value, numerator_slopes @ ..] = numerator;
        Self::of_error(denominator[0] - value, numerator_slopes, denominator)
    }
    /// The same where what is missing from the numerator, `error`, is known itself: as the score nears
    /// 1, a difference would be all rounding.
    pub fn of_error(error: f64, numerator: [f64; 2], denominator: [f64; 3]) -> Self {
        if denominator[0] == 0.0 {
            return Self::default();
        }
        let value = error / denominator[0];
        let score = 1.0 - value;
        Self {
            value,
            by_intersection: -(numerator[0] - score * denominator[1]) / denominator[0],
            by_predicted: -(numerator[1] - score * denominator[2]) / denominator[0],
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
    /// Whether it is a function of Σ p² instead of Σ p.
    fn squared(&self) -> bool {
        false
    }
    /// Whether it looks at false negatives.
    fn misses(&self) -> bool {
        false
    }
}

/// An overlap loss: its score, and what it is averaged over.
pub struct Overlap {
    score: Box<dyn Score>,
    over: Over,
    classes: Classes,

    channels: usize,
    selected: Vec<bool>,
    sums: Vec<Sums>,
    costs: Vec<Cost>,
}

impl Overlap {
    /// A score over the selected classes.
    pub fn new(score: impl Score, over: Over, classes: Classes) -> Self {
        Self {
            score: Box::new(score),
            over,
            classes,
            channels: 0,
            selected: Vec::new(),
            sums: Vec::new(),
            costs: Vec::new(),
        }
    }
    /// Where the sums of a class in an image are.
    fn cell(&self, image: usize, class: usize) -> usize {
        match self.over {
            Over::Image => image * self.channels + class,
            Over::Batch => class,
        }
    }
}

impl Loss for Overlap {
    fn needs(&self, _batch: &Batch) -> Needs {
        let (misses, squares) = (self.score.misses(), self.score.squared());
        Needs { sums: true, misses, squares, sites: misses || squares, counts: true, ..Needs::default() }
    }
    fn begin(&mut self, batch: &Batch, census: &Census) {
        self.channels = batch.channels;
        let groups = if self.over == Over::Image { batch.images } else { 1 };
        self.sums.clear();
        self.sums.resize(groups * batch.channels, Sums::default());
        for image in 0..batch.images {
            for class in 0..batch.channels {
                let (cell, section) = (self.cell(image, class), batch.section_of(image, class));
                let outcome = batch.outcome_of(class);
                self.sums[cell].target += census.mass(section, outcome);
            }
        }
        self.selected = self.classes.pairs(self.over, batch, census);
    }
    fn settle(&mut self, sums: &[view::Sums]) -> f64 {
        for (at, sums) in sums.iter().enumerate() {
            let cell = self.cell(at / self.channels, at % self.channels);
            self.sums[cell].of.merge(sums);
        }
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
        for k in 0..tile.section.channels {
            let cost = self.costs[self.cell(tile.section.image, tile.section.class + k)];
            let predicted = f64::from(scale) * cost.by_predicted;
            let (constant, square) = if self.score.squared() { (0.0, 2.0 * predicted) } else { (predicted, 0.0) };
            slopes.add_class(k, constant, f64::from(scale) * cost.by_intersection, square);
        }
    }
    fn pull_outcomes(&self, section: &Section, scale: f64, slopes: &mut OutcomeSlopes) {
        let cost = self.costs[self.cell(section.image, section.class)];
        slopes.constant += scale * cost.by_predicted;
        slopes.hit += scale * cost.by_intersection;
    }
}
