//! An objective: weighted losses that share one activation and one chain rule. The two sweeps.
//!
//! 1. First sweep, tile by tile: activate, store the probabilities in the gradient buffer, let every
//!    loss observe. Where all losses are pointwise, pull and chain at once and be done.
//! 2. Between: planar losses look at whole planes; every loss settles its value.
//! 3. Second sweep: every loss pulls, and the chain rule turns its slopes into ∂L/∂z, over the
//!    probabilities in the same buffer.

use crate::batch::Batch;
use crate::census::{Argument, Census, Fault};
use crate::kept::Kept;
use crate::loss::parts::Parts;
use crate::terms::Terms;
use crate::tile::sum_of_row;
use crate::view::Sums;
use crate::work::{Planar, Work};
use crate::workspace::{Workspace, for_each_tile};

/// Weighted losses, and the memory they are evaluated in, kept from call to call.
#[derive(Default)]
pub struct Objective {
    terms: Terms,
    workspace: Workspace,
    /// Sums of each class of each image.
    sums: Vec<Sums>,
    /// From the first sweep to the second: slopes and p of each label (see [`Kept`]).
    kept: [Vec<f32>; 2],
    /// Stands in for the gradient where only a value is asked for but planes are looked at.
    buffer: Vec<f32>,
    /// Bytes that were found to fit.
    room: usize,
    /// Slopes of planes, where several losses look at them.
    aside: Vec<f32>,
}

/// What the second sweep finds in the gradient buffer.
#[derive(Clone, Copy, PartialEq)]
enum Second {
    /// There is none: all losses are pointwise.
    None,
    /// Probabilities.
    Recall,
    /// Nothing it can use, or more is needed than p: activate again.
    Reactivate,
    /// Slopes of planar losses: activate again and add them.
    Slopes,
}

impl Objective {
    /// Forgets all losses, keeps the memory.
    pub fn clear(&mut self) {
        self.terms.clear();
    }
    /// Adds a loss.
    pub fn push(&mut self, weight: f64, loss: impl Into<Parts>) {
        self.terms.push(weight, loss.into());
    }
    /// Value of a loss at the last evaluation, unweighted.
    pub fn value_of(&self, loss: usize) -> f64 {
        self.terms.value_of(loss)
    }

    /// Checks and counts the batch's data, and prepares every loss for it.
    fn begin(&mut self, batch: &Batch, gradient: bool, check_logits: bool) -> Result<(), Fault> {
        let needs = self.terms.ask(batch);
        let census = Census::take(batch, needs.counts, check_logits)?;
        self.workspace.prepare(batch, needs, self.terms.together());
        self.find_room(batch, gradient)?;
        self.terms.begin(batch, &census);
        Ok(())
    }

    /// Makes sure that what grows with the batch fits into memory before anything is written: a vector
    /// that finds no room later would end the module.
    fn find_room(&mut self, batch: &Batch, gradient: bool) -> Result<(), Fault> {
        let needs = self.workspace.needs;
        let floats = [
            if needs.sums && gradient { self.kept.len() * batch.labels() } else { 0 },
            if needs.planes && !gradient { batch.logits.len() } else { 0 },
            if self.terms.looking() > 1 { 2 * batch.logits.len() } else { 0 },
            self.workspace.staged_floats(batch, gradient),
        ];
        let scratch = self.terms.scratch(batch);
        let bytes = floats.iter().fold(scratch, |sum, floats| sum.saturating_add(floats.saturating_mul(4)));
        if bytes <= self.room || has_room(bytes) {
            self.room = self.room.max(bytes);
            return Ok(());
        }
        // What earlier batches left may be in the way.
        (self.kept, self.buffer, self.aside) = Default::default();
        if has_room(bytes) { Ok(()) } else { Err(Fault { argument: Argument::Memory, index: bytes }) }
    }

