//! Sigmoid: p = 1 / (1 + e^−z), one channel at a time. Outcomes: negative (0), positive (1).
//!
//! Chain rule: ∂L/∂z = p q a + q b⁺ − p b⁻, with q = 1 − p; no difference, so nothing cancels.

use super::{OutcomePlanes, SiteRows};
use crate::math::{exp, log1p, log1p_unit};
use crate::simd::{F32x4, U32x4};
use crate::slopes::Slopes;
use crate::tile::{Planes, vectors, vectors_mut};
use crate::view::Sums;

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

/// Σ ln(1 + e) of many e in [0, 1] without a logarithm for each: Π (1 + e) − 1 is built up as
/// E + e + e E, which loses nothing where all e are tiny, and its logarithm is taken now and then.
/// Three operations an element instead of twenty.
#[derive(Clone, Copy)]
struct LogProduct {
    excess: F32x4,
    sum: F32x4,
}

/// Vectors whose sums are added up before they meet an accumulator. The constants of exp leave no
/// register for accumulators, so each addition to one waits for the store of the last: four at a
/// time hide that (1.5 instead of 2.5 ns per element for cross-entropy).
const GROUP: usize = 4;

impl LogProduct {
    /// Groups whose product f32 can hold: 2^(4 · 24) < 2^127.
    const GROUPS: usize = 24;
    fn new() -> Self {
        Self { excess: F32x4::zero(), sum: F32x4::zero() }
    }
    #[inline(always)]
    fn multiply(&mut self, e: [F32x4; GROUP]) {
        let pair = |a: F32x4, b: F32x4| (a + b) + a * b;
        self.excess = pair(self.excess, pair(pair(e[0], e[1]), pair(e[2], e[3])));
    }
    fn settle(&mut self) {
        self.sum = self.sum + log1p(self.excess);
        self.excess = F32x4::zero();
    }
}

#[inline(always)]
fn add_up(values: [F32x4; GROUP]) -> F32x4 {
    (values[0] + values[1]) + (values[2] + values[3])
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
    for (at, out) in out.chunks_exact_mut(GROUP).enumerate() {
        let (z, label) = (&z[GROUP * at..][..GROUP], &label[GROUP * at..][..GROUP]);
        let (mut over, mut e) = ([zero; GROUP], [zero; GROUP]);
        for j in 0..GROUP {
            let sign = U32x4::load(&label[j]).shift_left(31);
            let against = F32x4::load(&z[j]).flip(sign);
            e[j] = exp(against.negative_abs());
            over[j] = against.max(zero);
            let large = scale / (one + e[j]);
            let other = against.lt(zero).select(e[j] * large, large);
            other.flip(sign).store(&mut out[j]);
        }
        linear = linear + add_up(over);
        logs.multiply(e);
        if at % LogProduct::GROUPS == 0 {
            logs.settle();
        }
    }
    logs.settle();
    (linear + logs.sum).sum()
}

/// As [`cross_entropy`] for any ℓ(u, p, q) and weights of negatives and positives: Σ w ℓ, and
/// `scale` w ∂ℓ/∂z into `out`. `at_site` gives ℓ and ∂ℓ/∂ln p.
#[inline(always)]
pub fn sweep(
    z: &[f32],
    label: &[u32],
    weights: [f32; 2],
    scale: f32,
    out: &mut [f32],
    at_site: impl Fn(F32x4, F32x4, F32x4) -> (F32x4, F32x4),
) -> f64 {
    let n = out.len() / 4;
    let (z, label, out) = (&vectors(z)[..n], &vectors(label)[..n], &mut vectors_mut(out)[..n]);
    let (one, zero) = (F32x4::splat(1.0), F32x4::zero());
    let [negative, positive] = weights.map(F32x4::splat);
    let even = weights[0] == weights[1];
    let scale = F32x4::splat(-scale * if even { weights[0] } else { 1.0 });
    let mut sum = zero;
    for (at, out) in out.chunks_exact_mut(GROUP).enumerate() {
        let (z, label) = (&z[GROUP * at..][..GROUP], &label[GROUP * at..][..GROUP]);
        let mut values = [zero; GROUP];
        for j in 0..GROUP {
            let sign = U32x4::load(&label[j]).shift_left(31);
            let against = F32x4::load(&z[j]).flip(sign);
            let e = exp(against.negative_abs());
            let large = one / (one + e);
            let (small, is_right) = (e * large, against.lt(zero));
            let (p, q) = (is_right.select(large, small), is_right.select(small, large));
            let (mut value, mut slope) = at_site(log1p_unit(e) + against.max(zero), p, q);
            if !even {
                let weight = F32x4::from_bits(sign).is_negative().select(positive, negative);
                (value, slope) = (value * weight, slope * weight);
            }
            values[j] = value;
            (slope * scale * q).flip(sign).store(&mut out[j]);
        }
        sum = sum + add_up(values);
    }
    sum.sum() * if even { f64::from(weights[0]) } else { 1.0 }
}

/// First sweep on a row in one pass: encoded probabilities into `code`, Σ p and Σ p y into `sums`, and
/// with `SURPRISE` Σ u, of negatives and positives apart unless `EVEN`.
#[inline(never)]
pub fn first_sweep<const SURPRISE: bool, const EVEN: bool>(
    z: &[f32],
    label: &[u32],
    code: &mut [f32],
    sums: &mut Sums,
) -> [f64; 2] {
    let n = code.len() / 4;
    let (z, label, code) = (&vectors(z)[..n], &vectors(label)[..n], &mut vectors_mut(code)[..n]);
    let (one, zero) = (F32x4::splat(1.0), F32x4::zero());
    let (mut predicted, mut hit, mut linear, mut linear_positive) = (zero, zero, zero, zero);
    let (mut logs, mut logs_positive) = (LogProduct::new(), LogProduct::new());
    for (at, code) in code.chunks_exact_mut(GROUP).enumerate() {
        let (z, label) = (&z[GROUP * at..][..GROUP], &label[GROUP * at..][..GROUP]);
        let [mut p, mut right, mut over, mut over_positive, mut e, mut e_positive] = [[zero; GROUP]; 6];
        for j in 0..GROUP {
            let z = F32x4::load(&z[j]);
            let exponential = exp(z.negative_abs());
            let large = one / (one + exponential);
            let small = exponential * large;
            let negative = z.is_negative();
            p[j] = negative.select(small, large);
            negative.select(small, -small).store(&mut code[j]);
            let sign = U32x4::load(&label[j]).shift_left(31);
            let positive = F32x4::from_bits(sign).is_negative();
            right[j] = p[j].keep(positive);
            if SURPRISE {
                let against = z.flip(sign).max(zero);
                (over[j], e[j]) = (against, exponential);
                if !EVEN {
                    (over[j], over_positive[j]) = (against.drop(positive), against.keep(positive));
                    (e[j], e_positive[j]) = (exponential.drop(positive), exponential.keep(positive));
                }
            }
        }
        predicted = predicted + add_up(p);
        hit = hit + add_up(right);
        if SURPRISE {
            linear = linear + add_up(over);
            logs.multiply(e);
            if !EVEN {
                linear_positive = linear_positive + add_up(over_positive);
                logs_positive.multiply(e_positive);
            }
            if at % LogProduct::GROUPS == 0 {
                logs.settle();
                logs_positive.settle();
            }
        }
    }
    logs.settle();
    logs_positive.settle();
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
