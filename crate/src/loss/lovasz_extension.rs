//! The Lovász extension of the Jaccard loss: a sort, and a walk along the sorted errors.
//!
//! Pixels have errors m ≥ 0 and are foreground or not; G of them are foreground. Let π sort the errors
//! downwards, and let f and b count the foreground and background pixels among the first ones. Then
//!
//! ```text
//! J = 1 − (G − f)/(G + b)        Jaccard loss if exactly the pixels so far were wrong
//! value = Σ m_π(i) g_i           g_i = J_i − J_(i−1), the slope ∂value/∂m of that pixel
//! foreground: g = 1/(G + b)      background: g = (G − f)/((G + b)(G + b + 1))
//! ```
//!
//! with the counts before the pixel. *Ties*: any order gives the same value, but slopes that depended
//! on memory order would not be reproducible. Inside a group of equal errors the foreground comes
//! first; its pixels have equal slopes by the formula. The k background pixels share theirs:
//! g = (G − f)/((G + b)(G + b + k)). This is a subgradient: the mean of those of all orders of them.
//! *No foreground* (G = 0): J jumps to 1 at the first pixel; the largest errors share a slope of 1.
//!
//! M. Berman, A. Rannen Triki, M. B. Blaschko, "The Lovász-Softmax loss", CVPR 2018, algorithm 1.

use crate::simd::{F32x4, U32x4};
use crate::sort::{Pair, Sorter, key, position};

/// Residuals turned into keys at once.
const BLOCK: usize = 512;
/// Sorted pixels ranked at once: what the steps hand on stays in the first cache.
const RANKED: usize = 128;
/// Vectors summed in f32. Where errors are tied, every addition of a sum rounds to the same side.
const SUMMED: usize = 8;
/// The first key of pixels whose error is 0: they contribute nothing.
const NO_ERROR: u32 = u32::MAX - 1;

/// Sorting key of a residual, the pixel's error with the sign of its class: + background,
/// − foreground. Bits of a positive float grow with it, so that the complement sorts downwards; below
/// it the sign, complemented too, puts foreground first. NaN is the largest error.
#[inline(always)]
fn key_of(residual: f32) -> u32 {
    !residual.to_bits().rotate_left(1)
}
/// The residual of a key.
#[inline(always)]
fn residual_of(key: u32) -> f32 {
    f32::from_bits((!key).rotate_right(1))
}
/// 1 for background, 0 for foreground.
#[inline(always)]
fn background(key: u32) -> u32 {
    key & 1
}

/// The Lovász extension of one class, of one image or a whole batch. Keeps its memory.
#[derive(Default)]
pub struct LovaszExtension {
    sorter: Sorter,
    seen: Seen,
    /// G.
    foreground: u32,
}

/// What is known of the keys surveyed so far.
#[derive(Clone, Copy)]
struct Seen {
    /// Smallest key: largest error.
    first: u32,
    /// Largest key of a foreground pixel that has an error.
    last_foreground: u32,
    /// Foreground pixels that have an error.
    foreground: u32,
}
impl Default for Seen {
    fn default() -> Self {
        Self { first: u32::MAX, last_foreground: 0, foreground: 0 }
    }
}

impl LovaszExtension {
    /// Forgets all pixels.
    pub fn begin(&mut self) {
        self.seen = Seen::default();
    }

    /// Looks at residuals that will be pushed. The size of a residual is the pixel's error, its sign the
    /// class: + background, − foreground (for probabilities that is p − y). A residual of 0 contributes
    /// nothing: ignored pixels are passed so.
    #[inline(never)]
    pub fn survey(&mut self, residuals: &[f32]) {
        let Seen { mut first, mut last_foreground, mut foreground } = self.seen;
        for &residual in residuals {
            let key = key_of(residual);
            let counts = (1 - background(key)) & u32::from(key < NO_ERROR);
            first = first.min(key);
            last_foreground = last_foreground.max(if counts == 1 { key } else { 0 });
            foreground += counts;
        }
        self.seen = Seen { first, last_foreground, foreground };
    }

