//! The boundary to JavaScript: pointers and numbers only. Slices, strings and results would make
//! wasm-bindgen's glue copy (302 ns a call against 41, measured). What the numbers mean is checked
//! in TypeScript before the call; what they could do to memory is checked here.

#![allow(unsafe_code)]

mod baseline;
mod maps;
mod memory;
mod objective;
#[cfg(test)]
mod tests;

use crate::batch::{Sign, Target};
use crate::loss::{Choice, Classes, Numbers, Over, Reduction, Weighting};

/// A slice of WebAssembly memory.
///
/// # Safety
/// `pointer` must come from `allocate` (or be null with length 0) and have room for `length` values;
/// TypeScript holds it for the length of the call.
unsafe fn slice<'a, T>(pointer: *const T, length: usize) -> &'a [T] {
    if length == 0 || pointer.is_null() {
        return &[];
    }
    // SAFETY: promised by the caller; `allocate` aligns to 16 bytes, and TypeScript keeps offsets at
    // multiples of the element's size.
    unsafe { std::slice::from_raw_parts(pointer, length) }
}

/// The number of float32 in TypeScript's list of target types; integers come before it.
const SOFT: u32 = 6;

/// A target of the type with this number.
///
/// # Safety
/// As of [`slice`]; the array is of this type and has `length` entries.
unsafe fn target<'a>(pointer: *const u8, kind: u32, length: usize) -> Target<'a> {
    // SAFETY: promised by the caller.
    unsafe {
        match kind {
            0 => Target::U8(slice(pointer, length), Sign::Unsigned),
            1 => Target::U8(slice(pointer, length), Sign::Signed),
            2 => Target::U16(slice(pointer.cast(), length), Sign::Unsigned),
            3 => Target::U16(slice(pointer.cast(), length), Sign::Signed),
            4 => Target::U32(slice(pointer.cast(), length), Sign::Unsigned),
            5 => Target::U32(slice(pointer.cast(), length), Sign::Signed),
            SOFT.. => Target::Soft(slice(pointer.cast(), length)),
        }
    }
}

/// The product of all dimensions, if it fits this memory.
fn product(dimensions: &[usize]) -> usize {
    let product = dimensions.iter().try_fold(1usize, |product, &n| product.checked_mul(n));
    product.filter(|n| *n <= usize::MAX / 8).expect("dimensions fit the memory: checked in TypeScript")
}

/// An option as it passes the boundary.
pub trait FromRaw {
    /// The number or pointer it comes as.
    type Raw;
    /// # Safety
    /// A pointer must be null or lead to a count and that many numbers, as TypeScript writes them.
    unsafe fn from_raw(raw: Self::Raw) -> Self;
}

macro_rules! from_raw { ($($type:ty as $raw:ty = $read:expr;)*) => { $(impl FromRaw for $type {
    type Raw = $raw;
    unsafe fn from_raw(raw: $raw) -> Self {
        let read: fn($raw) -> $type = $read;
        read(raw)
    }
})* } }
from_raw! {
    f64 as f64 = |number| number;
    bool as bool = |flag| flag;
    Reduction as u32 = Choice::at;
    Over as u32 = Choice::at;
    Weighting as u32 = Choice::at;
}

/// Null is none, a count of −1 a single number, else numbers behind their count.
impl FromRaw for Numbers {
    type Raw = *const f64;
    unsafe fn from_raw(raw: *const f64) -> Self {
        // SAFETY: promised by the caller.
        match unsafe { raw.as_ref() } {
            None => Self::None,
            Some(count) => {
                // SAFETY: the same.
                let list = |length: usize| unsafe { slice(raw.add(1), length) };
                if *count < 0.0 { Self::One(list(1)[0]) } else { Self::List(list(*count as usize).to_vec()) }
            }
        }
    }
}

/// Null is all, a count of −1 those present, else class numbers behind their count.
impl FromRaw for Classes {
    type Raw = *const f64;
    unsafe fn from_raw(raw: *const f64) -> Self {
        // SAFETY: promised by the caller.
        match unsafe { raw.as_ref() } {
            None => Self::All,
            Some(count) if *count < 0.0 => Self::Present,
            Some(count) => {
                // SAFETY: the same.
                let list = unsafe { slice(raw.add(1), *count as usize) };
                Self::List(list.iter().map(|&class| class as usize).collect())
            }
        }
    }
}
