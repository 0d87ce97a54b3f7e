//! Sigmoid: whole evaluations of a row in one pass, where targets are labels.

use super::exponentials::{Halfway, RUN, runs};
use super::sigmoid::small_of;
use super::{SiteRows, copy_but_masked, fill_masked};
use crate::math::{LogProduct, twice_artanh};
use crate::simd::{Choice, F32x4};
use crate::tile::multiply_row;
use crate::view::Row;
use crate::walk::{Walk, lockstep, positives};
use std::ops::Range;

/// What [`LogProduct::spill`] leaves room for.
const _: () = assert!(RUN <= 128);

/// The logit of masked pixels.
const NEVER: f32 = -1000.0;

/// Visits a row, and what is written, in pieces.
#[inline(always)]
fn in_pieces(row: &Row, out: &mut [f32], mut visit: impl FnMut(&Row, &mut [f32])) {
    let mut room = [0.0; RUN];
    runs(out.len()).for_each(|run| visit(&piece(row, run.clone(), &mut room), &mut out[run]));
}

/// A piece of a row. Pixels that take part in nothing look like negatives without a doubt: they are copied to `room`,
/// which stays in the first cache (as a whole row, half a nanosecond each).
#[inline(never)]
fn piece<'r>(row: &Row<'r>, run: Range<usize>, room: &'r mut [f32; RUN]) -> Row<'r> {
    let z = &mut room[..run.len()];
    let piece = row.piece(run);
    let Some(label) = piece.masked else { return piece };
    copy_but_masked(label, piece.z, z, NEVER);
    Row { z, ..piece }
}

/// The same, and what is written holds e^−|z|.
#[inline(always)]
pub(super) fn in_exponentials(row: &Row, out: &mut [f32], mut visit: impl FnMut(&Row, &mut [f32])) {
    let mut halfway = Halfway::room();
    in_pieces(row, out, |piece, out| {
        exponentials(piece, &mut halfway, out);
        visit(piece, out);
    });
}

/// e^−|z| of a piece, and 0 of what is masked: that must leave nothing in a sum.
#[inline(never)]
fn exponentials(piece: &Row, halfway: &mut Halfway<1>, out: &mut [f32]) {
    halfway.reduce(lockstep([piece.z], []), |([z], [])| [z.negative_abs()]);
    halfway.expand(lockstep([], [&mut *out]), |[e], ([], [out])| e.store(out));
    if let Some(label) = piece.masked {
        fill_masked(label, out, 0.0);
    }
}

/// A whole evaluation of cross-entropy on a row in one pass: Σ u, and `scale` (p − y) into `out`.
///
/// With a = ∓z, the logit against the label: u = max(a, 0) + ln(1 + e^−|a|), and p − y is the
/// probability of the other outcome with the sign of the label.
#[inline(never)]
pub fn cross_entropy(row: &Row, scale: f32, out: &mut [f32]) -> f64 {
    let (one, zero, scale) = (F32x4::splat(1.0), F32x4::zero(), F32x4::splat(scale));
    let (mut sum, mut logs) = (0.0, LogProduct::default());
    in_exponentials(row, out, |piece, out| {
        let mut linear = zero;
        for (([z], [out]), is_positive) in lockstep([piece.z], [out]).beside(positives(piece.label)) {
            let against = z.flip(is_positive.sign());
            let e = F32x4::load(out);
            let is_wrong = against.gt(zero);
            linear = linear + against.keep(is_wrong);
            logs.multiply(e);
            // 1 / (1 + e) or e / (1 + e), whichever belongs to the sign of a.
            let other = scale * e.max(one.keep(is_wrong)) / (one + e);
            other.flip(is_positive.sign()).store(out);
        }
        sum += linear.sum() + logs.spill();
    });
    sum + logs.sum()
}

/// As [`cross_entropy`] for any ℓ(u, p, q) and weights of negatives and positives, and of pixels: Σ w ℓ, and
/// `scale` w ∂ℓ/∂z into `out`. `at_site` gives ℓ and ∂ℓ/∂a of u, p and q, and of what `ahead` made of rows of u and q
/// (else q again).
#[inline(always)]
pub fn sweep(
    row: &Row,
    weights: [f32; 2],
    scale: f32,
    out: &mut [f32],
    ahead: Option<impl Fn(&[f32], &[f32], &mut [f32])>,
    at_site: impl Fn([F32x4; 4]) -> (F32x4, F32x4),
) -> f64 {
    let scale = F32x4::splat(scale);
    let mut total = 0.0;
    let mut halfway = Halfway::room();
    let [mut u, mut q, mut signed, mut room] = [[0.0; RUN]; 4];
    in_pieces(row, out, |piece, out| {
        let [u, q, signed, room] = [&mut u, &mut q, &mut signed, &mut room].map(|row| &mut row[..out.len()]);
        sites(piece, weights, &mut halfway, SiteRows { u, p: out, q }, signed);
        let ahead = match &ahead {
            Some(ahead) => {
                ahead(u, q, room);
                &*room
            }
            None => &*q,
        };
        let mut sum = F32x4::zero();
        for ([weight, u, q, ahead], [out]) in lockstep([signed, u, q, ahead], [out]) {
            let (value, slope) = at_site([u, F32x4::load(out), q, ahead]);
            sum = sum + value * weight.abs();
            (slope * weight * scale).store(out);
        }
        total += sum.sum();
    });
    total
}

