//! The chain rule of softmax, with g_k = p_k a_k + b_k: ∂L/∂z_k = g_k − p_k Σ_j g_j.

use crate::batch::NO_LABEL;
use crate::simd::F32x4;
use crate::slopes::Slopes;
use crate::tile::{Planes, column, column_mut, vectors};

/// Above this a wrong class's own gradient has lost four bits to cancellation.
pub(super) const NEARLY_ONE: f32 = 0.9375;

/// The cell of a pixel in the plane of its label, unless it has none.
#[inline(always)]
fn label_cell(x: &mut [f32], width: usize, label: u32, pixel: usize) -> Option<&mut f32> {
    if label == NO_LABEL { None } else { x.get_mut(label as usize * width + pixel) }
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
