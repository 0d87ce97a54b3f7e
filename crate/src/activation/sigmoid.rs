//! Sigmoid: p = 1 / (1 + e^−z), one channel at a time. Outcomes: negative (0), positive (1).
//!
//! Chain rule: ∂L/∂z = p q a + q b⁺ − p b⁻, with q = 1 − p; no difference, so nothing cancels.

use super::{OutcomePlanes, SiteRows};
use crate::math::{LogProduct, exp, log1p_unit};
use crate::simd::{F32x4, U32x4};
use crate::slopes::Slopes;
use crate::tile::{Planes, vectors, vectors_mut};
use crate::view::Sums;
use crate::walk::{Lockstep, as_bits, lockstep};
use std::ops::Range;

/// (p, q, e^−|z|): the exponential never overflows, and neither p nor q is a difference.
#[inline(always)]
fn both_sides(z: F32x4) -> (F32x4, F32x4, F32x4) {
    let e = exp(-z.abs());
    let large = F32x4::splat(1.0) / (F32x4::splat(1.0) + e);
    let small = e * large;
    let negative = z.lt(F32x4::zero());
    (negative.select(small, large), negative.select(large, small), e)
}

/// p and q of a row; with `SITES`, also u, p and q of the label.
/// u = max(∓z, 0) + log1p(e^−|z|).
#[inline(never)]
pub fn forward<const SITES: bool>(z: &[f32], label: &[u32], p: &mut [f32], q: &mut [f32], rows: &mut SiteRows) {
    // Rows of one length, indexed: the compiler drops the bounds checks, and V8 keeps one counter.
    // Seven zipped iterators took 2.5 times as long.
    let z = vectors(z);
    let n = z.len();
    let (p, q) = (&mut vectors_mut(p)[..n], &mut vectors_mut(q)[..n]);
    if !SITES {
        for i in 0..n {
            let (positive, negative, _) = both_sides(F32x4::load(&z[i]));
            positive.store(&mut p[i]);
            negative.store(&mut q[i]);
        }
        return;
    }
    let label = &vectors(label)[..n];
    let (u, own, others) =
        (&mut vectors_mut(rows.u)[..n], &mut vectors_mut(rows.p)[..n], &mut vectors_mut(rows.q)[..n]);
    for i in 0..n {
        let z = F32x4::load(&z[i]);
        let (positive, negative, e) = both_sides(z);
        positive.store(&mut p[i]);
        negative.store(&mut q[i]);
        let is_positive = U32x4::load(&label[i]).eq(U32x4::splat(1));
        let against = is_positive.select(-z, z);
        (log1p_unit(e) + against.max(F32x4::zero())).store(&mut u[i]);
        is_positive.select(positive, negative).store(&mut own[i]);
        is_positive.select(negative, positive).store(&mut others[i]);
    }
}

/// u, p and q of the label in the second sweep, from p and q; e^−|z| is small / large.
pub fn recall_sites(z: &[f32], p: &[f32], q: &[f32], label: &[u32], rows: &mut SiteRows) {
    let sites = vectors_mut(rows.u).iter_mut().zip(vectors_mut(rows.p)).zip(vectors_mut(rows.q));
    let inputs = vectors(z).iter().zip(vectors(label)).zip(vectors(p).iter().zip(vectors(q)));
    for (((z, label), (p, q)), ((u, own), others)) in inputs.zip(sites) {
        let (z, p, q) = (F32x4::load(z), F32x4::load(p), F32x4::load(q));
        let is_positive = U32x4::load(label).eq(U32x4::splat(1));
        let against = is_positive.select(-z, z);
        (log1p_unit(p.min(q) / p.max(q)) + against.max(F32x4::zero())).store(u);
        is_positive.select(p, q).store(own);
        is_positive.select(q, p).store(others);
    }
}

/// p and q of a row, and u, p and q of both outcomes.
#[inline(never)]
pub fn forward_dense(z: &[f32], p: &mut [f32], q: &mut [f32], planes: &mut OutcomePlanes) {
    let width = p.len();
    let zero = F32x4::zero();
    for (i, z) in vectors(z).iter().enumerate() {
        let z = F32x4::load(z);
        let (positive, negative, e) = both_sides(z);
        let soft = log1p_unit(e);
        for (outcome, p, q, u) in
            [(0, negative, positive, soft + z.max(zero)), (1, positive, negative, soft + (-z).max(zero))]
        {
            let at = outcome * width / 4 + i;
            u.store(&mut vectors_mut(planes.u)[at]);
            p.store(&mut vectors_mut(planes.p)[at]);
            q.store(&mut vectors_mut(planes.q)[at]);
        }
        positive.store(&mut vectors_mut(p)[i]);
        negative.store(&mut vectors_mut(q)[i]);
    }
}

/// Pixels of which sums are collected in four lanes of f32: their [`LogProduct`] stays below 2^97.
const RUN: usize = 384;