/// u, p and q of the labels of a piece, and into `signed` what each weighs, positives below 0 since their ∂a/∂z is
/// −1. Not in the loop of `sweep`: as for exponentials, short loops wait less.
#[inline(never)]
fn sites(piece: &Row, weights: [f32; 2], halfway: &mut Halfway<1>, mut rows: SiteRows, signed: &mut [f32]) {
    let (one, two) = (F32x4::splat(1.0), F32x4::splat(2.0));
    // Of s, the smaller of p and q: −ln(1 − s) = 2 artanh (s / (2 − s)); with s = e / (1 + e) that is e / (2 + e).
    if let Some(code) = piece.code {
        rows.p.copy_from_slice(code);
        prepare(piece, weights, &mut rows, signed, |code| (code.abs() / (two - code.abs()), code.abs()));
    } else {
        exponentials(piece, halfway, rows.p);
        prepare(piece, weights, &mut rows, signed, |e| {
            // Both from one division.
            let (one_more, two_more) = (one + e, two + e);
            let common = e / (one_more * two_more);
            (common * one_more, common * two_more)
        });
    }
    if let Some(weights) = piece.weights {
        multiply_row(signed, weights);
    }
    if let Some(label) = piece.masked {
        // Nothing, though its loss need not be 0.
        fill_masked(label, signed, 0.0);
    }
    let SiteRows { u, p, q } = rows;
    for ([], [u, p, q]) in lockstep([], [u, p, q]) {
        let against = F32x4::load(q);
        let is_wrong = against.gt(F32x4::zero());
        (twice_artanh(F32x4::load(u)) + against.keep(is_wrong)).store(u);
        let small = F32x4::load(p);
        let large = one - small;
        // One operation less each than a choice of the two.
        small.max(large.drop(is_wrong)).store(p);
        small.max(large.keep(is_wrong)).store(q);
    }
}

/// What comes before logarithms: into `u` the ratio and into `p` the smaller probability, both of what `p` holds by
/// `ratio_and_small`, into `q` the logit against the label, and the weights. Together, since nothing here takes as long
/// as the division.
#[inline(always)]
fn prepare(
    piece: &Row,
    [negative, positive]: [f32; 2],
    SiteRows { u, p, q }: &mut SiteRows,
    signed: &mut [f32],
    ratio_and_small: impl Fn(F32x4) -> (F32x4, F32x4),
) {
    let weights = Choice::new(-positive, negative);
    let walk = lockstep([piece.z], [u, p, q, signed]).beside(positives(piece.label));
    for (([z], [u, p, q, signed]), is_positive) in walk {
        let (ratio, small) = ratio_and_small(F32x4::load(p));
        ratio.store(u);
        small.store(p);
        z.flip(is_positive.sign()).store(q);
        weights.of(is_positive).store(signed);
    }
}

/// p and p q, of z and the smaller of p and q.
#[inline(always)]
pub(super) fn p_and_product(z: F32x4, small: F32x4) -> (F32x4, F32x4) {
    let large = F32x4::splat(1.0) - small;
    (small.max(large.drop(z.is_negative())), small * large)
}

/// A whole evaluation of Σ p φ on a row in one pass, and `scale` p q φ into `out`.
pub fn expectation(row: &Row, scale: f32, out: &mut [f32]) -> f64 {
    let (mut sum, mut halfway) = (0.0, Halfway::room());
    in_pieces(row, out, |piece, out| {
        sum += match piece.code {
            Some(code) => {
                out.copy_from_slice(code);
                expectation_of_piece(piece, F32x4::abs, scale, out)
            }
            None => {
                exponentials(piece, &mut halfway, out);
                expectation_of_piece(piece, small_of, scale, out)
            }
        };
    });
    sum
}

/// The same of a piece. `small` gives the smaller of p and q of what `out` holds.
#[inline(always)]
fn expectation_of_piece(piece: &Row, small: impl Fn(F32x4) -> F32x4, scale: f32, out: &mut [f32]) -> f64 {
    let (mut sum, scale) = (F32x4::zero(), F32x4::splat(scale));
    for ([z, distance], [out]) in lockstep([piece.z, piece.distance], [out]) {
        let (p, product) = p_and_product(z, small(F32x4::load(out)));
        sum = sum + p * distance;
        (product * distance * scale).store(out);
    }
    sum.sum()
}
