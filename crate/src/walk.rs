//! Rows walked together, without a check at every vector.

#![allow(unsafe_code)]

use crate::simd::{F32x4, Mask};
use std::marker::PhantomData;

/// Rows of one length walked together, a vector of each at a time; see [`lockstep`].
pub struct Lockstep<'a, const READ: usize, const WRITE: usize> {
    read: [*const f32; READ],
    write: [*mut f32; WRITE],
    at: usize,
    length: usize,
    rows: PhantomData<&'a mut [f32]>,
}

/// Walks rows together: those it reads, then those it writes (or reads and writes). One check for all of
/// them, and one way out of the loop: V8 computes constants once before a loop only if nothing can leave
/// it half-way, and a single bounds check in a loop with an exponential adds 33 instructions to
/// its 60.
#[inline(always)]
pub fn lockstep<'a, const READ: usize, const WRITE: usize>(
    read: [&'a [f32]; READ],
    mut write: [&'a mut [f32]; WRITE],
) -> Lockstep<'a, READ, WRITE> {
    let length = write.first().map_or_else(|| read[0].len(), |row| row.len());
    assert!(length.is_multiple_of(4));
    assert!(read.iter().all(|row| row.len() == length) && write.iter().all(|row| row.len() == length));
    let write = std::array::from_fn(|j| write[j].as_mut_ptr());
    Lockstep { read: read.map(<[f32]>::as_ptr), write, at: 0, length, rows: PhantomData }
}

/// Rows that are walked together.
pub trait Walk: Sized {
    /// A vector of each row.
    type Vectors;
    /// Floats in each row.
    fn length(&self) -> usize;
    /// The next vector of each row.
    ///
    /// # Safety
    /// Not more often than there are vectors.
    unsafe fn step(&mut self) -> Self::Vectors;
    /// Both walked together, still with one way out of the loop; `Iterator::zip` would look at both ends.
    #[inline(always)]
    fn beside<B: Walk>(self, other: B) -> Beside<Self, B> {
        assert!(self.length() == other.length());
        Beside(self, other)
    }
}

impl<'a, const READ: usize, const WRITE: usize> Walk for Lockstep<'a, READ, WRITE> {
    type Vectors = ([F32x4; READ], [&'a mut [f32; 4]; WRITE]);
    #[inline(always)]
    fn length(&self) -> usize {
        self.length
    }
    #[inline(always)]
    unsafe fn step(&mut self) -> Self::Vectors {
        let at = self.at;
        self.at += 4;
        // SAFETY: `lockstep` checked that every row has `length` floats, a multiple of four, and the caller
        // that `at`, a multiple of four, is below it. The rows to write are borrowed mutably, so nothing else
        // is there, and each vector is handed out once.
        unsafe {
            (
                std::array::from_fn(|j| F32x4::load(&*self.read[j].add(at).cast())),
                std::array::from_fn(|j| &mut *self.write[j].add(at).cast()),
            )
        }
    }
}

impl<const READ: usize, const WRITE: usize> Iterator for Lockstep<'_, READ, WRITE> {
    type Item = <Self as Walk>::Vectors;
    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        // SAFETY: there is a vector left.
        if self.at == self.length { None } else { Some(unsafe { self.step() }) }
    }
}

/// Two walks of one length; see [`Walk::beside`].
pub struct Beside<A, B>(A, B);

impl<A: Walk, B: Walk> Walk for Beside<A, B> {
    type Vectors = (A::Vectors, B::Vectors);
    #[inline(always)]
    fn length(&self) -> usize {
        self.0.length()
    }
    #[inline(always)]
    unsafe fn step(&mut self) -> Self::Vectors {
        // SAFETY: both are equally long and walk together.
        unsafe { (self.0.step(), self.1.step()) }
    }
}

impl<A: Walk + Iterator<Item = A::Vectors>, B: Walk> Iterator for Beside<A, B> {
    type Item = (A::Vectors, B::Vectors);
    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let first = self.0.next()?;
        // SAFETY: as above.
        Some((first, unsafe { self.1.step() }))
    }
}

/// Where labels of bytes are 1, four at a time.
pub struct Positives<'a> {
    next: *const u8,
    left: usize,
    row: PhantomData<&'a [u8]>,
}

/// Walks a row of labels, to go [`Walk::beside`] others.
#[inline(always)]
pub fn positives(row: &[u8]) -> Positives<'_> {
    assert!(row.len().is_multiple_of(4));
    Positives { next: row.as_ptr(), left: row.len(), row: PhantomData }
}

