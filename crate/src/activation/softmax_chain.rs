//! The chain rule of softmax, with g_k = p_k a_k + b_k: ∂L/∂z_k = g_k − p_k Σ_j g_j.

use crate::batch::NO_LABEL;
use crate::simd::{F32x4, Mask, U32x4};
use crate::slopes::Slopes;
use crate::tile::{Planes, PlanesMut, column, column_mut, vectors};
use crate::walk::{Walk, as_bits, lockstep};

/// Above this a wrong class's own gradient has lost four bits to cancellation.
const NEARLY_ONE: f32 = 0.9375;

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
    for k in 0..channels {
        let class = U32x4::splat(k as u32);
        for ([label, factor, own], [cell]) in lockstep([as_bits(label), inverse, q], [x.row(k)]) {
            let (e, here) = (F32x4::load(cell), label.bits().eq(class));
            ((e - e.keep(here)) * factor + own.keep(here)).store(cell);
        }
    }
}

/// b of each label, or else of all.
fn slope_of_labels<'a>(label: &'a [u32], slopes: &'a Slopes) -> (&'a [f32], Option<F32x4>) {
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
        None => chain_with(x, label, slopes, NoDistances, work),
        Some((planes, factors)) => chain_with(x, label, slopes, Distances { planes, factors }, work),
    }
}

/// What the slope of a class has on top of its constant.
trait Extra: Copy {
    /// Rows it reads for a class: φ, or any that is there anyway.
    fn row<'a>(&'a self, k: usize, other: &'a [f32]) -> &'a [f32];
    /// Factor of what is read.
    fn factor(&self, k: usize) -> F32x4;
    /// A slope and factor times what was read.
    fn add(slope: F32x4, factor: F32x4, row: F32x4) -> F32x4;
}
#[derive(Clone, Copy)]
struct NoDistances;
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
struct Distances<'d> {
    planes: Planes<'d>,
    factors: &'d [f32],
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

fn chain_with<E: Extra>(x: &mut PlanesMut, label: &[u32], slopes: &Slopes, extra: E, work: &mut [Vec<f32>; 5]) {
    let (constant, _, at_label) = slopes.classes();
    let [own, base, weighted, rest, largest] = work.each_mut().map(Vec::as_mut_slice);
    let mut sums = [own, base, weighted, rest, largest];
    sums.iter_mut().for_each(|row| row.fill(0.0));
    let mut first = 0;
    while first < constant.len() {
        let sums = sums.each_mut().map(|row| &mut **row);
        if first + GROUP <= constant.len() {
            weigh_classes::<GROUP, E>(x.as_planes(), label, [constant, at_label], extra, first, sums);
            first += GROUP;
        } else {
            weigh_classes::<1, E>(x.as_planes(), label, [constant, at_label], extra, first, sums);
            first += 1;
        }
    }
    // From here on `own` is the label's gradient, `weighted` the shift and `rest` the factor of the
    // exponentials.
    let (row, even) = slope_of_labels(label, slopes);
    for (i, ([b], [own, base, weighted, rest, largest])) in
        lockstep([row], sums.each_mut().map(|row| &mut **row)).enumerate()
    {
        let b = even.unwrap_or(b);
        let sum = F32x4::load(own) + F32x4::load(rest);
        let inverse = (F32x4::splat(1.0) / sum).keep(sum.gt(F32x4::zero()));
        let [p, w, r, top] = [&*own, &*weighted, &*rest, &*largest].map(|row| F32x4::load(row) * inverse);
        let a = F32x4::load(base);
        (b * r - p * (w - a * r)).store(own);
        ((w + a * p + b) * inverse).store(weighted);
        inverse.store(rest);
        if top.gt(F32x4::splat(NEARLY_ONE)).any() {
            let (slope, done) = from_top(x, constant, extra, i, label, inverse, [p, a, b]);
            // What it wrote stays as it is in the pass that follows: 0 · a − (−1).
            done.select(slope, F32x4::load(own)).store(own);
            done.select(F32x4::splat(-1.0), F32x4::load(weighted)).store(weighted);
            inverse.drop(done).store(rest);
        }
    }
    let [own, _, shift, factor, _] = sums;
    for (k, &a) in constant.iter().enumerate() {
        let (class, a) = (U32x4::splat(k as u32), F32x4::splat(a));
        let (per_distance, distance) = (extra.factor(k), extra.row(k, shift));
        let rows = [as_bits(label), shift, factor, own, distance];
        for ([label, shift, factor, own, distance], [cell]) in lockstep(rows, [x.row(k)]) {
            let (e, here) = (F32x4::load(cell), label.bits().eq(class));
            let slope = E::add(a, per_distance, distance) * factor - shift;
            ((e - e.keep(here)) * slope + own.keep(here)).store(cell);
        }
    }
}

/// Classes handled at once.
const GROUP: usize = 4;

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
    let planes: [_; N] = std::array::from_fn(|j| x.row(first + j));
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

