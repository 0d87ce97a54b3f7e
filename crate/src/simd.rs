//! Four f32 lanes with the operators of a number, so that a kernel reads as its formula.
//!
//! Two backends, chosen at compile time: WebAssembly's `v128` and plain arrays. They hold no
//! algorithm, only instructions; everything above this file is written once.
//!
//! NaN and signed zero, where the instruction sets differ:
//! - `max` and `min` return `self` when either side is NaN (the x86 `maxps` order, one instruction
//!   in every engine, where WebAssembly's own `f32x4.max` costs several).
//! - comparisons with NaN are false; `select` moves bits and never looks at them.

#![allow(unsafe_code)]

use core::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

#[cfg_attr(all(target_arch = "wasm32", target_feature = "simd128"), path = "simd/v128.rs")]
#[cfg_attr(not(all(target_arch = "wasm32", target_feature = "simd128")), path = "simd/array.rs")]
mod backend;

/// Four f32 lanes.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct F32x4(backend::Float);

/// Four u32 lanes: labels, and the bits of floats.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct U32x4(backend::Int);

/// Four lanes of all ones (true) or all zeros (false).
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Mask(backend::Int);

/// One of two numbers in each lane: two operations, where a `select` of vectors takes three.
#[derive(Clone, Copy)]
pub struct Choice {
    no: F32x4,
    difference: F32x4,
}

impl Choice {
    /// Of these.
    #[inline(always)]
    pub fn new(yes: f32, no: f32) -> Self {
        let difference = F32x4::splat(f32::from_bits(yes.to_bits() ^ no.to_bits()));
        Self { no: F32x4::splat(no), difference }
    }
    /// `yes` where the mask is true, `no` where it is false.
    #[inline(always)]
    pub fn of(self, mask: Mask) -> F32x4 {
        self.no.flip(self.difference.keep(mask).bits())
    }
}

impl F32x4 {
    /// Every lane the same value.
    #[inline(always)]
    pub fn splat(value: f32) -> Self {
        Self(backend::splat(value))
    }
    /// All lanes 0.
    #[inline(always)]
    pub fn zero() -> Self {
        Self::splat(0.0)
    }
    /// Reads four neighbours.
    #[inline(always)]
    pub fn load(from: &[f32; 4]) -> Self {
        Self(backend::load(from))
    }
    /// Writes four neighbours.
    #[inline(always)]
    pub fn store(self, to: &mut [f32; 4]) {
        backend::store(self.0, to)
    }
    /// The larger of each pair; `self` where either is NaN.
    #[inline(always)]
    pub fn max(self, other: Self) -> Self {
        Self(backend::max(self.0, other.0))
    }
    /// The smaller of each pair; `self` where either is NaN.
    #[inline(always)]
    pub fn min(self, other: Self) -> Self {
        Self(backend::min(self.0, other.0))
    }
    /// Clears the sign bit. By a mask: V8 makes three instructions of `f32x4.abs`.
    #[inline(always)]
    pub fn abs(self) -> Self {
        Self::from_bits(U32x4(backend::and(self.bits().0, backend::int_splat(!(1 << 31)))))
    }
    /// The sign bit, set where that of `self` is not.
    #[inline(always)]
    pub fn opposite_sign(self) -> U32x4 {
        U32x4(backend::and_not(backend::int_splat(1 << 31), self.bits().0))
    }
    /// −|self|
    #[inline(always)]
    pub fn negative_abs(self) -> Self {
        let sign = backend::int_splat(1 << 31);
        Self::from_bits(U32x4(backend::or(self.bits().0, sign)))
    }
    /// Negates the lanes where the top bit of `sign` is set; of other bits it flips those that are set.
    #[inline(always)]
    pub fn flip(self, sign: U32x4) -> Self {
        Self::from_bits(U32x4(backend::xor(self.bits().0, sign.0)))
    }
    /// `self < other`, lane by lane.
    #[inline(always)]
    pub fn lt(self, other: Self) -> Mask {
        Mask(backend::lt(self.0, other.0))
    }
    /// `self > other`, lane by lane.
    #[inline(always)]
    pub fn gt(self, other: Self) -> Mask {
        other.lt(self)
    }
    /// `self == other`, lane by lane (0 equals −0).
    #[inline(always)]
    pub fn eq(self, other: Self) -> Mask {
        Mask(backend::eq(self.0, other.0))
    }
    /// True where the sign bit is set, −0 included.
    #[inline(always)]
    pub fn is_negative(self) -> Mask {
        Mask(backend::shift_right(self.bits().0, 31))
    }
    /// Keeps the lanes where the mask is true, +0 elsewhere (even over NaN).
    #[inline(always)]
    pub fn keep(self, mask: Mask) -> Self {
        Self::from_bits(U32x4(backend::and(self.bits().0, mask.0)))
    }
    /// Keeps the lanes where the mask is false, +0 elsewhere (even over NaN).
    #[inline(always)]
    pub fn drop(self, mask: Mask) -> Self {
        Self::from_bits(U32x4(backend::and_not(self.bits().0, mask.0)))
    }
    /// Rows to columns.
    #[inline(always)]
    pub fn transpose(rows: [Self; 4]) -> [Self; 4] {
        backend::transpose(rows.map(|row| row.0)).map(Self)
    }
    /// The lanes as an array.
    #[inline(always)]
    pub fn lanes(self) -> [f32; 4] {
        backend::lanes(self.0)
    }
    /// Sum of the lanes in f64, always in the same order.
    #[inline(always)]
    pub fn sum(self) -> f64 {
        let [a, b, c, d] = self.lanes();
        (f64::from(a) + f64::from(c)) + (f64::from(b) + f64::from(d))
    }
    /// The bits of the lanes.
    #[inline(always)]
    pub fn bits(self) -> U32x4 {
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        return U32x4(self.0);
        #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
        return U32x4(self.0.map(f32::to_bits));
    }
    /// Lanes with these bits.
    #[inline(always)]
    pub fn from_bits(bits: U32x4) -> Self {
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        return Self(bits.0);
        #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
        return Self(bits.0.map(f32::from_bits));
    }
}

