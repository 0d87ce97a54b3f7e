//! The chain rule of a softmax of two to five classes, from exponentials of [`super::softmax_few`] and in place.

use super::softmax_few::VECTOR;
use super::softmax_many::Labels;
use crate::simd::{F32x4, U32x4};
use crate::slopes::{Extra, Slopes};
use crate::tile::{Planes, PlanesMut, SUM_RUN};
use crate::view::Sums;
use crate::walk::{Walk, as_bits, lockstep, pixels_mut};

/// ∂L/∂z from exponentials, in place; Σ p φ of each class into `sums`, where there is a map φ and they are not
/// empty. With a the slopes of the classes, h what the label l has on top of
/// its class's, and t = p_l h_l + b:
///
/// g_k = Σ_j p_k p_j (a_k − a_j) − p_k t, and for the label Σ_j p_l p_j (a_l − a_j) + (1 − p_l) t.
///
/// Every pair of classes is looked at once, and adds to the one what it takes from the other. No difference
/// in it cancels, whichever class is near 1, if 1 − p is the sum of the others.
#[inline(never)]
pub(super) fn chain<const N: usize, E: Extra>(
    x: &mut PlanesMut,
    labels: Labels,
    slopes: &Slopes,
    extra: E,
    sums: &mut [Sums],
) {
    let (constant, hit) = slopes.constant_and_hit();
    let splats = |of: &[f32]| -> [F32x4; N] { std::array::from_fn(|k| F32x4::splat(of[k])) };
    let (constant, hit) = (splats(constant), splats(hit));
    let factor: [_; N] = std::array::from_fn(|k| extra.factor(k));
    let class: [_; N] = std::array::from_fn(|k| U32x4::splat(k as u32));
    let (row, even) = slopes.of_labels(labels.class);
    for start in (0..row.len()).step_by(SUM_RUN) {
        let run = start..row.len().min(start + SUM_RUN);
        let rows = [as_bits(labels.class), row, labels.inverse].map(|row| &row[run.clone()]);
        let maps: [_; N] = std::array::from_fn(|k| &extra.row(k, row)[run.clone()]);
        let cells = x.rows::<N>(0).map(|row| &mut row[run.clone()]);
        let mut distances = [F32x4::zero(); N];
        let walk = lockstep(rows, []).beside(lockstep(maps, [])).beside(lockstep([], cells));
        for ((([label, b, inverse], []), (map, [])), ([], cells)) in walk {
            let p: [_; N] = std::array::from_fn(|k| F32x4::load(cells[k]) * inverse);
            let here = class.map(|class| label.bits().eq(class));
            let (mut t, mut rest) = (even.unwrap_or(b), F32x4::zero());
            let others: [_; N] = std::array::from_fn(|k| {
                let own = p[k].keep(here[k]);
                t = t + own * hit[k];
                rest = rest + (p[k] - own);
                p[k] - own
            });
            let of_label = rest * t;
            let mut gradient: [_; N] = std::array::from_fn(|k| of_label.keep(here[k]) - others[k] * t);
            for k in 0..N {
                if E::IS_MAP {
                    distances[k] = distances[k] + p[k] * map[k];
                }
                for j in k + 1..N {
                    let difference =
                        E::difference([constant[k], constant[j]], [factor[k], factor[j]], [map[k], map[j]]);
                    let flow = p[k] * p[j] * difference;
                    gradient[k] = gradient[k] + flow;
                    gradient[j] = gradient[j] - flow;
                }
            }
            gradient.into_iter().zip(cells).for_each(|(gradient, cell)| gradient.store(cell));
        }
        if E::IS_MAP {
            sums.iter_mut().zip(distances).for_each(|(sums, sum)| sums.distance += sum.sum());
        }
    }
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
        let inverse: Vec<f32> = (0..WIDTH).map(|i| 1.0 / (0..N).map(|k| many[k * WIDTH + i]).sum::<f32>()).collect();
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
