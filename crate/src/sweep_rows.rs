//! Whole sweeps of a sigmoid with labels, or of a softmax of two classes, which is one of the difference of their
//! logits: a row at a time and in one pass each, and no probability is stored that nobody looks at. Losses whose slopes
//! need more than sums and labels sweep their rows apart.

use crate::activation::fill_masked;
use crate::activation::sigmoid_sweeps::{self, second_sweep_of_labels};
use crate::batch::{Batch, NO_LABEL};
use crate::loss::{Loss, OutcomeSlopes};
use crate::tile::{BLOCK, Planes, multiply_row, vectors_mut};
use crate::view::{Row, Sums};
use crate::walk::lockstep;
use crate::work::{Work, add_row};
use crate::workspace::{Place, Workspace};

/// Losses and their weights.
pub type Weighted<'l> = Vec<(f32, &'l mut dyn Loss)>;

/// What of a row is looked at.
#[derive(Clone, Copy, PartialEq)]
enum Look {
    Nowhere,
    /// And weights.
    AtLabels,
    /// And labels.
    AtLogits,
}

/// What is written of a row.
#[derive(Clone, Copy, PartialEq)]
enum Written {
    /// What the second sweep needs.
    Between,
    Gradient,
}

impl Workspace {
    /// Whether tiles are the usual rows of a sigmoid, for which whole sweeps are one pass: logits,
    /// hard labels, no distances that are weighted, and no slope that needs more than sums.
    fn is_plain_row(&self, batch: &Batch) -> bool {
        let needs = self.needs;
        let plain = batch.sigmoid && batch.from_logits && !self.dense;
        let weighted = batch.pixel_weights.is_some() && needs.distance;
        plain && !weighted && !needs.squares && !needs.planes
    }

    /// Whether it is a softmax of two classes, and nobody looks at anything but labels and sums: then it takes one
    /// exponential instead of two (0.7 of the time of Dice). Where there are sums, Σ u is not weighted.
    fn is_pair(&self, batch: &Batch) -> bool {
        let needs = self.needs;
        let weighted = needs.sums && needs.sites && batch.pixel_weights.is_some();
        self.by_planes && batch.channels == 2 && !weighted && !needs.planes && !needs.distance
    }

    /// Whether tiles are such rows or pairs.
    pub fn is_row(&self, batch: &Batch) -> bool {
        self.is_plain_row(batch) || self.is_pair(batch)
    }

    /// Whether they are swept twice, and all that slopes need of the first sweep are sums, but for losses that sweep
    /// rows apart.
    pub fn is_swept_by_rows(&self, batch: &Batch) -> bool {
        let needs = self.together;
        self.is_row(batch) && needs.sums && !needs.varied && !needs.distance
    }
}

impl Work<'_, '_> {
    /// Both sweeps of a plain row or a pair, by a loss that knows how.
    pub fn sweep_row(&mut self, loss: &mut dyn Loss, scale: f32, buffer: Option<&mut [f32]>) -> bool {
        self.write_row(Look::AtLogits, Written::Gradient, buffer, |row, out, _| loss.sweep_row(&row, scale, out))
    }

    /// First sweep of a plain row: what the second needs into the buffer, and Σ u of negatives and
    /// positives if somebody needs it. Where losses sweep the row apart that is what they need too; without a
    /// buffer they do so at once. `sums`: of a single class, or of both of a pair.
    pub fn first_sweep_row(&mut self, sums: &mut [Sums], apart: &mut Weighted, buffer: Option<&mut [f32]>) -> [f64; 2] {
        let needs = self.space.together;
        let is_first = buffer.is_some();
        self.write_row(Look::AtLogits, Written::Between, buffer, |row, out, rows| {
            // Of a pair the first class is the one against which the other is.
            let (sums, sums_of_other) = match sums {
                [other, sums] => (sums, Some(other)),
                [sums] => (sums, None),
                _ => return [0.0; 2],
            };
            if !needs.sites && apart.is_empty() {
                sigmoid_sweeps::first_sweep(&row, out, sums, sums_of_other);
                return [0.0; 2];
            }
            let mut plain = Sums::default();
            let surprise = if needs.uneven {
                sigmoid_sweeps::first_sweep_of_labels::<false>(&row, out, &mut plain)
            } else {
                sigmoid_sweeps::first_sweep_of_labels::<true>(&row, out, &mut plain)
            };
            // What is weighted, missed or of the other class is added up from the probabilities.
            if needs.misses || row.weights.is_some() || sums_of_other.is_some() {
                let [of_row, of_other] = sigmoid_sweeps::weighted_sums(&row, out);
                sums.merge(&of_row);
                sums_of_other.into_iter().for_each(|sums| sums.merge(&of_other));
            } else {
                sums.merge(&plain);
            }
            if !is_first {
                sweep_apart(&Row { code: Some(out), ..row }, apart, rows);
            }
            surprise
        })
    }

