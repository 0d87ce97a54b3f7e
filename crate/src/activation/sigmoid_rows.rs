//! Sigmoid: what whole sweeps of a row do in one pass, where targets are labels. Pixels that
//! take part in nothing look like negatives without a doubt (see `Work::write_row`).

use super::exponentials::{Halfway, RUN, runs};
use super::sigmoid::small_of;
use super::{decode, fill_masked, is_masked};
use crate::math::{LogProduct, minus_log1m, twice_artanh};
use crate::simd::{F32x4, U32x4};
use crate::view::{Row, Sums};
use crate::walk::{as_bits, lockstep};
use std::ops::Range;

/// Pieces of a row: where they are, and what is written.
#[inline(always)]
fn for_each_run(out: &mut [f32], mut visit: impl FnMut(Range<usize>, &mut [f32])) {
    runs(out.len()).for_each(|run| visit(run.clone(), &mut out[run]));
}

/// The same, and what is written holds e^−|z|.
#[inline(always)]
fn in_runs(row: &Row, out: &mut [f32], mut visit: impl FnMut(Range<usize>, &mut [f32])) {
    let mut halfway = Halfway::room();
    for_each_run(out, |run, out| {
        exponentials(row, run.clone(), &mut halfway, out);
        visit(run, out);
    });
}

/// e^−|z| of a run, and 0 of what is masked: that must leave nothing in a sum.
#[inline(never)]
fn exponentials(row: &Row, run: Range<usize>, halfway: &mut Halfway<1>, out: &mut [f32]) {
    halfway.reduce(lockstep([&row.z[run.clone()]], []), |([z], [])| [z.negative_abs()]);
    halfway.expand(lockstep([], [&mut *out]), |[e], ([], [out])| e.store(out));
    if row.masked {
        fill_masked(&row.label[run], out, 0.0);
    }
}

/// The logit of masked pixels.
pub const NEVER: f32 = -1000.0;

/// The sign bit of positives.
#[inline(always)]
fn sign_of(label: F32x4) -> U32x4 {
    label.bits().shift_left(31)
}

