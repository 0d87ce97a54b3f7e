//! Softmax: p_k = e^(z_k − m) / Σ_j e^(z_j − m), m the largest logit.
//!
//! A tile is staged: its planes lie `width` floats apart in memory of their own. Working in the
//! caller's arrays, whose channels often lie a power of two apart, evicts each line before it is
//! used again. The steps are passes over the tile: logits → exponentials → (u, p, q of the labels |
//! probabilities and their sums) → gradient (`softmax_chain`).

use super::{OutcomePlanes, SiteRows};
use crate::batch::NO_LABEL;
use crate::math::{LogProduct, complement, exp, log1p};
use crate::simd::{F32x4, U32x4};
use crate::tile::{Planes, PlanesMut, SUM_RUN, column, column_mut, vectors};
use crate::view::Sums;
use crate::walk::{Walk, as_bits, lockstep};
use std::ops::Range;

/// Below this, own is at the end of its range, or below this part of Σ, Σ / own may overflow: u is taken
/// from the logits.
const SMALLEST: f32 = 1e-34;

/// A logit whose exponential f32 holds.
const LARGEST: f32 = 88.0;

/// Exponentials of the logits `z` into the planes of `x`, those of the labels also into `own`, and Σ of the
/// others into `others`. It says no where some pixel's sum shows
/// that its logits are too large, too small or not finite to be taken as they are; then nothing it wrote
/// counts, and [`subtract_top`] helps. Logits of networks hardly ever are, and not looking for the
/// largest first saves a pass (0.3 ns per element).
///
/// With the others' sum built up by itself, q and u of the label lose nothing as p → 1.
#[inline(never)]
pub fn exponentials(
    z: Planes,
    x: &mut PlanesMut,
    channels: usize,
    label: &[u32],
    own: &mut [f32],
    others: &mut [f32],
) -> bool {
    own.fill(0.0);
    others.fill(0.0);
    // Several classes at a time share the loads and stores of the sums.
    let mut first = 0;
    while first < channels {
        let group = match channels - first {
            3 | 6 => 3,
            left if left >= GROUP => GROUP,
            _ => 1,
        };
        match group {
            GROUP => exponentials_of::<GROUP>(z, first, x, label, own, others),
            3 => exponentials_of::<3>(z, first, x, label, own, others),
            _ => exponentials_of::<1>(z, first, x, label, own, others),
        }
        first += group;
    }
    let (low, high) = (F32x4::splat(1e-9), F32x4::splat(1e30));
    let is_healthy = |sum: F32x4| sum.gt(low) & sum.lt(high);
    vectors(own)
        .iter()
        .zip(vectors(others))
        .fold(true, |healthy, (own, others)| healthy & !(!is_healthy(F32x4::load(own) + F32x4::load(others))).any())
}

/// Classes handled at once, so that they share what belongs to a pixel: label, sums, factors.
pub(super) const GROUP: usize = 4;

#[inline(always)]
fn exponentials_of<const N: usize>(
    z: Planes,
    first: usize,
    x: &mut PlanesMut,
    label: &[u32],
    own: &mut [f32],
    others: &mut [f32],
) {
    let x: [_; N] = x.rows(first);
    let z = z.rows::<N>(first);
    let class: [_; N] = std::array::from_fn(|j| U32x4::splat((first + j) as u32));
    let sums = lockstep([as_bits(label)], [own, others]);
    for (([label], [own, others]), (z, x)) in sums.beside(lockstep(z, x)) {
        let (mut hit, mut sum) = (F32x4::load(own), F32x4::load(others));
        for ((z, x), class) in z.into_iter().zip(x).zip(class) {
            let e = exp(z.min(F32x4::splat(LARGEST)));
            e.store(x);
            let mine = e.keep(label.bits().eq(class));
            hit = hit + mine;
            // A difference: the compiler makes three instructions of `drop`.
            sum = sum + (e - mine);
        }
        hit.store(own);
        sum.store(others);
    }
}

/// Subtracts the largest logit of each pixel, and leaves it in `top`.
#[inline(never)]
pub fn subtract_top(z: &mut PlanesMut, channels: usize, top: &mut [f32]) {
    top.fill(f32::NEG_INFINITY);
    for k in 0..channels {
        for ([z], [top]) in lockstep([&*z.row(k)], [&mut *top]) {
            z.max(F32x4::load(top)).store(top);
        }
    }
    for k in 0..channels {
        for ([top], [z]) in lockstep([&*top], [z.row(k)]) {
            (F32x4::load(z) - top).store(z);
        }
    }
}