    /// Second sweep of a plain row.
    pub fn second_sweep_row(&mut self, slopes: &OutcomeSlopes, apart: &mut Weighted, buffer: &mut [f32]) {
        let (place, width, needs, is_pair) =
            (self.place, self.space.width, self.space.together, self.space.is_pair(self.place.batch));
        let OutcomeSlopes { constant, hit, labels } = *slopes;
        // Added before they are rounded: those of a pair may cancel.
        let [a, b] = [[constant, constant + hit], labels].map(|slopes| slopes.map(|slope| slope as f32));
        if place.planes(buffer, width).is_none() {
            let x = &mut self.space.x;
            if is_pair {
                x.resize(width, 0.0);
                let (row, padding) = x.split_at_mut(place.length);
                row.copy_from_slice(&buffer[place.strides().0..][..place.length]);
                padding.fill(0.0);
            } else {
                place.gather(buffer, x, width);
            }
        }
        let is_signed = !needs.sites && apart.is_empty();
        let look = match (is_signed && a.iter().all(|slope| slope.is_finite()), apart.is_empty()) {
            // Masked pixels hold 0 already.
            (true, _) => Look::Nowhere,
            (false, true) => Look::AtLabels,
            (false, false) => Look::AtLogits,
        };
        self.write_row(look, Written::Gradient, Some(buffer), |row, out, rows| {
            if is_signed {
                sigmoid_sweeps::second_sweep(out, a);
            } else {
                let others = sweep_apart(&Row { code: Some(out), ..row }, apart, rows);
                match (others, row.weights) {
                    // On the way: 0.1 ns less.
                    (Some(others), None) => second_sweep_of_labels(out, row.label, [others], a, b),
                    (others, weights) => {
                        second_sweep_of_labels(out, row.label, [], a, b);
                        weights.into_iter().for_each(|weights| multiply_row(out, weights));
                        others.into_iter().for_each(|others| add_row(vectors_mut(out), others));
                    }
                }
            }
            if let Some(label) = row.masked {
                // A NaN among the other pixels makes slopes NaN; 0 · NaN is not 0.
                fill_masked(label, out, 0.0);
            }
        });
    }

    /// Gives a plain row, the buffer's, or one of its own, and two more to `write`, and what it writes to the
    /// buffer, if there is one; of a pair to the second class, and the negative of a gradient to the first.
    /// Of the row there is what is looked at.
    fn write_row<R>(
        &mut self,
        look: Look,
        written: Written,
        buffer: Option<&mut [f32]>,
        write: impl FnOnce(Row, &mut [f32], [&mut [f32]; 2]) -> R,
    ) -> R {
        let (place, is_pair) = (self.place, self.space.is_pair(self.place.batch));
        let untouched = match look {
            Look::Nowhere => Some((&[][..], None)),
            _ => place.untouched(),
        };
        if untouched.is_none() {
            self.read();
        }
        let Workspace { width, label, bytes, masked, weights, distance, staged, x, p, chain, .. } = &mut *self.space;
        let ([first, second, ..], width) = (chain, *width);
        let (label, weights, masked) = untouched.map_or_else(
            || {
                let weights = place.batch.pixel_weights.map(|_| &**weights);
                let (bytes, masked) = narrow(label, *masked, weights, bytes);
                (bytes, weights, masked)
            },
            |(label, weights)| (label, weights, None),
        );
        let z = match look {
            Look::AtLogits => logits_of(&place, is_pair, staged, p),
            _ => &[],
        };
        let distances = place.batch.distance.and_then(|distance| place.row(distance, 0, width));
        let distance = distances.unwrap_or(distance);
        let row = Row { section: place.section, z, label, masked, weights, distance, code: None };
        let rows: [&mut [f32]; 2] = [first, second];
        let write = |out: &mut [f32]| write(row, out, rows);
        // Of a pair it had no room: its planes are swept where they lie.
        x.resize(width, 0.0);
        let Some(buffer) = buffer else { return write(x) };
        match place.planes_mut(buffer, width) {
            Some(mut planes) if is_pair => {
                let [first, second] = planes.rows(0);
                let result = write(second);
                if written == Written::Gradient {
                    negate(second, first);
                }
                result
            }
            Some(mut planes) => write(planes.row(0)),
            None => {
                let result = write(x);
                match (is_pair, written) {
                    (false, _) => place.scatter(x, buffer, width),
                    (true, Written::Gradient) => scatter_pair(&place, x, staged, buffer),
                    // In one piece, whatever the layout.
                    (true, Written::Between) => {
                        buffer[place.strides().0..][..place.length].copy_from_slice(&x[..place.length]);
                    }
                }
                result
            }
        }
    }
}