    /// Once all are surveyed: takes G, the foreground, with the pixels that have no error. About
    /// `expected` pixels will be pushed.
    pub fn open(&mut self, foreground: usize, expected: usize) {
        // NaN may come with either sign; counts must not run below zero for it.
        self.foreground = (foreground as u32).max(self.seen.foreground);
        let limit = match self.seen {
            seen if self.foreground == 0 => seen.first.saturating_add(1),
            // Once all foreground has been seen, slopes are 0: what comes later need not be sorted. At
            // 21 classes, half trained, that is half of the pixels.
            seen if seen.foreground == self.foreground => seen.last_foreground + 1,
            _ => NO_ERROR,
        };
        self.sorter.begin(expected, limit.min(NO_ERROR));
    }

    /// The same residuals once more, of pixels whose positions lie `step` apart. Best called with many
    /// pixels at once.
    pub fn push(&mut self, first: u32, step: u32, residuals: &[f32]) {
        let mut keys = [0; BLOCK];
        for (start, residuals) in (0..).step_by(BLOCK).zip(residuals.chunks(BLOCK)) {
            let keys = &mut keys[..residuals.len()];
            keys.iter_mut().zip(residuals).for_each(|(key, &residual)| *key = key_of(residual));
            self.sorter.push(first.wrapping_add(step.wrapping_mul(start)), step, keys);
        }
    }

    /// The value, in f64. `deposit` gets position and slope of pixels, with the sign of their residual:
    /// the derivative by the residual. Pixels it does not get have slope 0.
    #[inline(always)]
    pub fn value(&mut self, deposit: impl FnMut(u32, f32)) -> f64 {
        let mut walk = Walk::new(self.foreground);
        self.sorter.sort(|pairs, slopes| walk.along(pairs, &mut |place, slope| slopes.set(place, slope)));
        self.sorter.answers(deposit);
        walk.value
    }
}

/// The walk along the sorted pixels.
struct Walk {
    /// G − f: foreground still to come.
    remaining: u32,
    /// G + b: the union of foreground and pixels so far.
    union: u32,
    value: f64,
    /// Keys, and one more vector so that each has neighbours.
    keys: [u32; RANKED + 4],
    /// The union before each pixel.
    before: [[u32; 4]; RANKED / 4],
    slopes: [[f32; 4]; RANKED / 4],
}

impl Walk {
    fn new(foreground: u32) -> Self {
        Self {
            remaining: foreground,
            union: foreground,
            value: 0.0,
            keys: [NO_ERROR; RANKED + 4],
            before: [[0; 4]; RANKED / 4],
            slopes: [[0.0; 4]; RANKED / 4],
        }
    }

    /// Goes on along pixels in order. Groups of equal keys are whole.
    #[inline(always)]
    fn along(&mut self, mut pairs: &[Pair], deposit: &mut impl FnMut(u32, f32)) {
        while !pairs.is_empty() {
            let (some, others) = pairs.split_at(whole_groups(pairs));
            pairs = others;
            if some.len() > RANKED || self.union == 0 {
                self.group(some, deposit);
                continue;
            }
            self.rank(some);
            for (&pair, &slope) in some.iter().zip(self.slopes.as_flattened()) {
                deposit(position(pair), slope);
            }
        }
    }