/// From own and others in `rows.p` and `rows.q`: 1 / Σ in `top`'s place, and p and q of the label; with
/// `SURPRISE` u = ln (Σ / own) = log1p (others / own) too. `logit` gives the logit of a class at a pixel
/// again.
#[inline(never)]
pub fn sites<const SURPRISE: bool>(label: &[u32], top: &mut [f32], rows: &mut SiteRows, logit: Logit) {
    for start in (0..label.len()).step_by(SUM_RUN) {
        let run = start..label.len().min(start + SUM_RUN);
        if SURPRISE {
            surprises(run.clone(), label, [&*rows.p, &*rows.q, &*top], logit, &mut rows.u[run.clone()]);
        }
        let [top, p, q] = [&mut *top, rows.p, rows.q].map(|row| &mut row[run.clone()]);
        for ([], [top, p, q]) in lockstep([], [top, p, q]) {
            let (own, others) = (F32x4::load(p), F32x4::load(q));
            let inverse = F32x4::splat(1.0) / (own + others);
            inverse.store(top);
            (own * inverse).store(p);
            (others * inverse).store(q);
        }
    }
}

/// Pixels whose product is one.
const PRODUCT: usize = 32;

/// The same where nobody asks for u of each label: Σ u, 1 / Σ in `top`'s place, and q in others'. Only
/// where labels are unlikely do they cost a logarithm each.
#[inline(never)]
pub fn total_surprise(label: &[u32], top: &mut [f32], own: &[f32], others: &mut [f32], logit: Logit) -> f64 {
    let mut total = 0.0;
    for start in (0..own.len()).step_by(SUM_RUN) {
        let end = own.len().min(start + SUM_RUN);
        let mut sum = F32x4::zero();
        for start in (start..end).step_by(PRODUCT) {
            let run = start..end.min(start + PRODUCT);
            let mut logs = LogProduct::default();
            for ([own, others], []) in lockstep([&own[run.clone()], &others[run.clone()]], []) {
                logs.multiply(others / own);
            }
            sum = sum + if logs.fits() { logs.lanes() } else { one_by_one(run, label, [own, &*others, &*top], logit) };
        }
        total += sum.sum();
    }
    for ([own], [top, others]) in lockstep([own], [top, others]) {
        let rest = F32x4::load(others);
        let inverse = F32x4::splat(1.0) / (own + rest);
        inverse.store(top);
        (rest * inverse).store(others);
    }
    total
}

/// Σ u of a run, with a logarithm for each.
#[inline(never)]
fn one_by_one(run: Range<usize>, label: &[u32], rows: [&[f32]; 3], logit: Logit) -> F32x4 {
    let mut u = [0.0; PRODUCT];
    let u = &mut u[..run.len()];
    surprises(run.clone(), label, rows, logit, u);
    let pixels = lockstep([as_bits(&label[run]), u], []);
    let ignored = U32x4::splat(NO_LABEL);
    pixels.fold(F32x4::zero(), |sum, ([label, u], [])| sum + u.drop(label.bits().eq(ignored)))
}

/// Gives the logit of a class at a pixel.
pub type Logit<'a> = &'a dyn Fn(usize, usize) -> f32;

