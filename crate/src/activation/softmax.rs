//! Softmax: p_k = e^(z_k − m) / Σ_j e^(z_j − m), m the largest logit.
//!
//! A tile is staged: its planes lie `width` floats apart in memory of their own. Working in the
//! caller's arrays, whose channels often lie a power of two apart, evicts each line before it is
//! used again. The steps are passes over the tile: logits → exponentials → (u, p, q of the labels |
//! probabilities and their sums) → gradient (`softmax_chain`).

use super::softmax_few::FEW;
use super::{OutcomePlanes, SiteRows};
use crate::math::{LogProduct, complement, exp, log1p};
use crate::simd::F32x4;
use crate::tile::{PlanesMut, column, column_mut, sum_runs};
use crate::walk::lockstep;
use std::ops::Range;

/// Below this, own is at the end of its range, or below this part of Σ, Σ / own may overflow: u is taken
/// from the logits.
const SMALLEST: f32 = 1e-34;

/// Six classes or more in groups that are handled at once, so that they share what belongs to a pixel: sums, factors,
/// maps of slopes. Of four, but for the last ones, which may be of three. The first of each, and how many.
pub(super) fn groups(channels: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut first = 0;
    std::iter::from_fn(move || {
        let count = match channels - first {
            left @ ..=4 => left,
            6 | 9 => 3,
            _ => 4,
        };
        first += count;
        (count > 0).then_some((first - count, count))
    })
}

/// Runs an expression for every group of classes from `$first` on, how many there are being a constant.
macro_rules! for_groups {
    ($channels:expr, |$first:ident, $count:ident| $act:expr) => {
        for ($first, count) in $crate::activation::softmax::groups($channels) {
            $crate::activation::with_constant!(count, [3; 4], |$count| $act)
        }
    };
}
pub(super) use for_groups;

/// Multiplies all planes by a factor of each pixel: in groups, or every plane would load it anew.
#[inline(never)]
pub fn multiply_planes(x: &mut PlanesMut, channels: usize, factor: &[f32]) {
    if channels <= FEW {
        return (0..channels).for_each(|k| multiply_rows([x.row(k)], factor));
    }
    for_groups!(channels, |first, N| multiply_rows(x.rows::<N>(first), factor));
}

#[inline(always)]
fn multiply_rows<const N: usize>(rows: [&mut [f32]; N], factor: &[f32]) {
    for ([factor], cells) in lockstep([factor], rows) {
        cells.into_iter().for_each(|cell| (F32x4::load(cell) * factor).store(cell));
    }
}

/// Subtracts the largest logit of each pixel, and leaves it in `top`.
#[inline(never)]
pub fn subtract_top(z: &mut PlanesMut, channels: usize, top: &mut [f32]) {
    top.fill(f32::NEG_INFINITY);
    for k in 0..channels {
        for ([z], [top]) in lockstep([&*z.row(k)], [&mut *top]) {
            z.max(F32x4::load(top)).store(top);
        }
    }
    for k in 0..channels {
        for ([top], [z]) in lockstep([&*top], [z.row(k)]) {
            (F32x4::load(z) - top).store(z);
        }
    }
}

/// From own and others in `rows.p` and `rows.q`: 1 / Σ in `top`'s place, and p and q of the label; with
/// `surprise` u = ln (Σ / own) = log1p (others / own) too. `logit` gives the logit of a class at a pixel
/// again.
#[inline(never)]
pub fn sites(surprise: bool, label: &[u32], top: &mut [f32], rows: &mut SiteRows, logit: Logit) {
    for run in sum_runs(label.len()) {
        if surprise {
            surprises(run.clone(), label, [&*rows.p, &*rows.q, &*top], logit, &mut rows.u[run.clone()]);
        }
        let [top, p, q] = [&mut *top, rows.p, rows.q].map(|row| &mut row[run.clone()]);
        for ([], [top, p, q]) in lockstep([], [top, p, q]) {
            let (own, others) = (F32x4::load(p), F32x4::load(q));
            let inverse = F32x4::splat(1.0) / (own + others);
            inverse.store(top);
            (own * inverse).store(p);
            (others * inverse).store(q);
        }
    }
}

/// Pixels whose product is one, of few classes; of more half as many, since the odds against one of 150 that a network
/// has not learnt to tell apart would leave the range. (Of three classes cross-entropy takes 2 % less than with half.)
const PRODUCT: usize = 64;

