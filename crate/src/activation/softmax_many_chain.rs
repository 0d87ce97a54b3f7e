//! The chain rule of a softmax of many classes, from exponentials and in place.

use super::softmax::for_groups;
use super::softmax_chain::NEARLY_ONE;
use super::softmax_many::{Labels, add_own_distances};
use crate::labels::{look_up, put_own};
use crate::simd::F32x4;
use crate::slopes::{Extra, Map, NoMap, Slopes};
use crate::tile::{Planes, PlanesMut, sum_runs, vectors, vectors_mut};
use crate::view::Sums;
use crate::walk::{Walk, lockstep};

/// ∂L/∂z where whole classes have slopes, and labels may have, in two passes over the planes:
/// 1. Σ p a and Σ p of the classes other than the label, and the largest p among them; on the way, where there
///    is a map φ, Σ p φ of each class into `sums` (if they are not empty),
/// 2. p_k (a_k − shift), and what belongs to the label into its place.
#[inline(never)]
pub fn chain(
    x: &mut PlanesMut,
    labels: Labels,
    slopes: &Slopes,
    map: Option<Map>,
    work: &mut [Vec<f32>; 4],
    sums: &mut [Sums],
) {
    let (constant, _, at_label) = slopes.classes();
    let Labels { class, p, inverse } = labels;
    let [own, weighted, rest, largest] = work.each_mut().map(Vec::as_mut_slice);
    let mut rows = [&mut *weighted, &mut *rest, &mut *largest];
    rows.iter_mut().for_each(|row| row.fill(0.0));
    match map {
        None => weigh(x.as_planes(), constant, inverse, NoMap, rows, sums),
        Some(map) => weigh(x.as_planes(), constant, inverse, map, rows, sums),
    }
    match map {
        None => look_up(class, at_label, own),
        Some(Map { planes, factors }) => {
            // Now, while the map is near.
            add_own_distances(planes, labels, own, sums);
            for (own, &class) in own.iter_mut().zip(class) {
                let class = class as usize;
                *own = factors.get(class).map_or(0.0, |factor| at_label[class] + factor * *own);
            }
        }
    }
    let (row, even) = slopes.of_labels(class);
    let rows = [&mut *own, &mut *weighted, &mut *largest];
    let tops = settle_tops(x.as_planes(), (constant, map), (row, even), [p, inverse], rows);
    // From here on `own` is the label's gradient, and `weighted` the shift.
    let read = [row, p, inverse, &*rest, &*largest];
    for ([b, p, inverse, rest, largest], [own, weighted]) in lockstep(read, [&mut *own, &mut *weighted]) {
        let b = even.unwrap_or(b);
        let is_settled = largest.lt(F32x4::zero());
        let (a, q, mean) = (F32x4::load(own), rest * inverse, F32x4::load(weighted) * inverse);
        is_settled.select(a, b * q - p * (mean - a * q)).store(own);
        is_settled.select(F32x4::load(weighted), mean + a * p + b).store(weighted);
    }
    match map {
        None => finish(x, [weighted, inverse], constant, NoMap),
        Some(map) => finish(x, [weighted, inverse], constant, map),
    }
    put_own(x, class, own);
    for Top { class, pixel, gradient } in tops {
        x.row(class)[pixel] = gradient;
    }
}

/// The first pass; `rows`: Σ p a, Σ p and the largest p, not divided by Σ of the exponentials.
fn weigh<E: Extra>(
    x: Planes,
    constant: &[f32],
    inverse: &[f32],
    extra: E,
    mut rows: [&mut [f32]; 3],
    sums: &mut [Sums],
) {
    for_groups!(constant.len(), |first, N| {
        let rows = rows.each_mut().map(|row| &mut **row);
        weigh_classes::<N, E>(x, constant, inverse, extra, first, rows, sums);
    });
}

/// The second pass. `rows`: shift, and factor of the exponentials.
fn finish<E: Extra>(x: &mut PlanesMut, rows: [&[f32]; 2], constant: &[f32], extra: E) {
    for_groups!(constant.len(), |first, N| finish_classes::<N, E>(x, rows, constant, extra, first));
}

#[inline(always)]
fn weigh_classes<const N: usize, E: Extra>(
    x: Planes,
    constant: &[f32],
    inverse: &[f32],
    extra: E,
    first: usize,
    rows: [&mut [f32]; 3],
    sums: &mut [Sums],
) {
    let constant: [_; N] = std::array::from_fn(|j| F32x4::splat(constant[first + j]));
    let factor: [_; N] = std::array::from_fn(|j| extra.factor(first + j));
    let [weighted, rest, largest] = rows;
    for run in sum_runs(inverse.len()) {
        let planes = x.rows::<N>(first).map(|row| &row[run.clone()]);
        let maps: [_; N] = std::array::from_fn(|j| &extra.row(first + j, inverse)[run.clone()]);
        let rows = [&mut *weighted, &mut *rest, &mut *largest].map(|row| &mut row[run.clone()]);
        let mut sum = [F32x4::zero(); N];
        let walk = lockstep([&inverse[run]], []).beside(lockstep(maps, [])).beside(lockstep(planes, rows));
        for ((([inverse], []), (map, [])), (e, rows)) in walk {
            let [mut weighted, mut rest, mut largest] = rows.each_ref().map(|row| F32x4::load(row));
            for j in 0..N {
                if E::IS_MAP {
                    sum[j] = sum[j] + e[j] * inverse * map[j];
                }
                weighted = weighted + e[j] * E::add(constant[j], factor[j], map[j]);
                rest = rest + e[j];
                largest = e[j].max(largest);
            }
            [weighted, rest, largest].into_iter().zip(rows).for_each(|(sum, to)| sum.store(to));
        }
        if E::IS_MAP {
            sums.iter_mut().skip(first).zip(sum).for_each(|(sums, sum)| sums.distance += sum.sum());
        }
    }
}

