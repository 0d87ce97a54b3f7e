//! Softmax of more classes than fit into registers. What a pixel has for its own label is set apart in a row,
//! and its cell is 0, so that the loops over classes look at no label: three operations a vector where comparing
//! takes six. And Σ of the others is built up by itself, so that q and u of the label lose nothing as p → 1.

use super::exponentials::{Halfway, exponentials_of_row, exponentials_of_rows};
use super::softmax::{for_groups, multiply_planes};
use crate::labels::{add_by_label, put_own, read_own, take_own};
use crate::simd::F32x4;
use crate::tile::{Planes, PlanesMut, sum_runs};
use crate::view::Sums;
use crate::walk::{Walk, lockstep};

/// The labels of a tile: the class of each, its p, and 1 / Σ of its pixel's exponentials.
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub struct Labels<'a> {
    pub class: &'a [u32],
    pub p: &'a [f32],
    pub inverse: &'a [f32],
}

/// Exponentials of the logits `z` into the planes of `x`, but those of the labels into `own`; Σ of the others
/// into `others`.
#[inline(never)]
pub fn exponentials(z: Planes, x: &mut PlanesMut, channels: usize, label: &[u32], own: &mut [f32], others: &mut [f32]) {
    // Each row begins with a wait for memory, which they share (at 21 classes, cross-entropy: 0.75 ns per element, where
    // one by one takes 0.99, two 0.84 and seven 0.77).
    if channels == 1 {
        exponentials_of_row(z.row(0), x.row(0));
    } else {
        for_groups!(channels, |first, N| {
            exponentials_of_rows(&mut Halfway::room(), z.rows::<N>(first), x.rows::<N>(first));
        });
    }
    take_own(x, label, own);
    others.fill(0.0);
    if channels == 1 {
        return add_rows::<1>(x.as_planes(), 0, others);
    }
    for_groups!(channels, |first, N| add_rows::<N>(x.as_planes(), first, others));
}

#[inline(always)]
fn add_rows<const N: usize>(x: Planes, first: usize, sum: &mut [f32]) {
    for (cells, [sum]) in lockstep(x.rows::<N>(first), [sum]) {
        cells.into_iter().fold(F32x4::load(sum), |sum, cell| sum + cell).store(sum);
    }
}

/// Adds up each class's Σ p y and Σ p (1 − y), from exponentials.
#[inline(never)]
pub fn add_up(x: &mut PlanesMut, labels: Labels, weights: Option<&[f32]>, sums: &mut [Sums]) {
    for_groups!(sums.len(), |first, N| add_up_others::<N>(x, first, labels.inverse, &mut sums[first..]));
    add_up_labels(labels.class, labels.p, weights, sums, |sums| &mut sums.intersection);
}

#[inline(always)]
fn add_up_others<const N: usize>(x: &mut PlanesMut, first: usize, inverse: &[f32], sums: &mut [Sums]) {
    // Runs are short enough for f32, and their sums go to f64.
    for run in sum_runs(inverse.len()) {
        let planes = x.rows::<N>(first).map(|row| &mut row[run.clone()]);
        let mut others = [F32x4::zero(); N];
        for (([inverse], []), ([], cells)) in lockstep([&inverse[run]], []).beside(lockstep([], planes)) {
            for (sum, cell) in others.iter_mut().zip(cells) {
                let p = F32x4::load(cell) * inverse;
                p.store(cell);
                *sum = *sum + p;
            }
        }
        sums.iter_mut().zip(others).for_each(|(sums, others)| sums.false_positives += others.sum());
    }
}

/// Adds up what the pixels of each label have, times a factor, in one of the sums.
#[inline(never)]
pub fn add_up_labels(
    label: &[u32],
    numbers: &[f32],
    factors: Option<&[f32]>,
    sums: &mut [Sums],
    sum: fn(&mut Sums) -> &mut f64,
) {
    let mut added = vec![0.0; sums.len()];
    add_by_label(label, numbers, factors, &mut added);
    sums.iter_mut().zip(added).for_each(|(sums, added)| *sum(sums) += added);
}

/// Adds up Σ p φ of the labels, whose φ go to `row`.
pub fn add_own_distances(distance: Planes, labels: Labels, row: &mut [f32], sums: &mut [Sums]) {
    read_own(distance, labels.class, row);
    add_up_labels(labels.class, row, Some(labels.p), sums, |sums| &mut sums.distance);
}

/// Exponentials times a factor of each pixel, in place, and `own` into the cells of the labels.
#[inline(never)]
pub fn scale(x: &mut PlanesMut, channels: usize, label: &[u32], factor: &[f32], own: &[f32]) {
    multiply_planes(x, channels, factor);
    put_own(x, label, own);
}
