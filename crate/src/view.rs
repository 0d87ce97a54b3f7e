//! What a loss sees of a batch at a time: a tile's target, its prediction, and their sums.

use crate::batch::Section;
use crate::simd::{F32x4, U32x4};
use crate::tile::{Planes, vectors};
use std::ops::Range;

/// The truth of a tile, and how the prediction fares on it. u = −ln p is the *surprise*, q = 1 − p.
///
/// Masked pixels (ignored, weight 0, padding) hold 0 in every row, whatever their logits are.
#[derive(Clone, Copy)]
pub enum Truth<'a> {
    /// One label a site.
    Hard {
        /// The label, or `NO_LABEL`.
        label: &'a [u32],
        /// u, p and q of the label; empty unless a term asked for them.
        site: Site<'a>,
    },
    /// A share y for each outcome. Under a sigmoid the outcomes are negative (0) and positive (1).
    Dense(Outcomes<'a>),
}

/// The target and the prediction of every outcome.
#[derive(Clone, Copy)]
pub struct Outcomes<'a> {
    /// The target's share
    pub y: Planes<'a>,
    /// −ln p
    pub u: Planes<'a>,
    /// p
    pub p: Planes<'a>,
    /// 1 − p
    pub q: Planes<'a>,
}

/// The prediction at each site's own label.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// −ln p
    pub u: &'a [f32],
    /// p
    pub p: &'a [f32],
    /// 1 − p, with its relative accuracy as p → 1
    pub q: &'a [f32],
}

/// What a loss sees of a batch at a time: some pixels of one section.
#[derive(Clone, Copy)]
pub struct Tile<'a> {
    /// Which section it is cut from.
    pub section: Section,
    /// First pixel.
    pub start: usize,
    /// Pixels in it, without padding.
    pub length: usize,
    /// Outcomes a label can have.
    pub outcomes: usize,
    /// Whether some pixel takes part in nothing.
    pub masked: bool,
    /// ω of each pixel (0 where masked), if the batch has weights.
    pub weights: Option<&'a [f32]>,
    /// p of each channel of the section.
    pub probability: Planes<'a>,
    /// 1 − p under a sigmoid.
    pub complement: Option<&'a [f32]>,
    /// The target.
    pub truth: Truth<'a>,
    /// Signed distances of each channel, if a loss needs them.
    pub distance: Option<Planes<'a>>,
}

impl Tile<'_> {
    /// The outcome that means "channel k is here".
    pub fn outcome_of(&self, k: usize) -> usize {
        if self.outcomes == self.section.channels { k } else { 1 }
    }
}

/// A row under a sigmoid.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    /// Where it is from.
    pub section: Section,
    /// Logits, where they are looked at.
    pub z: &'a [f32],
    /// Labels: 1 of positives, of others whatever else. Where they can be they are read as they came (0.05 ns a pixel less
    /// than a copy of four bytes each).
    pub label: &'a [u8],
    /// Labels once more where some are `NO_LABEL`.
    pub masked: Option<&'a [u32]>,
    /// How much each counts; nothing: all alike.
    pub weights: Option<&'a [f32]>,
    /// Signed distances, where they came with the batch and a loss needs them.
    pub distance: &'a [f32],
    /// The smaller of p and q, with any sign, where it is known already.
    pub code: Option<&'a [f32]>,
}

impl Row<'_> {
    /// Some of its pixels.
    #[inline(always)]
    pub fn piece(&self, run: Range<usize>) -> Self {
        Self {
            z: &self.z[run.clone()],
            label: &self.label[run.clone()],
            masked: self.masked.map(|label| &label[run.clone()]),
            weights: self.weights.map(|weights| &weights[run.clone()]),
            distance: self.distance.get(run.clone()).unwrap_or(&[]),
            code: self.code.map(|code| &code[run]),
            ..*self
        }
    }
}

/// The sums of one class in one image, each weighted by ω.
#[derive(Clone, Copy, Default, Debug)]
pub struct Sums {
    /// I = Σ p y
    pub intersection: f64,
    /// Σ p (1 − y), not as a difference.
    pub false_positives: f64,
    /// Σ (1 − p) y; only where it was asked for, as those below.
    pub false_negatives: f64,
    /// Σ (p − y)²
    pub square_error: f64,
    /// Σ p φ, φ the signed distances; only where they were asked for.
    pub distance: f64,
}

impl Sums {
    /// Σ p
    pub fn predicted(&self) -> f64 {
        self.intersection + self.false_positives
    }
    /// Adds another's sums.
    pub fn merge(&mut self, other: &Self) {
        self.intersection += other.intersection;
        self.false_positives += other.false_positives;
        self.false_negatives += other.false_negatives;
        self.square_error += other.square_error;
        self.distance += other.distance;
    }
    /// Adds all but distances that were not asked for of one channel of a tile.
    pub fn add(&mut self, tile: &Tile, k: usize) {
        const COUNT: usize = 5;
        let outcome = tile.outcome_of(k);
        let half = F32x4::splat(0.5);
        let mut sums = [F32x4::zero(); COUNT];
        for (i, p) in tile.probability.plane(k).iter().enumerate() {
            let p = F32x4::load(p);
            let (y, q) = match tile.truth {
                Truth::Hard { label, site } => {
                    let here = U32x4::load(&vectors(label)[i]).eq(U32x4::splat(outcome as u32));
                    let q = F32x4::load(&vectors(site.q)[i]);
                    (F32x4::splat(1.0).keep(here), here.select(q, F32x4::splat(1.0) - p))
                }
                Truth::Dense(outcomes) => {
                    let read = |planes: Planes| F32x4::load(&planes.plane(outcome)[i]);
                    (read(outcomes.y), read(outcomes.q))
                }
            };
            let not_y = F32x4::splat(1.0) - y;
            let error = p.gt(half).select(not_y - q, p - y);
            let distance = tile.distance.map_or(F32x4::zero(), |distance| F32x4::load(&distance.plane(k)[i]));
            let all = [p * y, p * not_y, q * y, error * error, p * distance];
            let weight = tile.weights.map(|weights| F32x4::load(&vectors(weights)[i]));
            for (sum, value) in sums.iter_mut().zip(all) {
                *sum = *sum + weight.map_or(value, |weight| value * weight);
            }
        }
        let into = [
            &mut self.intersection,
            &mut self.false_positives,
            &mut self.false_negatives,
            &mut self.square_error,
            &mut self.distance,
        ];
        into.into_iter().zip(sums).for_each(|(into, sum)| *into += sum.sum());
    }
}
