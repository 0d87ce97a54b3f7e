//! Planes of channels and the tiles cut from them: a few hundred pixels of every channel, small
//! enough to stay in the first cache, padded so that no kernel has a tail.

#![allow(unsafe_code)]

use crate::batch::Section;
use crate::simd::{F32x4, U32x4};
use std::marker::PhantomData;

/// Pixels that kernels take at once; every tile's width is a multiple of it.
pub const BLOCK: usize = 16;
/// Floats of one tile over all channels, at the most. 172 KiB fit the second cache; longer runs of each
/// channel are worth more than the first cache, since a run's first lines are waited for (at 21
/// classes: 2.0 ns per element with runs of 2048 pixels, 2.8 with 192).
const TILE_FLOATS: usize = 43_008;
/// Pixels of a tile, at the most.
const LONGEST: usize = 2048;

/// How many pixels a tile holds for this number of channels and pixels in a section: all tiles about
/// the same, a multiple of [`BLOCK`].
pub fn tile_width(channels: usize, pixels: usize) -> usize {
    let longest = (TILE_FLOATS / channels).clamp(BLOCK, LONGEST);
    let blocks = pixels.div_ceil(pixels.div_ceil(longest)).div_ceil(BLOCK);
    // Several channels: an odd number of blocks. Planes a multiple of 4 KiB apart would share their
    // cache lines, and a load would wait for the store before it (5.2 instead of 3.4 ns per element
    // at four classes).
    (if channels > 1 { blocks | 1 } else { blocks }) * BLOCK
}

/// Channels of a tile, to read: channel k starts at `k * stride`.
#[derive(Clone, Copy)]
pub struct Planes<'a> {
    data: &'a [f32],
    stride: usize,
    width: usize,
}

/// Channels of a tile, to write.
pub struct PlanesMut<'a> {
    data: &'a mut [f32],
    stride: usize,
    width: usize,
}

impl<'a> Planes<'a> {
    /// Channels that lie `stride` apart, `width` pixels of each, a multiple of [`BLOCK`].
    pub fn new(data: &'a [f32], stride: usize, width: usize) -> Self {
        assert!(width.is_multiple_of(BLOCK));
        Self { data, stride, width }
    }
    /// Pixels in the tile, padding included.
    pub fn width(&self) -> usize {
        self.width
    }
    /// Channel k as vectors.
    #[inline(always)]
    pub fn plane(&self, k: usize) -> &'a [[f32; 4]] {
        vectors(&self.data[k * self.stride..][..self.width])
    }
    /// Channel k as numbers.
    #[inline(always)]
    pub fn row(&self, k: usize) -> &'a [f32] {
        &self.data[k * self.stride..][..self.width]
    }
}

impl<'a> PlanesMut<'a> {
    /// Channels that lie `stride` apart, `width` pixels of each, a multiple of [`BLOCK`].
    pub fn new(data: &'a mut [f32], stride: usize, width: usize) -> Self {
        assert!(width.is_multiple_of(BLOCK));
        Self { data, stride, width }
    }
    /// Channel k as vectors.
    #[inline(always)]
    pub fn plane(&mut self, k: usize) -> &mut [[f32; 4]] {
        vectors_mut(&mut self.data[k * self.stride..][..self.width])
    }
    /// Channel k as numbers.
    #[inline(always)]
    pub fn row(&mut self, k: usize) -> &mut [f32] {
        &mut self.data[k * self.stride..][..self.width]
    }
    /// The same channels, to read.
    pub fn as_planes(&self) -> Planes<'_> {
        Planes { data: self.data, stride: self.stride, width: self.width }
    }
    /// Pixels in the tile, padding included.
    pub fn width(&self) -> usize {
        self.width
    }
    /// Writes one pixel of every one of the first `channels` channels.
    pub fn fill_pixel(&mut self, channels: usize, pixel: usize, value: f32) {
        for k in 0..channels {
            self.data[k * self.stride + pixel] = value;
        }
    }
}

/// Four pixels of a tile through all of its channels, one after the other.
pub struct Column<'a> {
    next: *const f32,
    stride: usize,
    left: usize,
    tile: PhantomData<&'a [f32]>,
}

/// The same, to write.
pub struct ColumnMut<'a> {
    next: *mut f32,
    stride: usize,
    left: usize,
    tile: PhantomData<&'a mut [f32]>,
}

