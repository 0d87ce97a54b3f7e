//! Plain arrays, where there is no `v128`: the native tests run on these.

pub type Float = [f32; 4];
pub type Int = [u32; 4];
use core::array::from_fn;
macro_rules! floats { ($($name:ident = $f:expr;)*) => {
    $(#[inline(always)] pub fn $name(a: Float, b: Float) -> Float { let f: fn(f32, f32) -> f32 = $f; from_fn(|i| f(a[i], b[i])) })*
}}
macro_rules! masks { ($($name:ident($type:ty) = $f:expr;)*) => {
    $(#[inline(always)] pub fn $name(a: $type, b: $type) -> Int { from_fn(|i| if $f(&a[i], &b[i]) { u32::MAX } else { 0 }) })*
}}
macro_rules! ints { ($($name:ident = $f:expr;)*) => {
    $(#[inline(always)] pub fn $name(a: Int, b: Int) -> Int { let f: fn(u32, u32) -> u32 = $f; from_fn(|i| f(a[i], b[i])) })*
}}
floats! {
    add = |a, b| a + b; sub = |a, b| a - b; mul = |a, b| a * b; div = |a, b| a / b;
    max = |a, b| if a < b { b } else { a }; min = |a, b| if b < a { b } else { a };
}
masks! { lt(Float) = f32::lt; eq(Float) = f32::eq; int_eq(Int) = u32::eq; }
ints! {
    int_add = u32::wrapping_add; int_sub = u32::wrapping_sub;
    and = |a, b| a & b; or = |a, b| a | b; xor = |a, b| a ^ b; and_not = |a, b| a & !b;
}
#[inline(always)]
pub fn are_one(bytes: &[u8; 4]) -> Int {
    bytes.map(|byte| if byte == 1 { u32::MAX } else { 0 })
}
#[inline(always)]
pub fn neg(a: Float) -> Float {
    a.map(|x| -x)
}
#[inline(always)]
pub fn not(a: Int) -> Int {
    a.map(|x| !x)
}
#[inline(always)]
pub fn select(a: Int, b: Int, mask: Int) -> Int {
    from_fn(|i| (a[i] & mask[i]) | (b[i] & !mask[i]))
}
#[inline(always)]
pub fn to_float(a: Int) -> Float {
    a.map(|x| x as i32 as f32)
}
#[inline(always)]
pub fn splat(value: f32) -> Float {
    [value; 4]
}
#[inline(always)]
pub fn int_splat(value: u32) -> Int {
    [value; 4]
}
#[inline(always)]
pub fn load<T: Copy>(from: &[T; 4]) -> [T; 4] {
    *from
}
#[inline(always)]
pub fn store<T>(value: [T; 4], to: &mut [T; 4]) {
    *to = value;
}
#[inline(always)]
pub fn lanes(value: Float) -> [f32; 4] {
    value
}
#[inline(always)]
pub fn shift_left(value: Int, bits: u32) -> Int {
    value.map(|x| x << bits)
}
#[inline(always)]
pub fn shift_right(value: Int, bits: u32) -> Int {
    value.map(|x| (x as i32 >> bits) as u32)
}
#[inline(always)]
pub fn any(mask: Int) -> bool {
    mask.iter().any(|&x| x != 0)
}
#[inline(always)]
pub fn transpose(rows: [Float; 4]) -> [Float; 4] {
    from_fn(|column| from_fn(|row| rows[row][column]))
}