    /// Slopes of up to [`RANKED`] pixels. The counts one by one, the rest by vectors: all in one loop
    /// would divide one by one and mispredict the class (6.6 ns per pixel instead of 2.2).
    #[inline(always)]
    fn rank(&mut self, pairs: &[Pair]) {
        let mut union = self.union;
        for ((&pair, to), before) in pairs.iter().zip(&mut self.keys).zip(self.before.as_flattened_mut()) {
            *to = key(pair);
            *before = union;
            union += background(key(pair));
        }
        // Fill the last vector with pixels that have no error and no equal neighbour.
        let vectors = pairs.len().div_ceil(4);
        for (j, to) in self.keys[pairs.len()..4 * vectors + 1].iter_mut().enumerate() {
            *to = NO_ERROR | (j as u32 & 1);
        }
        self.before.as_flattened_mut()[pairs.len()..4 * vectors].fill(union);

        // f before pixel j is j − (b − b at the start), so G − f is the union before it and this:
        let offset = self.remaining.wrapping_sub(self.union);
        let mut difference = U32x4::load(&[0, 1, 2, 3].map(|j| offset.wrapping_sub(j)));
        let mut ties = 0u32;
        let ones = U32x4::splat(u32::MAX);
        let mut value = F32x4::zero();
        for (j, (before, slopes)) in self.before[..vectors].iter().zip(&mut self.slopes).enumerate() {
            let around: &[u32; 5] = self.keys[4 * j..][..5].try_into().unwrap();
            let keys = U32x4::load(around.first_chunk().unwrap());
            let next = U32x4::load(around.last_chunk().unwrap());
            ties |= u32::from(keys.eq(next).any()) << j;

            let before = U32x4::load(before);
            let parity = keys.shift_left(31);
            let background = F32x4::from_bits(parity).is_negative();
            let after = before - parity.shift_right_signed(31);
            let remaining = (before + difference).to_float();
            let union = before.to_float();
            let slope = background.select(remaining, -union) / (union * after.to_float());
            let error = F32x4::from_bits((ones - keys).shift_right_signed(1)).abs();
            value = value + slope.abs() * error;
            if j % SUMMED == SUMMED - 1 {
                self.value += std::mem::replace(&mut value, F32x4::zero()).sum();
            }
            slope.store(slopes);
            difference = difference - U32x4::splat(4);
        }
        self.value += value.sum();
        while ties != 0 {
            self.share(4 * ties.trailing_zeros() as usize, pairs.len(), offset);
            ties &= ties - 1;
        }
        self.remaining = self.remaining.wrapping_sub(pairs.len() as u32 - (union - self.union));
        self.union = union;
    }

    /// Gives the background pixels of each group of equal errors that begins in this vector the same
    /// slope. The value stays: the group's slopes have the same sum.
    #[cold]
    fn share(&mut self, vector: usize, end: usize, offset: u32) {
        let keys = &self.keys[..end];
        for first in vector..end.min(vector + 4) {
            let same = |other: &&u32| **other == keys[first];
            if background(keys[first]) == 0 || keys[..first].last().is_some_and(|last| same(&last)) {
                continue;
            }
            let size = keys[first..].iter().take_while(same).count();
            let union = self.before.as_flattened()[first];
            let remaining = union.wrapping_add(offset).wrapping_sub(first as u32);
            let slope = shared(remaining, union, size as u32);
            self.slopes.as_flattened_mut()[first..first + size].fill(slope as f32);
        }
    }

    /// One large group of equal keys; or the first, where there is no foreground.
    #[cold]
    fn group(&mut self, pairs: &[Pair], deposit: &mut impl FnMut(u32, f32)) {
        let (key, size) = (key(pairs[0]), pairs.len() as u32);
        let slope = if background(key) == 1 {
            let slope = shared(self.remaining, self.union, size);
            self.union += size;
            slope
        } else {
            self.remaining = self.remaining.wrapping_sub(size);
            -1.0 / f64::from(self.union)
        };
        self.value += f64::from(size) * slope * f64::from(residual_of(key));
        pairs.iter().for_each(|&pair| deposit(position(pair), slope as f32));
    }
}

/// The slope that each of `size` background pixels of equal error gets.
fn shared(remaining: u32, union: u32, size: u32) -> f64 {
    if union == 0 {
        return 1.0 / f64::from(size);
    }
    f64::from(remaining) / (f64::from(union) * (f64::from(union) + f64::from(size)))
}

/// How many of the next pixels can be ranked at once without cutting a group of equal keys. More than
/// [`RANKED`] if they are one group.
fn whole_groups(pairs: &[Pair]) -> usize {
    let Some(&next) = pairs.get(RANKED) else { return pairs.len() };
    match pairs[..RANKED].iter().rposition(|&pair| key(pair) != key(next)) {
        Some(last) => last + 1,
        None => pairs.iter().take_while(|&&pair| key(pair) == key(next)).count(),
    }
}

#[cfg(test)]
mod tests;
