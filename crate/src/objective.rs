//! An objective: weighted losses that share one activation and one chain rule. The two sweeps.
//!
//! 1. First sweep, tile by tile: activate, store the probabilities in the gradient buffer, let every
//!    loss observe. Where all losses are pointwise, pull and chain at once and be done.
//! 2. Between: planar losses look at whole planes; every loss settles its value.
//! 3. Second sweep: every loss pulls, and the chain rule turns its slopes into ∂L/∂z, over the
//!    probabilities in the same buffer.

use crate::batch::Batch;
use crate::census::{Argument, Census, Fault};
use crate::loss::{Loss, Needs, OutcomeSlopes, planar};
use crate::sweep_rows::Weighted;
use crate::view::Sums;
use crate::work::{Planar, Work};
use crate::workspace::{Kept, Workspace, for_each_tile};

/// One loss of an objective.
pub struct Term {
    weight: f64,
    loss: Box<dyn Loss>,
    value: f64,
}

/// Weighted losses, and the memory they are evaluated in, kept from call to call.
#[derive(Default)]
pub struct Objective {
    terms: Vec<Term>,
    workspace: Workspace,
    /// Sums of each class of each image.
    sums: Vec<Sums>,
    /// Of a softmax, from the first sweep: p and u of each label, and 1 / Σ of the exponentials, where the
    /// second needs them again.
    kept: [Vec<f32>; 3],
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
    pub fn push(&mut self, weight: f64, loss: Box<dyn Loss>) {
        self.terms.push(Term { weight, loss, value: 0.0 });
    }
    /// Value of a loss at the last evaluation, unweighted.
    pub fn value_of(&self, term: usize) -> f64 {
        self.terms[term].value
    }

    /// Whether logits are all that is looked at: then there is nothing to sweep.
    fn looks_at_logits(&self, batch: &Batch) -> bool {
        !self.terms.is_empty() && self.terms.iter().all(|term| term.loss.needs(batch).logit_slopes)
    }

    fn needs(&self, batch: &Batch) -> Needs {
        self.terms.iter().fold(Needs::default(), |needs, term| needs.and(term.loss.needs(batch)))
    }

    /// What those losses need that do not sweep rows apart.
    fn together(&self, batch: &Batch) -> Needs {
        let needs = self.terms.iter().map(|term| term.loss.needs(batch));
        needs.filter(|needs| !needs.apart()).fold(Needs::default(), Needs::and)
    }

    /// Checks and counts the batch's data, and prepares every loss for it.
    fn begin(&mut self, batch: &Batch, gradient: bool, check_logits: bool) -> Result<(), Fault> {
        let needs = self.needs(batch);
        let census = Census::take(batch, needs.counts, check_logits)?;
        self.workspace.prepare(batch, needs, self.together(batch));
        self.find_room(batch, gradient)?;
        for term in &mut self.terms {
            term.loss.begin(batch, &census);
        }
        Ok(())
    }

    /// Makes sure that what grows with the batch fits into memory before anything is written: a vector
    /// that finds no room later would end the module.
    fn find_room(&mut self, batch: &Batch, gradient: bool) -> Result<(), Fault> {
        let needs = self.needs(batch);
        let looking = self.terms.iter().filter(|term| term.loss.needs(batch).planes).count();
        let floats = [
            if needs.sums && gradient { self.kept.len() * batch.images * batch.pixels() } else { 0 },
            if needs.planes && !gradient { batch.logits.len() } else { 0 },
            if looking > 1 { 2 * batch.logits.len() } else { 0 },
            self.workspace.staged_floats(batch, gradient),
        ];
        let own = floats.iter().fold(0usize, |sum, floats| sum.saturating_add(floats.saturating_mul(4)));
        let bytes = self.terms.iter().fold(own, |sum, term| sum.saturating_add(term.loss.scratch(batch)));
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
        let needs = self.needs(batch);
        let second = match &gradient {
            None => Second::None,
            Some(_) if self.looks_at_logits(batch) => Second::None,
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
            self.look(batch, &mut spare);
        } else {
            self.first_sweep(batch, buffer.as_deref_mut(), second);
            if needs.planes
                && let Some(buffer) = &mut buffer
            {
                self.look(batch, buffer);
            }
        }
        self.buffer = spare;
        // Slopes of the second sweep depend on sums; the values of some other losses are known after it only.
        self.settle(batch, true);
        if second != Second::None
            && let Some(gradient) = buffer
        {
            self.second_sweep(batch, gradient, second);
        }
        self.settle(batch, false);
        // A term that weighs nothing adds nothing, even where it is infinite.
        let weighing = self.terms.iter().filter(|term| term.weight != 0.0);
        Ok(weighing.fold(0.0, |sum, term| sum + term.weight * term.value))
    }

