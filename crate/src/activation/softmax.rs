//! Softmax: p_k = e^(z_k − m) / Σ_j e^(z_j − m), m the largest logit.
//!
//! A tile is staged: its planes lie `width` floats apart in memory of their own. Working in the
//! caller's arrays, whose channels often lie a power of two apart, evicts each line before it is
//! used again. The steps are passes over the tile: logits → exponentials → (u, p, q of the labels |
//! probabilities and their sums) → gradient (`softmax_chain`).

use super::{OutcomePlanes, SiteRows};
use crate::batch::NO_LABEL;
use crate::math::{complement, exp, log1p};
use crate::simd::{F32x4, U32x4};
use crate::tile::{column, column_mut, vectors, vectors_mut};
use crate::view::Sums;

/// Below this, own is at the end of its range, or below this part of Σ, Σ / own may overflow: u is taken
/// from the logits.
const SMALLEST: f32 = 1e-34;

/// The largest logit of each pixel.
pub fn find_top(x: &[f32], top: &mut [f32]) {
    top.fill(f32::NEG_INFINITY);
    for plane in x.chunks_exact(top.len()) {
        for (top, z) in vectors_mut(top).iter_mut().zip(vectors(plane)) {
            F32x4::load(z).max(F32x4::load(top)).store(top);
        }
    }
}

/// Exponentials of logits, less `top` where it is given, into the planes of `x`, and their sum over the
/// classes into `total`. `row(k)` is channel k of the logits, or nothing where it is staged in `x`
/// already.
///
/// Row by row, the sum in a row too: the constants of exp fill the registers, and an accumulator
/// beside them would live on the stack, each addition waiting for the one before (1.6 times as slow).
#[inline(always)]
fn exponentials<'z>(x: &mut [f32], top: Option<&[f32]>, total: &mut [f32], row: impl Fn(usize) -> Option<&'z [f32]>) {
    let n = total.len() / 4;
    let total = &mut vectors_mut(total)[..n];
    total.fill([0.0; 4]);
    for (k, plane) in x.chunks_exact_mut(4 * n).enumerate() {
        let plane = &mut vectors_mut(plane)[..n];
        let mut step = |i: usize, z: F32x4| {
            let e = exp(z);
            (F32x4::load(&total[i]) + e).store(&mut total[i]);
            e
        };
        match (top, row(k)) {
            (Some(top), _) => {
                for (i, (cell, top)) in plane.iter_mut().zip(vectors(top)).enumerate() {
                    step(i, F32x4::load(cell) - F32x4::load(top)).store(cell);
                }
            }
            (None, Some(z)) => {
                for (i, (cell, z)) in plane.iter_mut().zip(vectors(z)).enumerate() {
                    step(i, F32x4::load(z).min(F32x4::splat(LARGEST))).store(cell);
                }
            }
            (None, None) => {
                for (i, cell) in plane.iter_mut().enumerate() {
                    step(i, F32x4::load(cell).min(F32x4::splat(LARGEST))).store(cell);
                }
            }
        }
    }
}

/// A logit whose exponential f32 holds.
const LARGEST: f32 = 88.0;

/// [`exponentials`] without finding the largest logit first: e^z itself. It says no where some pixel's
/// sum shows that its logits are too large, too small or not finite for that; then nothing it wrote
/// counts. Logits of networks hardly ever are, and it saves a pass (0.3 ns per element).
#[inline(never)]
pub fn exponentials_at_once<'z>(x: &mut [f32], total: &mut [f32], row: impl Fn(usize) -> Option<&'z [f32]>) -> bool {
    exponentials(x, None, total, row);
    let (low, high) = (F32x4::splat(1e-9), F32x4::splat(1e30));
    let is_healthy = |sum: F32x4| sum.gt(low) & sum.lt(high);
    vectors(total).iter().fold(true, |healthy, sum| healthy & !(!is_healthy(F32x4::load(sum))).any())
}

/// [`exponentials`] of staged logits, less the largest logit of each pixel.
#[inline(never)]
pub fn exponentials_from_top(x: &mut [f32], top: &[f32], total: &mut [f32]) {
    exponentials(x, Some(top), total, |_| None);
}

