//! Softmax of few classes: the chain rule for two to four, whose exponentials fit into registers, in one pass over
//! all planes where `softmax_planes` takes three; and the exponentials of two.

use super::softmax_planes::{Extra, slope_of_labels};
use crate::math::exp;
use crate::simd::{F32x4, U32x4};
use crate::slopes::Slopes;
use crate::tile::{Planes, PlanesMut};
use crate::walk::{Walk, as_bits, lockstep};

/// ∂L/∂z from exponentials, in place. With a the slopes of the classes, h what the label l has on top of
/// its class's, and t = p_l h_l + b:
///
/// g_k = Σ_j p_k p_j (a_k − a_j) − p_k t, and for the label Σ_j p_l p_j (a_l − a_j) + (1 − p_l) t.
///
/// Every pair of classes is looked at once, and adds to the one what it takes from the other. No difference
/// in it cancels, whichever class is near 1, if 1 − p is the sum of the others.
#[inline(never)]
pub(super) fn chain<const N: usize, E: Extra>(x: &mut PlanesMut, label: &[u32], slopes: &Slopes, extra: E) {
    let (constant, hit) = slopes.constant_and_hit();
    let splats = |of: &[f32]| -> [F32x4; N] { std::array::from_fn(|k| F32x4::splat(of[k])) };
    let (constant, hit) = (splats(constant), splats(hit));
    let factor: [_; N] = std::array::from_fn(|k| extra.factor(k));
    let maps: [_; N] = std::array::from_fn(|k| extra.row(k, as_bits(label)));
    let class: [_; N] = std::array::from_fn(|k| U32x4::splat(k as u32));
    let (row, even) = slope_of_labels(label, slopes);
    let rows = lockstep([as_bits(label), row], []).beside(lockstep(maps, [])).beside(lockstep([], x.rows::<N>(0)));
    for ((([label, b], []), (map, [])), ([], cells)) in rows {
        let e: [_; N] = std::array::from_fn(|k| F32x4::load(cells[k]));
        let sum = e.iter().fold(F32x4::zero(), |sum, &e| sum + e);
        let inverse = (F32x4::splat(1.0) / sum).keep(sum.gt(F32x4::zero()));
        let p = e.map(|e| e * inverse);
        let here = class.map(|class| label.bits().eq(class));
        let (mut t, mut rest) = (even.unwrap_or(b), F32x4::zero());
        let others: [_; N] = std::array::from_fn(|k| {
            let own = p[k].keep(here[k]);
            t = t + own * hit[k];
            rest = rest + (p[k] - own);
            p[k] - own
        });
        let of_label = rest * t;
        let mut gradient: [_; N] = std::array::from_fn(|k| of_label.keep(here[k]) - others[k] * t);
        for k in 0..N {
            for j in k + 1..N {
                let difference = E::difference([constant[k], constant[j]], [factor[k], factor[j]], [map[k], map[j]]);
                let flow = p[k] * p[j] * difference;
                gradient[k] = gradient[k] + flow;
                gradient[j] = gradient[j] - flow;
            }
        }
        gradient.into_iter().zip(cells).for_each(|(gradient, cell)| gradient.store(cell));
    }
}

/// As [`super::softmax::exponentials`] for two classes, of what is left of the logits when the larger is
/// taken off, which goes to `top`: the larger exponential is 1, and the other the only one to compute.
#[inline(never)]
pub fn exponentials_of_two(
    z: Planes,
    x: &mut PlanesMut,
    label: &[u32],
    top: &mut [f32],
    own: &mut [f32],
    others: &mut [f32],
) {
    let (zero, one) = (F32x4::zero(), F32x4::splat(1.0));
    let [first, second] = z.rows::<2>(0);
    let rows = lockstep([as_bits(label), first, second], [top, own, others]).beside(lockstep([], x.rows::<2>(0)));
    for (([label, first, second], [top, own, others]), ([], cells)) in rows {
        first.max(second).store(top);
        let difference = second - first;
        let e = exp(difference.negative_abs());
        let both = [e.max(one.keep(difference.lt(zero))), e.max(one.keep(difference.gt(zero)))];
        let hits = [0, 1].map(|k| both[k].keep(label.bits().eq(U32x4::splat(k as u32))));
        (hits[0] + hits[1]).store(own);
        ((both[0] - hits[0]) + (both[1] - hits[1])).store(others);
        both.into_iter().zip(cells).for_each(|(e, cell)| e.store(cell));
    }
}
