//! Memory for JavaScript.

use std::alloc::{Layout, alloc, dealloc};
use wasm_bindgen::prelude::wasm_bindgen;

#[cfg(feature = "guarded")]
mod guard;

/// A cache line.
const ALIGNMENT: usize = 64;
/// Room after each buffer. Buffers of round sizes come one after the other; little more than a multiple of 4 KiB
/// apart, loads from the one wait for stores to the other (0.06 ns per element of a cross-entropy).
/// None where the guard fences every buffer: it must see the first byte too far.
const GAP: usize = if cfg!(feature = "guarded") { 0 } else { 1024 };

fn layout(bytes: usize) -> Option<Layout> {
    Layout::from_size_align(bytes.max(1).checked_add(GAP)?, ALIGNMENT).ok()
}

/// Room for this many bytes, aligned to 64; 0 where there is none.
#[wasm_bindgen]
pub fn allocate(bytes: usize) -> *mut u8 {
    match layout(bytes) {
        // SAFETY: the size is not zero.
        Some(layout) => unsafe { alloc(layout) },
        None => std::ptr::null_mut(),
    }
}

/// Gives back what `allocate` gave for this many bytes.
#[wasm_bindgen]
pub fn release(pointer: *mut u8, bytes: usize) {
    if let Some(layout) = layout(bytes) {
        // SAFETY: TypeScript releases each pointer once, with the size it asked for.
        unsafe { dealloc(pointer, layout) }
    }
}
