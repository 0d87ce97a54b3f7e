//! Memory for JavaScript.

use std::alloc::{Layout, alloc, dealloc};
use wasm_bindgen::prelude::wasm_bindgen;

#[cfg(feature = "guarded")]
mod guard;

const ALIGNMENT: usize = 16;

/// Room for this many bytes, aligned to 16; 0 where there is none.
#[wasm_bindgen]
pub fn allocate(bytes: usize) -> *mut u8 {
    match Layout::from_size_align(bytes.max(1), ALIGNMENT) {
        // SAFETY: the size is not zero.
        Ok(layout) => unsafe { alloc(layout) },
        Err(_) => std::ptr::null_mut(),
    }
}

/// Gives back what `allocate` gave for this many bytes.
#[wasm_bindgen]
pub fn release(pointer: *mut u8, bytes: usize) {
    if let Ok(layout) = Layout::from_size_align(bytes.max(1), ALIGNMENT) {
        // SAFETY: TypeScript releases each pointer once, with the size it asked for.
        unsafe { dealloc(pointer, layout) }
    }
}
