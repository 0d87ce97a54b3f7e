//! The floor that the benchmarks measure losses against.

use super::slice;
use crate::math::exp;
use crate::simd::F32x4;
use crate::tile::{vectors, vectors_mut};
use wasm_bindgen::prelude::wasm_bindgen;

/// Reads `length` floats, a multiple of 4, and writes their exponentials: what one activation costs
/// at the least.
#[wasm_bindgen]
pub fn exp_sweep(from: *const f32, to: *mut f32, length: usize) {
    // SAFETY: the benchmark gives two arrays of this length that do not overlap.
    let (from, to) = unsafe { (slice(from, length), std::slice::from_raw_parts_mut(to, length)) };
    for (from, to) in vectors(from).iter().zip(vectors_mut(to)) {
        exp(F32x4::load(from)).store(to);
    }
}
