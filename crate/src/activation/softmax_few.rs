//! Softmax of two to five classes, whose exponentials fit into registers: one pass over all planes where
//! `softmax_many` takes three, and labels are compared with each class.

use super::exponentials::{Halfway, bounded, exponentials_of_rows, runs};
use super::softmax_planes::is_healthy;
use super::with_constant;
use crate::simd::{F32x4, U32x4};
use crate::tile::{Planes, PlanesMut, sum_runs};
use crate::view::Sums;
use crate::walk::{Walk, as_bits, lockstep, pixels};
use std::ops::Range;

/// Classes that are few.
pub const FEW: usize = 5;
/// Classes of a pixel that lie together as a vector does.
pub const VECTOR: usize = 4;

/// Exponentials of N logits `z` into the planes of `x`; those of the labels also into `own`, and Σ of the others into
/// `others`. One less a pixel, against the last class, takes 0.9 of the time of most losses, but a difference of logits
/// is rounded: where the last is at −20, by enough for gradients ten times as far off.
#[inline(always)]
pub fn exponentials<const N: usize>(z: Planes, x: &mut PlanesMut, label: &[u32], own: &mut [f32], others: &mut [f32]) {
    exponentials_on(of_planes::<N>(z, &mut Halfway::room()), x, label, own, others);
}

/// The same of four classes whose logits lie together, turned to planes on their way: a copy that is turned first
/// costs a tenth of the whole.
#[inline(never)]
pub fn exponentials_of_pixels(z: &[f32], x: &mut PlanesMut, label: &[u32], own: &mut [f32], others: &mut [f32]) {
    exponentials_on(of_pixels(z, &mut Halfway::room()), x, label, own, others);
}

/// Writes exponentials of planes of logits to the rows of a run.
#[inline(always)]
fn of_planes<'z, const N: usize>(
    z: Planes<'z>,
    halfway: &'z mut Halfway<N>,
) -> impl FnMut([&mut [f32]; N], Range<usize>) + 'z {
    let z = z.rows::<N>(0);
    move |x, run| exponentials_of_rows(halfway, z.map(|row| &row[run.clone()]), x)
}

/// The same of pixels whose four channels lie together.
#[inline(always)]
fn of_pixels(z: &[f32], halfway: &mut Halfway<VECTOR>) -> impl FnMut([&mut [f32]; VECTOR], Range<usize>) {
    |x, run| exponentials_of_block(halfway, &z[VECTOR * run.start..], x)
}

#[inline(never)]
fn exponentials_of_block(halfway: &mut Halfway<VECTOR>, z: &[f32], x: [&mut [f32]; VECTOR]) {
    halfway.write(x, |halfway, run| {
        let block = pixels(&z[VECTOR * run.start..], VECTOR, 0, run.len());
        halfway.reduce(block, |block| bounded(F32x4::transpose(block)));
    });
}

#[inline(always)]
fn exponentials_on<const N: usize>(
    mut exponentiate: impl FnMut([&mut [f32]; N], Range<usize>),
    x: &mut PlanesMut,
    label: &[u32],
    own: &mut [f32],
    others: &mut [f32],
) {
    let class: [_; N] = std::array::from_fn(|k| U32x4::splat(k as u32));
    exponentiate(x.rows::<N>(0), 0..label.len());
    let cells = lockstep(x.as_planes().rows::<N>(0), []);
    for (([label], [own, others]), (e, [])) in lockstep([as_bits(label)], [own, others]).beside(cells) {
        let (mut hit, mut sum) = (F32x4::zero(), F32x4::zero());
        for (e, class) in e.into_iter().zip(class) {
            let mine = e.keep(label.bits().eq(class));
            hit = hit + mine;
            // A difference: the compiler makes three instructions of `drop`.
            sum = sum + (e - mine);
        }
        hit.store(own);
        sum.store(others);
    }
}

/// Logits `z` to probabilities, and each class's Σ p y and Σ p (1 − y), run by run while it is in the first cache
/// (a tenth of Dice of four classes): where nobody asks what a pixel has for its own label. `inverse` is room for a
/// factor of each pixel. It says no, and adds nothing, where `softmax_planes::exponentials` would.
#[inline(always)]
pub fn probabilities<const N: usize>(
    z: Planes,
    x: &mut PlanesMut,
    label: &[u32],
    inverse: &mut [f32],
    sums: &mut [Sums],
) -> bool {
    probabilities_on(of_planes::<N>(z, &mut Halfway::room()), x, label, inverse, sums)
}

/// The same of four classes whose logits lie together.
#[inline(never)]
pub fn probabilities_of_pixels(
    z: &[f32],
    x: &mut PlanesMut,
    label: &[u32],
    inverse: &mut [f32],
    sums: &mut [Sums],
) -> bool {
    probabilities_on(of_pixels(z, &mut Halfway::room()), x, label, inverse, sums)
}

