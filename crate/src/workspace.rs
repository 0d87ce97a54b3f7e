//! The memory of one tile, reused for all: what is staged, and how it gets in and out.
//!
//! A tile is gathered from the caller's arrays into planes of its own, padded to the lanes, and
//! scattered back; so channels-last, the last pixels of a section and the usual case are one case.

use crate::activation::softmax_few::FEW;
mod place;

pub use self::place::{Place, for_each_tile};

use self::place::{any_zero, longest};
use crate::batch::{Batch, NO_LABEL, Target};
use crate::loss::Needs;
use crate::slopes::Slopes;
use crate::tile::{BLOCK, Planes};
use crate::view::{Outcomes, Site, Tile, Truth};

/// Rows and planes of one tile.
#[derive(Default)]
pub struct Workspace {
    pub(crate) width: usize,
    pub(crate) outcomes: usize,
    pub(crate) needs: Needs,
    /// What those losses need that do not sweep rows apart (see `Needs::apart`).
    pub(crate) together: Needs,
    /// Whether truth is told outcome by outcome.
    pub(crate) dense: bool,
    pub(crate) label: Vec<u32>,
    /// The same under a sigmoid, where they cannot be read as they came.
    pub(crate) bytes: Vec<u8>,
    /// Whether some pixel of the tile takes part in nothing.
    pub(crate) masked: bool,
    pub(crate) weights: Vec<f32>,
    pub(crate) distance: Vec<f32>,
    /// Logits, where a softmax cannot read them where they lie.
    pub(crate) staged: Vec<f32>,
    /// Logits, then exponentials or probabilities, then the gradient.
    pub(crate) x: Vec<f32>,
    /// Under a softmax: what was taken from the logits before the exponentials in `x`, then what makes p of them:
    /// 1 / Σ, and once classes were added up 1, or 1 / ω.
    pub(crate) inverse: Vec<f32>,
    /// Of many classes: p of each label, on its way back to its plane.
    pub(crate) own: Vec<f32>,
    /// p and q of a sigmoid.
    pub(crate) p: Vec<f32>,
    pub(crate) q: Vec<f32>,
    /// u, p, q of each label.
    pub(crate) site: [Vec<f32>; 3],
    /// y, u, p, q of each outcome.
    pub(crate) outcome: [Vec<f32>; 4],
    /// Rows that the chain rule works in.
    pub(crate) chain: [Vec<f32>; 4],
    pub(crate) slopes: Slopes,
    /// Whether sweeps go by planes (`sweep_planes`).
    pub(crate) by_planes: bool,
    /// Of more classes than fit into registers, or a single one: planes then hold nothing of the labels' own (`softmax_many`).
    pub(crate) many: bool,
    /// Whether they go by pixels instead (`sweep_pixels`).
    pub(crate) by_pixels: bool,
    /// Whether the gradient buffer holds a tile's planes one after the other until the gradient is in them, where
    /// the channels of a pixel lie together in the end. Saves two transposed copies between sweeps, and the
    /// last one writes to lines that are in the cache (0.2 ns per element instead of 0.6).
    pub(crate) in_blocks: bool,
}

impl Workspace {
    /// Makes ready for a batch.
    pub fn prepare(&mut self, batch: &Batch, needs: Needs, together: Needs) {
        self.together = together;
        self.width = 0;
        let dense = batch.soft() || needs.outcomes;
        (self.needs, self.dense, self.outcomes) = (needs, dense, batch.outcomes());
        let softmax = !batch.sigmoid && batch.from_logits && !dense;
        let summed = needs.sums || needs.distance;
        let weighted = softmax
            && summed
            && batch.pixel_weights.is_some_and(|weights| {
                // Sums with weights divide by them.
                needs.planes || needs.distance || !all_divide(weights)
            });
        let elsewhere = needs.squares || needs.logit_slopes || needs.planes && needs.distance || weighted;
        self.many = !(2..=FEW).contains(&batch.channels);
        // A single class is always certain: not worth a kernel.
        let softmax = softmax && batch.channels > 1;
        self.by_planes = softmax && !elsewhere;
        // Two classes have a kernel that looks for the larger logit.
        self.by_pixels = self.by_planes && self.many && !summed && !needs.planes && batch.channels_last;
    }
    /// Floats that planes take to sweep them where the gradient does not lie as they need it.
    pub fn staged_floats(&self, batch: &Batch, gradient: bool) -> usize {
        if !self.by_planes || gradient && !batch.channels_last && !self.needs.planes {
            return 0;
        }
        let width = longest(batch, true).min(batch.pixels().next_multiple_of(BLOCK));
        (2 * batch.channels).saturating_mul(width + BLOCK)
    }
    /// Sizes everything for a tile, unless the last one was as wide: two dozen calls that do nothing took 0.06 ns
    /// per pixel.
    pub fn fit(&mut self, batch: &Batch, width: usize) {
        if self.width == width {
            return;
        }
        self.width = width;
        let channels = if batch.sigmoid { 1 } else { batch.channels };
        self.label.resize(width, 0);
        resize(&mut self.x, if self.by_planes { 0 } else { channels * width });
        // Distances are staged unless they can be read where they lie.
        let staged = self.needs.distance && !self.by_planes;
        resize(&mut self.distance, if staged { channels * width } else { 0 });
        let rows = [&mut self.weights, &mut self.inverse, &mut self.own, &mut self.p, &mut self.q];
        rows.into_iter().chain(&mut self.site).chain(&mut self.chain).for_each(|row| resize(row, width));
        let size = if self.dense { self.outcomes * width } else { 0 };
        self.outcome.iter_mut().for_each(|planes| resize(planes, size));
    }

