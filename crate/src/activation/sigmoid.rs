//! Sigmoid: p = 1 / (1 + e^−z), one channel at a time. Outcomes: negative (0), positive (1).
//!
//! Chain rule: ∂L/∂z = p q a + q b⁺ − p b⁻, with q = 1 − p; no difference, so nothing cancels.

use super::{OutcomePlanes, SiteRows};
use crate::math::{exp, minus_log1m};
use crate::simd::{F32x4, U32x4};
use crate::slopes::Slopes;
use crate::tile::{Planes, vectors, vectors_mut};

/// The smaller of p and q, of e = e^−|z|, which never overflows. 1 − it is the larger, and loses nothing.
#[inline(always)]
pub(super) fn small_of(e: F32x4) -> F32x4 {
    e / (F32x4::splat(1.0) + e)
}

/// (p, q, the smaller)
#[inline(always)]
fn both_sides(z: F32x4) -> (F32x4, F32x4, F32x4) {
    let small = small_of(exp(z.negative_abs()));
    let large = F32x4::splat(1.0) - small;
    let negative = z.lt(F32x4::zero());
    (negative.select(small, large), negative.select(large, small), small)
}

/// p and q of a row; with `SITES`, also u, p and q of the label.
/// u = max(∓z, 0) − ln(1 − s), s the smaller of p and q.
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
        let (positive, negative, small) = both_sides(z);
        positive.store(&mut p[i]);
        negative.store(&mut q[i]);
        let is_positive = U32x4::load(&label[i]).eq(U32x4::splat(1));
        let against = is_positive.select(-z, z);
        (minus_log1m(small) + against.max(F32x4::zero())).store(&mut u[i]);
        is_positive.select(positive, negative).store(&mut own[i]);
        is_positive.select(negative, positive).store(&mut others[i]);
    }
}

/// p and q of a row, and u, p and q of both outcomes.
#[inline(never)]
pub fn forward_dense(z: &[f32], p: &mut [f32], q: &mut [f32], planes: &mut OutcomePlanes) {
    let width = p.len();
    let zero = F32x4::zero();
    for (i, z) in vectors(z).iter().enumerate() {
        let z = F32x4::load(z);
        let (positive, negative, small) = both_sides(z);
        let soft = minus_log1m(small);
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