/// Vector `i` of each of the planes of `width` floats that `planes` is made of. One check for all of
/// them: a bounds check per vector made the softmax 1.4 times as slow.
#[inline(always)]
pub fn column(planes: &[f32], width: usize, i: usize) -> Column<'_> {
    assert!(4 * i + 4 <= width && planes.len().is_multiple_of(width));
    Column { next: planes[4 * i..].as_ptr(), stride: width, left: planes.len() / width, tile: PhantomData }
}

/// As [`column`], to write.
#[inline(always)]
pub fn column_mut(planes: &mut [f32], width: usize, i: usize) -> ColumnMut<'_> {
    assert!(4 * i + 4 <= width && planes.len().is_multiple_of(width));
    let left = planes.len() / width;
    ColumnMut { next: planes[4 * i..].as_mut_ptr(), stride: width, left, tile: PhantomData }
}

impl Iterator for Column<'_> {
    type Item = F32x4;
    #[inline(always)]
    fn next(&mut self) -> Option<F32x4> {
        self.left = self.left.checked_sub(1)?;
        // SAFETY: `column` checked that vector i lies inside a plane and that there are `left` planes;
        // each call moves on by one plane.
        let vector = unsafe { &*self.next.cast() };
        self.next = self.next.wrapping_add(self.stride);
        Some(F32x4::load(vector))
    }
}

impl<'a> Iterator for ColumnMut<'a> {
    type Item = &'a mut [f32; 4];
    #[inline(always)]
    fn next(&mut self) -> Option<&'a mut [f32; 4]> {
        self.left = self.left.checked_sub(1)?;
        // SAFETY: as above; planes do not overlap, so each vector is handed out once.
        let vector = unsafe { &mut *self.next.cast() };
        self.next = self.next.wrapping_add(self.stride);
        Some(vector)
    }
}

/// A row as vectors of four; its length is a multiple of four.
#[inline(always)]
pub fn vectors<T>(row: &[T]) -> &[[T; 4]] {
    let (vectors, rest) = row.as_chunks::<4>();
    debug_assert!(rest.is_empty());
    vectors
}

/// A row as vectors of four, to write.
#[inline(always)]
pub fn vectors_mut<T>(row: &mut [T]) -> &mut [[T; 4]] {
    let (vectors, rest) = row.as_chunks_mut::<4>();
    debug_assert!(rest.is_empty());
    vectors
}

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
    /// ω of each pixel (0 where masked), if the batch has weights.
    pub weights: Option<&'a [f32]>,
    /// p of each channel of the section.
    pub probability: Planes<'a>,
    /// 1 − p under a sigmoid.
    pub complement: Option<&'a [f32]>,
    /// The target.
    pub truth: Truth<'a>,
    /// Signed distances of each channel, if the batch brought them.
    pub distance: Option<Planes<'a>>,
}

impl Tile<'_> {
    /// The outcome that means "channel k is here".
    pub fn outcome_of(&self, k: usize) -> usize {
        if self.outcomes == self.section.channels { k } else { 1 }
    }
}

/// The sums of one class in one image, each weighted by ω.
#[derive(Clone, Copy, Default, Debug)]
pub struct Sums {
    /// I = Σ p y
    pub intersection: f64,
    /// Σ p
    pub predicted: f64,
    /// Σ p²
    pub square: f64,
    /// Σ p (1 − y), not as a difference; only where errors were asked for, as those below.
    pub false_positives: f64,
    /// Σ (1 − p) y
    pub false_negatives: f64,
    /// Σ (p − y)²
    pub square_error: f64,
}

impl Sums {
    /// Adds another's sums.
    pub fn merge(&mut self, other: &Self) {
        self.intersection += other.intersection;
        self.predicted += other.predicted;
        self.square += other.square;
        self.false_positives += other.false_positives;
        self.false_negatives += other.false_negatives;
        self.square_error += other.square_error;
    }
    /// Adds one channel of a tile, with its errors.
    pub fn add(&mut self, tile: &Tile, k: usize) {
        const COUNT: usize = 6;
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
            let all = [p * y, p, p * p, p * not_y, q * y, error * error];
            let weight = tile.weights.map(|weights| F32x4::load(&vectors(weights)[i]));
            for (sum, value) in sums.iter_mut().zip(all) {
                *sum = *sum + weight.map_or(value, |weight| value * weight);
            }
        }
        let into = [
            &mut self.intersection,
            &mut self.predicted,
            &mut self.square,
            &mut self.false_positives,
            &mut self.false_negatives,
            &mut self.square_error,
        ];
        into.into_iter().zip(sums).for_each(|(into, sum)| *into += sum.sum());
    }
}

