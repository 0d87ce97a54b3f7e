//! Objectives: one method per loss of the table, and the evaluation.

use super::{FromRaw, SOFT, product, slice};
use crate::batch::Batch;
use crate::loss::*;
use crate::objective;
use wasm_bindgen::prelude::wasm_bindgen;

/// Weighted losses, evaluated together.
#[wasm_bindgen]
#[derive(Default)]
pub struct Objective {
    inner: objective::Objective,
    layout: Layout,
    fault: Option<crate::census::Fault>,
}

macro_rules! methods { ($($room:ident :: $loss:ident { $($option:ident : $type:ident),* })*) => {
    #[wasm_bindgen]
    impl Objective { $(
        /// Adds this loss.
        #[allow(clippy::too_many_arguments)]
        pub fn $room(&mut self, weight: f64 $(, $option: <$type as FromRaw>::Raw)*) {
            // SAFETY: lists lie in memory that TypeScript wrote for this call.
            let loss = unsafe { $room::$loss { $($option: <$type as FromRaw>::from_raw($option)),* } };
            self.inner.push(weight, loss.build());
        }
    )* }
} }
crate::losses!(methods);

/// Shape and meaning of a batch.
#[derive(Clone, Copy, Default)]
struct Layout {
    images: usize,
    channels: usize,
    size: [usize; 3],
    spacing: [f64; 3],
    sigmoid: bool,
    channels_last: bool,
    from_logits: bool,
    ignore: Option<i64>,
}

impl Layout {
    fn elements(&self) -> usize {
        let [depth, height, width] = self.size;
        product(&[self.images, self.channels, depth, height, width])
    }

    /// # Safety
    /// The pointers lead to arrays of this layout's lengths; those of `weights` and `distance` may be
    /// null.
    unsafe fn batch<'a>(
        &self,
        logits: *const f32,
        target: *const u8,
        target_type: u32,
        weights: *const f32,
        distance: *const f32,
    ) -> Batch<'a> {
        let elements = self.elements();
        let sites = if self.sigmoid { elements } else { elements / self.channels };
        let pixels = elements / self.channels;
        let soft = target_type >= SOFT;
        // SAFETY: promised by the caller.
        unsafe {
            Batch {
                logits: slice(logits, elements),
                target: super::target(target, target_type, if soft { elements } else { sites }),
                images: self.images,
                channels: self.channels,
                size: self.size,
                spacing: self.spacing,
                sigmoid: self.sigmoid,
                channels_last: self.channels_last,
                from_logits: self.from_logits,
                ignore: self.ignore,
                pixel_weights: (!weights.is_null()).then(|| slice(weights, pixels)),
                distance: (!distance.is_null()).then(|| slice(distance, elements)),
            }
        }
    }
}

#[wasm_bindgen]
impl Objective {
    /// An objective without losses.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }
    /// Forgets all losses.
    pub fn clear(&mut self) {
        self.inner.clear();
    }

    /// Shape and meaning of the batches to come. `ignore` is NaN where no label is ignored.
    #[allow(clippy::too_many_arguments)]
    pub fn layout(
        &mut self,
        images: usize,
        channels: usize,
        depth: usize,
        height: usize,
        width: usize,
        depth_spacing: f64,
        height_spacing: f64,
        width_spacing: f64,
        sigmoid: bool,
        channels_last: bool,
        from_logits: bool,
        ignore: f64,
    ) {
        self.layout = Layout {
            images,
            channels,
            size: [depth, height, width],
            spacing: [depth_spacing, height_spacing, width_spacing],
            sigmoid,
            channels_last,
            from_logits,
            ignore: (!ignore.is_nan()).then_some(ignore as i64),
        };
    }

    /// Value, and the gradient where `gradient` is not null. NaN with a `fault` where the data is not
    /// valid; then nothing was written.
    #[allow(clippy::too_many_arguments)]
    pub fn evaluate(
        &mut self,
        logits: *const f32,
        target: *const u8,
        target_type: u32,
        weights: *const f32,
        distance: *const f32,
        gradient: *mut f32,
        check: bool,
    ) -> f64 {
        let layout = self.layout;
        let elements = layout.elements();
        // SAFETY: TypeScript checked every length against the layout, and gives a gradient array that
        // overlaps none of the others.
        let (batch, gradient) = unsafe {
            let batch = layout.batch(logits, target, target_type, weights, distance);
            let gradient = (!gradient.is_null()).then(|| std::slice::from_raw_parts_mut(gradient, elements));
            (batch, gradient)
        };
        self.settle(|inner| inner.evaluate(&batch, gradient, check))
    }

    /// Writes the unreduced loss of every site. Every loss must be pointwise.
    #[allow(clippy::too_many_arguments)]
    pub fn map(
        &mut self,
        logits: *const f32,
        target: *const u8,
        target_type: u32,
        weights: *const f32,
        losses: *mut f32,
        check: bool,
    ) {
        let layout = self.layout;
        let elements = layout.elements();
        let sites = if layout.sigmoid { elements } else { elements / layout.channels };
        // SAFETY: as in `evaluate`.
        let (batch, losses) = unsafe {
            let batch = layout.batch(logits, target, target_type, weights, std::ptr::null());
            (batch, std::slice::from_raw_parts_mut(losses, sites))
        };
        self.settle(|inner| inner.map(&batch, losses, check).map(|()| 0.0));
    }

    fn settle(&mut self, evaluate: impl FnOnce(&mut objective::Objective) -> Result<f64, crate::census::Fault>) -> f64 {
        match evaluate(&mut self.inner) {
            Ok(value) => {
                self.fault = None;
                value
            }
            Err(fault) => {
                self.fault = Some(fault);
                f64::NAN
            }
        }
    }

    /// Value of one loss at the last evaluation, unweighted.
    pub fn value_of(&self, term: usize) -> f64 {
        self.inner.value_of(term)
    }
    /// Which argument was at fault at the last evaluation (see `Argument`), or 0.
    pub fn fault(&self) -> u32 {
        self.fault.map_or(0, |fault| fault.argument as u32)
    }
    /// Where in that argument.
    pub fn fault_index(&self) -> f64 {
        self.fault.map_or(-1.0, |fault| fault.index as f64)
    }
}

#[cfg(test)]
impl Objective {
    /// The objective behind the boundary.
    pub(super) fn inner(&mut self) -> &mut objective::Objective {
        &mut self.inner
    }
}
