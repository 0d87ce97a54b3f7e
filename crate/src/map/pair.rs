//! The nearest instance of a pixel and the nearest other one, for four pixels at a time.

use crate::simd::{F32x4, Mask, U32x4};
use std::ops::Range;

/// Pixels in a [`Pair`].
pub const LANES: usize = 4;

/// What four pixels know: the distance (or its square) to the nearest instance, the label of that
/// instance, and the distance to the nearest instance with another label. +Infinity and label 0
/// where there is none.
#[derive(Clone, Copy)]
pub struct Pair {
    pub near: F32x4,
    pub label: U32x4,
    pub far: F32x4,
}

impl Pair {
    /// The distance to the nearest instance that is not `label`.
    #[inline(always)]
    fn other_than(self, label: U32x4) -> F32x4 {
        self.label.eq(label).select(self.far, self.near)
    }

    /// The pair one pixel further on, where there is `label` (0: background). Counts pixels.
    #[inline(always)]
    pub fn meet(self, label: U32x4) -> Self {
        let one = F32x4::splat(1.0);
        let background = label.eq(U32x4::splat(0));
        let label = choose(background, self.label, label);
        Pair { near: (self.near + one).keep(background), label, far: self.other_than(label) + one }
    }

    /// The nearest two labels of two pairs.
    #[inline(always)]
    pub fn merge(self, other: Pair) -> Self {
        let label = choose(other.near.lt(self.near), other.label, self.label);
        let far = self.other_than(label).min(other.other_than(label));
        Pair { near: self.near.min(other.near), label, far }
    }

    /// The labels of the pixels themselves.
    #[inline(always)]
    pub fn labels_here(self) -> U32x4 {
        self.label.keep(self.near.eq(F32x4::zero()))
    }

    /// Squared distances in place of numbers of pixels.
    #[inline(always)]
    pub fn squared(self, spacing: f32) -> Self {
        let square = |count: F32x4| (count * F32x4::splat(spacing)) * (count * F32x4::splat(spacing));
        Pair { near: square(self.near), far: square(self.far), ..self }
    }
}

#[inline(always)]
fn choose(mask: Mask, yes: U32x4, no: U32x4) -> U32x4 {
    mask.select(F32x4::from_bits(yes), F32x4::from_bits(no)).bits()
}

/// Pairs of any number of pixels, as a structure of arrays.
#[derive(Default)]
pub struct Pairs {
    pub near: Vec<f32>,
    pub label: Vec<u32>,
    pub far: Vec<f32>,
}

impl Pairs {
    /// Room for `length` pixels; those that are new have seen no instance.
    pub fn resize(&mut self, length: usize) {
        self.near.resize(length, f32::INFINITY);
        self.label.resize(length, 0);
        self.far.resize(length, f32::INFINITY);
    }

    /// No instance has been seen.
    pub fn forget(&mut self) {
        self.near.fill(f32::INFINITY);
        self.label.fill(0);
        self.far.fill(f32::INFINITY);
    }

    /// The fours of a range of pixels.
    pub fn fours(&mut self, range: Range<usize>) -> Fours<'_> {
        Fours {
            near: self.near[range.clone()].as_chunks_mut().0,
            label: self.label[range.clone()].as_chunks_mut().0,
            far: self.far[range].as_chunks_mut().0,
        }
    }
}

/// A view of pairs as fours of neighbours.
pub struct Fours<'p> {
    near: &'p mut [[f32; LANES]],
    label: &'p mut [[u32; LANES]],
    far: &'p mut [[f32; LANES]],
}

impl Fours<'_> {
    #[inline(always)]
    pub fn get(&self, index: usize) -> Pair {
        Pair {
            near: F32x4::load(&self.near[index]),
            label: U32x4::load(&self.label[index]),
            far: F32x4::load(&self.far[index]),
        }
    }

    #[inline(always)]
    pub fn set(&mut self, index: usize, pair: Pair) {
        pair.near.store(&mut self.near[index]);
        self.label[index] = F32x4::from_bits(pair.label).lanes().map(f32::to_bits);
        pair.far.store(&mut self.far[index]);
    }
}
