//! The floor that the benchmarks measure losses against.

use super::slice;
use crate::activation::exponentials::exponentials_of_row;
use wasm_bindgen::prelude::wasm_bindgen;

/// Reads `length` floats, a multiple of 4, and writes their exponentials: what one activation costs
/// at the least.
#[wasm_bindgen]
pub fn exp_sweep(from: *const f32, to: *mut f32, length: usize) {
    // SAFETY: the benchmark gives two arrays of this length that do not overlap.
    let (from, to) = unsafe { (slice(from, length), std::slice::from_raw_parts_mut(to, length)) };
    exponentials_of_row(from, to);
}