/// What the losses report of a tile: a = ∂L/∂p of each channel, and b = ∂L/∂ln p, of the label where
/// targets are hard, of each outcome where they are dense. Overlap losses have the same a wherever y
/// is the same: ω (constant + hit · y + square · p) says it for a whole class. At the label that is
/// label − square · (1 − p), which does not cancel where prediction and truth agree.
#[derive(Default)]
pub struct Slopes {
    classes: [Vec<f32>; 4],
    a: Vec<f32>,
    b: Vec<f32>,
    width: usize,
    has_classes: bool,
    has_a: bool,
    has_b: bool,
}

impl Slopes {
    /// Forgets the last tile. `outcomes` is 1 where targets are hard.
    pub fn reset(&mut self, channels: usize, outcomes: usize, width: usize) {
        for coefficients in &mut self.classes {
            coefficients.clear();
            coefficients.resize(channels, 0.0);
        }
        self.a.resize(channels * width, 0.0);
        self.b.resize(outcomes * width, 0.0);
        self.width = width;
        (self.has_classes, self.has_a, self.has_b) = (false, false, false);
    }
    /// Adds to the slopes of a whole class.
    pub fn add_class(&mut self, k: usize, constant: f64, hit: f64, square: f64) {
        let values = [constant, square, constant + hit + square, hit];
        for (coefficients, value) in self.classes.iter_mut().zip(values) {
            coefficients[k] += value as f32;
        }
        self.has_classes = true;
    }
    /// Constant, square and label of each class.
    pub fn classes(&self) -> (&[f32], &[f32], &[f32]) {
        let [constant, square, label, _] = &self.classes;
        (constant, square, label)
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
            self.b.fill(0.0);
            self.has_b = true;
        }
        PlanesMut::new(&mut self.b, self.width, self.width)
    }
    /// Whether any ∂L/∂p was reported.
    pub fn has_probability_slopes(&self) -> bool {
        self.has_classes || self.has_a
    }
    /// ∂L/∂p that is not said by class, if there is any.
    pub fn read_a(&self) -> Option<Planes<'_>> {
        self.has_a.then(|| Planes::new(&self.a, self.width, self.width))
    }
    /// ∂L/∂ln p, if anybody reported it.
    pub fn read_b(&self) -> Option<Planes<'_>> {
        self.has_b.then(|| Planes::new(&self.b, self.width, self.width))
    }
    /// Writes out what is said by class, for chain rules that want a at every pixel.
    pub fn spread(&mut self, tile: &Tile) {
        if !std::mem::take(&mut self.has_classes) {
            return;
        }
        let classes = std::mem::take(&mut self.classes);
        let mut planes = self.a();
        for k in 0..tile.section.channels {
            let [constant, square, at_label, hit] = classes.each_ref().map(|row| F32x4::splat(row[k]));
            let outcome = tile.outcome_of(k);
            for (i, (a, p)) in planes.plane(k).iter_mut().zip(tile.probability.plane(k)).enumerate() {
                let p = F32x4::load(p);
                let mut slope = constant + square * p;
                match (tile.truth, tile.complement) {
                    (Truth::Dense(outcomes), _) => {
                        slope = slope + hit * F32x4::load(&outcomes.y.plane(outcome)[i]);
                    }
                    (Truth::Hard { label, .. }, complement) => {
                        let q = complement.map_or(F32x4::splat(1.0) - p, |q| F32x4::load(&vectors(q)[i]));
                        let here = U32x4::load(&vectors(label)[i]).eq(U32x4::splat(outcome as u32));
                        slope = here.select(at_label - square * q, slope);
                    }
                }
                if let Some(weights) = tile.weights {
                    slope = slope * F32x4::load(&vectors(weights)[i]);
                }
                (F32x4::load(a) + slope).store(a);
            }
        }
        self.classes = classes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_fit_the_cache_and_the_lanes() {
        for channels in [1, 2, 3, 4, 21, 150, 1000, 5000] {
            for pixels in [1, 15, 16, 17, 1000, 65_536, 262_144, 2_097_152] {
                let width = tile_width(channels, pixels);
                assert!(width.is_multiple_of(BLOCK) && width <= LONGEST + BLOCK);
                assert!(width * channels <= TILE_FLOATS + 2 * BLOCK * channels);
                let padding = pixels.div_ceil(width) * width - pixels;
                assert!(padding <= 2 * BLOCK * pixels.div_ceil(width) || pixels < 10_000);
            }
        }
    }
}
