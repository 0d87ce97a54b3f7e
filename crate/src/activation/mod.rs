//! From logits to probabilities and back: the only place that knows the chain rule.
//!
//! Forward turns a tile of logits into p, and, where a term asks for it, into the surprise u = −ln p
//! and the complement q = 1 − p at the label. Both are computed in log space and keep their
//! *relative* accuracy as p → 1: confident pixels still teach.
//!
//! Chain turns a = ∂L/∂p and b = ∂L/∂ln p into ∂L/∂z, in place over the probabilities.

pub mod exponentials;
pub mod given;
pub mod powers;
pub mod sigmoid;
pub mod sigmoid_rows;
pub mod sigmoid_sweeps;
pub mod softmax;
pub mod softmax_chain;
pub mod softmax_few;
pub mod softmax_few_chain;
pub mod softmax_many;
pub mod softmax_many_chain;
pub mod softmax_pixels;
pub mod softmax_planes;

use crate::batch::NO_LABEL;
use crate::simd::{F32x4, Mask, U32x4};
use crate::tile::{vectors, vectors_mut};
use crate::walk::{as_bits, lockstep};

/// Runs an expression that has a number of classes as a constant: one of these, or else the last.
macro_rules! with_constant {
    ($number:expr, [$($constant:literal),*; $last:literal], |$name:ident| $act:expr) => {
        match $number {
            $($constant => {
                const $name: usize = $constant;
                $act
            })*
            _ => {
                const $name: usize = $last;
                $act
            }
        }
    };
}
use with_constant;

/// Where forward writes what it knows of each site's own label.
pub struct SiteRows<'a> {
    /// −ln p
    pub u: &'a mut [f32],
    /// p
    pub p: &'a mut [f32],
    /// 1 − p
    pub q: &'a mut [f32],
}

/// Where forward writes what it knows of every outcome, plane by plane of the tile's width.
pub struct OutcomePlanes<'a> {
    /// −ln p
    pub u: &'a mut [f32],
    /// p
    pub p: &'a mut [f32],
    /// 1 − p
    pub q: &'a mut [f32],
}

/// One number for p and 1 − p that loses neither: p where p ≤ ½, else −(1 − p), the sign bit telling
/// which. The gradient buffer holds this between the sweeps where 1 − p matters.
#[inline(always)]
pub fn encode(p: F32x4, q: F32x4) -> F32x4 {
    p.gt(F32x4::splat(0.5)).select(-q, p)
}

/// (p, 1 − p) of what [`encode`] wrote.
#[inline(always)]
pub fn decode(code: F32x4) -> (F32x4, F32x4) {
    let large = code.is_negative();
    let one = F32x4::splat(1.0);
    (large.select(one + code, code), large.select(-code, one - code))
}

/// [`decode`] of a single number.
#[inline(always)]
pub fn decode_one(code: f32) -> (f32, f32) {
    if code.is_sign_negative() { (1.0 + code, -code) } else { (code, 1.0 - code) }
}

/// Encodes rows of p and q.
pub fn encode_row(p: &[f32], q: &[f32], code: &mut [f32]) {
    for ((p, q), code) in vectors(p).iter().zip(vectors(q)).zip(vectors_mut(code)) {
        encode(F32x4::load(p), F32x4::load(q)).store(code);
    }
}

/// Rows of p and q from what [`encode_row`] wrote.
pub fn decode_row(code: &[f32], p: &mut [f32], q: &mut [f32]) {
    for ((p, q), code) in vectors_mut(p).iter_mut().zip(vectors_mut(q)).zip(vectors(code)) {
        let (positive, negative) = decode(F32x4::load(code));
        positive.store(p);
        negative.store(q);
    }
}

/// Writes a value to the pixels of a row that have no label.
#[inline(never)]
pub fn fill_masked(label: &[u32], row: &mut [f32], value: f32) {
    for ([label], [cell]) in lockstep([as_bits(label)], [row]) {
        is_masked(label).select(F32x4::splat(value), F32x4::load(cell)).store(cell);
    }
}

/// Copies a row, but for pixels that have no label.
#[inline(never)]
pub fn copy_but_masked(label: &[u32], from: &[f32], to: &mut [f32], value: f32) {
    for ([label, from], [to]) in lockstep([as_bits(label), from], [to]) {
        is_masked(label).select(F32x4::splat(value), from).store(to);
    }
}

/// Where a label is none.
#[inline(always)]
fn is_masked(label: F32x4) -> Mask {
    label.bits().eq(U32x4::splat(NO_LABEL))
}