/// The same where nobody asks for u of each label: Σ u, 1 / Σ in `top`'s place, and p and q. Only
/// where labels are unlikely do they cost a logarithm each. With the slope that all labels have, where nothing else does,
/// what [`super::softmax_planes::label_factors`] makes of them at once, and no p.
#[inline(never)]
pub fn total_surprise(
    channels: usize,
    label: &[u32],
    top: &mut [f32],
    own: &mut [f32],
    others: &mut [f32],
    slope: Option<f32>,
    logit: Logit,
) -> f64 {
    let (mut total, product) = (0.0, if channels <= FEW { PRODUCT } else { PRODUCT / 2 });
    for whole in sum_runs(own.len()) {
        let mut sum = F32x4::zero();
        for start in whole.clone().step_by(product) {
            let run = start..whole.end.min(start + product);
            let mut logs = LogProduct::default();
            for ([own, others], []) in lockstep([&own[run.clone()], &others[run.clone()]], []) {
                logs.multiply(others / own);
            }
            sum =
                sum + if logs.fits() { logs.lanes() } else { one_by_one(run, label, [&*own, &*others, &*top], logit) };
        }
        total += sum.sum();
    }
    if let Some(slope) = slope {
        let slope = F32x4::splat(-slope);
        for ([own], [factor, others]) in lockstep([&*own], [top, others]) {
            let rest = F32x4::load(others);
            let scale = slope / (own + rest);
            scale.store(factor);
            (-rest * scale).store(others);
        }
        return total;
    }
    for ([], [top, own, others]) in lockstep([], [top, own, others]) {
        let (hit, rest) = (F32x4::load(own), F32x4::load(others));
        let inverse = F32x4::splat(1.0) / (hit + rest);
        inverse.store(top);
        (hit * inverse).store(own);
        (rest * inverse).store(others);
    }
    total
}

/// Σ u of a run, with a logarithm for each.
#[inline(never)]
fn one_by_one(run: Range<usize>, label: &[u32], rows: [&[f32]; 3], logit: Logit) -> F32x4 {
    let mut u = [0.0; PRODUCT];
    let u = &mut u[..run.len()];
    surprises(run, label, rows, logit, u);
    lockstep([u], []).fold(F32x4::zero(), |sum, ([u], [])| sum + u)
}

/// Gives the logit of a class at a pixel.
pub type Logit<'a> = &'a dyn Fn(usize, usize) -> f32;

/// u of the labels of a run, from whole rows: own, others and the largest logit. Where there is no label, own is 1
/// (see `Workspace::divide`).
#[inline(never)]
fn surprises(run: Range<usize>, label: &[u32], rows: [&[f32]; 3], logit: Logit, u: &mut [f32]) {
    let [own, others, top] = rows.map(|row| &row[run.clone()]);
    let least = |sum: f32| SMALLEST * sum.max(1.0);
    let mut is_rare = F32x4::zero().lt(F32x4::zero());
    // Two loops, as for exponentials: in one they would wait.
    for ([own, others], [u]) in lockstep([own, others], [&mut *u]) {
        (others / own).store(u);
        let sum = own + others;
        is_rare = is_rare | own.lt(F32x4::splat(SMALLEST) * sum.max(F32x4::splat(1.0)));
    }
    lockstep([], [&mut *u]).for_each(|([], [u])| log1p(F32x4::load(u)).store(u));
    if is_rare.any() {
        for (i, &label) in label[run.clone()].iter().enumerate() {
            let sum = own[i] + others[i];
            if own[i] < least(sum) {
                // At the end of its range: from the logits.
                let below = f64::from(top[i]) - f64::from(logit(label as usize, run.start + i));
                u[i] = (below + f64::from(sum).ln()) as f32;
            }
        }
    }
}

/// Staged logits to probabilities, in place, and u, p and q of every class.
#[inline(never)]
pub fn forward_dense(x: &mut [f32], width: usize, planes: &mut OutcomePlanes) {
    let (one, zero) = (F32x4::splat(1.0), F32x4::zero());
    for i in 0..width / 4 {
        let mut top = F32x4::splat(f32::NEG_INFINITY);
        for z in column(x, width, i) {
            top = z.max(top);
        }
        // One class is the top; others that tie with it count among the rest.
        let (mut found, mut others) = (zero, zero);
        for (cell, u) in column_mut(x, width, i).zip(column_mut(planes.u, width, i)) {
            let difference = F32x4::load(cell) - top;
            let e = exp(difference);
            difference.store(u);
            e.store(cell);
            let first = difference.eq(zero) & found.eq(zero);
            found = found + one.keep(first);
            others = others + e.drop(first);
        }
        // `found` is 0 only where logits are NaN or infinite.
        let (inverse, log_sum) = (one / (others + found), log1p(others));
        let outcomes =
            column_mut(planes.u, width, i).zip(column_mut(planes.p, width, i)).zip(column_mut(planes.q, width, i));
        for (cell, ((u, p), q)) in column_mut(x, width, i).zip(outcomes) {
            let probability = F32x4::load(cell) * inverse;
            let surprise = log_sum - F32x4::load(u);
            probability.store(cell);
            surprise.store(u);
            probability.store(p);
            complement(probability, surprise).store(q);
        }
    }
}

/// Encodes staged probabilities in place (see [`super::encode`]): 1 − p of the top class is the sum
/// of the others, where they came from logits and add up to 1.
pub fn encode_planes(x: &mut [f32], width: usize, from_logits: bool) {
    let (half, one) = (F32x4::splat(0.5), F32x4::splat(1.0));
    for i in 0..width / 4 {
        let rest = column(x, width, i).fold(F32x4::zero(), |rest, p| rest + p.drop(p.gt(half)));
        for cell in column_mut(x, width, i) {
            let p = F32x4::load(cell);
            super::encode(p, if from_logits { rest } else { one - p }).store(cell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FEW, groups};

    #[test]
    fn no_class_is_left_alone_or_out() {
        for channels in FEW + 1..200 {
            let mut next = 0;
            for (first, count) in groups(channels) {
                assert_eq!(first, next);
                assert!((3..=4).contains(&count));
                next += count;
            }
            assert_eq!(next, channels);
        }
    }
}
