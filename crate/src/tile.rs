//! Planes of channels, and the size of the tiles cut from them: some pixels of every channel, few
//! enough to stay in the caches, padded so that no kernel has a tail.

#![allow(unsafe_code)]

use crate::simd::F32x4;
use std::marker::PhantomData;
use std::ops::Range;

/// Pixels that kernels take at once; every tile's width is a multiple of it.
pub const BLOCK: usize = 16;
/// Floats of one tile over all channels, at the most. 172 KiB fit the second cache; longer runs of each
/// channel are worth more than the first cache, since a run's first lines are waited for (at 21
/// classes: 2.0 ns per element with runs of 2048 pixels, 2.8 with 192).
const TILE_FLOATS: usize = 43_008;
/// Pixels of a tile, at the most: every row begins with a wait, so longer is better even out of the first cache
/// (cross-entropy + Dice + focal of one channel takes 7 % less than in runs of 4096, Dice 6 %).
const LONGEST: usize = 16_384;

/// Pixels of a tile whose planes are swept where they lie, at the most. With more than a dozen of them the processor
/// loses sight of where it was in each, and fetches ahead again only after some pages: at 21 classes
/// reading takes 0.15 ns per element in runs of 8192, 0.33 in runs of 2048.
const LONG_RUN: usize = 8192;
/// Floats of such a tile over all channels: 344 KB leave room in the second cache for what comes in (at 21
/// classes 0.79 ns per element for cross-entropy in runs of 4096, 0.83 in runs of 8192).
const LONG_FLOATS: usize = 86_016;

/// How many pixels a tile holds whose planes are swept where they lie: whole runs of sums.
pub fn long_width(channels: usize) -> usize {
    (LONG_FLOATS / channels).clamp(LONG_RUN / 8, LONG_RUN) / SUM_RUN * SUM_RUN
}

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

/// Pixels of a tile whose planes are swept, but staged: an odd number of the runs that sums are collected in, so
/// that both ways give the same bits, and planes do not lie a multiple of 4 KiB apart.
pub fn staged_width(channels: usize) -> usize {
    let runs = (TILE_FLOATS / channels).clamp(SUM_RUN, LONGEST) / SUM_RUN;
    ((runs - 1) | 1) * SUM_RUN
}

/// Pixels whose sum f32 holds; sums of runs go to f64.
pub const SUM_RUN: usize = 256;

/// Runs of a row whose sums f32 holds.
#[inline(always)]
pub fn sum_runs(length: usize) -> impl Iterator<Item = Range<usize>> {
    pieces(length, SUM_RUN)
}

/// A row in pieces of so many pixels at the most.
#[inline(always)]
pub fn pieces(length: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
    (0..length).step_by(most).map(move |start| start..length.min(start + most))
}

/// The sum of a row.
#[inline(never)]
pub fn sum_of_row(row: &[f32]) -> f64 {
    let runs = vectors(row).chunks(SUM_RUN / 4);
    runs.map(|run| run.iter().fold(F32x4::zero(), |sum, value| sum + F32x4::load(value)).sum()).sum()
}

/// Multiplies a row by another.
#[inline(never)]
pub fn multiply_row(row: &mut [f32], factors: &[f32]) {
    for (value, factor) in vectors_mut(row).iter_mut().zip(vectors(factors)) {
        (F32x4::load(value) * F32x4::load(factor)).store(value);
    }
}

/// Divides a row by another; by 0 that is 0.
#[inline(never)]
pub fn divide_row(row: &mut [f32], divisors: &[f32]) {
    for (value, divisor) in vectors_mut(row).iter_mut().zip(vectors(divisors)) {
        let divisor = F32x4::load(divisor);
        (F32x4::load(value) / divisor).drop(divisor.eq(F32x4::zero())).store(value);
    }
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
    /// All of it, with what lies between the channels.
    pub fn data(&self) -> &'a [f32] {
        self.data
    }
    /// How far apart channels lie.
    pub fn stride(&self) -> usize {
        self.stride
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
    /// N channels from this one on, as numbers.
    #[inline(always)]
    pub fn rows<const N: usize>(&self, first: usize) -> [&'a [f32]; N] {
        std::array::from_fn(|j| self.row(first + j))
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
    /// N channels from this one on, as numbers.
    #[inline(always)]
    pub fn rows<const N: usize>(&mut self, first: usize) -> [&mut [f32]; N] {
        let (stride, width) = (self.stride, self.width);
        let mut rest = &mut self.data[first * stride..];
        std::array::from_fn(|_| {
            let (row, tail) = std::mem::take(&mut rest).split_at_mut(width);
            // A single channel may be said to lie one float apart.
            rest = tail.get_mut(stride.saturating_sub(width)..).unwrap_or(&mut []);
            row
        })
    }
    /// How far apart channels lie.
    pub fn stride(&self) -> usize {
        self.stride
    }
    /// All of it, with what lies between the channels.
    pub fn data_mut(&mut self) -> &mut [f32] {
        self.data
    }
    /// The same channels, to read.
    pub fn as_planes(&self) -> Planes<'_> {
        Planes { data: self.data, stride: self.stride, width: self.width }
    }
    /// Pixels in the tile, padding included.
    pub fn width(&self) -> usize {
        self.width
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
