//! No activation: the input already is a probability, and the gradient is with respect to it:
//! ∂L/∂p_k = a_k + b_k / p_k. At p = 0 both u and the gradient are infinite, as IEEE arithmetic
//! says; a share or a weight of 0 contributes nothing there.

use super::{OutcomePlanes, SiteRows};
use crate::math::ln;
use crate::simd::{F32x4, U32x4};
use crate::slopes::Slopes;
use crate::tile::{Planes, vectors, vectors_mut};

/// u, p and q of the label, from staged probabilities of every class.
pub fn sites(p: Planes, channels: usize, label: &[u32], rows: &mut SiteRows) {
    rows.p.fill(0.0);
    for k in 0..channels {
        let class = U32x4::splat(k as u32);
        for ((own, label), p) in vectors_mut(rows.p).iter_mut().zip(vectors(label)).zip(p.plane(k)) {
            let here = U32x4::load(label).eq(class);
            (F32x4::load(own) + F32x4::load(p).keep(here)).store(own);
        }
    }
    for (p, (u, q)) in vectors(rows.p).iter().zip(vectors_mut(rows.u).iter_mut().zip(vectors_mut(rows.q))) {
        let p = F32x4::load(p);
        (-ln(p)).store(u);
        (F32x4::splat(1.0) - p).store(q);
    }
}

/// −ln (1 − p), accurate also where 1 − p rounds p away: what it lost is given back.
#[inline(always)]
fn surprise_of_complement(p: F32x4) -> F32x4 {
    let one = F32x4::splat(1.0);
    let q = one - p;
    let lost = (one - q) - p;
    // No correction at q = 0: u is infinite.
    -ln(q) - (lost / q).drop(q.eq(F32x4::zero()))
}

/// p and q of a row under a sigmoid, and u, p and q of the label.
pub fn forward_sigmoid(input: &[f32], label: &[u32], p: &mut [f32], q: &mut [f32], rows: &mut SiteRows) {
    let own = vectors_mut(rows.p).iter_mut().zip(vectors_mut(rows.q)).zip(vectors_mut(rows.u));
    let out = vectors_mut(p).iter_mut().zip(vectors_mut(q)).zip(own);
    for ((input, label), ((p, q), ((own, other), u))) in vectors(input).iter().zip(vectors(label)).zip(out) {
        let positive = F32x4::load(input);
        let negative = F32x4::splat(1.0) - positive;
        positive.store(p);
        negative.store(q);
        let is_positive = U32x4::load(label).eq(U32x4::splat(1));
        is_positive.select(positive, negative).store(own);
        is_positive.select(negative, positive).store(other);
        is_positive.select(-ln(positive), surprise_of_complement(positive)).store(u);
    }
}

/// u, p and q of every outcome from the probabilities (under a sigmoid: p and its complement).
pub fn outcomes(probability: Planes, outcomes: usize, sigmoid: bool, planes: &mut OutcomePlanes) {
    let width = probability.width() / 4;
    for k in 0..outcomes {
        for (i, p) in probability.plane(if sigmoid { 0 } else { k }).iter().enumerate() {
            let p = F32x4::load(p);
            let complement = F32x4::splat(1.0) - p;
            let is_complement = sigmoid && k == 0;
            let u = if is_complement { surprise_of_complement(p) } else { -ln(p) };
            let (p, q) = if is_complement { (complement, p) } else { (p, complement) };
            let at = k * width + i;
            u.store(&mut vectors_mut(planes.u)[at]);
            p.store(&mut vectors_mut(planes.p)[at]);
            q.store(&mut vectors_mut(planes.q)[at]);
        }
    }
}

/// ∂L/∂p into staged planes, hard labels. Under a sigmoid a negative label's p is 1 − p, so its slope
/// turns.
pub fn chain(x: &mut [f32], sigmoid: bool, label: &[u32], own: &[f32], slopes: &Slopes) {
    let width = label.len();
    for (k, plane) in x.chunks_exact_mut(width).enumerate() {
        let class = U32x4::splat(if sigmoid { 1 } else { k as u32 });
        for (i, cell) in vectors_mut(plane).iter_mut().enumerate() {
            let mut slope = slopes.read_a().map_or(F32x4::zero(), |a| F32x4::load(&a.plane(k)[i]));
            if let Some(b) = slopes.read_b() {
                let here = U32x4::load(&vectors(label)[i]).eq(class);
                let b = F32x4::load(&b.plane(0)[i]);
                let along = (b / F32x4::load(&vectors(own)[i])).drop(b.eq(F32x4::zero()));
                slope = slope + if sigmoid { here.select(along, -along) } else { along.keep(here) };
            }
            slope.store(cell);
        }
    }
}

/// ∂L/∂p into staged planes, b for every outcome.
pub fn chain_dense(x: &mut [f32], width: usize, sigmoid: bool, p: Planes, slopes: &Slopes) {
    let along = |b: Planes, k: usize, i: usize| {
        let b = F32x4::load(&b.plane(k)[i]);
        (b / F32x4::load(&p.plane(k)[i])).drop(b.eq(F32x4::zero()))
    };
    for (k, plane) in x.chunks_exact_mut(width).enumerate() {
        for (i, cell) in vectors_mut(plane).iter_mut().enumerate() {
            let mut slope = slopes.read_a().map_or(F32x4::zero(), |a| F32x4::load(&a.plane(k)[i]));
            if let Some(b) = slopes.read_b() {
                slope = slope + if sigmoid { along(b, 1, i) - along(b, 0, i) } else { along(b, k, i) };
            }
            slope.store(cell);
        }
    }
}
