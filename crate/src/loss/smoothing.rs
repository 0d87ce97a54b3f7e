//! Label smoothing of a cross-entropy: y_k ← (1 − ε) y_k + ε/K over K outcomes.
//!
//! A label l then costs (1 − ε) w_l u_l + (ε/K) Σ w_k u_k. No outcome but l needs a logarithm, nor a probability of its
//! own, since u_k = u_l + z_l − z_k:
//!
//! ```text
//! ℓ = ((1 − ε) w_l + C) u_l + Σ c_k (z_l − z_k)        c_k = (ε/K) w_k, C = Σ c_k
//! ```
//!
//! The first term is a cross-entropy with other weights. The second, whose ∂/∂z_k is C δ_kl − c_k, is added where it is
//! linear: in the logits (`sweep_linear`). Soft targets, and what is given as probabilities, have u of every outcome
//! taken instead (at 21 classes 11 ns per element instead of 2.4).

use crate::batch::Batch;

/// ε, and what follows from it for a batch.
#[derive(Default)]
pub struct Smoothing {
    epsilon: f64,
    /// c of each channel, where labels are smoothed in the logits; else empty.
    coefficients: Vec<f32>,
}

impl Smoothing {
    /// With this ε.
    pub fn new(epsilon: f64) -> Self {
        Self { epsilon, coefficients: Vec::new() }
    }
    /// Whether u of every outcome is needed.
    pub fn needs_outcomes(&self, batch: &Batch) -> bool {
        self.epsilon > 0.0 && (batch.soft() || !batch.from_logits)
    }
    /// What y of K outcomes is multiplied with, and what is added.
    pub fn of_shares(&self, outcomes: usize) -> [f32; 2] {
        [(1.0 - self.epsilon) as f32, (self.epsilon / outcomes as f64) as f32]
    }
    /// Turns the weights of the outcomes of each section to those of u of the labels, and notes c.
    #[inline(never)]
    pub fn begin(&mut self, batch: &Batch, table: &mut [f32]) {
        self.coefficients.clear();
        if self.epsilon == 0.0 || self.needs_outcomes(batch) {
            return;
        }
        let (outcomes, share) = (batch.outcomes(), self.epsilon / batch.outcomes() as f64);
        let of_channel = |k| table[if batch.sigmoid { k * outcomes } else { k }];
        self.coefficients.extend((0..batch.channels).map(|k| (share * f64::from(of_channel(k))) as f32));
        for weights in table.chunks_mut(outcomes) {
            let added = share * weights.iter().map(|&weight| f64::from(weight)).sum::<f64>();
            weights.iter_mut().for_each(|w| *w = ((1.0 - self.epsilon) * f64::from(*w) + added) as f32);
        }
    }
    /// c of each channel.
    pub fn coefficients(&self) -> &[f32] {
        &self.coefficients
    }
}
