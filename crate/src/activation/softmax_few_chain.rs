//! The chain rule of a softmax of two to five classes, from exponentials of [`super::softmax_few`] and in place.

use super::softmax_few::VECTOR;
use super::softmax_many::Labels;
use crate::simd::{F32x4, U32x4};
use crate::slopes::{Extra, Slopes};
use crate::tile::{Planes, PlanesMut, sum_runs};
use crate::view::Sums;
use crate::walk::{Walk, as_bits, lockstep, pixels_mut};

/// ∂L/∂z from exponentials, in place; Σ p φ of each class into `sums`, where there is a map φ and they are not
/// empty. With a the slopes of the classes, h what the label l has on top of its class's, and b its slope in ln p:
///
/// q_k = p_k a_k, and for the label p_l (a_l + h_l) + b; g_k = q_k Σ_{j≠k} p_j − p_k Σ_{j≠k} q_j.
///
/// 1 − p is the sum of the others, so nothing cancels where a class is near 1. What all slopes have in common moves
/// nothing, but would leave its rounding where a label is unlikely: they are measured from the least (those of overlaps
/// are 0 or more), with a map from the largest of the pixel (Lovász's are, but for the label's). Every pair of classes
/// by itself, with p_k p_j (a_k − a_j), took 1.08 times as long for all of Dice, at five classes 1.15.
#[inline(never)]
pub(super) fn chain<const N: usize, E: Extra>(
    x: &mut PlanesMut,
    labels: Labels,
    slopes: &Slopes,
    extra: E,
    sums: &mut [Sums],
) {
    let (constant, hit) = slopes.constant_and_hit();
    let least = least(constant);
    let constant: [_; N] = std::array::from_fn(|k| F32x4::splat(constant[k] - least));
    let hit: [_; N] = std::array::from_fn(|k| F32x4::splat(hit[k]));
    let factor: [_; N] = std::array::from_fn(|k| extra.factor(k));
    let class: [_; N] = std::array::from_fn(|k| U32x4::splat(k as u32));
    let (row, even) = slopes.of_labels(labels.class);
    for run in sum_runs(row.len()) {
        let rows = [as_bits(labels.class), row, labels.inverse].map(|row| &row[run.clone()]);
        let maps: [_; N] = std::array::from_fn(|k| &extra.row(k, row)[run.clone()]);
        let cells = x.rows::<N>(0).map(|row| &mut row[run.clone()]);
        let mut distances = [F32x4::zero(); N];
        let walk = lockstep(rows, []).beside(lockstep(maps, [])).beside(lockstep([], cells));
        for ((([label, b, inverse], []), (map, [])), ([], cells)) in walk {
            let b = even.unwrap_or(b);
            let p: [_; N] = std::array::from_fn(|k| F32x4::load(cells[k]) * inverse);
            let mut a: [_; N] = std::array::from_fn(|k| E::add(constant[k], factor[k], map[k]));
            if E::IS_MAP {
                let most = a.into_iter().fold(a[0], F32x4::max);
                a = a.map(|a| a - most);
            }
            let q: [_; N] = std::array::from_fn(|k| p[k] * a[k] + (p[k] * hit[k] + b).keep(label.bits().eq(class[k])));
            let [other_p, other_q] = [p, q].map(without_each);
            for (k, cell) in cells.into_iter().enumerate() {
                if E::IS_MAP {
                    distances[k] = distances[k] + p[k] * map[k];
                }
                (q[k] * other_p[k] - p[k] * other_q[k]).store(cell);
            }
        }
        if E::IS_MAP {
            sums.iter_mut().zip(distances).for_each(|(sums, sum)| sums.distance += sum.sum());
        }
    }
}

#[inline(never)]
fn least(slopes: &[f32]) -> f32 {
    slopes.iter().fold(f32::INFINITY, |least, &slope| if slope < least { slope } else { least })
}

/// The sum of all but each, of two or more: of those before and those after it.
#[inline(always)]
fn without_each<const N: usize>(values: [F32x4; N]) -> [F32x4; N] {
    let mut after = values;
    (0..N - 1).rev().for_each(|k| after[k] = values[k] + after[k + 1]);
    let (mut before, mut without) = (values[0], [after[1]; N]);
    for k in 1..N - 1 {
        without[k] = before + after[k + 1];
        before = before + values[k];
    }
    without[N - 1] = before;
    without
}

/// Where only labels have slopes: exponentials times a factor of each pixel, in place, and `own` at the labels.
#[inline(always)]
pub fn chain_labels<const N: usize>(x: &mut PlanesMut, label: &[u32], factor: &[f32], own: &[f32]) {
    let class: [_; N] = std::array::from_fn(|j| U32x4::splat(j as u32));
    for ([label, factor, own], cells) in lockstep([as_bits(label), factor, own], x.rows::<N>(0)) {
        for (cell, class) in cells.into_iter().zip(class) {
            let (e, here) = (F32x4::load(cell), label.bits().eq(class));
            here.select(own, e * factor).store(cell);
        }
    }
}

