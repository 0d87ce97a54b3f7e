//! Sigmoid: what whole sweeps of a row do in one pass, where targets are labels.

use super::exponentials::{Halfway, RUN, runs};
use super::sigmoid::small_of;
use super::{SiteRows, copy_but_masked, decode, fill_masked};
use crate::math::{LogProduct, twice_artanh};
use crate::simd::{Choice, F32x4, U32x4};
use crate::tile::multiply_row;
use crate::view::{Row, Sums};
use crate::walk::{Walk, lockstep, positives};
use std::ops::Range;

/// What [`LogProduct::spill`] leaves room for.
const _: () = assert!(RUN <= 128);

/// The logit of masked pixels.
const NEVER: f32 = -1000.0;

/// −z whose odds leave p a normal number: denormal ones are slow.
const LARGEST_ODDS: f32 = 87.3;

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
    if let Some(label) = piece.masked {
        fill_masked(label, out, 0.0);
    }
}

/// e^−z = q / p of a piece, the odds against positive; z no further from 0 than p and q stay normal. Infinite where
/// masked: that must leave nothing in a sum.
#[inline(never)]
fn odds_against(piece: &Row, halfway: &mut Halfway<1>, out: &mut [f32]) {
    let minus = U32x4::splat(1 << 31);
    halfway.reduce(lockstep([piece.z], []), |([z], [])| [z.flip(minus).min(F32x4::splat(LARGEST_ODDS))]);
    halfway.expand(lockstep([], [&mut *out]), |[odds], ([], [out])| odds.store(out));
    if let Some(label) = piece.masked {
        fill_masked(label, out, f32::INFINITY);
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
/// `scale` w ∂ℓ/∂z into `out`. `at_site` gives ℓ and ∂ℓ/∂a.
#[inline(always)]
pub fn sweep(
    row: &Row,
    weights: [f32; 2],
    scale: f32,
    out: &mut [f32],
    at_site: impl Fn(F32x4, F32x4, F32x4) -> (F32x4, F32x4),
) -> f64 {
    let scale = F32x4::splat(scale);
    let mut total = 0.0;
    let mut halfway = Halfway::room();
    let [mut u, mut q, mut signed] = [[0.0; RUN]; 3];
    in_pieces(row, out, |piece, out| {
        let [u, q, signed] = [&mut u, &mut q, &mut signed].map(|row| &mut row[..out.len()]);
        sites(piece, weights, &mut halfway, SiteRows { u, p: out, q }, signed);
        let mut sum = F32x4::zero();
        for ([weight, u, q], [out]) in lockstep([signed, u, q], [out]) {
            let (value, slope) = at_site(u, F32x4::load(out), q);
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
        at_labels(piece, weights, &mut rows, signed, |code| (code.abs() / (two - code.abs()), code.abs()));
    } else {
        exponentials(piece, halfway, rows.p);
        at_labels(piece, weights, &mut rows, signed, |e| {
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

/// What is known at labels before logarithms: into `u` the ratio and into `p` the smaller probability, both by `ratio_and_small`
/// from what `p` holds, into `q` the logit against the label. Together, since nothing here takes as long as the division.
#[inline(always)]
fn at_labels(
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

/// First sweep on a row in one pass, for losses whose slopes need nothing but sums: ω p q with the sign of
/// the label, the label's being negative, into `signed`, 0 where masked, and Σ ω p y and Σ ω p (1 − y) into `sums`.
pub fn first_sweep(row: &Row, signed: &mut [f32], sums: &mut Sums) {
    match row.weights {
        None => first_sweep_of(row, [], signed, sums),
        Some(weights) => first_sweep_of(row, [weights], signed, sums),
    }
}

#[inline(never)]
fn first_sweep_of<const N: usize>(row: &Row, weights: [&[f32]; N], signed: &mut [f32], sums: &mut Sums) {
    let (one, zero) = (F32x4::splat(1.0), F32x4::zero());
    let mut halfway = Halfway::room();
    for run in runs(signed.len()) {
        let (piece, signed) = (row.piece(run.clone()), &mut signed[run.clone()]);
        odds_against(&piece, &mut halfway, signed);
        let [mut hit, mut others] = [zero; 2];
        let walk =
            lockstep(weights.map(|weights| &weights[run.clone()]), [&mut *signed]).beside(positives(piece.label));
        for ((weight, [signed]), is_positive) in walk {
            let odds = F32x4::load(signed);
            let p = one / (one + odds);
            let share = weight.into_iter().fold(p, |p, weight| p * weight);
            (odds * p * share).flip(is_positive.sign()).store(signed);
            let mine = share.keep(is_positive);
            hit = hit + mine;
            others = others + (share - mine);
        }
        if let Some(label) = piece.masked {
            fill_masked(label, signed, 0.0);
        }
        sums.intersection += hit.sum();
        sums.false_positives += others.sum();
    }
}

/// Second sweep on a row in one pass, from what [`first_sweep`] left: ω p q (constant + hit y).
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
        for (([z], [code]), is_positive) in lockstep([piece.z], [code]).beside(positives(piece.label)) {
            let e = F32x4::load(code);
            let small = small_of(e);
            let p = p_and_product(z, small).0;
            small.flip(z.opposite_sign()).store(code);
            let mine = p.keep(is_positive);
            hit = hit + mine;
            others = others + (p - mine);
            let over = z.flip(is_positive.sign()).max(zero);
            if EVEN {
                linear[0] = linear[0] + over;
                logs[0].multiply(e);
            } else {
                let (over_positive, e_positive) = (over.keep(is_positive), e.keep(is_positive));
                linear[0] = linear[0] + (over - over_positive);
                linear[1] = linear[1] + over_positive;
                logs[0].multiply(e - e_positive);
                logs[1].multiply(e_positive);
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
        let label = positives(&row.label[run.clone()]);
        let weights = row.weights.map_or(&ones[..run.len()], |weights| &weights[run.clone()]);
        let [mut hit, mut others, mut missed] = [F32x4::zero(); 3];
        for (([code, weight], []), is_positive) in lockstep([&code[run], weights], []).beside(label) {
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
/// of the label, b for negatives and positives. Adds `others`.
#[inline(never)]
pub fn second_sweep_of_labels<const N: usize>(
    code: &mut [f32],
    label: &[u8],
    others: [&[f32]; N],
    constant: f32,
    hit: f32,
    b: [f32; 2],
) {
    let one = F32x4::splat(1.0);
    let (of_class, of_label) = (Choice::new(constant + hit, constant), Choice::new(b[1], -b[0]));
    for ((others, [cell]), is_positive) in lockstep(others, [code]).beside(positives(label)) {
        let code = F32x4::load(cell);
        // The other outcome's probability: code's sign says whether p is 1 − small, the label's whether it is p.
        let other = code.flip(is_positive.sign());
        let other = other + one.keep(other.is_negative());
        let product = code.abs() * (one - code.abs());
        let slope = product * of_class.of(is_positive) + of_label.of(is_positive) * other;
        others.into_iter().fold(slope, |sum, other| sum + other).store(cell);
    }
}
