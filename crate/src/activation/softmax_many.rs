//! Softmax of more classes than fit into registers. What a pixel has for its own label is set apart in a row,
//! and its cell is 0, so that the loops over classes look at no label: three operations a vector where comparing
//! takes six. And Σ of the others is built up by itself, so that q and u of the label lose nothing as p → 1.

use super::exponentials::{exponentials_of_row, exponentials_of_rows};
use super::softmax::{GROUP, groups, multiply_planes};
use crate::batch::NO_LABEL;
use crate::simd::{F32x4, U32x4};
use crate::tile::{Planes, PlanesMut, SUM_RUN, multiply_row, vectors, vectors_mut};
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
    for (first, count) in groups::<GROUP>(channels) {
        match count {
            // Each row begins with a wait for memory, which they share (at 21 classes, cross-entropy: 0.75 ns per
            // element, where one by one takes 0.99, two 0.84 and seven 0.77).
            GROUP => exponentials_of_rows(z.rows::<GROUP>(first), x.rows::<GROUP>(first)),
            _ => exponentials_of_row(z.row(first), x.row(first)),
        }
    }
    take_own(x, label, own);
    others.fill(0.0);
    for (first, count) in groups::<GROUP>(channels) {
        match count {
            GROUP => add_rows::<GROUP>(x.as_planes(), first, others),
            _ => add_rows::<1>(x.as_planes(), first, others),
        }
    }
}

#[inline(always)]
fn add_rows<const N: usize>(x: Planes, first: usize, sum: &mut [f32]) {
    for (cells, [sum]) in lockstep(x.rows::<N>(first), [sum]) {
        cells.into_iter().fold(F32x4::load(sum), |sum, cell| sum + cell).store(sum);
    }
}

/// Where the cells of the labels are among planes `stride` apart.
enum Cells {
    /// Four neighbours of one class.
    Four(usize),
    /// A single one.
    One(usize),
    /// There is no label.
    None,
}

/// Visits pixels and the cells of their labels. Inside an object neighbours have one label, and four of them move
/// at once (cross-entropy of five classes takes a fifth less).
#[inline(always)]
fn at_labels(label: &[u32], stride: usize, mut visit: impl FnMut(usize, Cells)) {
    let smooth = are_smooth(label);
    for (four, pixel) in vectors(label).iter().zip((0..).step_by(4)) {
        if smooth && is_one_class(four) {
            visit(pixel, Cells::Four(four[0] as usize * stride + pixel));
            continue;
        }
        // One after the other: a loop of always four would be four copies.
        for (&label, pixel) in label[pixel..label.len().min(pixel + 4)].iter().zip(pixel..) {
            let cells = if label == NO_LABEL { Cells::None } else { Cells::One(label as usize * stride + pixel) };
            visit(pixel, cells);
        }
    }
}

/// Whether objects are so large that seven of eight vectors lie in one, by every eighth of them. With more borders it
/// costs more to guess wrong than to move pixels one by one (5 % of Dice, where it is three of four).
#[inline(never)]
fn are_smooth(label: &[u32]) -> bool {
    let sample = vectors(label).iter().step_by(8);
    8 * sample.clone().filter(|four| !are_alike(four)).count() <= sample.len()
}

/// Whether four pixels have the same label.
#[inline(always)]
fn are_alike(label: &[u32; 4]) -> bool {
    !(!U32x4::load(label).eq(U32x4::splat(label[0]))).any()
}

/// Whether four pixels are of one class.
#[inline(always)]
fn is_one_class(label: &[u32; 4]) -> bool {
    label[0] != NO_LABEL && are_alike(label)
}

/// Takes what the planes of the labels have, and leaves 0 there; 0 where there is no label.
#[inline(never)]
pub fn take_own(x: &mut PlanesMut, label: &[u32], own: &mut [f32]) {
    let stride = x.stride();
    let data = x.data_mut();
    at_labels(label, stride, |pixel, cells| match cells {
        Cells::Four(at) => {
            own[pixel..pixel + 4].copy_from_slice(&data[at..at + 4]);
            data[at..at + 4].fill(0.0);
        }
        Cells::One(at) => own[pixel] = std::mem::take(&mut data[at]),
        Cells::None => own[pixel] = 0.0,
    });
}

/// Puts `own` into the planes of the labels.
#[inline(never)]
pub fn put_own(x: &mut PlanesMut, label: &[u32], own: &[f32]) {
    let stride = x.stride();
    let data = x.data_mut();
    at_labels(label, stride, |pixel, cells| match cells {
        Cells::Four(at) => data[at..at + 4].copy_from_slice(&own[pixel..pixel + 4]),
        Cells::One(at) => data[at] = own[pixel],
        Cells::None => {}
    });
}

/// What the planes of the labels have; 0 where there is no label.
#[inline(never)]
pub fn read_own(x: Planes, label: &[u32], own: &mut [f32]) {
    let (data, stride) = (x.data(), x.stride());
    for (pixel, (&label, own)) in label.iter().zip(own).enumerate() {
        *own = if label == NO_LABEL { 0.0 } else { data[label as usize * stride + pixel] };
    }
}

/// Adds up each class's Σ p y and Σ p (1 − y), from exponentials.
#[inline(never)]
pub fn add_up(x: &mut PlanesMut, labels: Labels, weights: Option<&[f32]>, sums: &mut [Sums]) {
    for (first, count) in groups::<GROUP>(sums.len()) {
        match count {
            GROUP => add_up_others::<GROUP>(x, first, labels.inverse, &mut sums[first..]),
            _ => add_up_others::<1>(x, first, labels.inverse, &mut sums[first..]),
        }
    }
    add_by_label(labels.class, labels.p, weights, sums, |sums| &mut sums.intersection);
}

