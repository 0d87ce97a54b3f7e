//! Sigmoid: both sweeps of a row in one pass each, where targets are labels.

use super::exponentials::{Halfway, RUN, runs};
use super::sigmoid::small_of;
use super::sigmoid_rows::{in_exponentials, p_and_product};
use super::{decode, fill_masked};
use crate::math::LogProduct;
use crate::simd::{Choice, F32x4, U32x4};
use crate::view::{Row, Sums};
use crate::walk::{Walk, lockstep, positives};

/// −z whose odds leave p a normal number, the smallest there is: denormal ones are slow.
const LARGEST_ODDS: f32 = 87.33;
/// More than the odds of any logit.
const FINITE: f32 = 1e38;

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

/// First sweep on a row in one pass, for losses whose slopes need nothing but sums: ω p q with the sign of
/// the label, the label's being negative, into `signed`, 0 where masked, and Σ ω p y and Σ ω p (1 − y) into `sums`;
/// those of the other class, of 1 − p and 1 − y, into `sums_of_other`.
pub fn first_sweep(row: &Row, signed: &mut [f32], sums: &mut Sums, sums_of_other: Option<&mut Sums>) {
    let other = &mut Sums::default();
    match (row.weights, sums_of_other) {
        (None, None) => first_sweep_of::<0, false>(row, [], signed, sums, other),
        (None, Some(other)) => first_sweep_of::<0, true>(row, [], signed, sums, other),
        (Some(weights), None) => first_sweep_of::<1, false>(row, [weights], signed, sums, other),
        (Some(weights), Some(other)) => first_sweep_of::<1, true>(row, [weights], signed, sums, other),
    }
}

#[inline(never)]
fn first_sweep_of<const N: usize, const BOTH: bool>(
    row: &Row,
    weights: [&[f32]; N],
    signed: &mut [f32],
    sums: &mut Sums,
    sums_of_other: &mut Sums,
) {
    let (one, zero) = (F32x4::splat(1.0), F32x4::zero());
    let mut halfway = Halfway::room();
    for run in runs(signed.len()) {
        let (piece, signed) = (row.piece(run.clone()), &mut signed[run.clone()]);
        odds_against(&piece, &mut halfway, signed);
        let [mut hit, mut others, mut missed, mut rejected] = [zero; 4];
        let walk =
            lockstep(weights.map(|weights| &weights[run.clone()]), [&mut *signed]).beside(positives(piece.label));
        for ((weight, [signed]), is_positive) in walk {
            let odds = F32x4::load(signed);
            let p = one / (one + odds);
            let weighted = |p: F32x4| weight.iter().fold(p, |p, weight| p * *weight);
            // Odds are infinite where masked, and p is 0: q must be too, or it would be in the other's sums.
            let q = if BOTH { odds.min(F32x4::splat(FINITE)) * p } else { odds * p };
            let share = weighted(p);
            (q * share).flip(is_positive.sign()).store(signed);
            let mine = share.keep(is_positive);
            hit = hit + mine;
            others = others + (share - mine);
            if BOTH {
                let share = weighted(q);
                let mine = share.keep(is_positive);
                missed = missed + mine;
                rejected = rejected + (share - mine);
            }
        }
        if let Some(label) = piece.masked {
            fill_masked(label, signed, 0.0);
        }
        sums.intersection += hit.sum();
        sums.false_positives += others.sum();
        sums_of_other.intersection += rejected.sum();
        sums_of_other.false_positives += missed.sum();
    }
}

/// Second sweep on a row in one pass, from what [`first_sweep`] left: ω p q a, a for negatives and positives.
#[inline(never)]
pub fn second_sweep(signed: &mut [f32], a: [f32; 2]) {
    let [negative, positive] = [a[0], -a[1]].map(F32x4::splat);
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

/// The sums of a row, from encoded probabilities: Σ ω p y, Σ ω p (1 − y) and Σ ω (1 − p) y; and those of the other
/// class, of 1 − p and 1 − y.
#[inline(never)]
pub fn weighted_sums(row: &Row, code: &[f32]) -> [Sums; 2] {
    let mut sums = [Sums::default(); 2];
    let mut room = [0.0; RUN];
    for run in runs(code.len()) {
        let (piece, weights) = (row.piece(run.clone()), &mut room[..run.len()]);
        match piece.weights {
            Some(row) => weights.copy_from_slice(row),
            None => weights.fill(1.0),
        }
        if let Some(label) = piece.masked {
            fill_masked(label, weights, 0.0);
        }
        let [mut hit, mut others, mut missed, mut rejected] = [F32x4::zero(); 4];
        for (([code, weight], []), is_positive) in lockstep([&code[run], weights], []).beside(positives(piece.label)) {
            let (p, q) = decode(code);
            let mine = [p, q].map(|share| share.keep(is_positive));
            hit = hit + mine[0] * weight;
            others = others + (p - mine[0]) * weight;
            missed = missed + mine[1] * weight;
            rejected = rejected + (q - mine[1]) * weight;
        }
        let [hit, others, missed, rejected] = [hit, others, missed, rejected].map(F32x4::sum);
        for (sums, [hit, others, missed]) in sums.iter_mut().zip([[hit, others, missed], [rejected, missed, others]]) {
            sums.intersection += hit;
            sums.false_positives += others;
            sums.false_negatives += missed;
        }
    }
    sums
}

/// Second sweep on a row in one pass, from encoded probabilities: p q a, and b q or −b p of the label, a and b for
/// negatives and positives. Adds `others`.
#[inline(never)]
pub fn second_sweep_of_labels<const N: usize>(
    code: &mut [f32],
    label: &[u8],
    others: [&[f32]; N],
    a: [f32; 2],
    b: [f32; 2],
) {
    let one = F32x4::splat(1.0);
    let (of_class, of_label) = (Choice::new(a[1], a[0]), Choice::new(b[1], -b[0]));
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