    /// Settles the values of losses that need sums, or of the others.
    fn settle(&mut self, batch: &Batch, sums: bool) {
        for term in self.terms.iter_mut().filter(|term| term.loss.needs(batch).sums == sums) {
            term.value = term.loss.settle(&self.sums);
        }
    }

    /// Writes the weighted, unreduced loss of every site; every loss must be pointwise.
    pub fn map(&mut self, batch: &Batch, losses: &mut [f32], check_logits: bool) -> Result<(), Fault> {
        self.begin(batch, false, check_logits)?;
        let mut row = Vec::new();
        for_each_tile(batch, false, |place| {
            row.resize(place.width, 0.0);
            let mut work = Work::open(&mut self.workspace, place);
            work.activate();
            row.fill(0.0);
            let tile = work.tile().0;
            for term in &mut self.terms {
                term.loss.map(&tile, term.weight as f32, &mut row);
            }
            let (first, step) = batch.label_plane(&place.section);
            let sites = losses[first + place.start * step..].iter_mut().step_by(step);
            sites.zip(&row[..place.length]).for_each(|(to, &from)| *to = from);
        });
        Ok(())
    }

    fn first_sweep(&mut self, batch: &Batch, mut buffer: Option<&mut [f32]>, second: Second) {
        let needs = self.needs(batch);
        if self.looks_at_logits(batch) {
            return self.sums.clear();
        }
        self.sums.clear();
        self.sums.resize(if needs.sums || needs.distance { batch.images * batch.channels } else { 0 }, Sums::default());
        self.workspace.in_blocks = self.workspace.by_planes && batch.channels_last && second != Second::Slopes;
        let keep = second == Second::Recall && !batch.sigmoid && !self.workspace.dense;
        let sites = batch.images * batch.pixels();
        let Workspace { by_planes, many, .. } = self.workspace;
        let needed = [needs.surprise_again || many || !by_planes, needs.surprise_again, by_planes];
        for (row, needed) in self.kept.iter_mut().zip(needed) {
            row.resize(if keep && needed { sites } else { 0 }, 0.0);
        }
        for_each_tile(batch, self.workspace.by_planes, |place| {
            let section = place.section;
            let mut work = Work::open(&mut self.workspace, place);
            // Rows and planes are swept alike with and without a gradient, so that both give the same value to
            // the last bit.
            if work.is_plain_row()
                && !needs.sums
                && let [term] = self.terms.as_mut_slice()
                && work.sweep_row(&mut *term.loss, term.weight as f32, buffer.as_deref_mut())
            {
                return;
            }
            if work.is_swept_by_rows() {
                let (mut apart, mut together) = split(&mut self.terms, batch);
                let sums = &mut self.sums[section.index];
                let surprise = work.first_sweep_row(sums, &mut apart, buffer.as_deref_mut());
                return together.iter_mut().for_each(|(_, loss)| loss.observe_surprise(section.index, surprise));
            }
            if work.is_swept_by_planes() {
                let surprise = work.exponentiate(needs.rows, buffer.as_deref_mut());
                let first = section.image * batch.channels;
                let sums = self.sums.get_mut(first..first + batch.channels).unwrap_or(&mut []);
                if second == Second::None
                    && let Some(buffer) = buffer.as_deref_mut()
                {
                    work.reset_slopes();
                    let (tile, slopes) = work.tile();
                    for term in &mut self.terms {
                        if needs.rows {
                            term.loss.observe_and_pull(&tile, term.weight as f32, slopes);
                        } else {
                            term.loss.observe_surprise(section.index, [surprise, 0.0]);
                            term.loss.pull_evenly(&tile, term.weight as f32, slopes);
                        }
                    }
                    // The chain rule adds up Σ p φ on its way.
                    return work.chain_planes(Planar::None, buffer, sums);
                }
                work.add_up(buffer.as_deref_mut(), sums);
                let tile = work.tile().0;
                self.terms.iter_mut().for_each(|term| match needs.rows {
                    true => term.loss.observe(&tile),
                    false => term.loss.observe_surprise(section.index, [surprise, 0.0]),
                });
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
                for term in &mut self.terms {
                    term.loss.observe_and_pull(&tile, term.weight as f32, slopes);
                }
                return work.chain(Planar::None, buffer);
            }
            if !self.sums.is_empty() || buffer.is_some() {
                work.normalise(self.sums.get_mut(first..first + section.channels).unwrap_or(&mut []));
            }
            let tile = work.tile().0;
            self.terms.iter_mut().for_each(|term| term.loss.observe(&tile));
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
        let (by_planes, rows) = (self.workspace.by_planes, self.needs(batch).rows);
        let planar = match second {
            Second::Slopes if self.needs(batch).logit_slopes => Planar::OfLogits,
            Second::Slopes => Planar::OfProbabilities,
            _ => Planar::None,
        };
        for_each_tile(batch, self.workspace.by_planes, |place| {
            let mut work = Work::reopen(&mut self.workspace, place);
            if second == Second::Recall && work.is_swept_by_rows() {
                let (mut apart, together) = split(&mut self.terms, batch);
                let mut slopes = OutcomeSlopes::default();
                for (weight, loss) in &together {
                    loss.pull_outcomes(&place.section, *weight, &mut slopes);
                }
                return work.second_sweep_row(&slopes, &mut apart, gradient);
            }
            if second == Second::Recall && work.is_swept_by_planes() {
                work.recall_planes(Kept::of(&mut self.kept, &place), gradient);
            } else if second == Second::Recall {
                work.recall(Kept::of(&mut self.kept, &place), gradient);
            } else if work.is_swept_by_planes() {
                work.exponentiate(rows, None);
            } else {
                work.activate();
                work.normalise(&mut []);
            }
            work.reset_slopes();
            let (tile, slopes) = work.tile();
            for term in &mut self.terms {
                match by_planes && !rows {
                    true => term.loss.pull_evenly(&tile, term.weight as f32, slopes),
                    false => term.loss.pull(&tile, term.weight as f32, slopes),
                }
            }
            if by_planes { work.chain_planes(planar, gradient, &mut []) } else { work.chain(planar, gradient) }
        });
    }

    /// Lets planar losses look at every class, and leaves the sum of their slopes in its place.
    fn look(&mut self, batch: &Batch, buffer: &mut [f32]) {
        let terms = self.terms.iter_mut().filter(|term| term.loss.needs(batch).planes);
        let mut looking: Vec<(f32, &mut dyn Loss)> =
            terms.map(|term| (term.weight as f32, &mut *term.loss as &mut dyn Loss)).collect();
        planar::look(batch, &mut looking, buffer, &mut self.aside);
    }
}

/// Losses that sweep rows under a sigmoid apart, and the others, with their weights.
fn split<'t>(terms: &'t mut [Term], batch: &Batch) -> (Weighted<'t>, Weighted<'t>) {
    let losses = terms.iter_mut().map(|term| (term.weight, &mut *term.loss as &mut dyn Loss));
    losses.partition(|(_, loss)| loss.needs(batch).apart())
}

/// Whether this many bytes can be had. The black box keeps the compiler from leaving out the attempt.
fn has_room(bytes: usize) -> bool {
    let mut room = Vec::<u8>::new();
    let fits = room.try_reserve_exact(bytes).is_ok();
    std::hint::black_box(room);
    fits
}