#[inline(always)]
fn finish_classes<const N: usize, E: Extra>(
    x: &mut PlanesMut,
    rows: [&[f32]; 2],
    constant: &[f32],
    extra: E,
    first: usize,
) {
    let constant: [_; N] = std::array::from_fn(|j| F32x4::splat(constant[first + j]));
    let per_map: [_; N] = std::array::from_fn(|j| extra.factor(first + j));
    let maps: [_; N] = std::array::from_fn(|j| extra.row(first + j, rows[0]));
    let walk = lockstep(rows, []).beside(lockstep(maps, [])).beside(lockstep([], x.rows::<N>(first)));
    for ((([shift, factor], []), (map, [])), ([], cells)) in walk {
        for (j, cell) in cells.into_iter().enumerate() {
            let slope = E::add(constant[j], per_map[j], map[j]) - shift;
            (F32x4::load(cell) * factor * slope).store(cell);
        }
    }
}

/// The gradient of a class other than the label that is near 1.
#[derive(Clone, Default)]
struct Top {
    class: usize,
    pixel: usize,
    gradient: f32,
}

/// Where a class other than the label is near 1, Σ p a cancels against its a, so slopes are measured from
/// that: the sums of all others make the shift, which goes to where the weighted sum was, and the label's
/// gradient, which goes to where its slope was. Such pixels have a largest p of −1 afterwards. Returns the
/// gradient of the class itself.
#[inline(never)]
fn settle_tops(
    x: Planes,
    slopes: (&[f32], Option<Map>),
    (row, even): (&[f32], Option<F32x4>),
    [p, inverse]: [&[f32]; 2],
    rows: [&mut [f32]; 3],
) -> Vec<Top> {
    let [base, weighted, largest] = rows.map(vectors_mut);
    let [row, p, inverse] = [row, p, inverse].map(vectors);
    // First where they are: at five classes of noise half of the vectors have one, which nothing foresees.
    let mut places = vec![0; base.len()];
    let mut count = 0;
    for (i, (largest, inverse)) in largest.iter().zip(inverse).enumerate() {
        places[count] = i;
        count += usize::from((F32x4::load(largest) * F32x4::load(inverse)).gt(F32x4::splat(NEARLY_ONE)).any());
    }
    let mut tops = vec![Top::default(); 4 * count];
    let mut found = 0;
    for &i in &places[..count] {
        let (top, inverse) = (F32x4::load(&largest[i]), F32x4::load(&inverse[i]));
        let is_top = (top * inverse).gt(F32x4::splat(NEARLY_ONE));
        let (p, b, own_a) = (F32x4::load(&p[i]), even.unwrap_or(F32x4::load(&row[i])), F32x4::load(&base[i]));
        let others = beside_top(x, slopes, i, inverse);
        let q = others.sum * inverse;
        let mean = (others.weighted - others.pivot * others.sum) * inverse + p * (own_a - others.pivot);
        let of_label = b * (q + top * inverse) + p * ((own_a - others.pivot) - mean);
        is_top.select(of_label, own_a).store(&mut base[i]);
        is_top.select(others.pivot + mean + b, F32x4::load(&weighted[i])).store(&mut weighted[i]);
        is_top.select(F32x4::splat(-1.0), top).store(&mut largest[i]);
        let (class, gradients) = (others.class.lanes(), (top * inverse * -(mean + b)).lanes());
        for j in 0..4 {
            tops[found] = Top { class: class[j] as usize, pixel: 4 * i + j, gradient: gradients[j] };
            found += usize::from(largest[i][j] < 0.0);
        }
    }
    tops.truncate(found);
    tops
}

/// The classes beside the label and the one near 1: Σ e a, Σ e; and which that is, and its a.
struct BesideTop {
    weighted: F32x4,
    sum: F32x4,
    pivot: F32x4,
    class: F32x4,
}

#[inline(never)]
fn beside_top(x: Planes, (constant, map): (&[f32], Option<Map>), i: usize, inverse: F32x4) -> BesideTop {
    let zero = F32x4::zero();
    let mut others = BesideTop { weighted: zero, sum: zero, pivot: zero, class: zero };
    for (k, &constant) in constant.iter().enumerate() {
        let mut a = F32x4::splat(constant);
        if let Some(map) = map {
            a = Map::add(a, map.factor(k), F32x4::load(&map.planes.plane(k)[i]));
        }
        let e = F32x4::load(&x.plane(k)[i]);
        let is_top = (e * inverse).gt(F32x4::splat(NEARLY_ONE));
        let other = e - e.keep(is_top);
        others.weighted = others.weighted + other * a;
        others.sum = others.sum + other;
        others.pivot = others.pivot + a.keep(is_top);
        others.class = others.class + F32x4::splat(k as f32).keep(is_top);
    }
    others
}
