//! Softmax: p_k = e^(z_k − m) / Σ_j e^(z_j − m), m the largest logit.
//!
//! Chain rule, with g_k = p_k a_k + b_k: ∂L/∂z_k = g_k − p_k Σ_j g_j.
//!
//! As p_t → 1 for some class t, that difference cancels. So slopes are measured from t's own:
//! p_k (a_k − Σ p a) = p_k ((a_k − a_t) − Σ_{j≠t} p_j (a_j − a_t)), which keeps every digit. The
//! class t is found by p > ½; below that nothing cancels.

use super::{OutcomePlanes, SiteRows};
use crate::math::{complement, exp, log1p};
use crate::simd::{F32x4, U32x4};
use crate::tile::{BLOCK, Planes, PlanesMut, Slopes, block, vectors, vectors_mut};

const LANES: usize = BLOCK / 4;

/// Probabilities of a tile; with `SITES`, also u, p and q of the label.
///
/// The label's own exponential is kept apart from the sum of the others: S = others + own, so that
/// q = others / S and u = (m − z_l) + log1p(S − 1), S − 1 = others + (own − 1), exact where own = 1.
pub fn forward<const SITES: bool>(z: Planes, channels: usize, label: &[u32], p: &mut PlanesMut, rows: &mut SiteRows) {
    let one = F32x4::splat(1.0);
    for start in (0..z.width()).step_by(BLOCK) {
        let top = largest(z, channels, start);
        let (mut others, mut own, mut below) = ([F32x4::zero(); LANES], [F32x4::zero(); LANES], [F32x4::zero(); LANES]);
        let label = if SITES { block(&label[start..][..BLOCK]) } else { &[[0; 4]; LANES] };
        for k in 0..channels {
            let class = U32x4::splat(k as u32);
            let (z, p) = (z.block(k, start), p.block(k, start));
            for j in 0..LANES {
                let difference = F32x4::load(&z[j]) - top[j];
                let e = exp(difference);
                e.store(&mut p[j]);
                if SITES {
                    let here = U32x4::load(&label[j]).eq(class);
                    others[j] = others[j] + e.drop(here);
                    own[j] = own[j] + e.keep(here);
                    below[j] = below[j] + difference.keep(here);
                } else {
                    others[j] = others[j] + e;
                }
            }
        }
        let inverse: [F32x4; LANES] = std::array::from_fn(|j| one / (others[j] + own[j]));
        for k in 0..channels {
            for (p, inverse) in p.block(k, start).iter_mut().zip(inverse) {
                (F32x4::load(p) * inverse).store(p);
            }
        }
        if SITES {
            let (u, p, q) = (
                vectors_mut(&mut rows.u[start..][..BLOCK]),
                vectors_mut(&mut rows.p[start..][..BLOCK]),
                vectors_mut(&mut rows.q[start..][..BLOCK]),
            );
            for j in 0..LANES {
                (log1p(others[j] + (own[j] - one)) - below[j]).store(&mut u[j]);
                (own[j] * inverse[j]).store(&mut p[j]);
                (others[j] * inverse[j]).store(&mut q[j]);
            }
        }
    }
}

#[inline(always)]
fn largest(z: Planes, channels: usize, start: usize) -> [F32x4; LANES] {
    let mut top = [F32x4::splat(f32::NEG_INFINITY); LANES];
    for k in 0..channels {
        let z = z.block(k, start);
        for j in 0..LANES {
            top[j] = F32x4::load(&z[j]).max(top[j]);
        }
    }
    top
}

/// Probabilities of a tile, and u, p and q of every class. The largest logit plays the label's part.
pub fn forward_dense(z: Planes, channels: usize, p: &mut PlanesMut, planes: &mut OutcomePlanes) {
    let (one, width) = (F32x4::splat(1.0), z.width());
    for start in (0..width).step_by(BLOCK) {
        let top = largest(z, channels, start);
        // One class is the top; others that tie with it count among the rest.
        let mut found = [F32x4::zero(); LANES];
        let mut others = [F32x4::zero(); LANES];
        for k in 0..channels {
            let (z, p) = (z.block(k, start), p.block(k, start));
            for j in 0..LANES {
                let difference = F32x4::load(&z[j]) - top[j];
                let e = exp(difference);
                e.store(&mut p[j]);
                let first = difference.eq(F32x4::zero()) & found[j].eq(F32x4::zero());
                found[j] = found[j] + one.keep(first);
                others[j] = others[j] + e.drop(first);
            }
        }
        for j in 0..LANES {
            // `found` is 0 only where logits are NaN or infinite.
            let inverse = one / (others[j] + found[j]);
            let log_sum = log1p(others[j]);
            for k in 0..channels {
                let at = k * width + start + 4 * j;
                let (z, p) = (&z.block(k, start)[j], &mut p.block(k, start)[j]);
                let u = log_sum - (F32x4::load(z) - top[j]);
                let probability = F32x4::load(p) * inverse;
                probability.store(p);
                let at = at / 4;
                u.store(&mut vectors_mut(planes.u)[at]);
                probability.store(&mut vectors_mut(planes.p)[at]);
                complement(probability, u).store(&mut vectors_mut(planes.q)[at]);
            }
        }
    }
}