    /// Value of the objective; with a gradient buffer, also its gradient there. Nothing is written
    /// where the batch's data is at fault.
    pub fn evaluate(&mut self, batch: &Batch, gradient: Option<&mut [f32]>, check_logits: bool) -> Result<f64, Fault> {
        self.begin(batch, gradient.is_some(), check_logits)?;
        self.sweep_linear(batch, None);
        let needs = self.workspace.needs;
        let second = match &gradient {
            None => Second::None,
            Some(_) if self.terms.look_at_logits() => Second::None,
            Some(_) if needs.planes => Second::Slopes,
            Some(_) if !needs.sums => Second::None,
            Some(_) if !batch.from_logits || (self.workspace.dense && needs.sites) => Second::Reactivate,
            Some(_) => Second::Recall,
        };
        let mut spare = std::mem::take(&mut self.buffer);
        let mut buffer = gradient;
        if buffer.is_none() && needs.planes {
            spare.resize(batch.logits.len(), 0.0);
            self.first_sweep(batch, Some(&mut spare), Second::Slopes);
            self.terms.look(batch, &mut spare, &mut self.aside);
        } else {
            self.first_sweep(batch, buffer.as_deref_mut(), second);
            if needs.planes
                && let Some(buffer) = &mut buffer
            {
                self.terms.look(batch, buffer, &mut self.aside);
            }
        }
        self.buffer = spare;
        self.terms.settle(true, &self.sums);
        if let Some(gradient) = buffer {
            if second != Second::None {
                self.second_sweep(batch, gradient, second);
            }
            self.sweep_linear(batch, Some(gradient));
        }
        self.terms.settle(false, &self.sums);
        Ok(self.terms.value())
    }

    /// Writes the weighted, unreduced loss of every site; every loss must be pointwise.
    pub fn map(&mut self, batch: &Batch, losses: &mut [f32], check_logits: bool) -> Result<(), Fault> {
        self.begin(batch, false, check_logits)?;
        let mut row = Vec::new();
        for_each_tile(batch, false, &mut |place| {
            row.resize(place.width, 0.0);
            let mut work = Work::open(&mut self.workspace, place);
            work.read();
            work.activate();
            row.fill(0.0);
            let tile = work.tile().0;
            self.terms.map(&tile, &mut row);
            for (weight, loss) in self.terms.linear() {
                let mut work = Work::open(&mut self.workspace, place);
                let costs = work.sweep_linear(loss.linear().0, weight, None);
                row.iter_mut().zip(costs).for_each(|(to, cost)| *to += cost);
            }
            let (first, step) = batch.label_plane(&place.section);
            let sites = losses[first + place.start * step..].iter_mut().step_by(step);
            sites.zip(&row[..place.length]).for_each(|(to, &from)| *to = from);
        });
        Ok(())
    }

    /// What is linear in the logits: Σ over all pixels, before the logits may be written over; given the gradient of
    /// the rest, its slopes.
    #[inline(never)]
    fn sweep_linear(&mut self, batch: &Batch, mut gradient: Option<&mut [f32]>) {
        for (weight, loss) in self.terms.linear() {
            let (coefficients, per_site) = loss.linear();
            let scale = if gradient.is_some() { weight * per_site } else { 1.0 };
            let mut sum = 0.0;
            for_each_tile(batch, false, &mut |place| {
                let mut work = Work::open(&mut self.workspace, place);
                sum += sum_of_row(work.sweep_linear(coefficients, scale, gradient.as_deref_mut()));
            });
            if gradient.is_none() {
                loss.observe_linear(sum);
            }
        }
    }