/// Rows in pieces of [`RUN`] pixels: z and what else is read, and what is written, which holds e^−|z|.
///
/// The exponentials have a loop of their own. All at once, a vector's way from z to its gradient is so
/// long that the processor, which looks a few hundred instructions ahead, sees no more than two or three of
/// them at a time, and waits.
#[inline(always)]
fn in_runs(z: &[f32], other: &[f32], out: &mut [f32], mut visit: impl FnMut(Lockstep<2, 1>)) {
    for_each_run(z, out, |run, out| visit(lockstep([&z[run.clone()], &other[run]], [out])));
}

/// Pieces of [`RUN`] pixels: where they are, and what is written, which holds e^−|z|.
#[inline(always)]
fn for_each_run(z: &[f32], out: &mut [f32], mut visit: impl FnMut(Range<usize>, &mut [f32])) {
    for (out, start) in out.chunks_mut(RUN).zip((0..).step_by(RUN)) {
        let run = start..start + out.len();
        exponentials(&z[run.clone()], out);
        visit(run, out);
    }
}

/// e^−|z|
#[inline(never)]
fn exponentials(z: &[f32], out: &mut [f32]) {
    for ([z], [out]) in lockstep([z], [out]) {
        exp(z.negative_abs()).store(out);
    }
}

/// The sign bit of positives.
#[inline(always)]
fn sign_of(label: F32x4) -> U32x4 {
    label.bits().shift_left(31)
}

/// The larger of p and q, and the smaller, of e = e^−|z|.
#[inline(always)]
fn large_and_small(e: F32x4) -> (F32x4, F32x4) {
    let large = F32x4::splat(1.0) / (F32x4::splat(1.0) + e);
    (large, e * large)
}

