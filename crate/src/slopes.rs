//! What the losses report of a tile, for the chain rule.

use crate::simd::{F32x4, U32x4};
use crate::tile::{Planes, PlanesMut, vectors};
use crate::view::{Tile, Truth};
use crate::walk::as_bits;

/// What the losses report of a tile: a = ∂L/∂p of each channel, and b = ∂L/∂ln p, of the label where
/// targets are hard, of each outcome where they are dense. Overlap losses have the same a wherever y
/// is the same: ω (constant + hit · y + square · p) says it for a whole class. In the form
/// constant + (hit + square) · y + square · (p − y) nothing cancels where prediction and truth agree; at the label
/// that is label − square · (1 − p).
#[derive(Default)]
pub struct Slopes {
    classes: [Vec<f32>; 4],
    /// How ∂L/∂p of each class grows with a map: the signed distances, or what losses left that looked at planes.
    distance: Vec<f32>,
    a: Vec<f32>,
    b: Vec<f32>,
    /// ∂L/∂ln p of every label, as long as there is no `b`.
    even: f32,
    width: usize,
    has_classes: bool,
    has_distance: bool,
    has_a: bool,
    has_b: bool,
}

impl Slopes {
    /// Adds to ∂L/∂ln p of every label.
    pub fn add_even(&mut self, slope: f32) {
        match self.has_b {
            true => self.b.iter_mut().for_each(|b| *b += slope),
            false => self.even += slope,
        }
    }
    /// ∂L/∂ln p of every label, where they are all the same.
    pub fn even(&self) -> f32 {
        self.even
    }
    /// Forgets the last tile. `outcomes` is 1 where targets are hard.
    pub fn reset(&mut self, channels: usize, outcomes: usize, width: usize) {
        for coefficients in self.classes.iter_mut().chain([&mut self.distance]) {
            coefficients.clear();
            coefficients.resize(channels, 0.0);
        }
        self.a.resize(channels * width, 0.0);
        self.b.resize(outcomes * width, 0.0);
        (self.width, self.even) = (width, 0.0);
        (self.has_classes, self.has_distance, self.has_a, self.has_b) = (false, false, false, false);
    }
    /// Adds to the slopes of a whole class.
    pub fn add_class(&mut self, k: usize, constant: f64, hit: f64, square: f64) {
        let values = [constant, square, constant + hit + square, hit + square];
        for (coefficients, value) in self.classes.iter_mut().zip(values) {
            coefficients[k] += value as f32;
        }
        self.has_classes = true;
    }
    /// Adds `factor` φ to the slopes of a class, φ the map.
    pub fn add_map(&mut self, k: usize, factor: f64) {
        self.distance[k] += factor as f32;
        self.has_distance = true;
    }
    /// The factors of [`Self::add_map`], if there are any.
    pub fn distances(&self) -> Option<&[f32]> {
        self.has_distance.then_some(&*self.distance)
    }
    /// Constant, square and label of each class.
    pub fn classes(&self) -> (&[f32], &[f32], &[f32]) {
        let [constant, square, label, _] = &self.classes;
        (constant, square, label)
    }
    /// Constant of each class, and what its own label has on top of it, where squares have no part.
    pub fn constant_and_hit(&self) -> (&[f32], &[f32]) {
        (&self.classes[0], &self.classes[3])
    }
    /// ∂L/∂p, to add to.
    pub fn a(&mut self) -> PlanesMut<'_> {
        if !self.has_a {
            self.a.fill(0.0);
            self.has_a = true;
        }
        PlanesMut::new(&mut self.a, self.width, self.width)
    }
    /// ∂L/∂ln p, to add to.
    pub fn b(&mut self) -> PlanesMut<'_> {
        if !self.has_b {
            self.b.fill(std::mem::take(&mut self.even));
            self.has_b = true;
        }
        PlanesMut::new(&mut self.b, self.width, self.width)
    }
    /// ∂L/∂p that is not said by class, if there is any.
    pub fn read_a(&self) -> Option<Planes<'_>> {
        self.has_a.then(|| Planes::new(&self.a, self.width, self.width))
    }
    /// ∂L/∂ln p, if anybody reported it.
    pub fn read_b(&self) -> Option<Planes<'_>> {
        self.has_b.then(|| Planes::new(&self.b, self.width, self.width))
    }
    /// b of each label, or else of all.
    pub fn of_labels<'a>(&'a self, label: &'a [u32]) -> (&'a [f32], Option<F32x4>) {
        self.read_b().map_or((as_bits(label), Some(F32x4::splat(self.even))), |b| (b.row(0), None))
    }
    /// Writes out what depends on distances.
    pub fn spread_distances(&mut self, tile: &Tile) {
        let (true, Some(distance)) = (std::mem::take(&mut self.has_distance), tile.distance) else { return };
        let factors = std::mem::take(&mut self.distance);
        let mut planes = self.a();
        for (k, &factor) in factors.iter().enumerate() {
            let factor = F32x4::splat(factor);
            for (i, (a, distance)) in planes.plane(k).iter_mut().zip(distance.plane(k)).enumerate() {
                let slope = factor * F32x4::load(distance);
                let weighted = tile.weights.map_or(slope, |weights| slope * F32x4::load(&vectors(weights)[i]));
                (F32x4::load(a) + weighted).store(a);
            }
        }
        self.distance = factors;
    }
    /// Writes out what is said by class, for chain rules that want a at every pixel.
    pub fn spread(&mut self, tile: &Tile) {
        if !std::mem::take(&mut self.has_classes) {
            return;
        }
        let classes = std::mem::take(&mut self.classes);
        let mut planes = self.a();
        for k in 0..tile.section.channels {
            let [constant, square, at_label, on_top] = classes.each_ref().map(|row| F32x4::splat(row[k]));
            let outcome = tile.outcome_of(k);
            for (i, (a, p)) in planes.plane(k).iter_mut().zip(tile.probability.plane(k)).enumerate() {
                let p = F32x4::load(p);
                let mut slope = match (tile.truth, tile.complement) {
                    (Truth::Dense(outcomes), _) => {
                        let y = F32x4::load(&outcomes.y.plane(outcome)[i]);
                        constant + on_top * y + square * (p - y)
                    }
                    (Truth::Hard { label, .. }, complement) => {
                        let q = complement.map_or(F32x4::splat(1.0) - p, |q| F32x4::load(&vectors(q)[i]));
                        let here = U32x4::load(&vectors(label)[i]).eq(U32x4::splat(outcome as u32));
                        here.select(at_label - square * q, constant + square * p)
                    }
                };
                if let Some(weights) = tile.weights {
                    slope = slope * F32x4::load(&vectors(weights)[i]);
                }
                (F32x4::load(a) + slope).store(a);
            }
        }
        self.classes = classes;
    }
}