impl U32x4 {
    /// Every lane the same value.
    #[inline(always)]
    pub fn splat(value: u32) -> Self {
        Self(backend::int_splat(value))
    }
    /// Reads four neighbours.
    #[inline(always)]
    pub fn load(from: &[u32; 4]) -> Self {
        Self(backend::load(from))
    }
    /// `self == other`, lane by lane.
    #[inline(always)]
    pub fn eq(self, other: Self) -> Mask {
        Mask(backend::int_eq(self.0, other.0))
    }
    /// Shifts every lane left.
    #[inline(always)]
    pub fn shift_left(self, bits: u32) -> Self {
        Self(backend::shift_left(self.0, bits))
    }
    /// Shifts every lane right, repeating the sign bit.
    #[inline(always)]
    pub fn shift_right_signed(self, bits: u32) -> Self {
        Self(backend::shift_right(self.0, bits))
    }
    /// The lanes, read as signed integers, as floats.
    #[inline(always)]
    pub fn to_float(self) -> F32x4 {
        F32x4(backend::to_float(self.0))
    }
    /// Lanes of `self` where the mask is true.
    #[inline(always)]
    pub fn keep(self, mask: Mask) -> Self {
        Self(backend::and(self.0, mask.0))
    }
}

impl Mask {
    /// Reads four neighbouring bytes: true where 1.
    #[inline(always)]
    pub fn are_one(bytes: &[u8; 4]) -> Self {
        Self(backend::are_one(bytes))
    }
    /// The sign bit where true.
    #[inline(always)]
    pub fn sign(self) -> U32x4 {
        U32x4(self.0).shift_left(31)
    }
    /// `yes` where true, `no` where false.
    #[inline(always)]
    pub fn select(self, yes: F32x4, no: F32x4) -> F32x4 {
        F32x4::from_bits(U32x4(backend::select(yes.bits().0, no.bits().0, self.0)))
    }
    /// Whether any lane is true.
    #[inline(always)]
    pub fn any(self) -> bool {
        backend::any(self.0)
    }
}

macro_rules! operators { ($($trait:ident::$method:ident($type:ty) = $op:ident;)*) => {
    $(impl $trait for $type {
        type Output = Self;
        #[inline(always)]
        fn $method(self, other: Self) -> Self { Self(backend::$op(self.0, other.0)) }
    })*
}}
operators! {
    Add::add(F32x4) = add; Sub::sub(F32x4) = sub; Mul::mul(F32x4) = mul; Div::div(F32x4) = div;
    Add::add(U32x4) = int_add; Sub::sub(U32x4) = int_sub;
    BitAnd::bitand(Mask) = and; BitOr::bitor(Mask) = or;
}
impl Neg for F32x4 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(backend::neg(self.0))
    }
}
impl Not for Mask {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        Self(backend::not(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_lane_by_lane() {
        let (a, b) = (F32x4::load(&[1.0, -2.0, 0.5, -0.0]), F32x4::load(&[3.0, -1.0, f32::NAN, 0.0]));
        assert_eq!((a + b).lanes()[..2], [4.0, -3.0]);
        assert_eq!(a.max(b).lanes()[..3], [3.0, -1.0, 0.5]);
        assert_eq!(b.min(a).lanes()[..2], [1.0, -2.0]);
        assert!(b.max(a).lanes()[2].is_nan(), "max keeps self where either is NaN");
        assert_eq!(a.lt(b).select(a, F32x4::zero()).lanes(), [1.0, -2.0, 0.0, 0.0]);
        assert_eq!(a.is_negative().select(F32x4::splat(1.0), F32x4::zero()).lanes(), [0.0, 1.0, 0.0, 1.0]);
        assert_eq!(a.negative_abs().lanes(), [-1.0, -2.0, -0.5, -0.0]);
        assert_eq!(b.keep(a.lt(b)).lanes(), [3.0, -1.0, 0.0, 0.0], "keep clears NaN");
        assert_eq!(a.sum(), -0.5);
        let sign = U32x4::load(&[0, 1, 0, 1]).shift_left(31);
        assert_eq!(a.flip(sign).lanes(), [1.0, 2.0, 0.5, 0.0]);
        let ones = Mask::are_one(&[1, 0, 255, 1]);
        assert_eq!(Choice::new(-0.1, 1e30).of(ones).lanes(), [-0.1, 1e30, 1e30, -0.1], "exactly one of the two");
        assert_eq!(a.flip(ones.sign()).lanes(), [-1.0, -2.0, 0.5, 0.0]);
    }

    #[test]
    fn transposes() {
        let rows: [F32x4; 4] = std::array::from_fn(|i| F32x4::load(&std::array::from_fn(|j| (4 * i + j) as f32)));
        for (j, column) in F32x4::transpose(rows).into_iter().enumerate() {
            assert_eq!(column.lanes(), std::array::from_fn(|i| (4 * i + j) as f32));
        }
    }
}
