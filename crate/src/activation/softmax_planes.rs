//! Softmax with labels, swept over whole planes from exponentials and in place: few classes or many. For losses
//! whose slopes are constant for a class, but for a factor times a map, or the labels' own; `softmax_chain` is
//! for the rest.

use super::softmax_few::{self, FEW};
use super::softmax_few_chain;
use super::softmax_many::{self, Labels};
use super::softmax_many_chain;
use super::with_constant;
use crate::labels::put_own;
use crate::simd::{F32x4, Mask};
use crate::slopes::{Extra, Map, NoMap, Slopes};
use crate::tile::{Planes, PlanesMut, sum_runs};
use crate::view::Sums;
use crate::walk::lockstep;

/// Exponentials of the logits `z` into the planes of `x`, those of the labels into `own`, and Σ of the others into
/// `others`. Of many classes the labels' own are in `own` alone, and their cells 0. Of two the larger logit is taken
/// off, and goes to `top`. It says no where some pixel's sum shows that its logits are too large, too small or not
/// finite to be taken as they are; then nothing it wrote counts, and [`super::softmax::subtract_top`] helps. Logits of
/// networks hardly ever are, and not looking for the largest first saves a pass (0.3 ns per element).
///
/// With the others' sum built up by itself, q and u of the label lose nothing as p → 1.
#[inline(never)]
pub fn exponentials(
    z: Planes,
    x: &mut PlanesMut,
    channels: usize,
    label: &[u32],
    [top, own, others]: [&mut [f32]; 3],
) -> bool {
    match channels {
        // With the larger taken off, nothing is too large or too small.
        2 => {
            softmax_few::exponentials_of_two(z, x, label, top, own, others);
            return true;
        }
        3..=FEW => with_constant!(channels, [3, 4; 5], |N| softmax_few::exponentials::<N>(z, x, label, own, others)),
        _ => softmax_many::exponentials(z, x, channels, label, own, others),
    }
    are_healthy(own, others)
}

/// As [`exponentials`], of four classes whose logits lie together.
pub fn exponentials_of_pixels(z: &[f32], x: &mut PlanesMut, label: &[u32], [own, others]: [&mut [f32]; 2]) -> bool {
    softmax_few::exponentials_of_pixels(z, x, label, own, others);
    are_healthy(own, others)
}

/// Whether every pixel's sum shows that its logits could be taken as they are.
#[inline(never)]
pub(super) fn are_healthy(own: &[f32], others: &[f32]) -> bool {
    let all = lockstep([own, others], []);
    let zero = F32x4::zero();
    let healthy = all.fold(zero.eq(zero), |healthy, ([own, others], [])| healthy & is_healthy(own + others));
    !(!healthy).any()
}

/// The same of four sums.
#[inline(always)]
pub(super) fn is_healthy(sum: F32x4) -> Mask {
    sum.gt(F32x4::splat(1e-9)) & sum.lt(F32x4::splat(1e30))
}

/// Logits to probabilities, and each class's sums: [`softmax_few::probabilities`] of three classes to five.
#[inline(never)]
pub fn probabilities(z: Planes, x: &mut PlanesMut, label: &[u32], inverse: &mut [f32], sums: &mut [Sums]) -> bool {
    with_constant!(sums.len(), [3, 4; 5], |N| softmax_few::probabilities::<N>(z, x, label, inverse, sums))
}

/// Adds up each class's Σ p y and Σ p (1 − y), and turns exponentials to probabilities, whose factor is 1. The
/// second sweep would else need 1 / Σ again, and memory is where few classes wait (a sixth of Dice of 4).
pub fn add_up(x: &mut PlanesMut, labels: Labels, weights: Option<&[f32]>, sums: &mut [Sums]) {
    match sums.len() {
        ..=FEW => softmax_few::add_up(x, labels.class, labels.inverse, sums),
        _ => softmax_many::add_up(x, labels, weights, sums),
    }
}