/// What the slope of a class has on top of its constant: nothing, or a factor times a map.
pub trait Extra: Copy {
    /// Whether there is a map.
    const IS_MAP: bool;
    /// The map's row of a class, or any that is there anyway.
    fn row<'a>(&'a self, k: usize, other: &'a [f32]) -> &'a [f32];
    /// Factor of what is read.
    fn factor(&self, k: usize) -> F32x4;
    /// A slope and factor times what was read.
    fn add(slope: F32x4, factor: F32x4, row: F32x4) -> F32x4;
}

/// Slopes that are constant for a class.
#[derive(Clone, Copy)]
pub struct NoMap;
impl Extra for NoMap {
    const IS_MAP: bool = false;
    #[inline(always)]
    fn row<'a>(&'a self, _k: usize, other: &'a [f32]) -> &'a [f32] {
        other
    }
    #[inline(always)]
    fn factor(&self, _k: usize) -> F32x4 {
        F32x4::zero()
    }
    #[inline(always)]
    fn add(slope: F32x4, _factor: F32x4, _row: F32x4) -> F32x4 {
        slope
    }
}

/// Slopes that grow with a map: the signed distances, or what losses left that looked at planes.
#[derive(Clone, Copy)]
pub struct Map<'m> {
    /// The map's planes.
    pub planes: Planes<'m>,
    /// How the slope of each class grows with it.
    pub factors: &'m [f32],
}
impl Extra for Map<'_> {
    const IS_MAP: bool = true;
    #[inline(always)]
    fn row<'a>(&'a self, k: usize, _other: &'a [f32]) -> &'a [f32] {
        self.planes.row(k)
    }
    #[inline(always)]
    fn factor(&self, k: usize) -> F32x4 {
        F32x4::splat(self.factors[k])
    }
    #[inline(always)]
    fn add(slope: F32x4, factor: F32x4, row: F32x4) -> F32x4 {
        slope + factor * row
    }
}
