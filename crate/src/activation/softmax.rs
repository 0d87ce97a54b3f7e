//! Softmax: p_k = e^(z_k − m) / Σ_j e^(z_j − m), m the largest logit.
//!
//! Chain rule, with g_k = p_k a_k + b_k: ∂L/∂z_k = g_k − p_k Σ_j g_j.
//!
//! A tile is staged: its planes lie `width` floats apart in memory of their own. Working in the
//! caller's arrays, whose channels often lie a power of two apart, evicts each line before it is
//! used again. The steps, each a pass over the tile in the first cache:
//! logits → exponentials → (slopes of labels | probabilities and their sums) → gradient.

use super::{OutcomePlanes, SiteRows};
use crate::batch::NO_LABEL;
use crate::math::{complement, exp, log1p};
use crate::simd::{F32x4, U32x4};
use crate::tile::{Planes, PlanesMut, Slopes, Sums, column, column_mut, vectors, vectors_mut};

/// Below this, Σ / own may overflow, or own is at the end of its range: u is taken from the logits.
const SMALLEST: f32 = 1e-34;

/// Above this a wrong class's own gradient has lost four bits to cancellation.
const NEARLY_ONE: f32 = 0.9375;

/// The largest logit of each pixel.
pub fn find_top(x: &[f32], top: &mut [f32]) {
    top.fill(f32::NEG_INFINITY);
    for plane in x.chunks_exact(top.len()) {
        for (top, z) in vectors_mut(top).iter_mut().zip(vectors(plane)) {
            F32x4::load(z).max(F32x4::load(top)).store(top);
        }
    }
}