/// Adds up each class's Σ p φ, φ the signed distances, from exponentials. Works in `row`.
#[inline(never)]
pub fn add_up_distances(x: Planes, labels: Labels, distance: Planes, row: &mut [f32], sums: &mut [Sums]) {
    for (k, sums) in sums.iter_mut().enumerate() {
        for run in sum_runs(labels.inverse.len()) {
            let rows = [x.row(k), labels.inverse, distance.row(k)].map(|row| &row[run.clone()]);
            let walk = lockstep(rows, []);
            sums.distance += walk.fold(F32x4::zero(), |sum, ([e, inverse, map], [])| sum + e * inverse * map).sum();
        }
    }
    // Last, while the map is near.
    if sums.len() > FEW {
        softmax_many::add_own_distances(distance, labels, row, sums);
    }
}

/// Exponentials to encoded probabilities, in place, as [`super::softmax::encode_planes`]. `own`: p of the
/// labels, which of many classes are put into their cells.
pub fn encode(x: &mut PlanesMut, channels: usize, label: &[u32], inverse: &[f32], own: &mut [f32], rest: &mut [f32]) {
    let half = F32x4::splat(0.5);
    let small = |p: F32x4| p - p.keep(p.gt(half));
    rest.fill(0.0);
    for k in 0..channels {
        for ([inverse], [cell, rest]) in lockstep([inverse], [x.row(k), rest]) {
            let p = F32x4::load(cell) * inverse;
            p.store(cell);
            (F32x4::load(rest) + small(p)).store(rest);
        }
    }
    if channels > FEW {
        lockstep([&*own], [&mut *rest]).for_each(|([p], [rest])| (F32x4::load(rest) + small(p)).store(rest));
        put_own(x, label, own);
    }
    for k in 0..channels {
        for ([rest], [cell]) in lockstep([&*rest], [x.row(k)]) {
            let p = F32x4::load(cell);
            super::encode(p, rest).store(cell);
        }
    }
}

/// What exponentials are multiplied with where only labels have slopes, −b / Σ, in `inverse`'s place; the labels'
/// own gradient, b q, in `q`'s: δ − p of the label is q.
#[inline(never)]
pub fn label_factors(label: &[u32], inverse: &mut [f32], q: &mut [f32], slopes: &Slopes) {
    let (row, even) = slopes.of_labels(label);
    for ([b], [factor, own]) in lockstep([row], [inverse, q]) {
        let b = even.unwrap_or(b);
        (-b * F32x4::load(factor)).store(factor);
        (b * F32x4::load(own)).store(own);
    }
}

/// Where only labels have slopes: b (δ_kl − p_k), from exponentials, in place, and of what [`label_factors`] left.
#[inline(never)]
pub fn chain_labels(x: &mut PlanesMut, channels: usize, label: &[u32], factor: &[f32], own: &[f32]) {
    match channels {
        2..=FEW => with_constant!(channels, [2, 3, 4; 5], |N| {
            softmax_few_chain::chain_labels::<N>(x, label, factor, own);
        }),
        _ => softmax_many::scale(x, channels, label, factor, own),
    }
}

/// Where whole classes have slopes, and labels may have: ∂L/∂z from exponentials, in place. Where sums are given,
/// Σ p φ is added up on the way, as [`add_up_distances`] would to the last bit.
#[inline(never)]
pub fn chain_classes(
    x: &mut PlanesMut,
    labels: Labels,
    slopes: &Slopes,
    map: Option<Planes>,
    work: &mut [Vec<f32>; 4],
    sums: &mut [Sums],
) {
    let map = map.zip(slopes.distances()).map(|(planes, factors)| Map { planes, factors });
    match (slopes.classes().0.len(), map) {
        (..=FEW, None) => chain_few(x, labels, slopes, NoMap, sums),
        (..=FEW, Some(map)) => chain_few(x, labels, slopes, map, sums),
        _ => softmax_many_chain::chain(x, labels, slopes, map, work, sums),
    }
}

fn chain_few<E: Extra>(x: &mut PlanesMut, labels: Labels, slopes: &Slopes, extra: E, sums: &mut [Sums]) {
    with_constant!(slopes.classes().0.len(), [2, 3, 4; 5], |N| softmax_few_chain::chain::<N, E>(x, labels, slopes, extra, sums));
}