/// From `total` in `rows.q`: 1 / Σ in `top`'s place, and p and q of the label; with `SURPRISE` u too.
/// `logit` gives the logit of a class at a pixel again.
///
/// With S = own + others, q = others / S and u = ln (S / own) = log1p(others / own) lose nothing as
/// p → 1, if `others` is a sum and not a difference: where own is nearly all, it is added up again.
#[inline(never)]
pub fn sites<const SURPRISE: bool>(
    x: &[f32],
    label: &[u32],
    top: &mut [f32],
    rows: &mut SiteRows,
    logit: impl Fn(usize, usize) -> f32,
) {
    let width = label.len();
    for i in 0..width / 4 {
        let labels = &vectors(label)[i];
        let own = F32x4::load(&std::array::from_fn(|j| match labels[j] {
            NO_LABEL => 0.0,
            label => x[label as usize * width + 4 * i + j],
        }));
        let (largest, sum) = (F32x4::load(&vectors(top)[i]), F32x4::load(&vectors(rows.q)[i]));
        let mut others = sum - own;
        let cancelled = others.lt(sum * F32x4::splat(0.25));
        if cancelled.any() {
            // Only where it is needed: a pixel's bits should not depend on its neighbours.
            others = cancelled.select(sum_of_others(x, width, i, labels), others);
        }
        let inverse = F32x4::splat(1.0) / sum;
        inverse.store(&mut vectors_mut(top)[i]);
        (own * inverse).store(&mut vectors_mut(rows.p)[i]);
        (others * inverse).store(&mut vectors_mut(rows.q)[i]);
        if !SURPRISE {
            continue;
        }
        log1p(others / own).store(&mut vectors_mut(rows.u)[i]);
        let least = F32x4::splat(SMALLEST) * sum.max(F32x4::splat(1.0));
        if own.lt(least).any() {
            for j in (0..4).filter(|&j| labels[j] != NO_LABEL && own.lanes()[j] < least.lanes()[j]) {
                let below = f64::from(largest.lanes()[j]) - f64::from(logit(labels[j] as usize, 4 * i + j));
                rows.u[4 * i + j] = (below + f64::from(sum.lanes()[j]).ln()) as f32;
            }
        }
    }
}

/// Σ of the exponentials of all classes but the label.
#[inline(never)]
fn sum_of_others(x: &[f32], width: usize, i: usize, labels: &[u32; 4]) -> F32x4 {
    let (label, mut class) = (U32x4::load(labels), U32x4::splat(0));
    let mut others = F32x4::zero();
    for e in column(x, width, i) {
        others = others + e.drop(label.eq(class));
        class = class + U32x4::splat(1);
    }
    others
}

/// Staged logits to probabilities, in place, and u, p and q of every class.
#[inline(never)]
pub fn forward_dense(x: &mut [f32], width: usize, planes: &mut OutcomePlanes) {
    let (one, zero) = (F32x4::splat(1.0), F32x4::zero());
    for i in 0..width / 4 {
        let mut top = F32x4::splat(f32::NEG_INFINITY);
        for z in column(x, width, i) {
            top = z.max(top);
        }
        // One class is the top; others that tie with it count among the rest.
        let (mut found, mut others) = (zero, zero);
        for (cell, u) in column_mut(x, width, i).zip(column_mut(planes.u, width, i)) {
            let difference = F32x4::load(cell) - top;
            let e = exp(difference);
            difference.store(u);
            e.store(cell);
            let first = difference.eq(zero) & found.eq(zero);
            found = found + one.keep(first);
            others = others + e.drop(first);
        }
        // `found` is 0 only where logits are NaN or infinite.
        let (inverse, log_sum) = (one / (others + found), log1p(others));
        let outcomes =
            column_mut(planes.u, width, i).zip(column_mut(planes.p, width, i)).zip(column_mut(planes.q, width, i));
        for (cell, ((u, p), q)) in column_mut(x, width, i).zip(outcomes) {
            let probability = F32x4::load(cell) * inverse;
            let surprise = log_sum - F32x4::load(u);
            probability.store(cell);
            surprise.store(u);
            probability.store(p);
            complement(probability, surprise).store(q);
        }
    }
}

/// Exponentials to probabilities, in place, adding each class's Σ p and Σ p of its own label. With
/// `APART`, the label's own probability is left out of its plane, as its chain rule wants it.
#[inline(never)]
pub fn normalise<const APART: bool>(x: &mut [f32], label: &[u32], inverse: &[f32], sums: &mut [Sums]) {
    let n = label.len() / 4;
    let (label, inverse) = (&vectors(label)[..n], &vectors(inverse)[..n]);
    for (k, (plane, sums)) in x.chunks_exact_mut(4 * n).zip(sums).enumerate() {
        let plane = &mut vectors_mut(plane)[..n];
        let class = U32x4::splat(k as u32);
        // Runs are short enough for f32, and their sums go to f64.
        for start in (0..n).step_by(64) {
            let (mut predicted, mut hit) = (F32x4::zero(), F32x4::zero());
            for i in start..n.min(start + 64) {
                let p = F32x4::load(&plane[i]) * F32x4::load(&inverse[i]);
                let own = p.keep(U32x4::load(&label[i]).eq(class));
                (if APART { p - own } else { p }).store(&mut plane[i]);
                predicted = predicted + p;
                hit = hit + own;
            }
            sums.predicted += predicted.sum();
            sums.intersection += hit.sum();
        }
    }
}

/// Encodes staged probabilities in place (see [`super::encode`]): 1 − p of the top class is the sum
/// of the others, where they came from logits and add up to 1.
pub fn encode_planes(x: &mut [f32], width: usize, from_logits: bool) {
    let (half, one) = (F32x4::splat(0.5), F32x4::splat(1.0));
    for i in 0..width / 4 {
        let rest = column(x, width, i).fold(F32x4::zero(), |rest, p| rest + p.drop(p.gt(half)));
        for cell in column_mut(x, width, i) {
            let p = F32x4::load(cell);
            super::encode(p, if from_logits { rest } else { one - p }).store(cell);
        }
    }
}
