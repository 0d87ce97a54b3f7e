//! Softmax with labels where the channels of a pixel lie together, swept pixel after pixel and where the gradient
//! lies: for losses that need no more than the labels' own u, p and q. The same bits as plane by plane.

use super::exponentials::exponentials_of_row;
use super::softmax_planes::are_healthy;
use crate::batch::NO_LABEL;
use crate::simd::F32x4;
use crate::walk::{Walk, lockstep, pixels};

/// Pixels that stay in the first cache from their exponentials to their sums.
const RUN: usize = 64;

/// Exponentials of the logits `z` into `x`, but those of the labels into `own`; Σ of the others into `others`. In
/// `x` the labels' own are 0. It says no where that of `softmax_planes` would.
#[inline(never)]
pub fn exponentials(z: &[f32], x: &mut [f32], channels: usize, label: &[u32], [own, others]: [&mut [f32]; 2]) -> bool {
    others.fill(0.0);
    for start in (0..label.len()).step_by(RUN) {
        let run = start..label.len().min(start + RUN);
        let floats = start * channels..run.end * channels;
        let (x, others) = (&mut x[floats.clone()], &mut others[run.clone()]);
        exponentials_of_row(&z[floats], x);
        take_own(x, channels, &label[run.clone()], &mut own[run.clone()]);
        // Class after class, as planes are added up.
        let left = channels - channels % 4;
        for first in (0..left).step_by(4) {
            let sums = lockstep([], [&mut *others]);
            for (([], [sum]), block) in sums.beside(pixels(x, channels, first, run.len())) {
                F32x4::transpose(block).into_iter().fold(F32x4::load(sum), |sum, e| sum + e).store(sum);
            }
        }
        for class in left..channels {
            for (pixel, sum) in others.iter_mut().enumerate() {
                *sum += x[pixel * channels + class];
            }
        }
    }
    are_healthy(own, others)
}

/// Takes what `x` has of each label, and leaves 0 there; 0 where there is no label.
#[inline(never)]
fn take_own(x: &mut [f32], channels: usize, label: &[u32], own: &mut [f32]) {
    for ((cells, &label), own) in x.chunks_exact_mut(channels).zip(label).zip(own) {
        *own = if label == NO_LABEL { 0.0 } else { std::mem::take(&mut cells[label as usize]) };
    }
}

/// Exponentials times a factor of each pixel, in place, and `own` into the cells of the labels.
#[inline(never)]
pub fn scale(x: &mut [f32], channels: usize, label: &[u32], factor: &[f32], own: &[f32]) {
    for (((cells, factor), &label), &own) in x.chunks_exact_mut(channels).zip(factor).zip(label).zip(own) {
        cells.iter_mut().for_each(|cell| *cell *= factor);
        if label != NO_LABEL {
            cells[label as usize] = own;
        }
    }
}

/// Subtracts the largest logit of each pixel, and leaves it in `top`.
#[inline(never)]
pub fn subtract_top(z: &mut [f32], channels: usize, top: &mut [f32]) {
    for (cells, top) in z.chunks_exact_mut(channels).zip(top) {
        *top = cells.iter().fold(f32::NEG_INFINITY, |top, z| if top > *z { top } else { *z });
        cells.iter_mut().for_each(|z| *z -= *top);
    }
}
