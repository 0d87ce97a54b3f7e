//! Sigmoid: what whole sweeps of a row do in one pass, where targets are labels.

use super::exponentials::{Halfway, RUN, runs};
use super::sigmoid::small_of;
use super::{SiteRows, copy_but_masked, decode, fill_masked};
use crate::math::{LogProduct, twice_artanh};
use crate::simd::{F32x4, Mask, U32x4};
use crate::view::{Row, Sums};
use crate::walk::{as_bits, lockstep};
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
    if !piece.masked {
        return piece;
    }
    copy_but_masked(piece.label, piece.z, z, NEVER);
    Row { z, ..piece }
}

/// The same, and what is written holds e^−|z|.
#[inline(always)]
fn in_exponentials(row: &Row, out: &mut [f32], mut visit: impl FnMut(&Row, &mut [f32])) {
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
    if piece.masked {
        fill_masked(piece.label, out, 0.0);
    }
}

/// The sign bit of positives.
#[inline(always)]
fn sign_of(label: F32x4) -> U32x4 {
    label.bits().shift_left(31)
}

/// Where labels are negative. Of a mask of the positives, who have what the negatives leave, the compiler makes
/// three instructions.
#[inline(always)]
fn is_negative(sign: U32x4) -> Mask {
    sign.eq(U32x4::splat(0))
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
        for ([z, label], [out]) in lockstep([piece.z, as_bits(piece.label)], [out]) {
            let sign = sign_of(label);
            let against = z.flip(sign);
            let e = F32x4::load(out);
            let is_wrong = against.gt(zero);
            linear = linear + against.keep(is_wrong);
            logs.multiply(e);
            // 1 / (1 + e) or e / (1 + e), whichever belongs to the sign of a.
            let other = scale * e.max(one.keep(is_wrong)) / (one + e);
            other.flip(sign).store(out);
        }
        sum += linear.sum() + logs.spill();
    });
    sum + logs.sum()
}

/// As [`cross_entropy`] for any ℓ(u, p, q) and weights of negatives and positives, and of pixels: Σ w ℓ, and
/// `scale` w ∂ℓ/∂z into `out`. `at_site` gives ℓ and ∂ℓ/∂a.
#[inline(always)]
pub fn sweep(
    row: &Row,
    weights: [f32; 2],
    scale: f32,
    out: &mut [f32],
    at_site: impl Fn(F32x4, F32x4, F32x4) -> (F32x4, F32x4),
) -> f64 {
    let [negative, positive] = weights.map(F32x4::splat);
    let scale = F32x4::splat(scale);
    let mut total = 0.0;
    let mut halfway = Halfway::room();
    let [mut u, mut q, mut room] = [[0.0; RUN]; 3];
    in_pieces(row, out, |piece, out| {
        let [u, q, room] = [&mut u, &mut q, &mut room].map(|row| &mut row[..out.len()]);
        let of_pixels = weights_of_pixels(piece, room);
        sites(piece, &mut halfway, SiteRows { u, p: out, q });
        let mut sum = F32x4::zero();
        for ([label, of_pixel, u, q], [out]) in lockstep([as_bits(piece.label), of_pixels, u, q], [out]) {
            let (value, slope) = at_site(u, F32x4::load(out), q);
            let sign = sign_of(label);
            let weight = is_negative(sign).select(negative, positive) * of_pixel;
            sum = sum + value * weight;
            (slope * weight * scale).flip(sign).store(out);
        }
        total += sum.sum();
    });
    total
}

/// What pixels weigh: nothing where they are masked, whose loss need not be 0.
fn weights_of_pixels<'r>(piece: &Row<'r>, room: &'r mut [f32]) -> &'r [f32] {
    let weights = piece.weights.unwrap_or(&[1.0; RUN][..room.len()]);
    if !piece.masked {
        return weights;
    }
    copy_but_masked(piece.label, weights, room, 0.0);
    room
}

/// u, p and q of the labels of a piece. Not in the loop of `sweep`: as for exponentials, short loops wait less.
#[inline(never)]
fn sites(piece: &Row, halfway: &mut Halfway<1>, SiteRows { u, p, q }: SiteRows) {
    let (one, two, zero) = (F32x4::splat(1.0), F32x4::splat(2.0), F32x4::zero());
    // Of s, the smaller of p and q: −ln(1 − s) = 2 artanh (s / (2 − s)); with s = e / (1 + e) that is e / (2 + e).
    if let Some(code) = piece.code {
        for ([code], [small, ratio]) in lockstep([code], [&mut *p, &mut *u]) {
            code.abs().store(small);
            (code.abs() / (two - code.abs())).store(ratio);
        }
    } else {
        exponentials(piece, halfway, p);
        for ([], [small, ratio]) in lockstep([], [&mut *p, &mut *u]) {
            let e = F32x4::load(small);
            // Both from one division, which takes longer than all the rest of this loop.
            let (one_more, two_more) = (one + e, two + e);
            let common = e / (one_more * two_more);
            (common * one_more).store(ratio);
            (common * two_more).store(small);
        }
    }
    for ([z, label], [u, p, q]) in lockstep([piece.z, as_bits(piece.label)], [u, p, q]) {
        let against = z.flip(sign_of(label));
        (twice_artanh(F32x4::load(u)) + against.max(zero)).store(u);
        let small = F32x4::load(p);
        let large = one - small;
        let is_wrong = against.gt(zero);
        // One operation less each than a choice of the two.
        small.max(large.drop(is_wrong)).store(p);
        small.max(large.keep(is_wrong)).store(q);
    }
}

