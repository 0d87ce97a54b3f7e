//! Sigmoid: p = 1 / (1 + e^−z), one channel at a time. Outcomes: negative (0), positive (1).
//!
//! Chain rule: ∂L/∂z = p q a + q b⁺ − p b⁻, with q = 1 − p; no difference, so nothing cancels.

use super::{OutcomePlanes, SiteRows};
use crate::math::{exp, log1p, log1p_unit};
use crate::simd::{F32x4, U32x4};
use crate::tile::{Planes, Slopes, Sums, vectors, vectors_mut};

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

/// Σ ln(1 + e) of many e ≥ 0 without a logarithm for each: Π (1 + e) − 1 is built up as
/// E + e (1 + E), which loses nothing where all e are tiny, and its logarithm is taken now and then.
/// Three operations an element instead of twenty.
#[derive(Clone, Copy)]
struct LogProduct {
    excess: F32x4,
    sum: F32x4,
}

impl LogProduct {
    /// Factors of at most 2 that f32 can hold the product of.
    const FACTORS: usize = 64;
    fn new() -> Self {
        Self { excess: F32x4::zero(), sum: F32x4::zero() }
    }
    #[inline(always)]
    fn multiply(&mut self, e: F32x4) {
        self.excess = self.excess + e * (self.excess + F32x4::splat(1.0));
    }
    fn settle(&mut self) {
        self.sum = self.sum + log1p(self.excess);
        self.excess = F32x4::zero();
    }
}

/// A whole evaluation of cross-entropy on a row in one pass: Σ u, and `scale` (p − y) into `out`.
///
/// With a = ∓z, the logit against the label: u = max(a, 0) + ln(1 + e^−|a|), and p − y is the
/// probability of the other outcome with the sign of the label.
#[inline(never)]
pub fn cross_entropy(z: &[f32], label: &[u32], scale: f32, out: &mut [f32]) -> f64 {
    let n = out.len() / 4;
    let (z, label, out) = (&vectors(z)[..n], &vectors(label)[..n], &mut vectors_mut(out)[..n]);
    let (one, zero, scale) = (F32x4::splat(1.0), F32x4::zero(), F32x4::splat(scale));
    let (mut linear, mut logs) = (zero, LogProduct::new());
    for start in (0..n).step_by(LogProduct::FACTORS) {
        for i in start..n.min(start + LogProduct::FACTORS) {
            let sign = U32x4::load(&label[i]).shift_left(31);
            let against = F32x4::load(&z[i]).flip(sign);
            let e = exp(against.negative_abs());
            linear = linear + against.max(zero);
            logs.multiply(e);
            let large = scale / (one + e);
            let other = against.lt(zero).select(e * large, large);
            other.flip(sign).store(&mut out[i]);
        }
        logs.settle();
    }
    (linear + logs.sum).sum()
}

/// As [`cross_entropy`] for any ℓ(u, p, q) and weights of negatives and positives: Σ w ℓ, and
/// `scale` w ∂ℓ/∂z into `out`. `at` gives ℓ and ∂ℓ/∂ln p.
#[inline(always)]
pub fn sweep(
    z: &[f32],
    label: &[u32],
    weights: [f32; 2],
    scale: f32,
    out: &mut [f32],
    at: impl Fn(F32x4, F32x4, F32x4) -> (F32x4, F32x4),
) -> f64 {
    let n = out.len() / 4;
    let (z, label, out) = (&vectors(z)[..n], &vectors(label)[..n], &mut vectors_mut(out)[..n]);
    let (one, zero) = (F32x4::splat(1.0), F32x4::zero());
    let [negative, positive] = weights.map(F32x4::splat);
    let even = weights[0] == weights[1];
    let scale = F32x4::splat(-scale);
    let mut sum = zero;
    for i in 0..n {
        let sign = U32x4::load(&label[i]).shift_left(31);
        let against = F32x4::load(&z[i]).flip(sign);
        let e = exp(against.negative_abs());
        let large = one / (one + e);
        let (small, is_right) = (e * large, against.lt(zero));
        let (p, q) = (is_right.select(large, small), is_right.select(small, large));
        let (mut value, mut slope) = at(log1p_unit(e) + against.max(zero), p, q);
        if even {
            value = value * negative;
            slope = slope * negative;
        } else {
            let weight = F32x4::from_bits(sign).is_negative().select(positive, negative);
            value = value * weight;
            slope = slope * weight;
        }
        sum = sum + value;
        (slope * scale * q).flip(sign).store(&mut out[i]);
    }
    sum.sum()
}