#[inline(always)]
fn add_up_others<const N: usize>(x: &mut PlanesMut, first: usize, inverse: &[f32], sums: &mut [Sums]) {
    // Runs are short enough for f32, and their sums go to f64.
    for start in (0..inverse.len()).step_by(SUM_RUN) {
        let run = start..inverse.len().min(start + SUM_RUN);
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

/// Adds up Σ p φ of the labels, whose φ go to `row`.
pub fn add_own_distances(distance: Planes, labels: Labels, row: &mut [f32], sums: &mut [Sums]) {
    read_own(distance, labels.class, row);
    add_by_label(labels.class, row, Some(labels.p), sums, |sums| &mut sums.distance);
}

/// The number that belongs to the class of each label; 0 where there is no label.
#[inline(never)]
pub fn look_up(label: &[u32], numbers: &[f32], row: &mut [f32]) {
    let smooth = are_smooth(label);
    let of = |label: u32| numbers.get(label as usize).copied().unwrap_or(0.0);
    for (label, row) in vectors(label).iter().zip(vectors_mut(row)) {
        if smooth && is_one_class(label) {
            F32x4::splat(of(label[0])).store(row);
        } else {
            *row = label.map(of);
        }
    }
}

/// Adds up what the pixels of each label have, times a factor, in one of the sums. Four sums of each class: one would
/// wait for its last addition all through a blob.
#[inline(never)]
pub fn add_by_label(
    label: &[u32],
    numbers: &[f32],
    factors: Option<&[f32]>,
    sums: &mut [Sums],
    sum: fn(&mut Sums) -> &mut f64,
) {
    let (mut lanes, smooth) = (vec![[0.0; 4]; sums.len()], are_smooth(label));
    let mut room = [0.0; SUM_RUN];
    for (label, start) in label.chunks(SUM_RUN).zip((0..).step_by(SUM_RUN)) {
        let (mut row, room) = (&numbers[start..][..label.len()], &mut room[..label.len()]);
        if let Some(factors) = factors {
            room.copy_from_slice(row);
            multiply_row(room, &factors[start..][..label.len()]);
            row = room;
        }
        for (label, row) in vectors(label).iter().zip(vectors(row)) {
            // No class, no sum; and sometimes nobody asks for any.
            if smooth && is_one_class(label) {
                if let Some(lanes) = lanes.get_mut(label[0] as usize) {
                    (F32x4::load(lanes) + F32x4::load(row)).store(lanes);
                }
                continue;
            }
            for (lane, label) in label.iter().enumerate() {
                if let Some(lanes) = lanes.get_mut(*label as usize) {
                    lanes[lane] += row[lane];
                }
            }
        }
        for (sums, lanes) in sums.iter_mut().zip(&mut lanes) {
            *sum(sums) += F32x4::load(lanes).sum();
            *lanes = [0.0; 4];
        }
    }
}

/// Exponentials times a factor of each pixel, in place, and `own` into the cells of the labels.
#[inline(never)]
pub fn scale(x: &mut PlanesMut, channels: usize, label: &[u32], factor: &[f32], own: &[f32]) {
    multiply_planes(x, channels, factor);
    put_own(x, label, own);
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 512;
    const CLASSES: usize = 5;

    /// Stripes of `length` pixels, some without a label; their borders lie anywhere in a vector.
    fn stripes(length: usize) -> Vec<u32> {
        (0..WIDTH).map(|i| [3, 0, NO_LABEL, 4, 1][i / length % 5]).collect()
    }

    #[test]
    fn large_objects_and_small_ones_give_the_same() {
        for (length, smooth) in [(3, false), (70, true), (600, true)] {
            let label = stripes(length);
            assert_eq!(are_smooth(&label), smooth);
            let start: Vec<f32> = (0..CLASSES * WIDTH).map(|i| i as f32).collect();
            let at = |i: usize| (label[i] != NO_LABEL).then(|| label[i] as usize * WIDTH + i);
            let of_label = |i| at(i).map_or(0.0, |at| start[at]);

            let (mut x, mut own) = (start.clone(), vec![-1.0; WIDTH]);
            take_own(&mut PlanesMut::new(&mut x, WIDTH, WIDTH), &label, &mut own);
            assert!((0..WIDTH).all(|i| own[i] == of_label(i) && at(i).is_none_or(|at| x[at] == 0.0)));
            assert_eq!(x.iter().sum::<f32>() + own.iter().sum::<f32>(), start.iter().sum());
            put_own(&mut PlanesMut::new(&mut x, WIDTH, WIDTH), &label, &own);
            assert_eq!(x, start);

            let numbers = [0.5, 1.5, 2.5, 3.5, 4.5];
            look_up(&label, &numbers, &mut own);
            assert!((0..WIDTH).all(|i| own[i] == numbers.get(label[i] as usize).copied().unwrap_or(0.0)));

            let mut sums = [Sums::default(); CLASSES];
            add_by_label(&label, &start[..WIDTH], Some(&[2.0; WIDTH]), &mut sums, |sums| &mut sums.intersection);
            for (k, sums) in sums.iter().enumerate() {
                let want: usize = (0..WIDTH).filter(|&i| label[i] == k as u32).sum();
                assert_eq!(sums.intersection, 2.0 * want as f64);
            }
        }
    }
}