/// Logits of a row: where they lie, or gathered into `row`; of a pair those of its second class against the first.
fn logits_of<'r>(place: &Place<'_, 'r>, is_pair: bool, staged: &mut Vec<f32>, row: &'r mut [f32]) -> &'r [f32] {
    let (logits, width) = (place.batch.logits, row.len());
    if is_pair {
        if let Some(pixels) = place.pixels(logits, width) {
            let pixels = pixels.as_chunks::<2>().0;
            pixels.iter().zip(&mut *row).for_each(|([first, second], row)| *row = second - first);
            return row;
        }
        let planes = place.planes(logits, width).unwrap_or_else(|| {
            staged.resize(2 * width, 0.0);
            place.gather(logits, staged, width);
            Planes::new(staged, width, width)
        });
        for ([first, second], [row]) in lockstep(planes.rows(0), [&mut *row]) {
            (second - first).store(row);
        }
        return row;
    }
    place.row(logits, 0, width).unwrap_or_else(|| {
        place.gather(logits, row, width);
        row
    })
}

/// Copies a pair's gradient into the buffer. Where both logits of a pixel lie together it is not turned from planes
/// (half of cross-entropy's time).
fn scatter_pair(place: &Place, gradient: &[f32], staged: &mut Vec<f32>, buffer: &mut [f32]) {
    if place.batch.channels_last {
        let pixels = buffer[place.block()].as_chunks_mut::<2>().0;
        return pixels.iter_mut().zip(gradient).for_each(|(pixel, second)| *pixel = [-second, *second]);
    }
    staged.resize(2 * gradient.len(), 0.0);
    let (first, second) = staged.split_at_mut(gradient.len());
    second.copy_from_slice(gradient);
    negate(gradient, first);
    place.scatter(staged, buffer, gradient.len());
}

/// The negative of a row.
#[inline(never)]
fn negate(row: &[f32], to: &mut [f32]) {
    lockstep([row], [to]).for_each(|([value], [to])| (-value).store(to));
}

/// Labels as bytes, and as they are where some have none: what weighs nothing takes part in nothing here. Their row is
/// made of whole blocks.
#[inline(never)]
fn narrow<'r>(
    label: &'r mut [u32],
    masked: bool,
    weights: Option<&[f32]>,
    bytes: &'r mut Vec<u8>,
) -> (&'r [u8], Option<&'r [u32]>) {
    if let (true, Some(weights)) = (masked, weights) {
        let weightless = label.iter_mut().zip(weights).filter(|(_, weight)| **weight == 0.0);
        weightless.for_each(|(label, _)| *label = NO_LABEL);
    }
    bytes.resize(label.len(), 0);
    for (bytes, label) in bytes.as_chunks_mut::<BLOCK>().0.iter_mut().zip(label.as_chunks::<BLOCK>().0) {
        *bytes = label.map(|label| label as u8);
    }
    (bytes, masked.then_some(label))
}

/// Lets them sweep a row, and returns their gradient, if there are any.
fn sweep_apart<'r>(row: &Row, apart: &mut Weighted, [sum, other]: [&'r mut [f32]; 2]) -> Option<&'r [f32]> {
    let mut is_first = true;
    for (weight, loss) in apart {
        loss.sweep_row(row, *weight, if is_first { &mut *sum } else { &mut *other });
        if !is_first {
            add_row(vectors_mut(sum), other);
        }
        is_first = false;
    }
    (!is_first).then_some(sum)
}
