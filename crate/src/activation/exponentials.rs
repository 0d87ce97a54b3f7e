//! Exponentials of rows: one loop to exponents and what is left of the logits, one from there.
//!
//! All in one, a vector's way is twenty operations of which nearly each waits for the one before, and the
//! processor, which looks a few hundred instructions ahead, sees too few of them at a time: 0.52 ns per element
//! where two loops take 0.37, with all they write down and read again. Three take 0.42.

use crate::math::{Reduced, expand, reduce};
use crate::simd::F32x4;
use crate::tile::pieces;
use crate::walk::{Walk, lockstep};
use std::ops::Range;

/// Pixels between two loops: few, so that memory is read all the time and not in bursts (at one channel runs of
/// 384 take 9 to 14 % more, and of 1024 out of memory 40 %). Sums of so many fit f32.
pub const RUN: usize = 128;

/// A logit whose exponential f32 holds.
const LARGEST: f32 = 88.0;

/// Pieces of a row.
#[inline(always)]
pub fn runs(length: usize) -> impl Iterator<Item = Range<usize>> {
    pieces(length, RUN)
}

/// N rows of a run on half their way to exponentials.
pub struct Halfway<const N: usize> {
    rest: [[f32; RUN]; N],
    exponent: [[f32; RUN]; N],
}

impl<const N: usize> Halfway<N> {
    /// Room for them.
    #[inline(always)]
    pub fn room() -> Self {
        Self { rest: [[0.0; RUN]; N], exponent: [[0.0; RUN]; N] }
    }

    /// The first half, of `bounded` logits.
    #[inline(always)]
    pub fn reduce<W: Walk>(&mut self, walk: W, bounded: impl Fn(W::Vectors) -> [F32x4; N]) {
        let length = walk.length();
        let rest = lockstep([], self.rest.each_mut().map(|row| &mut row[..length]));
        let exponent = lockstep([], self.exponent.each_mut().map(|row| &mut row[..length]));
        for ((([], rest), ([], exponent)), z) in rest.beside(exponent).beside(walk) {
            for (z, (rest, exponent)) in bounded(z).into_iter().zip(rest.into_iter().zip(exponent)) {
                let reduced = reduce(z);
                reduced.rest.store(rest);
                reduced.exponent.store(exponent);
            }
        }
    }

    /// The second half: gives `visit` the exponentials beside what `walk` has.
    #[inline(always)]
    pub fn expand<W: Walk>(&self, walk: W, mut visit: impl FnMut([F32x4; N], W::Vectors)) {
        let length = walk.length();
        let rest = lockstep(self.rest.each_ref().map(|row| &row[..length]), []);
        let exponent = lockstep(self.exponent.each_ref().map(|row| &row[..length]), []);
        for (((rest, []), (exponent, [])), vectors) in rest.beside(exponent).beside(walk) {
            visit(std::array::from_fn(|k| expand(Reduced { rest: rest[k], exponent: exponent[k] })), vectors);
        }
    }

    /// Exponentials into rows, run by run, of what `reduce` takes to half their way.
    #[inline(always)]
    pub fn write(&mut self, mut x: [&mut [f32]; N], reduce: impl Fn(&mut Self, Range<usize>)) {
        for run in runs(x[0].len()) {
            reduce(self, run.clone());
            let x = lockstep([], x.each_mut().map(|row| &mut row[run.clone()]));
            self.expand(x, |e, ([], x)| e.into_iter().zip(x).for_each(|(e, x)| e.store(x)));
        }
    }
}

/// No larger than f32 holds the exponentials of.
#[inline(always)]
pub fn bounded<const N: usize>(z: [F32x4; N]) -> [F32x4; N] {
    z.map(|z| z.min(F32x4::splat(LARGEST)))
}

/// e^z of a row.
#[inline(never)]
pub fn exponentials_of_row(z: &[f32], x: &mut [f32]) {
    exponentials_of_rows(&mut Halfway::room(), [z], [x]);
}

/// The same of rows together.
#[inline(never)]
pub fn exponentials_of_rows<const N: usize>(halfway: &mut Halfway<N>, z: [&[f32]; N], x: [&mut [f32]; N]) {
    halfway.write(x, |halfway, run| {
        halfway.reduce(lockstep(z.map(|row| &row[run.clone()]), []), |(z, [])| bounded(z));
    });
}
