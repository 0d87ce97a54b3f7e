//! The chain rule of softmax over whole planes, from exponentials and in place: where slopes are constant
//! for a class, or grow with the distances that came with the batch. `softmax_chain` is for the rest.

use super::softmax::GROUP;
use super::softmax_chain::NEARLY_ONE;
use super::softmax_few;
use crate::simd::{F32x4, U32x4};
use crate::slopes::Slopes;
use crate::tile::{Planes, PlanesMut, vectors};
use crate::walk::{Walk, as_bits, lockstep};

/// Where only labels have slopes: b (δ_kl − p_k), from exponentials, in place; δ − p of the label is q.
#[inline(never)]
pub fn chain_labels(
    x: &mut PlanesMut,
    channels: usize,
    label: &[u32],
    inverse: &mut [f32],
    q: &mut [f32],
    slopes: &Slopes,
) {
    let (row, even) = slope_of_labels(label, slopes);
    for ([b], [factor, own]) in lockstep([row], [&mut *inverse, &mut *q]) {
        let b = even.unwrap_or(b);
        (-b * F32x4::load(factor)).store(factor);
        (b * F32x4::load(own)).store(own);
    }
    for first in (0..channels).step_by(GROUP) {
        match channels - first {
            1 => chain_labels_of::<1>(x, first, label, inverse, q),
            2 => chain_labels_of::<2>(x, first, label, inverse, q),
            3 => chain_labels_of::<3>(x, first, label, inverse, q),
            _ => chain_labels_of::<GROUP>(x, first, label, inverse, q),
        }
    }
}

#[inline(always)]
fn chain_labels_of<const N: usize>(x: &mut PlanesMut, first: usize, label: &[u32], factor: &[f32], own: &[f32]) {
    let class: [_; N] = std::array::from_fn(|j| U32x4::splat((first + j) as u32));
    for ([label, factor, own], cells) in lockstep([as_bits(label), factor, own], x.rows::<N>(first)) {
        for (cell, class) in cells.into_iter().zip(class) {
            let (e, here) = (F32x4::load(cell), label.bits().eq(class));
            ((e - e.keep(here)) * factor + own.keep(here)).store(cell);
        }
    }
}

/// b of each label, or else of all.
pub(super) fn slope_of_labels<'a>(label: &'a [u32], slopes: &'a Slopes) -> (&'a [f32], Option<F32x4>) {
    slopes.read_b().map_or((as_bits(label), Some(F32x4::splat(slopes.even()))), |b| (b.row(0), None))
}

/// Where whole classes have slopes, and labels may have: ∂L/∂z from exponentials, in place, for classes
/// whose slope is constant, but for a factor times the distance φ. As [`chain`], in two passes over the planes:
/// 1. Σ p a and Σ p of the classes other than the label, and the largest p among them,
/// 2. p_k (a_k − shift), and what belongs to the label into its place.
#[inline(never)]
pub fn chain_classes(
    x: &mut PlanesMut,
    label: &[u32],
    slopes: &Slopes,
    distance: Option<Planes>,
    work: &mut [Vec<f32>; 5],
) {
    match distance.zip(slopes.distances()) {
        None => chain_of(x, label, slopes, NoDistances, work),
        Some((planes, factors)) => chain_of(x, label, slopes, Distances { planes, factors }, work),
    }
}

fn chain_of<E: Extra>(x: &mut PlanesMut, label: &[u32], slopes: &Slopes, extra: E, work: &mut [Vec<f32>; 5]) {
    match slopes.classes().0.len() {
        2 => softmax_few::chain::<2, E>(x, label, slopes, extra),
        3 => softmax_few::chain::<3, E>(x, label, slopes, extra),
        4 => softmax_few::chain::<4, E>(x, label, slopes, extra),
        _ => chain_with(x, label, slopes, extra, work),
    }
}

/// What the slope of a class has on top of its constant.
pub(super) trait Extra: Copy {
    /// Rows it reads for a class: φ, or any that is there anyway.
    fn row<'a>(&'a self, k: usize, other: &'a [f32]) -> &'a [f32];
    /// Factor of what is read.
    fn factor(&self, k: usize) -> F32x4;
    /// A slope and factor times what was read.
    fn add(slope: F32x4, factor: F32x4, row: F32x4) -> F32x4;
    /// The difference of two slopes.
    #[inline(always)]
    fn difference(slope: [F32x4; 2], factor: [F32x4; 2], row: [F32x4; 2]) -> F32x4 {
        Self::add(slope[0], factor[0], row[0]) - Self::add(slope[1], factor[1], row[1])
    }
}
#[derive(Clone, Copy)]
pub(super) struct NoDistances;
impl Extra for NoDistances {
    #[inline(always)]
    fn row<'a>(&'a self, _k: usize, other: &'a [f32]) -> &'a [f32] {
        other
    }
    #[inline(always)]
    fn factor(&self, _k: usize) -> F32x4 {
        F32x4::zero()
    }
    #[inline(always)]
    fn add(slope: F32x4, _factor: F32x4, _row: F32x4) -> F32x4 {
        slope
    }
}
#[derive(Clone, Copy)]
pub(super) struct Distances<'d> {
    pub planes: Planes<'d>,
    pub factors: &'d [f32],
}
impl Extra for Distances<'_> {
    #[inline(always)]
    fn row<'a>(&'a self, k: usize, _other: &'a [f32]) -> &'a [f32] {
        self.planes.row(k)
    }
    #[inline(always)]
    fn factor(&self, k: usize) -> F32x4 {
        F32x4::splat(self.factors[k])
    }
    #[inline(always)]
    fn add(slope: F32x4, factor: F32x4, row: F32x4) -> F32x4 {
        slope + factor * row
    }
}