/// p and p q, of z and the smaller of p and q.
#[inline(always)]
fn p_and_product(z: F32x4, small: F32x4) -> (F32x4, F32x4) {
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

/// First sweep on a row in one pass, for losses whose slopes need nothing but sums: p q with the sign of
/// the label, the label's being negative, into `signed`, and Σ p y and Σ p (1 − y) into `sums`.
#[inline(never)]
pub fn first_sweep(row: &Row, signed: &mut [f32], sums: &mut Sums) {
    let zero = F32x4::zero();
    in_exponentials(row, signed, |piece, signed| {
        let [mut hit, mut others] = [zero; 2];
        for ([z, label], [signed]) in lockstep([piece.z, as_bits(piece.label)], [signed]) {
            let (p, product) = p_and_product(z, small_of(F32x4::load(signed)));
            let sign = sign_of(label);
            product.flip(sign).store(signed);
            let other = p.keep(is_negative(sign));
            hit = hit + (p - other);
            others = others + other;
        }
        sums.intersection += hit.sum();
        sums.false_positives += others.sum();
    });
}

/// Second sweep on a row in one pass, from what [`first_sweep`] left: p q (constant + hit y).
#[inline(never)]
pub fn second_sweep(signed: &mut [f32], constant: f32, hit: f32) {
    let (negative, positive) = (F32x4::splat(constant), F32x4::splat(-(constant + hit)));
    for ([], [cell]) in lockstep([], [signed]) {
        let (slope, zero) = (F32x4::load(cell), F32x4::zero());
        (slope.max(zero) * negative + slope.min(zero) * positive).store(cell);
    }
}

/// As [`first_sweep`] where labels have slopes of their own: encoded probabilities into `code`. Returns Σ u
/// of negatives and positives, of all together with `EVEN`.
#[inline(never)]
pub fn first_sweep_of_labels<const EVEN: bool>(row: &Row, code: &mut [f32], sums: &mut Sums) -> [f64; 2] {
    let zero = F32x4::zero();
    let sides = if EVEN { 0..1 } else { 0..2 };
    let (mut surprise, mut logs) = ([0.0; 2], [LogProduct::default(); 2]);
    in_exponentials(row, code, |piece, code| {
        let [mut hit, mut others] = [zero; 2];
        let mut linear = [zero; 2];
        for ([z, label], [code]) in lockstep([piece.z, as_bits(piece.label)], [code]) {
            let e = F32x4::load(code);
            let small = small_of(e);
            let p = p_and_product(z, small).0;
            small.flip(z.opposite_sign()).store(code);
            let sign = sign_of(label);
            let other = p.keep(is_negative(sign));
            hit = hit + (p - other);
            others = others + other;
            let over = z.flip(sign).max(zero);
            if EVEN {
                linear[0] = linear[0] + over;
                logs[0].multiply(e);
            } else {
                let (over_negative, e_negative) = (over.keep(is_negative(sign)), e.keep(is_negative(sign)));
                linear[0] = linear[0] + over_negative;
                linear[1] = linear[1] + (over - over_negative);
                logs[0].multiply(e_negative);
                logs[1].multiply(e - e_negative);
            }
        }
        sums.intersection += hit.sum();
        sums.false_positives += others.sum();
        for side in sides.clone() {
            surprise[side] += linear[side].sum() + logs[side].spill();
        }
    });
    sides.for_each(|side| surprise[side] += logs[side].sum());
    surprise
}

/// Σ ω p y, Σ ω p (1 − y) and Σ ω (1 − p) y of a row, from encoded probabilities.
#[inline(never)]
pub fn weighted_sums(row: &Row, code: &[f32], sums: &mut Sums) {
    let ones = [1.0; RUN];
    for run in runs(code.len()) {
        let weights = row.weights.map_or(&ones[..run.len()], |weights| &weights[run.clone()]);
        let [mut hit, mut others, mut missed] = [F32x4::zero(); 3];
        for ([label, code, weight], []) in lockstep([as_bits(&row.label[run.clone()]), &code[run], weights], []) {
            let is_positive = sign_of(label).as_float().is_negative();
            let (p, q) = decode(code);
            let mine = p.keep(is_positive);
            hit = hit + mine * weight;
            others = others + (p - mine) * weight;
            missed = missed + q.keep(is_positive) * weight;
        }
        sums.intersection += hit.sum();
        sums.false_positives += others.sum();
        sums.false_negatives += missed.sum();
    }
}

/// Second sweep on a row in one pass, from encoded probabilities: p q (constant + hit y), and b q or −b p
/// of the label, b for negatives and positives.
#[inline(never)]
pub fn second_sweep_of_labels(code: &mut [f32], label: &[u32], constant: f32, hit: f32, b: [f32; 2]) {
    let one = F32x4::splat(1.0);
    let [constant, of_positives, negative, positive] = [constant, constant + hit, -b[0], b[1]].map(F32x4::splat);
    for ([label], [cell]) in lockstep([as_bits(label)], [code]) {
        let code = F32x4::load(cell);
        let sign = sign_of(label);
        let is_negative = is_negative(sign);
        // The other outcome's probability: code's sign says whether p is 1 − small, the label's whether it is p.
        let other = code.flip(sign);
        let other = other + one.keep(other.is_negative());
        let product = code.abs() * (one - code.abs());
        let slope = product * is_negative.select(constant, of_positives);
        (slope + is_negative.select(negative, positive) * other).store(cell);
    }
}