/// A whole evaluation of cross-entropy on a row in one pass: Σ u, and `scale` (p − y) into `out`.
///
/// With a = ∓z, the logit against the label: u = max(a, 0) + ln(1 + e^−|a|), and p − y is the
/// probability of the other outcome with the sign of the label.
#[inline(never)]
pub fn cross_entropy(row: &Row, scale: f32, out: &mut [f32]) -> f64 {
    let (one, zero, scale) = (F32x4::splat(1.0), F32x4::zero(), F32x4::splat(scale));
    let (mut sum, mut logs) = (0.0, LogProduct::default());
    in_runs(row, out, |run, out| {
        let mut linear = zero;
        for ([z, label], [out]) in lockstep([&row.z[run.clone()], as_bits(&row.label[run])], [out]) {
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
    let (one, zero) = (F32x4::splat(1.0), F32x4::zero());
    let [negative, positive] = weights.map(F32x4::splat);
    let scale = F32x4::splat(scale);
    let mut total = 0.0;
    let (mut halfway, mut logs, ones) = (Halfway::room(), [0.0; RUN], [1.0; RUN]);
    for_each_run(out, |run, out| {
        let logs = &mut logs[..out.len()];
        small_and_log(row, run.clone(), &mut halfway, out, logs);
        let mut sum = zero;
        let of_pixels = row.weights.map_or(&ones[..out.len()], |weights| &weights[run.clone()]);
        let rows = [&row.z[run.clone()], as_bits(&row.label[run]), of_pixels, logs];
        for ([z, label, of_pixel, log], [out]) in lockstep(rows, [out]) {
            let sign = sign_of(label);
            let against = z.flip(sign);
            let small = F32x4::load(out);
            let large = one - small;
            let is_wrong = against.gt(zero);
            // One operation less each than a choice of the two.
            let (p, q) = (small.max(large.drop(is_wrong)), small.max(large.keep(is_wrong)));
            let (value, slope) = at_site(log + against.max(zero), p, q);
            let weight = sign.as_float().is_negative().select(positive, negative);
            // Of u = 0 not every loss is 0.
            let weight = (weight * of_pixel).drop(is_masked(label));
            sum = sum + value * weight;
            (slope * weight * scale).flip(sign).store(out);
        }
        total += sum.sum();
    });
    total
}

/// The smaller of p and q of a run, and −ln of the larger.
#[inline(never)]
fn small_and_log(row: &Row, run: Range<usize>, halfway: &mut Halfway<1>, small: &mut [f32], log: &mut [f32]) {
    if let Some(code) = row.code {
        for ([code], [small, log]) in lockstep([&code[run]], [small, log]) {
            code.abs().store(small);
            minus_log1m(code.abs()).store(log);
        }
        return;
    }
    exponentials(row, run, halfway, small);
    // −ln(1 − s) = ln(1 + e) = 2 artanh (e / (2 + e)). Two loops, as for exponentials.
    for ([], [small, log]) in lockstep([], [small, &mut *log]) {
        let e = F32x4::load(small);
        (e / (F32x4::splat(2.0) + e)).store(log);
        small_of(e).store(small);
    }
    for ([], [log]) in lockstep([], [log]) {
        twice_artanh(F32x4::load(log)).store(log);
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
    for_each_run(out, |run, out| {
        let [z, distance] = [row.z, row.distance].map(|row| &row[run.clone()]);
        sum += match row.code {
            Some(code) => {
                out.copy_from_slice(&code[run]);
                expectation_of_run(z, distance, F32x4::abs, scale, out)
            }
            None => {
                exponentials(row, run, &mut halfway, out);
                expectation_of_run(z, distance, small_of, scale, out)
            }
        };
    });
    sum
}

/// The same of a run. `small` gives the smaller of p and q of what `out` holds.
#[inline(always)]
fn expectation_of_run(z: &[f32], distance: &[f32], small: impl Fn(F32x4) -> F32x4, scale: f32, out: &mut [f32]) -> f64 {
    let (mut sum, scale) = (F32x4::zero(), F32x4::splat(scale));
    for ([z, distance], [out]) in lockstep([z, distance], [out]) {
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
    in_runs(row, signed, |run, signed| {
        let [mut hit, mut others] = [zero; 2];
        for ([z, label], [signed]) in lockstep([&row.z[run.clone()], as_bits(&row.label[run])], [signed]) {
            let (p, product) = p_and_product(z, small_of(F32x4::load(signed)));
            let sign = sign_of(label);
            product.flip(sign).store(signed);
            // Of the negatives, and a difference: of a mask of the positives the compiler makes three instructions.
            let other = p.keep(sign.eq(U32x4::splat(0)));
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
    in_runs(row, code, |run, code| {
        let [mut hit, mut others] = [zero; 2];
        let mut linear = [zero; 2];
        for ([z, label], [code]) in lockstep([&row.z[run.clone()], as_bits(&row.label[run])], [code]) {
            let e = F32x4::load(code);
            let small = small_of(e);
            let is_likely = z.gt(zero);
            let p = p_and_product(z, small).0;
            is_likely.select(-small, small).store(code);
            let sign = sign_of(label);
            let is_positive = sign.as_float().is_negative();
            let mine = p.keep(is_positive);
            hit = hit + mine;
            others = others + (p - mine);
            let over = z.flip(sign).max(zero);
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
    for start in (0..code.len()).step_by(RUN) {
        let run = start..code.len().min(start + RUN);
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
    let [constant, hit, negative, positive] = [constant, hit, -b[0], b[1]].map(F32x4::splat);
    for ([label], [cell]) in lockstep([as_bits(label)], [code]) {
        let code = F32x4::load(cell);
        let sign = sign_of(label);
        let is_positive = sign.as_float().is_negative();
        // The other outcome's probability: code's sign says whether p is 1 − small, the label's whether it is p.
        let other = code.flip(sign);
        let other = other + one.keep(other.is_negative());
        let product = code.abs() * (one - code.abs());
        let slope = product * (constant + hit.keep(is_positive));
        (slope + is_positive.select(positive, negative) * other).store(cell);
    }
}