    fn first_sweep(&mut self, batch: &Batch, mut buffer: Option<&mut [f32]>, second: Second) {
        let needs = self.workspace.needs;
        if self.terms.look_at_logits() {
            return self.sums.clear();
        }
        self.sums.clear();
        self.sums.resize(if needs.sums || needs.distance { batch.images * batch.channels } else { 0 }, Sums::default());
        self.workspace.in_blocks = self.workspace.by_planes && batch.channels_last && second != Second::Slopes;
        let (is_row, is_swept_by_rows) = (self.workspace.is_row(batch), self.workspace.is_swept_by_rows(batch));
        let is_kept = second == Second::Recall && !self.workspace.dense && !is_swept_by_rows;
        let Workspace { by_planes, many, .. } = self.workspace;
        let needed = [needs.rows || needs.sites && !by_planes, !batch.sigmoid && (many || !by_planes)];
        for (row, needed) in self.kept.iter_mut().zip(needed) {
            row.resize(if is_kept && needed { batch.labels() } else { 0 }, 0.0);
        }
        for_each_tile(batch, self.workspace.by_planes, &mut |place| {
            let section = place.section;
            let mut work = Work::open(&mut self.workspace, place);
            // Rows and planes are swept alike with and without a gradient, so that both give the same value to
            // the last bit.
            if is_row
                && !needs.sums
                && let Some((weight, loss)) = self.terms.single()
                && work.sweep_row(loss, weight, buffer.as_deref_mut())
            {
                return;
            }
            if is_swept_by_rows {
                let first = section.image * batch.channels + section.class;
                let sums = &mut self.sums[first..first + section.channels];
                let surprise = work.first_sweep_row(sums, &mut self.terms.apart(), buffer.as_deref_mut());
                return self.terms.observe_surprise(section.index, surprise);
            }
            work.read();
            if work.is_swept_by_planes() {
                let first = section.image * batch.channels;
                let sums = self.sums.get_mut(first..first + batch.channels).unwrap_or(&mut []);
                if work.sum_at_once(buffer.as_deref_mut(), sums) {
                    // Losses of sums observe nothing else.
                    if let Some(buffer) = buffer.as_deref_mut() {
                        work.keep(Kept::of(&mut self.kept, &place), buffer);
                    }
                    return;
                }
                let is_even = work.space.is_even();
                if let (tile, Some(slopes)) = work.tile_and_slopes(is_even) {
                    self.terms.pull_evenly(&tile, slopes);
                }
                let mut surprise = work.exponentiate(needs.rows, buffer.as_deref_mut());
                if needs.rows && self.terms.need_surprise() {
                    surprise = work.sum_of_surprises();
                }
                if second == Second::None
                    && let Some(buffer) = buffer.as_deref_mut()
                {
                    match work.tile_and_slopes(!is_even) {
                        (tile, Some(slopes)) => self.terms.observe_and_pull(&tile, Some(surprise), slopes),
                        // Pulled already.
                        (tile, None) => self.terms.observe(&tile, Some(surprise), None),
                    }
                    // The chain rule adds up Σ p φ on its way.
                    return work.chain_planes(Planar::None, buffer, sums);
                }
                work.add_up(buffer.as_deref_mut(), sums);
                let (tile, slopes) = work.tile_and_slopes(second == Second::Recall);
                self.terms.observe(&tile, Some(surprise), slopes);
                match buffer.as_deref_mut() {
                    Some(buffer) if second == Second::Slopes => work.encode(buffer),
                    Some(buffer) => work.keep(Kept::of(&mut self.kept, &place), buffer),
                    None => {}
                }
                return;
            }
            work.activate();
            let first = section.image * batch.channels + section.class;
            if second == Second::None
                && let Some(buffer) = buffer.as_deref_mut()
            {
                work.normalise(self.sums.get_mut(first..first + section.channels).unwrap_or(&mut []));
                work.reset_slopes();
                let (tile, slopes) = work.tile();
                self.terms.observe_and_pull(&tile, None, slopes);
                return work.chain(Planar::None, buffer);
            }
            if !self.sums.is_empty() || buffer.is_some() {
                work.normalise(self.sums.get_mut(first..first + section.channels).unwrap_or(&mut []));
            }
            let (tile, slopes) = work.tile_and_slopes(second == Second::Recall);
            self.terms.observe(&tile, None, slopes);
            if let Some(buffer) = buffer.as_deref_mut() {
                if second == Second::Slopes {
                    work.store_encoded(buffer);
                } else {
                    work.store_probabilities(Kept::of(&mut self.kept, &place), buffer);
                }
            }
        });
    }

    fn second_sweep(&mut self, batch: &Batch, gradient: &mut [f32], second: Second) {
        let Workspace { by_planes, needs, .. } = self.workspace;
        let planar = match second {
            Second::Slopes if needs.logit_slopes => Planar::OfLogits,
            Second::Slopes => Planar::OfProbabilities,
            _ => Planar::None,
        };
        let is_swept_by_rows = second == Second::Recall && self.workspace.is_swept_by_rows(batch);
        for_each_tile(batch, self.workspace.by_planes, &mut |place| {
            let mut work = Work::open(&mut self.workspace, place);
            if is_swept_by_rows {
                let slopes = self.terms.pull_outcomes(&place.section);
                return work.second_sweep_row(&slopes, &mut self.terms.apart(), gradient);
            }
            work.read();
            work.reset_slopes();
            if second == Second::Recall && work.is_swept_by_planes() {
                work.recall_planes(Kept::of(&mut self.kept, &place), gradient);
            } else if second == Second::Recall {
                work.recall(Kept::of(&mut self.kept, &place), gradient);
            } else if work.is_swept_by_planes() {
                work.exponentiate(needs.rows, None);
            } else {
                work.activate();
                work.normalise(&mut []);
            }
            let (tile, slopes) = work.tile();
            self.terms.pull(&tile, by_planes, second == Second::Recall, slopes);
            if by_planes { work.chain_planes(planar, gradient, &mut []) } else { work.chain(planar, gradient) }
        });
    }
}

/// Whether this many bytes can be had. The black box keeps the compiler from leaving out the attempt.
fn has_room(bytes: usize) -> bool {
    let mut room = Vec::<u8>::new();
    let fits = room.try_reserve_exact(bytes).is_ok();
    std::hint::black_box(room);
    fits
}
