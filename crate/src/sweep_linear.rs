//! The sweep of what a loss has that is linear in the logits (see `loss::smoothing`), beside those of the rest.

use crate::activation::fill_masked;
use crate::labels::read_own;
use crate::simd::{F32x4, U32x4};
use crate::tile::{Planes, multiply_row};
use crate::walk::{as_bits, lockstep};
use crate::work::Work;
use crate::workspace::Workspace;

impl Work<'_, '_> {
    /// Given c of each channel: `scale` times what each pixel costs, ω Σ c_k (z_l − z_k), and 0 beyond the tile. With a
    /// gradient its slopes are added there instead, ω (Σ c δ_kl − c_k).
    #[inline(never)]
    pub fn sweep_linear(&mut self, coefficients: &[f32], scale: f32, gradient: Option<&mut [f32]>) -> &[f32] {
        let (place, batch, section) = (self.place, self.place.batch, self.place.section);
        self.space.read(&place);
        let Workspace { width, label, weights, staged, chain: [own, costs, factors, _], .. } = &mut *self.space;
        let (width, outcomes) = (*width, batch.outcomes());
        // Under a sigmoid the outcomes' logits are 0 and z.
        let implied = (outcomes - section.channels) * width;
        staged.resize(outcomes * width, 0.0);
        staged[..implied].fill(0.0);
        place.gather(gradient.as_deref().unwrap_or(batch.logits), &mut staged[implied..], width);
        let c = |outcome: usize| coefficients[if batch.sigmoid { section.class } else { outcome }];
        factors.fill(scale);
        if batch.pixel_weights.is_some() {
            multiply_row(factors, weights);
        }
        fill_masked(label, factors, 0.0);
        if let Some(gradient) = gradient {
            let sum: f32 = (0..outcomes).map(c).sum();
            for (k, row) in staged.chunks_exact_mut(width).enumerate() {
                let class = U32x4::splat(k as u32);
                let (at_label, elsewhere) = (F32x4::splat(sum - c(k)), F32x4::splat(-c(k)));
                for ([label, factor], [cell]) in lockstep([as_bits(label), factors], [row]) {
                    let slope = label.bits().eq(class).select(at_label, elsewhere);
                    (F32x4::load(cell) + factor * slope).store(cell);
                }
            }
            place.scatter(&staged[implied..], gradient, width);
            return &[];
        }
        let z = Planes::new(staged, width, width);
        read_own(z, label, own);
        costs.fill(0.0);
        for k in 0..outcomes {
            let c = F32x4::splat(c(k));
            for ([own, z], [cost]) in lockstep([own, z.row(k)], [&mut *costs]) {
                (F32x4::load(cost) + c * (own - z)).store(cost);
            }
        }
        for ([factor], [cost]) in lockstep([factors], [&mut *costs]) {
            // What weighs nothing costs nothing, whatever its logits are.
            (F32x4::load(cost) * factor).drop(factor.eq(F32x4::zero())).store(cost);
        }
        costs
    }
}