/// ∂L/∂z over p, hard labels: b is the slope at the label, q the label's 1 − p.
pub fn chain(p: &mut PlanesMut, channels: usize, label: &[u32], q: &[f32], slopes: &Slopes) {
    match (slopes.read_a(), slopes.read_b()) {
        (None, None) => (0..channels).for_each(|k| p.plane(k).fill([0.0; 4])),
        (None, Some(b)) => chain_labels(p, channels, label, q, b),
        (Some(a), None) => chain_probabilities::<false>(p, channels, label, q, a, a),
        (Some(a), Some(b)) => chain_probabilities::<true>(p, channels, label, q, a, b),
    }
}

/// Only b at the label: b (δ_kl − p_k), where δ − p at the label is q.
fn chain_labels(p: &mut PlanesMut, channels: usize, label: &[u32], q: &[f32], b: Planes) {
    for k in 0..channels {
        let class = U32x4::splat(k as u32);
        let rows = vectors(label).iter().zip(vectors(q)).zip(b.plane(0));
        for (p, ((label, q), b)) in p.plane(k).iter_mut().zip(rows) {
            let (b, here) = (F32x4::load(b), U32x4::load(label).eq(class));
            (b * here.select(F32x4::load(q), -F32x4::load(p))).store(p);
        }
    }
}

/// a of every class, and b at the label where `LABELS`.
fn chain_probabilities<const LABELS: bool>(
    p: &mut PlanesMut,
    channels: usize,
    label: &[u32],
    q: &[f32],
    a: Planes,
    b: Planes,
) {
    let half = F32x4::splat(0.5);
    for start in (0..p.width()).step_by(BLOCK) {
        let (mut a_top, mut rest, mut weighted) =
            ([F32x4::zero(); LANES], [F32x4::zero(); LANES], [F32x4::zero(); LANES]);
        for k in 0..channels {
            let (p, a) = (p.block(k, start), a.block(k, start));
            for j in 0..LANES {
                let (p, a) = (F32x4::load(&p[j]), F32x4::load(&a[j]));
                let is_top = p.gt(half);
                let p = p.drop(is_top);
                a_top[j] = a_top[j] + a.keep(is_top);
                rest[j] = rest[j] + p;
                weighted[j] = weighted[j] + p * a;
            }
        }
        let mean: [F32x4; LANES] = std::array::from_fn(|j| weighted[j] - a_top[j] * rest[j]);
        let (label, q) = (block(&label[start..][..BLOCK]), block(&q[start..][..BLOCK]));
        for k in 0..channels {
            let class = U32x4::splat(k as u32);
            let (p, a) = (p.block(k, start), a.block(k, start));
            let b = if LABELS { b.block(0, start) } else { a };
            for j in 0..LANES {
                let probability = F32x4::load(&p[j]);
                let mut slope = probability * ((F32x4::load(&a[j]) - a_top[j]) - mean[j]);
                if LABELS {
                    let here = U32x4::load(&label[j]).eq(class);
                    slope = slope + F32x4::load(&b[j]) * here.select(F32x4::load(&q[j]), -probability);
                }
                slope.store(&mut p[j]);
            }
        }
    }
}

/// ∂L/∂z over p, b for every class: b_k (1 − p_k) − p_k Σ_{j≠k} b_j, with 1 − p and the sum taken
/// over the others for the top class.
pub fn chain_dense(p: &mut PlanesMut, channels: usize, q: Planes, slopes: &Slopes) {
    let half = F32x4::splat(0.5);
    let (a, b) = (slopes.read_a(), slopes.read_b());
    for start in (0..p.width()).step_by(BLOCK) {
        for j in 0..LANES {
            let read = |planes: Option<Planes>, k: usize| {
                planes.map_or(F32x4::zero(), |planes| F32x4::load(&planes.block(k, start)[j]))
            };
            let (mut a_top, mut rest, mut weighted) = (F32x4::zero(), F32x4::zero(), F32x4::zero());
            let (mut b_all, mut b_rest) = (F32x4::zero(), F32x4::zero());
            for k in 0..channels {
                let (probability, a, b) = (F32x4::load(&p.block(k, start)[j]), read(a, k), read(b, k));
                let is_top = probability.gt(half);
                let probability = probability.drop(is_top);
                a_top = a_top + a.keep(is_top);
                rest = rest + probability;
                weighted = weighted + probability * a;
                b_all = b_all + b;
                b_rest = b_rest + b.drop(is_top);
            }
            let mean = weighted - a_top * rest;
            for k in 0..channels {
                let (a, b) = (read(a, k), read(b, k));
                let q = F32x4::load(&q.block(k, start)[j]);
                let p = &mut p.block(k, start)[j];
                let probability = F32x4::load(p);
                let others = probability.gt(half).select(b_rest, b_all - b);
                (probability * ((a - a_top) - mean) + (b * q - probability * others)).store(p);
            }
        }
    }
}

/// Encodes probabilities in place (see [`super::encode`]): 1 − p of the top class is the sum of the
/// others, where they came from logits and add up to 1.
pub fn encode_planes(p: &mut PlanesMut, channels: usize, from_logits: bool) {
    let (half, one) = (F32x4::splat(0.5), F32x4::splat(1.0));
    for start in (0..p.width()).step_by(BLOCK) {
        for j in 0..LANES {
            let mut rest = F32x4::zero();
            for k in 0..channels {
                let p = F32x4::load(&p.block(k, start)[j]);
                rest = rest + p.drop(p.gt(half));
            }
            for k in 0..channels {
                let cell = &mut p.block(k, start)[j];
                let p = F32x4::load(cell);
                super::encode(p, if from_logits { rest } else { one - p }).store(cell);
            }
        }
    }
}