pub(super) fn chain_with<E: Extra>(
    x: &mut PlanesMut,
    label: &[u32],
    slopes: &Slopes,
    extra: E,
    work: &mut [Vec<f32>; 5],
) {
    let (constant, _, at_label) = slopes.classes();
    let [own, base, weighted, rest, largest] = work.each_mut().map(Vec::as_mut_slice);
    let mut sums = [own, base, weighted, rest, largest];
    sums.iter_mut().for_each(|row| row.fill(0.0));
    for (first, count) in groups(constant.len()) {
        let sums = sums.each_mut().map(|row| &mut **row);
        match count {
            GROUP => weigh_classes::<GROUP, E>(x.as_planes(), label, [constant, at_label], extra, first, sums),
            _ => weigh_classes::<1, E>(x.as_planes(), label, [constant, at_label], extra, first, sums),
        }
    }
    let b = slope_of_labels(label, slopes);
    let slope = |k: usize, i: usize| {
        let map = F32x4::load(&vectors(extra.row(k, as_bits(label)))[i]);
        E::add(F32x4::splat(constant[k]), extra.factor(k), map)
    };
    let tops = settle_tops(x.as_planes(), label, constant.len(), &slope, b, sums.each_mut().map(|row| &mut **row));
    // From here on `own` is the label's gradient, `weighted` the shift and `rest` the factor of the
    // exponentials.
    let (row, even) = b;
    for ([b], [own, base, weighted, rest, largest]) in lockstep([row], sums.each_mut().map(|row| &mut **row)) {
        let b = even.unwrap_or(b);
        let is_settled = F32x4::load(largest).lt(F32x4::zero());
        let sum = F32x4::load(own) + F32x4::load(rest);
        let inverse = (F32x4::splat(1.0) / sum).keep(sum.gt(F32x4::zero()));
        let [p, w, r] = [&*own, &*weighted, &*rest].map(|row| F32x4::load(row) * inverse);
        let a = F32x4::load(base);
        is_settled.select(a, b * r - p * (w - a * r)).store(own);
        is_settled.select(F32x4::load(weighted), w + a * p + b).store(weighted);
        inverse.store(rest);
    }
    let [own, _, shift, factor, _] = sums;
    let rows: [&[f32]; 4] = [as_bits(label), shift, factor, own];
    for (first, count) in groups(constant.len()) {
        match count {
            GROUP => finish_classes::<GROUP, E>(x, rows, constant, extra, first),
            _ => finish_classes::<1, E>(x, rows, constant, extra, first),
        }
    }
    for Top { class, pixel, gradient } in tops {
        x.row(class)[pixel] = gradient;
    }
}

/// Classes in groups, and those left one by one: the first, and how many.
fn groups(channels: usize) -> impl Iterator<Item = (usize, usize)> {
    let left = channels - channels % GROUP;
    let whole = (0..left).step_by(GROUP).map(|first| (first, GROUP));
    whole.chain((left..channels).map(|first| (first, 1)))
}

/// Adds N classes to what [`chain_classes`] sums: own and slope at the label, Σ p a and Σ p of the others,
/// and the largest of them.
#[inline(always)]
fn weigh_classes<const N: usize, E: Extra>(
    x: Planes,
    label: &[u32],
    slope: [&[f32]; 2],
    extra: E,
    first: usize,
    sums: [&mut [f32]; 5],
) {
    let [constant, at_label] =
        slope.map(|slope| -> [F32x4; N] { std::array::from_fn(|j| F32x4::splat(slope[first + j])) });
    let class: [_; N] = std::array::from_fn(|j| U32x4::splat((first + j) as u32));
    let planes = x.rows::<N>(first);
    let per_distance: [_; N] = std::array::from_fn(|j| extra.factor(first + j));
    let distances: [_; N] = std::array::from_fn(|j| extra.row(first + j, as_bits(label)));
    let rows = lockstep([as_bits(label)], []).beside(lockstep(distances, [])).beside(lockstep(planes, sums));
    for ((([label], []), (distance, [])), (e, sums)) in rows {
        let [mut own, mut base, mut weighted, mut rest, mut largest] = sums.each_ref().map(|sum| F32x4::load(sum));
        for j in 0..N {
            let here = label.bits().eq(class[j]);
            let mine = e[j].keep(here);
            let other = e[j] - mine;
            own = own + mine;
            base = base + E::add(at_label[j], per_distance[j], distance[j]).keep(here);
            weighted = weighted + other * E::add(constant[j], per_distance[j], distance[j]);
            rest = rest + other;
            largest = other.max(largest);
        }
        [own, base, weighted, rest, largest].into_iter().zip(sums).for_each(|(sum, to)| sum.store(to));
    }
}