impl Walk for Positives<'_> {
    type Vectors = Mask;
    #[inline(always)]
    fn length(&self) -> usize {
        self.left
    }
    #[inline(always)]
    unsafe fn step(&mut self) -> Mask {
        let next = self.next;
        self.next = next.wrapping_add(4);
        // SAFETY: `positives` had a multiple of four, and the caller says that four are left.
        Mask::are_one(unsafe { &*next.cast() })
    }
}

/// A row of labels as the bits of floats, for [`lockstep`].
pub fn as_bits(label: &[u32]) -> &[f32] {
    // SAFETY: both have four bytes and the same alignment, and every bit pattern is an f32.
    unsafe { std::slice::from_raw_parts(label.as_ptr().cast(), label.len()) }
}

/// Four neighbouring channels of four pixels after the other, where the channels of a pixel lie together.
pub struct Pixels<'a> {
    next: *const f32,
    step: usize,
    left: usize,
    pixels: PhantomData<&'a [f32]>,
}

/// The same, to write.
pub struct PixelsMut<'a> {
    next: *mut f32,
    step: usize,
    left: usize,
    pixels: PhantomData<&'a mut [f32]>,
}

/// Channels `k..k + 4` of `count` pixels, a multiple of four, that lie `step` floats apart.
#[inline(always)]
pub fn pixels(from: &[f32], step: usize, k: usize, count: usize) -> Pixels<'_> {
    assert!(count > 0 && count.is_multiple_of(4) && k + 4 <= step && (count - 1) * step + k + 4 <= from.len());
    Pixels { next: from[k..].as_ptr(), step, left: count, pixels: PhantomData }
}

/// As [`pixels`], to write.
#[inline(always)]
pub fn pixels_mut(to: &mut [f32], step: usize, k: usize, count: usize) -> PixelsMut<'_> {
    assert!(count > 0 && count.is_multiple_of(4) && k + 4 <= step && (count - 1) * step + k + 4 <= to.len());
    PixelsMut { next: to[k..].as_mut_ptr(), step, left: count, pixels: PhantomData }
}

impl Walk for Pixels<'_> {
    type Vectors = [F32x4; 4];
    #[inline(always)]
    fn length(&self) -> usize {
        self.left
    }
    #[inline(always)]
    unsafe fn step(&mut self) -> [F32x4; 4] {
        let next = self.next;
        self.next = next.wrapping_add(4 * self.step);
        // SAFETY: `pixels` checked that these channels of `left` pixels lie in the array, and the caller that
        // four of them are left.
        std::array::from_fn(|i| F32x4::load(unsafe { &*next.wrapping_add(i * self.step).cast() }))
    }
}

impl<'a> Walk for PixelsMut<'a> {
    type Vectors = [&'a mut [f32; 4]; 4];
    #[inline(always)]
    fn length(&self) -> usize {
        self.left
    }
    #[inline(always)]
    unsafe fn step(&mut self) -> [&'a mut [f32; 4]; 4] {
        let next = self.next;
        self.next = next.wrapping_add(4 * self.step);
        // SAFETY: as above; pixels do not overlap, since four channels from k on fit into a step.
        std::array::from_fn(|i| unsafe { &mut *next.wrapping_add(i * self.step).cast() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_walk_together() {
        let (a, b) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], [10.0; 8]);
        let (mut sum, mut difference) = ([0.0; 8], [0.0; 8]);
        let first = lockstep([&a[..], &b], [&mut sum[..]]);
        for (([a, b], [sum]), ([], [difference])) in first.beside(lockstep([], [&mut difference[..]])) {
            (a + b).store(sum);
            (a - b).store(difference);
        }
        assert_eq!((sum[0], sum[7], difference[3]), (11.0, 18.0, -6.0));
    }

    #[test]
    fn labels_walk_beside_rows() {
        let mut row = [1.0; 8];
        for (([], [cell]), is_positive) in lockstep([], [&mut row[..]]).beside(positives(&[0, 1, 254, 1, 1, 0, 0, 3])) {
            F32x4::load(cell).keep(is_positive).store(cell);
        }
        assert_eq!(row, [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    #[should_panic]
    fn rows_of_different_lengths_do_not() {
        lockstep([&[0.0; 8][..]], [&mut [0.0; 4][..]]);
    }

    #[test]
    #[should_panic]
    fn pixels_end_with_the_array() {
        pixels(&[0.0; 19], 5, 1, 4);
    }
}