/// First sweep on a row in one pass: encoded probabilities into `code`, Σ p and Σ p y into `sums`, and
/// with `SURPRISE` Σ u of negatives and positives.
#[inline(never)]
pub fn first_sweep<const SURPRISE: bool>(
    z: &[f32],
    label: &[u32],
    code: &mut [f32],
    sums: &mut Sums,
    even: bool,
) -> [f64; 2] {
    let n = code.len() / 4;
    let (z, label, code) = (&vectors(z)[..n], &vectors(label)[..n], &mut vectors_mut(code)[..n]);
    let (one, zero) = (F32x4::splat(1.0), F32x4::zero());
    let (mut predicted, mut hit, mut linear, mut linear_positive) = (zero, zero, zero, zero);
    let (mut logs, mut logs_positive) = (LogProduct::new(), LogProduct::new());
    for start in (0..n).step_by(LogProduct::FACTORS) {
        for i in start..n.min(start + LogProduct::FACTORS) {
            let z = F32x4::load(&z[i]);
            let e = exp(z.negative_abs());
            let large = one / (one + e);
            let small = e * large;
            let negative = z.is_negative();
            let p = negative.select(small, large);
            negative.select(small, -small).store(&mut code[i]);
            let sign = U32x4::load(&label[i]).shift_left(31);
            let positive = F32x4::from_bits(sign).is_negative();
            predicted = predicted + p;
            hit = hit + p.keep(positive);
            if SURPRISE {
                let against = z.flip(sign).max(zero);
                if even {
                    linear = linear + against;
                    logs.multiply(e);
                } else {
                    linear = linear + against.drop(positive);
                    linear_positive = linear_positive + against.keep(positive);
                    logs.multiply(e.drop(positive));
                    logs_positive.multiply(e.keep(positive));
                }
            }
        }
        if SURPRISE {
            logs.settle();
            logs_positive.settle();
        }
    }
    sums.predicted += predicted.sum();
    sums.intersection += hit.sum();
    [(linear + logs.sum).sum(), (linear_positive + logs_positive.sum).sum()]
}

/// Second sweep on a row in one pass, from encoded probabilities: p q (constant + hit y), and with
/// `LABELS` b q or −b p of the label, b for negatives and positives.
#[inline(never)]
pub fn second_sweep<const LABELS: bool>(code: &mut [f32], label: &[u32], constant: f32, hit: f32, b: [f32; 2]) {
    let n = label.len() / 4;
    let (label, code) = (&vectors(label)[..n], &mut vectors_mut(code)[..n]);
    let (constant, hit) = (F32x4::splat(constant), F32x4::splat(hit));
    let (negative, positive) = (F32x4::splat(-b[0]), F32x4::splat(b[1]));
    for i in 0..n {
        let stored = F32x4::load(&code[i]);
        let is_positive = F32x4::from_bits(U32x4::load(&label[i]).shift_left(31)).is_negative();
        let (small, rest) = (stored.abs(), F32x4::splat(1.0) - stored.abs());
        let mut slope = small * rest * (constant + hit.keep(is_positive));
        if LABELS {
            // The probability of the other outcome is the small one where the label is the likelier.
            let other = (stored.is_negative().equals(is_positive)).select(small, rest);
            slope = slope + is_positive.select(positive, negative) * other;
        }
        slope.store(&mut code[i]);
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