/// The gradient of vector `i` in place where a class other than the label is near 1, measured from that
/// class's slope. Returns the label's own, and at which pixels. `at_label`: its p, a and b.
#[inline(never)]
fn from_top<E: Extra>(
    x: &mut PlanesMut,
    constant: &[f32],
    extra: E,
    i: usize,
    label: &[u32],
    inverse: F32x4,
    [own, own_a, b]: [F32x4; 3],
) -> (F32x4, Mask) {
    let (zero, one) = (F32x4::zero(), F32x4::splat(1.0));
    let here = U32x4::load(&vectors(label)[i]);
    let slope = |(k, &constant): (usize, &f32)| {
        let distance = F32x4::load(&vectors(extra.row(k, as_bits(label)))[i]);
        (k, here.eq(U32x4::splat(k as u32)), E::add(F32x4::splat(constant), extra.factor(k), distance))
    };
    let classes = || constant.iter().enumerate().map(slope);
    let (mut pivot, mut rest, mut found) = (zero, zero, zero);
    for (k, here, a) in classes() {
        let p = (F32x4::load(&x.plane(k)[i]) * inverse).drop(here);
        let is_top = p.gt(F32x4::splat(NEARLY_ONE));
        (pivot, found) = (pivot + a.keep(is_top), found + one.keep(is_top));
        rest = rest + p;
    }
    let found = found.gt(zero);
    let mut mean = own * (own_a - pivot);
    for (k, here, a) in classes() {
        mean = mean + (F32x4::load(&x.plane(k)[i]) * inverse).drop(here) * (a - pivot);
    }
    for (k, _, a) in classes() {
        let cell = &mut x.plane(k)[i];
        let e = F32x4::load(cell);
        found.select(e * inverse * ((a - pivot) - (mean + b)), e).store(cell);
    }
    (b * rest + own * ((own_a - pivot) - mean), found)
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

/// ∂L/∂z over the staged probabilities, with slopes of every kind.
///
/// Σ p a cancels against the a of a class t near p = 1, so slopes are measured from that class's own:
/// p_k (a_k − Σ p a) = p_k ((a_k − a_t) − Σ_{j≠t} p_j (a_j − a_t)). The label's own gradient is always
/// measured so; where a *wrong* class is near 1, all are. The label's probability is not in the tile
/// but in `own`, so that the loops over the classes need no mask.
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
    chain_sites(x, label, own, &slope);
}

fn chain_sites(x: &mut [f32], label: &[u32], own: &[f32], slope: &Slope) {
    let width = label.len();
    let zero = F32x4::zero();
    for i in 0..width / 4 {
        let labels = &vectors(label)[i];
        let weight = match slope.weights {
            Some(weights) => F32x4::load(&vectors(weights)[i]),
            _ => F32x4::splat(1.0),
        };
        // a of class k at these pixels, the label's extra left out.
        let slope_of = |k: usize, p: F32x4| {
            let constant = F32x4::splat(slope.constant[k]);
            let a = (constant + F32x4::splat(slope.square[k]) * p) * weight;
            slope.planes.map_or(a, |planes| a + F32x4::load(&planes.plane(k)[i]))
        };
        // The parts of the label's slope: at p = 1, per q, from planes.
        let (mut certain, mut per_rest, mut extra) = ([0.0; 4], [0.0; 4], [0.0; 4]);
        for j in 0..4 {
            let k = labels[j] as usize;
            if let Some(&at_one) = slope.label.get(k) {
                certain[j] = at_one;
                per_rest[j] = slope.square[k];
                extra[j] = slope.planes.map_or(0.0, |planes| planes.plane(k)[i][j]);
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
        let base = (F32x4::load(&certain) - F32x4::load(&per_rest) * rest) * weight + F32x4::load(&extra);
        let mut label_slope = b * rest - own * (weighted - base * rest);
        if largest.gt(F32x4::splat(NEARLY_ONE)).any() {
            // Rare: a second look, with slopes measured from that class's own.
            let is_top = |p: F32x4| p.gt(F32x4::splat(NEARLY_ONE));
            let classes = || column(x, width, i).enumerate().map(|(k, p)| (p, slope_of(k, p)));
            let pivot = classes().fold(zero, |pivot, (p, a)| pivot + a.keep(is_top(p)));
            let mean = classes().fold(own * (base - pivot), |mean, (p, a)| mean + p * (a - pivot));
            label_slope = is_top(largest).select(b * rest + own * ((base - pivot) - mean), label_slope);
            for (k, cell) in column_mut(x, width, i).enumerate() {
                let p = F32x4::load(cell);
                (p * ((slope_of(k, p) - pivot) - (mean + b))).store(cell);
            }
        } else {
            let shift = weighted + base * own + b;
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
        let (mut pivot, mut b_all, mut b_rest) = (F32x4::zero(), F32x4::zero(), F32x4::zero());
        for (k, p) in column(x, width, i).enumerate() {
            let (b, is_top) = (read(b, k), p.gt(half));
            pivot = pivot + read(a, k).keep(is_top);
            b_all = b_all + b;
            b_rest = b_rest + b.drop(is_top);
        }
        let classes = column(x, width, i).enumerate();
        let mean = classes.fold(F32x4::zero(), |mean, (k, p)| mean + p * (read(a, k) - pivot));
        for (k, cell) in column_mut(x, width, i).enumerate() {
            let (p, a, b) = (F32x4::load(cell), read(a, k), read(b, k));
            let is_top = p.gt(half);
            // q is only there where somebody reported b.
            let q = if slopes.read_b().is_some() { F32x4::load(&q.plane(k)[i]) } else { F32x4::zero() };
            let others = is_top.select(b_rest, b_all - b);
            (p * ((a - pivot) - mean) + (b * q - p * others)).store(cell);
        }
    }
}
