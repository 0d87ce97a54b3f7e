//! WebAssembly's vectors: instructions, no algorithm.

use core::arch::wasm32::*;
pub type Float = v128;
pub type Int = v128;
macro_rules! ops { ($($name:ident($($arg:ident),*) = $instruction:ident;)*) => {
    $(#[inline(always)] pub fn $name($($arg: v128),*) -> v128 { $instruction($($arg),*) })*
}}
ops! {
    add(a, b) = f32x4_add; sub(a, b) = f32x4_sub; mul(a, b) = f32x4_mul; div(a, b) = f32x4_div;
    max(a, b) = f32x4_pmax; min(a, b) = f32x4_pmin; neg(a) = f32x4_neg;
    lt(a, b) = f32x4_lt; eq(a, b) = f32x4_eq;
    int_eq(a, b) = i32x4_eq; int_add(a, b) = i32x4_add; int_sub(a, b) = i32x4_sub;
    and(a, b) = v128_and; or(a, b) = v128_or; xor(a, b) = v128_xor; and_not(a, b) = v128_andnot; not(a) = v128_not;
    select(a, b, mask) = v128_bitselect; to_float(a) = f32x4_convert_i32x4;
}
#[inline(always)]
pub fn splat(value: f32) -> v128 {
    f32x4_splat(value)
}
#[inline(always)]
pub fn int_splat(value: u32) -> v128 {
    u32x4_splat(value)
}
#[inline(always)]
pub fn load<T>(from: &[T; 4]) -> v128 {
    const { assert!(size_of::<T>() == 4) };
    // SAFETY: a reference to four values of four bytes is readable for 16 bytes; `v128_load`
    // asks for no alignment.
    unsafe { v128_load(from.as_ptr().cast()) }
}
#[inline(always)]
pub fn are_one(bytes: &[u8; 4]) -> v128 {
    // SAFETY: as above, for four bytes.
    let all = unsafe { v128_load32_splat(bytes.as_ptr().cast()) };
    // Each lane looks at a byte of its own: nothing is moved. At all of it, since the compiler would compare a single bit
    // with 0, and V8 makes three instructions of `i32x4.ne`.
    let own = u32x4(0xff, 0xff << 8, 0xff << 16, 0xff << 24);
    int_eq(and(all, own), u32x4(1, 1 << 8, 1 << 16, 1 << 24))
}
#[inline(always)]
pub fn store<T>(value: v128, to: &mut [T; 4]) {
    const { assert!(size_of::<T>() == 4) };
    // SAFETY: as in `load`, writable; every bit pattern is a value of f32 and of u32, the only
    // types this is called with.
    unsafe { v128_store(to.as_mut_ptr().cast(), value) }
}
#[inline(always)]
pub fn lanes(value: v128) -> [f32; 4] {
    let mut to = [0.0; 4];
    store(value, &mut to);
    to
}
#[inline(always)]
pub fn shift_left(value: v128, bits: u32) -> v128 {
    u32x4_shl(value, bits)
}
#[inline(always)]
pub fn shift_right(value: v128, bits: u32) -> v128 {
    i32x4_shr(value, bits)
}
#[inline(always)]
pub fn any(mask: v128) -> bool {
    v128_any_true(mask)
}
#[inline(always)]
pub fn transpose([a, b, c, d]: [v128; 4]) -> [v128; 4] {
    let (ab_low, ab_high) = (i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b));
    let (cd_low, cd_high) = (i32x4_shuffle::<0, 4, 1, 5>(c, d), i32x4_shuffle::<2, 6, 3, 7>(c, d));
    [
        i32x4_shuffle::<0, 1, 4, 5>(ab_low, cd_low),
        i32x4_shuffle::<2, 3, 6, 7>(ab_low, cd_low),
        i32x4_shuffle::<0, 1, 4, 5>(ab_high, cd_high),
        i32x4_shuffle::<2, 3, 6, 7>(ab_high, cd_high),
    ]
}