#[inline(always)]
fn probabilities_on<const N: usize>(
    mut exponentiate: impl FnMut([&mut [f32]; N], Range<usize>),
    x: &mut PlanesMut,
    label: &[u32],
    inverse: &mut [f32],
    sums: &mut [Sums],
) -> bool {
    let (zero, one) = (F32x4::zero(), F32x4::splat(1.0));
    let (mut added, mut healthy) = ([Sums::default(); N], zero.eq(zero));
    for run in sum_runs(label.len()) {
        exponentiate(x.rows::<N>(0).map(|row| &mut row[run.clone()]), run.clone());
        let cells = lockstep(x.as_planes().rows::<N>(0).map(|row| &row[run.clone()]), [&mut inverse[run.clone()]]);
        for (e, [inverse]) in cells {
            let sum = e.into_iter().fold(zero, |sum, e| sum + e);
            healthy = healthy & is_healthy(sum);
            (one / sum).store(inverse);
        }
        add_up_run::<N>(x, label, inverse, run, &mut added);
    }
    let healthy = !(!healthy).any();
    if healthy {
        sums.iter_mut().zip(&added).for_each(|(sums, added)| sums.merge(added));
    }
    healthy
}

/// As [`exponentials`] for two classes, of what is left of the logits when the larger is
/// taken off, which goes to `top`: the larger exponential is 1, and the other the only one to compute.
#[inline(never)]
pub fn exponentials_of_two(
    z: Planes,
    x: &mut PlanesMut,
    label: &[u32],
    top: &mut [f32],
    own: &mut [f32],
    others: &mut [f32],
) {
    let (zero, one) = (F32x4::zero(), F32x4::splat(1.0));
    let mut halfway = Halfway::room();
    for run in runs(label.len()) {
        let z = z.rows::<2>(0).map(|row| &row[run.clone()]);
        let [x, difference] = x.rows::<2>(0).map(|row| &mut row[run.clone()]);
        halfway.reduce(lockstep(z, [&mut top[run.clone()], &mut *difference]), |([first, second], [top, to])| {
            let difference = second - first;
            first.max(second).store(top);
            difference.store(to);
            [difference.negative_abs()]
        });
        let rows = lockstep([as_bits(&label[run.clone()])], [&mut own[run.clone()], &mut others[run], x, difference]);
        halfway.expand(rows, |[e], ([label], [own, others, first, second])| {
            let difference = F32x4::load(second);
            let both = [e.max(one.keep(difference.lt(zero))), e.max(one.keep(difference.gt(zero)))];
            let hits = [0, 1].map(|k| both[k].keep(label.bits().eq(U32x4::splat(k as u32))));
            (hits[0] + hits[1]).store(own);
            ((both[0] - hits[0]) + (both[1] - hits[1])).store(others);
            both[0].store(first);
            both[1].store(second);
        });
    }
}

/// Adds up each class's Σ p y and Σ p (1 − y), and turns exponentials to probabilities.
#[inline(never)]
pub fn add_up(x: &mut PlanesMut, label: &[u32], inverse: &[f32], sums: &mut [Sums]) {
    with_constant!(sums.len(), [2, 3, 4; 5], |N| add_up_classes::<N>(x, label, inverse, sums));
}

#[inline(always)]
fn add_up_classes<const N: usize>(x: &mut PlanesMut, label: &[u32], inverse: &[f32], sums: &mut [Sums]) {
    sum_runs(label.len()).for_each(|run| add_up_run::<N>(x, label, inverse, run, sums));
}