    /// How far apart staged planes lie. Where their width is not chosen for it (see `tile_width`), an odd
    /// number of blocks.
    pub(crate) fn stride(&self) -> usize {
        if self.by_planes { ((self.width / BLOCK) | 1) * BLOCK } else { self.width }
    }

    /// What the losses see of a tile.
    pub(crate) fn tile<'t>(&'t mut self, place: &Place<'t, 't>) -> (Tile<'t>, &'t mut Slopes) {
        let Self { width, outcomes, dense, label, masked, weights, distance, x, p, q, site, outcome, slopes, .. } =
            self;
        let planes = |planes| Planes::new(planes, *width, *width);
        let truth = if *dense {
            let [y, u, p, q] = &*outcome;
            Truth::Dense(Outcomes { y: planes(y), u: planes(u), p: planes(p), q: planes(q) })
        } else {
            let [u, p, q] = &*site;
            Truth::Hard { label, site: Site { u, p, q } }
        };
        let tile = Tile {
            section: place.section,
            start: place.start,
            length: place.length,
            outcomes: *outcomes,
            masked: *masked,
            weights: place.batch.pixel_weights.map(|_| &**weights),
            probability: planes(if place.batch.sigmoid { p } else { x }),
            complement: place.batch.sigmoid.then_some(&**q),
            truth,
            distance: (!distance.is_empty()).then(|| {
                let in_place = place.batch.distance.and_then(|distance| place.planes(distance, *width));
                in_place.unwrap_or_else(|| planes(distance))
            }),
        };
        (tile, slopes)
    }

    /// Reads the target, weights and distances of a tile.
    pub(crate) fn read(&mut self, place: &Place) {
        let batch = place.batch;
        self.masked = place.length < self.width;
        self.masked |= batch.read_labels(&place.section, place.start, place.length, &mut self.label);
        if batch.pixel_weights.is_some() {
            let weights = place.weights();
            self.weights[..place.length].copy_from_slice(weights);
            self.weights[place.length..].fill(0.0);
            self.masked |= any_zero(weights);
        }
        if !self.distance.is_empty()
            && let Some(distance) = batch.distance
            && place.planes(distance, self.width).is_none()
        {
            place.gather(distance, &mut self.distance, self.width);
        }
        if self.dense {
            self.read_shares(place);
        }
    }

    /// y of every outcome.
    fn read_shares(&mut self, place: &Place) {
        let (width, shares) = (self.width, &mut self.outcome[0]);
        match place.batch.target {
            Target::Soft(soft) if place.batch.sigmoid => {
                let (negative, positive) = shares.split_at_mut(width);
                place.gather(soft, positive, width);
                for (negative, positive) in negative[..place.length].iter_mut().zip(&*positive) {
                    *negative = 1.0 - positive;
                }
                negative[place.length..].fill(0.0);
            }
            Target::Soft(soft) => place.gather(soft, shares, width),
            _ => {
                for (k, shares) in shares.chunks_exact_mut(width).enumerate() {
                    for (share, &label) in shares.iter_mut().zip(&self.label) {
                        *share = if label == k as u32 { 1.0 } else { 0.0 };
                    }
                }
            }
        }
    }

    /// The pixels that take part in nothing.
    #[inline(never)]
    pub(crate) fn masked_pixels(&self, weighted: bool) -> Vec<usize> {
        (0..self.width).filter(|&i| self.label[i] == NO_LABEL || weighted && self.weights[i] == 0.0).collect()
    }

    /// Zeroes everything known of pixels that take part in nothing, so that not even a NaN of theirs
    /// reaches a sum. `x` too: there it is their gradient in the end. With `outlined`, the probabilities
    /// of pixels that only weigh nothing stay: such a pixel still lies inside or outside of an object.
    /// Returns those whose probabilities do not.
    pub(crate) fn mask(&mut self, weighted: bool, outlined: bool) -> Vec<usize> {
        let (width, stride, mut pixels) = (self.width, self.stride(), self.masked_pixels(weighted));
        self.site.iter_mut().chain(&mut self.outcome).for_each(|values| zero(values, &pixels, width));
        if outlined {
            pixels.retain(|&pixel| self.label[pixel] == NO_LABEL);
        }
        let rows = [&mut self.inverse, &mut self.own, &mut self.p, &mut self.q];
        rows.into_iter().for_each(|values| zero(values, &pixels, width));
        zero(&mut self.x, &pixels, stride);
        pixels
    }
}

/// Zeroes pixels of every plane, plane by plane (pixel by pixel, Dice of 4 classes, a tenth of whose pixels are
/// ignored, took 10 ns per element instead of 5.5).
#[inline(never)]
pub(crate) fn zero(planes: &mut [f32], pixels: &[usize], stride: usize) {
    for plane in planes.chunks_exact_mut(stride) {
        pixels.iter().for_each(|&pixel| plane[pixel] = 0.0);
    }
}

/// Whether nothing leaves the range of f32 that is divided by these weights; what weighs 0 is not. Looks at all of
/// them, in vectors.
fn all_divide(weights: &[f32]) -> bool {
    let is_extreme = |weight: f32| (weight != 0.0) & !(1e-15..=1e15).contains(&weight);
    weights.iter().fold(0, |extreme, &weight| extreme | u32::from(is_extreme(weight))) == 0
}

/// One function for all rows: inlined into each it would take two kilobytes.
#[inline(never)]
fn resize(row: &mut Vec<f32>, length: usize) {
    row.resize(length, 0.0);
}