/// The same of four classes, to pixels whose channels lie together.
#[inline(never)]
pub fn chain_labels_to_pixels(x: Planes, to: &mut [f32], label: &[u32], factor: &[f32], own: &[f32]) {
    let class: [_; VECTOR] = std::array::from_fn(|j| U32x4::splat(j as u32));
    let walk = lockstep([as_bits(label), factor, own], []).beside(lockstep(x.rows::<VECTOR>(0), []));
    for ((([label, factor, own], []), (e, [])), pixels) in walk.beside(pixels_mut(to, VECTOR, 0, label.len())) {
        let gradient = std::array::from_fn(|k| label.bits().eq(class[k]).select(own, e[k] * factor));
        pixels.into_iter().zip(F32x4::transpose(gradient)).for_each(|(pixel, row)| row.store(pixel));
    }
}

#[cfg(test)]
mod tests {
    use super::super::softmax_few::FEW;
    use super::super::softmax_many_chain;
    use super::*;
    use crate::batch::NO_LABEL;
    use crate::labels::take_own;
    use crate::math::exp;
    use crate::slopes::{Map, NoMap};

    const WIDTH: usize = 32;

    /// As few classes as there are many of.
    const MANY: usize = FEW + 1;

    /// Both ways of the chain rule on the same exponentials, sums of which differ by ten orders of magnitude. Where there
    /// are many, those beyond N are impossible.
    fn both_ways<const N: usize>(with_map: bool, even: bool) {
        let noise = |i: usize| ((i * 7919 + 13) % 1009) as f32 / 1009.0;
        let label: Vec<u32> = (0..WIDTH).map(|i| if i % 5 == 4 { NO_LABEL } else { (i % N) as u32 }).collect();
        let exponential = |i: usize| exp(F32x4::splat(24.0 * noise(i) - 12.0)).lanes()[0];
        let start: Vec<f32> = (0..MANY * WIDTH).map(|i| if i < N * WIDTH { exponential(i) } else { 0.0 }).collect();
        let map: Vec<f32> = (0..start.len()).map(|i| 4.0 * noise(i + 500) - 2.0).collect();
        let mut slopes = Slopes::default();
        slopes.reset(MANY, 1, WIDTH);
        for k in 0..MANY {
            slopes.add_class(k, f64::from(noise(k + 3)), -2.0 * f64::from(noise(k + 9)), 0.0);
            slopes.add_map(k, f64::from(noise(k + 17)));
        }
        if even {
            slopes.add_even(-0.25);
        } else {
            slopes.b().row(0).iter_mut().enumerate().for_each(|(i, b)| *b = -noise(i + 70));
        }
        let (mut few, mut many) = (start.clone(), start);
        let mut work: [Vec<f32>; 4] = std::array::from_fn(|_| vec![0.0; WIDTH]);
        let factors = slopes.distances().expect("a map").to_vec();
        // 0 where a pixel takes part in nothing.
        let inverse_of = |i: usize| match label[i] {
            NO_LABEL => 0.0,
            _ => 1.0 / (0..N).map(|k| many[k * WIDTH + i]).sum::<f32>(),
        };
        let inverse: Vec<f32> = (0..WIDTH).map(inverse_of).collect();
        let mut own = vec![0.0; WIDTH];
        let [x, y] = [&mut few, &mut many].map(|data| PlanesMut::new(data, WIDTH, WIDTH));
        let (mut x, mut y) = (x, y);
        take_own(&mut y, &label, &mut own);
        let p: Vec<f32> = own.iter().zip(&inverse).map(|(own, inverse)| own * inverse).collect();
        let labels = Labels { class: &label, p: &p, inverse: &inverse };
        if with_map {
            let extra = Map { planes: Planes::new(&map, WIDTH, WIDTH), factors: &factors };
            chain::<N, _>(&mut x, labels, &slopes, extra, &mut []);
            softmax_many_chain::chain(&mut y, labels, &slopes, Some(extra), &mut work, &mut []);
        } else {
            chain::<N, _>(&mut x, labels, &slopes, NoMap, &mut []);
            softmax_many_chain::chain(&mut y, labels, &slopes, None, &mut work, &mut []);
        }
        for (at, (few, many)) in few.into_iter().zip(many).enumerate() {
            assert!((few - many).abs() <= 1e-6 * many.abs() + 2e-7, "{few} and {many} at {at} of {N}");
        }
    }

    #[test]
    fn few_classes_are_chained_like_many() {
        for (with_map, even) in [(false, false), (false, true), (true, false), (true, true)] {
            both_ways::<2>(with_map, even);
            both_ways::<3>(with_map, even);
            both_ways::<4>(with_map, even);
            both_ways::<5>(with_map, even);
        }
    }
}