/// u of the labels of a run, from whole rows: own, others and the largest logit.
#[inline(never)]
fn surprises(run: Range<usize>, label: &[u32], rows: [&[f32]; 3], logit: Logit, u: &mut [f32]) {
    let [own, others, top] = rows.map(|row| &row[run.clone()]);
    let least = |sum: f32| SMALLEST * sum.max(1.0);
    let mut is_rare = F32x4::zero().lt(F32x4::zero());
    for ([own, others], [u]) in lockstep([own, others], [&mut *u]) {
        log1p(others / own).store(u);
        let sum = own + others;
        is_rare = is_rare | own.lt(F32x4::splat(SMALLEST) * sum.max(F32x4::splat(1.0)));
    }
    if is_rare.any() {
        for (i, &label) in label[run.clone()].iter().enumerate() {
            let sum = own[i] + others[i];
            if label != NO_LABEL && own[i] < least(sum) {
                // At the end of its range: from the logits.
                let below = f64::from(top[i]) - f64::from(logit(label as usize, run.start + i));
                u[i] = (below + f64::from(sum).ln()) as f32;
            }
        }
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

/// Adds up each class's Σ p and Σ p of its own label, from exponentials.
#[inline(never)]
pub fn add_up(x: Planes, label: &[u32], inverse: &[f32], sums: &mut [Sums]) {
    let (groups, single) = in_groups(sums);
    let left = GROUP * groups.len();
    groups.iter_mut().enumerate().for_each(|(i, sums)| add_up_classes(x, GROUP * i, label, inverse, sums));
    single.iter_mut().enumerate().for_each(|(i, sums)| add_up_classes(x, left + i, label, inverse, sums));
}

/// Classes in groups, and those left one by one.
fn in_groups<T>(classes: &mut [T]) -> (&mut [[T; GROUP]], &mut [[T; 1]]) {
    let (groups, rest) = classes.as_chunks_mut();
    (groups, rest.as_chunks_mut().0)
}

#[inline(always)]
fn add_up_classes<const N: usize>(x: Planes, first: usize, label: &[u32], inverse: &[f32], sums: &mut [Sums; N]) {
    let class: [_; N] = std::array::from_fn(|j| U32x4::splat((first + j) as u32));
    // Runs are short enough for f32, and their sums go to f64.
    for start in (0..label.len()).step_by(SUM_RUN) {
        let run = start..label.len().min(start + SUM_RUN);
        let rows = [as_bits(label), inverse].map(|row| &row[run.clone()]);
        let planes = x.rows::<N>(first).map(|row| &row[run.clone()]);
        let (mut predicted, mut hit) = ([F32x4::zero(); N], [F32x4::zero(); N]);
        for (([label, inverse], []), (e, [])) in lockstep(rows, []).beside(lockstep(planes, [])) {
            for j in 0..N {
                let p = e[j] * inverse;
                predicted[j] = predicted[j] + p;
                hit[j] = hit[j] + p.keep(label.bits().eq(class[j]));
            }
        }
        for (sums, (predicted, hit)) in sums.iter_mut().zip(predicted.into_iter().zip(hit)) {
            sums.predicted += predicted.sum();
            sums.intersection += hit.sum();
        }
    }
}

/// Adds up each class's Σ p φ, φ the signed distances, from exponentials.
#[inline(never)]
pub fn add_up_distances(x: Planes, inverse: &[f32], distance: Planes, sums: &mut [Sums]) {
    let (groups, single) = in_groups(sums);
    let left = GROUP * groups.len();
    groups.iter_mut().enumerate().for_each(|(i, sums)| distances_of(x, GROUP * i, inverse, distance, sums));
    single.iter_mut().enumerate().for_each(|(i, sums)| distances_of(x, left + i, inverse, distance, sums));
}

#[inline(always)]
fn distances_of<const N: usize>(x: Planes, first: usize, inverse: &[f32], distance: Planes, sums: &mut [Sums; N]) {
    for start in (0..inverse.len()).step_by(SUM_RUN) {
        let run = start..inverse.len().min(start + SUM_RUN);
        let [e, phi] = [x, distance].map(|planes| planes.rows::<N>(first).map(|row| &row[run.clone()]));
        let rows = lockstep([&inverse[run]], []).beside(lockstep(e, [])).beside(lockstep(phi, []));
        let mut sum = [F32x4::zero(); N];
        for ((([inverse], []), (e, [])), (phi, [])) in rows {
            for j in 0..N {
                sum[j] = sum[j] + e[j] * inverse * phi[j];
            }
        }
        sums.iter_mut().zip(sum).for_each(|(sums, sum)| sums.distance += sum.sum());
    }
}

/// Exponentials to probabilities, in place.
pub fn normalise(x: &mut [f32], inverse: &[f32]) {
    for plane in x.chunks_exact_mut(inverse.len()) {
        for ([inverse], [cell]) in lockstep([inverse], [plane]) {
            (F32x4::load(cell) * inverse).store(cell);
        }
    }
}

/// Exponentials to encoded probabilities, in place, as [`encode_planes`].
pub fn encode(x: &mut PlanesMut, channels: usize, inverse: &[f32], rest: &mut [f32]) {
    let half = F32x4::splat(0.5);
    rest.fill(0.0);
    for k in 0..channels {
        for ([inverse], [cell, rest]) in lockstep([inverse], [x.row(k), rest]) {
            let p = F32x4::load(cell) * inverse;
            p.store(cell);
            (F32x4::load(rest) + (p - p.keep(p.gt(half)))).store(rest);
        }
    }
    for k in 0..channels {
        for ([rest], [cell]) in lockstep([&*rest], [x.row(k)]) {
            let p = F32x4::load(cell);
            super::encode(p, rest).store(cell);
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
