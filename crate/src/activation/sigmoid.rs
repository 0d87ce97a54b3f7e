//! Sigmoid: p = 1 / (1 + e^−z), one channel at a time. Outcomes: negative (0), positive (1).
//!
//! Chain rule: ∂L/∂z = p q a + q b⁺ − p b⁻, with q = 1 − p; no difference, so nothing cancels.

use super::{OutcomePlanes, SiteRows};
use crate::math::{exp, log1p_unit};
use crate::simd::{F32x4, U32x4};
use crate::tile::{Planes, Slopes, vectors, vectors_mut};

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
pub fn forward<const SITES: bool>(z: &[[f32; 4]], label: &[u32], p: &mut [f32], q: &mut [f32], rows: &mut SiteRows) {
    let (p, q) = (vectors_mut(p), vectors_mut(q));
    if !SITES {
        for ((z, p), q) in z.iter().zip(p).zip(q) {
            let (positive, negative, _) = both_sides(F32x4::load(z));
            positive.store(p);
            negative.store(q);
        }
        return;
    }
    let sites = vectors_mut(rows.u).iter_mut().zip(vectors_mut(rows.p)).zip(vectors_mut(rows.q));
    let inputs = z.iter().zip(vectors(label));
    for (((z, label), (p, q)), ((u, own), others)) in inputs.zip(p.iter_mut().zip(q)).zip(sites) {
        let z = F32x4::load(z);
        let (positive, negative, e) = both_sides(z);
        positive.store(p);
        negative.store(q);
        let is_positive = U32x4::load(label).eq(U32x4::splat(1));
        let against = is_positive.select(-z, z);
        (log1p_unit(e) + against.max(F32x4::zero())).store(u);
        is_positive.select(positive, negative).store(own);
        is_positive.select(negative, positive).store(others);
    }
}

/// u, p and q of the label in the second sweep, from p and q; e^−|z| is small / large.
/// `surprise`: whether anybody needs u.
pub fn recall_sites(z: &[[f32; 4]], p: &[f32], q: &[f32], label: &[u32], surprise: bool, rows: &mut SiteRows) {
    let sites = vectors_mut(rows.p).iter_mut().zip(vectors_mut(rows.q));
    let inputs = vectors(p).iter().zip(vectors(q)).zip(vectors(label));
    for (((p, q), label), (own, others)) in inputs.zip(sites) {
        let (p, q) = (F32x4::load(p), F32x4::load(q));
        let is_positive = U32x4::load(label).eq(U32x4::splat(1));
        is_positive.select(p, q).store(own);
        is_positive.select(q, p).store(others);
    }
    if !surprise {
        return;
    }
    let inputs = z.iter().zip(vectors(label)).zip(vectors(p).iter().zip(vectors(q)));
    for (((z, label), (p, q)), u) in inputs.zip(vectors_mut(rows.u)) {
        let (z, p, q) = (F32x4::load(z), F32x4::load(p), F32x4::load(q));
        let is_positive = U32x4::load(label).eq(U32x4::splat(1));
        let against = is_positive.select(-z, z);
        (log1p_unit(p.min(q) / p.max(q)) + against.max(F32x4::zero())).store(u);
    }
}

/// p and q of a row, and u, p and q of both outcomes.
pub fn forward_dense(z: &[[f32; 4]], p: &mut [f32], q: &mut [f32], planes: &mut OutcomePlanes) {
    let width = p.len();
    let zero = F32x4::zero();
    for (i, z) in z.iter().enumerate() {
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

/// ∂L/∂z of a row, hard labels: b is the slope at the label.
pub fn chain(p: &[f32], q: &[f32], label: &[u32], slopes: &Slopes, out: &mut [[f32; 4]]) {
    let (p, q, label) = (vectors(p), vectors(q), vectors(label));
    let along = |i: usize, b: &[f32; 4]| {
        let is_positive = U32x4::load(&label[i]).eq(U32x4::splat(1));
        F32x4::load(b) * is_positive.select(F32x4::load(&q[i]), -F32x4::load(&p[i]))
    };
    let across = |i: usize, a: &[f32; 4]| F32x4::load(a) * (F32x4::load(&p[i]) * F32x4::load(&q[i]));
    let (p, q, label) = (&p[..out.len()], &q[..out.len()], &label[..out.len()]);
    let _ = (p, q, label);
    match (slopes.read_a().map(|a| a.plane(0)), slopes.read_b().map(|b| b.plane(0))) {
        (None, None) => out.fill([0.0; 4]),
        (None, Some(b)) => {
            for (i, (out, b)) in out.iter_mut().zip(b).enumerate() {
                along(i, b).store(out);
            }
        }
        (Some(a), None) => {
            for (i, (out, a)) in out.iter_mut().zip(a).enumerate() {
                across(i, a).store(out);
            }
        }
        (Some(a), Some(b)) => {
            for (i, (out, (a, b))) in out.iter_mut().zip(a.iter().zip(b)).enumerate() {
                (across(i, a) + along(i, b)).store(out);
            }
        }
    }
}

/// ∂L/∂z of a row, b for both outcomes.
pub fn chain_dense(p: &[f32], q: &[f32], slopes: &Slopes, out: &mut [[f32; 4]]) {
    let (a, b): (Option<Planes>, Option<Planes>) = (slopes.read_a(), slopes.read_b());
    for (i, ((out, p), q)) in out.iter_mut().zip(vectors(p)).zip(vectors(q)).enumerate() {
        let read =
            |planes: Option<Planes>, k: usize| planes.map_or(F32x4::zero(), |planes| F32x4::load(&planes.plane(k)[i]));
        let (p, q) = (F32x4::load(p), F32x4::load(q));
        (p * q * read(a, 0) + (q * read(b, 1) - p * read(b, 0))).store(out);
    }
}