/// The last pass of [`chain_classes`] over N classes. `rows`: label, shift, factor of the exponentials, and
/// the label's gradient.
#[inline(always)]
fn finish_classes<const N: usize, E: Extra>(
    x: &mut PlanesMut,
    rows: [&[f32]; 4],
    constant: &[f32],
    extra: E,
    first: usize,
) {
    let constant: [_; N] = std::array::from_fn(|j| F32x4::splat(constant[first + j]));
    let class: [_; N] = std::array::from_fn(|j| U32x4::splat((first + j) as u32));
    let per_distance: [_; N] = std::array::from_fn(|j| extra.factor(first + j));
    let distances: [_; N] = std::array::from_fn(|j| extra.row(first + j, rows[0]));
    let rows = lockstep(rows, []).beside(lockstep(distances, [])).beside(lockstep([], x.rows::<N>(first)));
    for ((([label, shift, factor, own], []), (distance, [])), ([], cells)) in rows {
        for (j, cell) in cells.into_iter().enumerate() {
            let (e, here) = (F32x4::load(cell), label.bits().eq(class[j]));
            let slope = E::add(constant[j], per_distance[j], distance[j]) - shift;
            ((e - e.keep(here)) * factor * slope + own.keep(here)).store(cell);
        }
    }
}

/// The gradient of a class other than the label that is near 1.
struct Top {
    class: usize,
    pixel: usize,
    gradient: f32,
}

/// Gives the slope of a class at a vector of pixels.
type SlopeAt<'a> = &'a dyn Fn(usize, usize) -> F32x4;

/// Where a class other than the label is near 1, Σ p a cancels against its a, so slopes are measured from
/// that: the sums of all others make the shift, which goes to where the weighted sum was, and the label's
/// gradient, which goes to where its slope was. Such pixels have a largest p of −1 afterwards. Returns the
/// gradient of the class itself.
#[inline(never)]
fn settle_tops(
    x: Planes,
    label: &[u32],
    channels: usize,
    slope: SlopeAt,
    (row, even): (&[f32], Option<F32x4>),
    sums: [&mut [f32]; 5],
) -> Vec<Top> {
    let mut tops = Vec::new();
    for (i, ([b], [own, base, weighted, rest, largest])) in lockstep([row], sums).enumerate() {
        let (own, top) = (F32x4::load(own), F32x4::load(largest));
        let least = (own + F32x4::load(rest)) * F32x4::splat(NEARLY_ONE);
        let is_top = top.gt(least);
        if !is_top.any() {
            continue;
        }
        let (b, own_a) = (even.unwrap_or(b), F32x4::load(base));
        let inverse = F32x4::splat(1.0) / (own + F32x4::load(rest));
        let others = beside_top(x, label, channels, slope, i, least);
        let (p, q) = (own * inverse, others.sum * inverse);
        let mean = (others.weighted - others.pivot * others.sum) * inverse + p * (own_a - others.pivot);
        let of_label = b * (q + top * inverse) + p * ((own_a - others.pivot) - mean);
        is_top.select(of_label, own_a).store(base);
        is_top.select(others.pivot + mean + b, F32x4::load(weighted)).store(weighted);
        is_top.select(F32x4::splat(-1.0), top).store(largest);
        let gradients = (top * inverse * -(mean + b)).lanes();
        let tops_here = (0..4).filter(|&j| largest[j] < 0.0);
        tops.extend(tops_here.map(|j| Top {
            class: others.class.lanes()[j] as usize,
            pixel: 4 * i + j,
            gradient: gradients[j],
        }));
    }
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
fn beside_top(x: Planes, label: &[u32], channels: usize, slope: SlopeAt, i: usize, least: F32x4) -> BesideTop {
    let here = U32x4::load(&vectors(label)[i]);
    let zero = F32x4::zero();
    let mut others = BesideTop { weighted: zero, sum: zero, pivot: zero, class: zero };
    for k in 0..channels {
        let a = slope(k, i);
        let e = F32x4::load(&x.plane(k)[i]);
        let e = e - e.keep(here.eq(U32x4::splat(k as u32)));
        let is_top = e.gt(least);
        let other = e - e.keep(is_top);
        others.weighted = others.weighted + other * a;
        others.sum = others.sum + other;
        others.pivot = others.pivot + a.keep(is_top);
        others.class = others.class + F32x4::splat(k as f32).keep(is_top);
    }
    others
}