/// The same of a run that is short enough for sums in f32.
#[inline(never)]
fn add_up_run<const N: usize>(x: &mut PlanesMut, label: &[u32], inverse: &[f32], run: Range<usize>, sums: &mut [Sums]) {
    let class: [_; N] = std::array::from_fn(|j| U32x4::splat(j as u32));
    let rows = [as_bits(label), inverse].map(|row| &row[run.clone()]);
    let planes = x.rows::<N>(0).map(|row| &mut row[run.clone()]);
    let (mut hit, mut others) = ([F32x4::zero(); N], [F32x4::zero(); N]);
    for (([label, inverse], []), ([], cells)) in lockstep(rows, []).beside(lockstep([], planes)) {
        for j in 0..N {
            let p = F32x4::load(cells[j]) * inverse;
            p.store(cells[j]);
            let mine = p.keep(label.bits().eq(class[j]));
            hit[j] = hit[j] + mine;
            others[j] = others[j] + (p - mine);
        }
    }
    for (sums, (hit, others)) in sums.iter_mut().zip(hit.into_iter().zip(others)) {
        sums.intersection += hit.sum();
        sums.false_positives += others.sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::NO_LABEL;

    #[test]
    fn two_exponentials_are_those_of_what_is_left_below_the_larger() {
        let z: Vec<f32> = (0..32).map(|i| if i < 16 { 3.0 } else { i as f32 - 20.0 }).collect();
        let label: Vec<u32> = (0..16).map(|i| if i == 3 { NO_LABEL } else { i % 2 }).collect();
        let mut x = [0.0; 32];
        let [mut top, mut own, mut others] = [[0.0; 16]; 3];
        let planes = Planes::new(&z, 16, 16);
        exponentials_of_two(planes, &mut PlanesMut::new(&mut x, 16, 16), &label, &mut top, &mut own, &mut others);
        for i in 0..16 {
            let pair = [z[i], z[16 + i]];
            let largest = pair[0].max(pair[1]);
            let e = pair.map(|z| (z - largest).exp());
            let hit = if label[i] == NO_LABEL { 0.0 } else { e[label[i] as usize] };
            for (got, want) in [(x[i], e[0]), (x[16 + i], e[1]), (own[i], hit), (others[i], e[0] + e[1] - hit)] {
                assert!((got - want).abs() < 1e-6, "{got} instead of {want} at {i}");
            }
            assert_eq!(top[i], largest);
        }
    }

    #[test]
    fn exponentials_are_of_the_logits_as_they_are() {
        let z: Vec<f32> = (0..48).map(|i| ((i * 7919 + 13) % 1009) as f32 / 100.0 - 5.0).collect();
        let label: Vec<u32> = (0..16).map(|i| if i == 3 { NO_LABEL } else { i % 3 }).collect();
        let (mut x, [mut own, mut others]) = ([0.0; 48], [[0.0; 16]; 2]);
        let mut planes = PlanesMut::new(&mut x, 16, 16);
        exponentials::<3>(Planes::new(&z, 16, 16), &mut planes, &label, &mut own, &mut others);
        for i in 0..16 {
            let e = [0, 1, 2].map(|k| f64::from(z[16 * k + i]).exp());
            let hit = if label[i] == NO_LABEL { 0.0 } else { e[label[i] as usize] };
            let wanted = [e[0], e[1], e[2], hit, e.iter().sum::<f64>() - hit];
            for (got, want) in [x[i], x[16 + i], x[32 + i], own[i], others[i]].into_iter().zip(wanted) {
                assert!((f64::from(got) - want).abs() <= 1e-6 * want, "{got} instead of {want} at {i}");
            }
        }
    }

    #[test]
    fn probabilities_and_sums_come_at_once_or_not_at_all() {
        const LENGTH: usize = 176;
        let mut z: Vec<f32> = (0..4 * LENGTH).map(|i| ((i * 7919 + 13) % 1009) as f32 / 100.0 - 5.0).collect();
        let label: Vec<u32> = (0..LENGTH as u32).map(|i| i / 3 % 4).collect();
        let (mut x, mut inverse, mut sums) = (vec![0.0; 4 * LENGTH], vec![0.0; LENGTH], [Sums::default(); 4]);
        let mut run = |z: &[f32], x: &mut [f32], sums: &mut [Sums]| {
            let mut x = PlanesMut::new(x, LENGTH, LENGTH);
            probabilities::<4>(Planes::new(z, LENGTH, LENGTH), &mut x, &label, &mut inverse, sums)
        };
        assert!(run(&z, &mut x, &mut sums));
        let mut wanted = [[0.0; 2]; 4];
        for (i, &label) in label.iter().enumerate() {
            let e: [f64; 4] = std::array::from_fn(|k| f64::from(z[k * LENGTH + i]).exp());
            for (k, wanted) in wanted.iter_mut().enumerate() {
                let p = e[k] / e.iter().sum::<f64>();
                assert!((f64::from(x[k * LENGTH + i]) - p).abs() < 1e-6, "class {k} of pixel {i}");
                wanted[usize::from(k != label as usize)] += p;
            }
        }
        for (sums, [intersection, false_positives]) in sums.iter().zip(wanted) {
            assert!((sums.intersection - intersection).abs() < 1e-4);
            assert!((sums.false_positives - false_positives).abs() < 1e-4);
        }
        for spoiled in [-100.0, 300.0, f32::NAN] {
            (0..4).for_each(|k| z[k * LENGTH + 150] = spoiled);
            let mut none = [Sums::default(); 4];
            assert!(!run(&z, &mut x, &mut none));
            assert!(none.iter().all(|sums| sums.predicted() == 0.0));
        }
    }
}