/// Exponentials of logits, less `top` where it is given, into the planes of `x`; and their sums:
/// `others` over all classes but the label, `own` that of the label. `row(k)` is channel k of the
/// logits, or nothing where it is staged in `x` already.
///
/// Row by row, the sums in rows too: the constants of exp fill the registers, and an accumulator
/// beside them would live on the stack, each addition waiting for the one before (1.6 times as slow).
#[inline(always)]
fn exponentials<'z>(
    x: &mut [f32],
    label: &[u32],
    top: Option<&[f32]>,
    sums: [&mut [f32]; 2],
    row: impl Fn(usize) -> Option<&'z [f32]>,
) {
    let n = label.len() / 4;
    let label = &vectors(label)[..n];
    let [own, others] = sums.map(|sums| &mut vectors_mut(sums)[..n]);
    own.fill([0.0; 4]);
    others.fill([0.0; 4]);
    for (k, plane) in x.chunks_exact_mut(4 * n).enumerate() {
        let class = U32x4::splat(k as u32);
        let plane = &mut vectors_mut(plane)[..n];
        let mut step = |i: usize, z: F32x4| {
            let e = exp(z);
            let here = U32x4::load(&label[i]).eq(class);
            // e − e is 0: cheaper than a second mask, and as exact.
            let label_only = e.keep(here);
            (F32x4::load(&own[i]) + label_only).store(&mut own[i]);
            (F32x4::load(&others[i]) + (e - label_only)).store(&mut others[i]);
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
pub fn exponentials_at_once<'z>(
    x: &mut [f32],
    label: &[u32],
    sums: [&mut [f32]; 2],
    row: impl Fn(usize) -> Option<&'z [f32]>,
) -> bool {
    let [own, others] = sums;
    exponentials(x, label, None, [own, others], row);
    let mut healthy = true;
    for (own, others) in vectors(own).iter().zip(vectors(others)) {
        let sum = F32x4::load(own) + F32x4::load(others);
        healthy &= !(!(sum.gt(F32x4::splat(1e-9)) & sum.lt(F32x4::splat(1e30)))).any();
    }
    healthy
}

/// [`exponentials`] of staged logits, less the largest logit of each pixel.
#[inline(never)]
pub fn exponentials_from_top(x: &mut [f32], label: &[u32], top: &[f32], sums: [&mut [f32]; 2]) {
    exponentials(x, label, Some(top), sums, |_| None);
}

/// From the sums of [`exponentials`]: 1 / Σ in `top`'s place, and u, p and q of the label in theirs;
/// `logit` gives the logit of a class at a pixel again.
///
/// The label's own exponential was kept apart from the others', S = own + others, so that
/// q = others / S and u = ln (S / own) = log1p(others / own) lose nothing as p → 1.
#[inline(never)]
pub fn sites(
    label: &[u32],
    channels: usize,
    top: &mut [f32],
    rows: &mut SiteRows,
    logit: impl Fn(usize, usize) -> f32,
) {
    let n = label.len() / 4;
    for i in 0..n {
        let (own, others) = (F32x4::load(&vectors(rows.p)[i]), F32x4::load(&vectors(rows.q)[i]));
        let (largest, sum) = (F32x4::load(&vectors(top)[i]), own + others);
        let inverse = F32x4::splat(1.0) / sum;
        inverse.store(&mut vectors_mut(top)[i]);
        log1p(others / own).store(&mut vectors_mut(rows.u)[i]);
        (own * inverse).store(&mut vectors_mut(rows.p)[i]);
        (others * inverse).store(&mut vectors_mut(rows.q)[i]);
        if own.lt(F32x4::splat(SMALLEST)).any() {
            let labels = &vectors(label)[i];
            for j in (0..4).filter(|&j| (labels[j] as usize) < channels) {
                let below = f64::from(largest.lanes()[j]) - f64::from(logit(labels[j] as usize, 4 * i + j));
                rows.u[4 * i + j] = (below + f64::from(sum.lanes()[j]).ln()) as f32;
            }
        }
    }
}

/// 1 / Σ, and p of the label in `own`'s place, where nobody asks for more.
pub fn invert(inverse: &mut [f32], own: &mut [f32], others: &[f32]) {
    for ((to, own), others) in vectors_mut(inverse).iter_mut().zip(vectors_mut(own)).zip(vectors(others)) {
        let inverse = F32x4::splat(1.0) / (F32x4::load(own) + F32x4::load(others));
        inverse.store(to);
        (F32x4::load(own) * inverse).store(own);
    }
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
/// `APART`, the label's own probability is left out of its plane, as [`chain`] wants it.
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

/// Takes the label's own probability out of its plane, for [`chain`].
pub fn set_apart(x: &mut [f32], label: &[u32], own: &mut [f32]) {
    let width = label.len();
    for (pixel, (own, &label)) in own.iter_mut().zip(label).enumerate() {
        *own = label_cell(x, width, label, pixel).map_or(0.0, std::mem::take);
    }
}

/// The cell of a pixel in the plane of its label, unless it has none.
#[inline(always)]
fn label_cell(x: &mut [f32], width: usize, label: u32, pixel: usize) -> Option<&mut f32> {
    if label == NO_LABEL { None } else { x.get_mut(label as usize * width + pixel) }
}

/// Where only labels have slopes: b (δ_kl − p_k), from exponentials, to `to` or else in place;
/// δ − p of the label is q.
#[inline(never)]
pub fn chain_labels(
    x: &mut [f32],
    label: &[u32],
    inverse: &mut [f32],
    q: &mut [f32],
    b: &[f32],
    mut to: Option<PlanesMut>,
) {
    for ((inverse, q), b) in vectors_mut(inverse).iter_mut().zip(vectors_mut(q)).zip(vectors(b)) {
        let b = F32x4::load(b);
        (-b * F32x4::load(inverse)).store(inverse);
        (b * F32x4::load(q)).store(q);
    }
    let n = label.len() / 4;
    let (factor, own, label) = (&vectors(inverse)[..n], &vectors(q)[..n], &vectors(label)[..n]);
    for (k, plane) in x.chunks_exact_mut(4 * n).enumerate() {
        let class = U32x4::splat(k as u32);
        let gradient = |e: &[f32; 4], i: usize| {
            let here = U32x4::load(&label[i]).eq(class);
            here.select(F32x4::load(&own[i]), F32x4::load(e) * F32x4::load(&factor[i]))
        };
        let plane = &mut vectors_mut(plane)[..n];
        match &mut to {
            Some(to) => {
                let to = &mut to.plane(k)[..n];
                for i in 0..n {
                    gradient(&plane[i], i).store(&mut to[i]);
                }
            }
            None => {
                for (i, cell) in plane.iter_mut().enumerate() {
                    gradient(cell, i).store(cell);
                }
            }
        }
    }
}

/// The slopes of one tile, in the form the chain rule takes them.
struct Slope<'a> {
    /// ∂L/∂p of each class: constant + square · p, times ω, plus `planes`.
    constant: &'a [f32],
    square: &'a [f32],
    /// That of the label's own class: label − square · q.
    label: &'a [f32],
    weights: Option<&'a [f32]>,
    planes: Option<Planes<'a>>,
    /// ∂L/∂ln p of the label.
    b: Option<&'a [f32]>,
}

/// ∂L/∂z over the staged probabilities.
///
/// Σ p a cancels against a as p → 1, so slopes are measured from the label's own:
/// p_k (a_k − Σ p a) = p_k ((a_k − a_l) − Σ_{j≠l} p_j (a_j − a_l)). The label's probability is not in
/// the tile but in `own`, so that the loops over the classes need no mask. Where a *wrong* class is
/// near 1 the same happens to its own gradient; it is then minus the sum of the others'.
#[inline(never)]
pub fn chain(x: &mut [f32], label: &[u32], own: &[f32], weights: Option<&[f32]>, slopes: &Slopes) {
    let (constant, square, of_label) = slopes.classes();
    let slope = Slope {
        constant,
        square,
        label: of_label,
        weights,
        planes: slopes.read_a(),
        b: slopes.read_b().map(|b| b.row(0)),
    };
    let plain = weights.is_none() && slope.planes.is_none() && square.iter().all(|&c| c == 0.0);
    if plain { chain_sites::<false>(x, label, own, &slope) } else { chain_sites::<true>(x, label, own, &slope) }
}

fn chain_sites<const GENERAL: bool>(x: &mut [f32], label: &[u32], own: &[f32], slope: &Slope) {
    let width = label.len();
    let zero = F32x4::zero();
    for i in 0..width / 4 {
        let labels = &vectors(label)[i];
        let weight = match slope.weights {
            Some(weights) if GENERAL => F32x4::load(&vectors(weights)[i]),
            _ => F32x4::splat(1.0),
        };
        // a of class k at these pixels, the label's extra left out.
        let slope_of = |k: usize, p: F32x4| {
            let constant = F32x4::splat(slope.constant[k]);
            if !GENERAL {
                return constant;
            }
            let a = (constant + F32x4::splat(slope.square[k]) * p) * weight;
            slope.planes.map_or(a, |planes| a + F32x4::load(&planes.plane(k)[i]))
        };
        // The parts of the label's slope: at p = 1, per q, from planes.
        let (mut certain, mut per_rest, mut extra) = ([0.0; 4], [0.0; 4], [0.0; 4]);
        for j in 0..4 {
            let k = labels[j] as usize;
            if let Some(&at_one) = slope.label.get(k) {
                certain[j] = at_one;
                if GENERAL {
                    per_rest[j] = slope.square[k];
                    extra[j] = slope.planes.map_or(0.0, |planes| planes.plane(k)[i][j]);
                }
            }
        }
        let own = F32x4::load(&vectors(own)[i]);
        let b = slope.b.map_or(zero, |b| F32x4::load(&vectors(b)[i]));

        let (mut weighted, mut rest, mut largest) = (zero, zero, zero);
        for (k, p) in column(x, width, i).enumerate() {
            weighted = weighted + p * slope_of(k, p);
            rest = rest + p;
            largest = p.max(largest);
        }
        let mut base = F32x4::load(&certain);
        if GENERAL {
            base = (base - F32x4::load(&per_rest) * rest) * weight + F32x4::load(&extra);
        }
        let mean = weighted - base * rest;
        let shift = base + (mean + b);
        let label_slope = b * rest - own * mean;
        if largest.gt(F32x4::splat(NEARLY_ONE)).any() {
            // Rare: two looks instead of one.
            let is_top = |p: F32x4| p.gt(F32x4::splat(NEARLY_ONE));
            let gradients =
                column(x, width, i).enumerate().map(|(k, p)| (p * (slope_of(k, p) - shift)).drop(is_top(p)));
            let sum = gradients.fold(label_slope, |sum, gradient| sum + gradient);
            for (k, cell) in column_mut(x, width, i).enumerate() {
                let p = F32x4::load(cell);
                is_top(p).select(-sum, p * (slope_of(k, p) - shift)).store(cell);
            }
        } else {
            for (k, cell) in column_mut(x, width, i).enumerate() {
                let p = F32x4::load(cell);
                (p * (slope_of(k, p) - shift)).store(cell);
            }
        }
        let label_slope = label_slope.lanes();
        for j in 0..4 {
            if let Some(cell) = label_cell(x, width, labels[j], 4 * i + j) {
                *cell = label_slope[j];
            }
        }
    }
}

/// ∂L/∂z over the staged probabilities, a and b for every class: a as in [`chain`], measured from the
/// top class; b_k (1 − p_k) − p_k Σ_{j≠k} b_j, with 1 − p and the sum taken over the others for the
/// top class.
#[inline(never)]
pub fn chain_dense(x: &mut [f32], width: usize, q: Planes, slopes: &Slopes) {
    let half = F32x4::splat(0.5);
    let (a, b) = (slopes.read_a(), slopes.read_b());
    for i in 0..width / 4 {
        let read =
            |planes: Option<Planes>, k: usize| planes.map_or(F32x4::zero(), |planes| F32x4::load(&planes.plane(k)[i]));
        let (mut a_top, mut rest, mut weighted) = (F32x4::zero(), F32x4::zero(), F32x4::zero());
        let (mut b_all, mut b_rest) = (F32x4::zero(), F32x4::zero());
        for (k, p) in column(x, width, i).enumerate() {
            let (a, b) = (read(a, k), read(b, k));
            let is_top = p.gt(half);
            let p = p.drop(is_top);
            a_top = a_top + a.keep(is_top);
            rest = rest + p;
            weighted = weighted + p * a;
            b_all = b_all + b;
            b_rest = b_rest + b.drop(is_top);
        }
        let mean = weighted - a_top * rest;
        for (k, cell) in column_mut(x, width, i).enumerate() {
            let (p, a, b) = (F32x4::load(cell), read(a, k), read(b, k));
            let is_top = p.gt(half);
            // q is only there where somebody reported b.
            let q = if slopes.read_b().is_some() { F32x4::load(&q.plane(k)[i]) } else { F32x4::zero() };
            let others = is_top.select(b_rest, b_all - b);
            (p * ((a - a_top) - mean) + (b * q - p * others)).store(cell);
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