/// A whole evaluation of cross-entropy on a row in one pass: Σ u, and `scale` (p − y) into `out`.
///
/// With a = ∓z, the logit against the label: u = max(a, 0) + ln(1 + e^−|a|), and p − y is the
/// probability of the other outcome with the sign of the label.
#[inline(never)]
pub fn cross_entropy(z: &[f32], label: &[u32], scale: f32, out: &mut [f32]) -> f64 {
    let (one, zero, scale) = (F32x4::splat(1.0), F32x4::zero(), F32x4::splat(scale));
    let mut sum = 0.0;
    in_runs(z, as_bits(label), out, |rows| {
        let (mut linear, mut logs) = (zero, LogProduct::default());
        for ([z, label], [out]) in rows {
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
        sum += linear.sum() + logs.sum();
    });
    sum
}

/// As [`cross_entropy`] for any ℓ(u, p, q) and weights of negatives and positives: Σ w ℓ, and
/// `scale` w ∂ℓ/∂z into `out`. `at_site` gives ℓ and ∂ℓ/∂a.
#[inline(always)]
pub fn sweep(
    z: &[f32],
    label: &[u32],
    weights: [f32; 2],
    scale: f32,
    out: &mut [f32],
    at_site: impl Fn(F32x4, F32x4, F32x4) -> (F32x4, F32x4),
) -> f64 {
    let zero = F32x4::zero();
    let [negative, positive] = weights.map(F32x4::splat);
    let scale = F32x4::splat(scale);
    let mut total = 0.0;
    let mut logs = [0.0; RUN];
    for_each_run(z, out, |run, out| {
        let logs = &mut logs[..out.len()];
        for ([e], [log]) in lockstep([&*out], [&mut *logs]) {
            log1p_unit(e).store(log);
        }
        let mut sum = zero;
        for ([z, label, log], [out]) in lockstep([&z[run.clone()], as_bits(&label[run]), logs], [out]) {
            let sign = sign_of(label);
            let against = z.flip(sign);
            let (large, small) = large_and_small(F32x4::load(out));
            let is_wrong = against.gt(zero);
            let (p, q) = (is_wrong.select(small, large), is_wrong.select(large, small));
            let (value, slope) = at_site(log + against.max(zero), p, q);
            let weight = sign.as_float().is_negative().select(positive, negative);
            sum = sum + value * weight;
            (slope * weight * scale).flip(sign).store(out);
        }
        total += sum.sum();
    });
    total
}

/// A whole evaluation of Σ p φ on a row in one pass, and `scale` p q φ into `out`.
#[inline(never)]
pub fn expectation(z: &[f32], distance: &[f32], scale: f32, out: &mut [f32]) -> f64 {
    let scale = F32x4::splat(scale);
    let mut total = 0.0;
    in_runs(z, distance, out, |rows| {
        let mut sum = F32x4::zero();
        for ([z, distance], [out]) in rows {
            let (large, small) = large_and_small(F32x4::load(out));
            sum = sum + small.max(large.keep(z.gt(F32x4::zero()))) * distance;
            (small * large * distance * scale).store(out);
        }
        total += sum.sum();
    });
    total
}

/// First sweep on a row in one pass, for losses whose slopes need nothing but sums: p q with the sign of
/// the label, the label's being negative, into `signed`, and Σ p and Σ p y into `sums`.
#[inline(never)]
pub fn first_sweep(z: &[f32], label: &[u32], signed: &mut [f32], sums: &mut Sums) {
    in_runs(z, as_bits(label), signed, |rows| {
        let (mut predicted, mut hit) = (F32x4::zero(), F32x4::zero());
        for ([z, label], [signed]) in rows {
            let (large, small) = large_and_small(F32x4::load(signed));
            let sign = sign_of(label);
            (small * large).flip(sign).store(signed);
            let p = small.max(large.keep(z.gt(F32x4::zero())));
            predicted = predicted + p;
            hit = hit + p.keep(sign.as_float().is_negative());
        }
        sums.predicted += predicted.sum();
        sums.intersection += hit.sum();
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
pub fn first_sweep_of_labels<const EVEN: bool>(
    z: &[f32],
    label: &[u32],
    code: &mut [f32],
    sums: &mut Sums,
) -> [f64; 2] {
    let zero = F32x4::zero();
    let mut surprise = [0.0; 2];
    in_runs(z, as_bits(label), code, |rows| {
        let (mut predicted, mut hit) = (zero, zero);
        let (mut linear, mut logs) = ([zero; 2], [LogProduct::default(); 2]);
        for ([z, label], [code]) in rows {
            let e = F32x4::load(code);
            let (large, small) = large_and_small(e);
            let is_likely = z.gt(zero);
            let p = small.max(large.keep(is_likely));
            is_likely.select(-small, small).store(code);
            let sign = sign_of(label);
            let is_positive = sign.as_float().is_negative();
            predicted = predicted + p;
            hit = hit + p.keep(is_positive);
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
        sums.predicted += predicted.sum();
        sums.intersection += hit.sum();
        for side in 0..if EVEN { 1 } else { 2 } {
            surprise[side] += linear[side].sum() + logs[side].sum();
        }
    });
    surprise
}

/// Second sweep on a row in one pass, from encoded probabilities: p q (constant + hit y), and b q or −b p
/// of the label, b for negatives and positives.
#[inline(never)]
pub fn second_sweep_of_labels(code: &mut [f32], label: &[u32], constant: f32, hit: f32, b: [f32; 2]) {
    let [constant, hit, negative, positive] = [constant, hit, -b[0], b[1]].map(F32x4::splat);
    for ([label], [cell]) in lockstep([as_bits(label)], [code]) {
        let code = F32x4::load(cell);
        let is_positive = sign_of(label).as_float().is_negative();
        let (small, large) = (code.abs(), F32x4::splat(1.0) - code.abs());
        // The probability of the other outcome is the small one where the label is the likelier.
        let other = (code.is_negative().equals(is_positive)).select(small, large);
        let slope = small * large * (constant + hit.keep(is_positive));
        (slope + is_positive.select(positive, negative) * other).store(cell);
    }
}

/// ∂L/∂z of a row, hard labels: b is the slope at the label.
#[inline(never)]
pub fn chain(p: &[f32], q: &[f32], label: &[u32], slopes: &Slopes, out: &mut [f32]) {
    let n = out.len() / 4;
    let (p, q, label) = (&vectors(p)[..n], &vectors(q)[..n], &vectors(label)[..n]);
    let (a, b) = (slopes.read_a().map(|a| &a.plane(0)[..n]), slopes.read_b().map(|b| &b.plane(0)[..n]));
    for (i, out) in vectors_mut(out).iter_mut().enumerate() {
        let (p, q) = (F32x4::load(&p[i]), F32x4::load(&q[i]));
        let mut slope = F32x4::zero();
        if let Some(a) = a {
            slope = F32x4::load(&a[i]) * (p * q);
        }
        if let Some(b) = b {
            let is_positive = U32x4::load(&label[i]).eq(U32x4::splat(1));
            slope = slope + F32x4::load(&b[i]) * is_positive.select(q, -p);
        }
        slope.store(out);
    }
}

/// ∂L/∂z of a row, b for both outcomes.
#[inline(never)]
pub fn chain_dense(p: &[f32], q: &[f32], slopes: &Slopes, out: &mut [f32]) {
    let (a, b): (Option<Planes>, Option<Planes>) = (slopes.read_a(), slopes.read_b());
    for (i, ((out, p), q)) in vectors_mut(out).iter_mut().zip(vectors(p)).zip(vectors(q)).enumerate() {
        let read =
            |planes: Option<Planes>, k: usize| planes.map_or(F32x4::zero(), |planes| F32x4::load(&planes.plane(k)[i]));
        let (p, q) = (F32x4::load(p), F32x4::load(q));
        (p * q * read(a, 0) + (q * read(b, 1) - p * read(b, 0))).store(out);
    }
}
