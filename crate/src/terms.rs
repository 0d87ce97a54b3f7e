//! The weighted losses of an objective, and what each is asked at a tile.

use crate::batch::{Batch, Section};
use crate::census::Census;
use crate::loss::parts::Parts;
use crate::loss::{Loss, Needs, OutcomeSlopes, planar};
use crate::slopes::Slopes;
use crate::sweep_rows::Weighted;
use crate::view::{Sums, Tile};

/// A part of a loss of an objective.
struct Term {
    /// Which loss it is a part of, and its weight there.
    of: usize,
    share: f64,
    /// Its weight in the objective.
    weight: f64,
    loss: Box<dyn Loss>,
    value: f64,
    /// For the batch at hand.
    needs: Needs,
}

/// All of them.
#[derive(Default)]
pub struct Terms(Vec<Term>);

impl Terms {
    /// Forgets all losses.
    pub fn clear(&mut self) {
        self.0.clear();
    }
    /// Adds a loss.
    #[inline(never)]
    pub fn push(&mut self, weight: f64, loss: Parts) {
        let of = self.0.last().map_or(0, |term| term.of + 1);
        for (share, loss) in loss.0 {
            self.0.push(Term { of, share, weight: weight * share, loss, value: 0.0, needs: Needs::default() });
        }
    }
    /// Asks each what it needs of a batch, and says what all do together.
    pub fn ask(&mut self, batch: &Batch) -> Needs {
        self.0.iter_mut().fold(Needs::default(), |needs, term| {
            term.needs = term.loss.needs(batch);
            needs.and(term.needs)
        })
    }
    /// What those need together that do not sweep rows apart.
    pub fn together(&self) -> Needs {
        self.0.iter().filter(|term| !term.needs.apart()).fold(Needs::default(), |needs, term| needs.and(term.needs))
    }
    /// Whether logits are all that is looked at: then there is nothing to sweep.
    pub fn look_at_logits(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|term| term.needs.logit_slopes)
    }
    /// Whether for some Σ u will do.
    pub fn need_surprise(&self) -> bool {
        self.0.iter().any(|term| term.needs.sites && !term.needs.rows)
    }
    /// How many look at planes.
    pub fn looking(&self) -> usize {
        self.0.iter().filter(|term| term.needs.planes).count()
    }
    /// Bytes they will work in.
    pub fn scratch(&self, batch: &Batch) -> usize {
        self.0.iter().fold(0, |sum, term| sum.saturating_add(term.loss.scratch(batch)))
    }
    /// Prepares each for a batch.
    pub fn begin(&mut self, batch: &Batch, census: &Census) {
        self.0.iter_mut().for_each(|term| term.loss.begin(batch, census));
    }

    /// The only one, and its weight, if there is only one.
    pub fn single(&mut self) -> Option<(f32, &mut dyn Loss)> {
        match self.0.as_mut_slice() {
            [term] => Some((term.weight as f32, &mut *term.loss)),
            _ => None,
        }
    }
    /// Those of which a part is linear in the logits.
    pub fn linear(&mut self) -> impl Iterator<Item = (f32, &mut dyn Loss)> {
        let terms = self.0.iter_mut().filter(|term| !term.loss.linear().0.is_empty());
        terms.map(|term| (term.weight as f32, &mut *term.loss as &mut dyn Loss))
    }
    /// Those that sweep rows under a sigmoid apart.
    pub fn apart(&mut self) -> Weighted<'_> {
        let terms = self.0.iter_mut().filter(|term| term.needs.apart());
        terms.map(|term| (term.weight as f32, &mut *term.loss as &mut dyn Loss)).collect()
    }
    /// Tells the others a section's Σ u of negatives and positives.
    pub fn observe_surprise(&mut self, section: usize, surprise: [f64; 2]) {
        let others = self.0.iter_mut().filter(|term| !term.needs.apart());
        others.for_each(|term| term.loss.observe_surprise(section, surprise));
    }
    /// The others' slopes. Of a pair by p of the second class, with which that of the first falls: its slope is
    /// constant − (constant + hit (1 − y)).
    pub fn pull_outcomes(&self, section: &Section) -> OutcomeSlopes {
        let of_class = |class| {
            let mut slopes = OutcomeSlopes::default();
            let others = self.0.iter().filter(|term| !term.needs.apart());
            let section = Section { class, ..*section };
            others.for_each(|term| term.loss.pull_outcomes(&section, term.weight, &mut slopes));
            slopes
        };
        if section.channels == 1 {
            return of_class(section.class);
        }
        let (first, second) = (of_class(0), of_class(1));
        let constant = second.constant - (first.constant + first.hit);
        OutcomeSlopes { constant, hit: second.hit + first.hit, labels: second.labels }
    }

    /// First sweep. `surprise`: Σ u, where planes are swept. Into `slopes` go those that are known already, if they are
    /// kept, but for those that are the same at all labels.
    pub fn observe(&mut self, tile: &Tile, surprise: Option<f64>, mut slopes: Option<&mut Slopes>) {
        for Term { loss, needs, weight, .. } in &mut self.0 {
            match (surprise, &mut slopes) {
                (Some(surprise), _) if !needs.rows => loss.observe_surprise(tile.section.index, [surprise, 0.0]),
                (_, Some(slopes)) if needs.early() => loss.observe_and_pull(tile, *weight as f32, slopes),
                _ => loss.observe(tile),
            }
        }
    }
    /// Both sweeps at once.
    pub fn observe_and_pull(&mut self, tile: &Tile, surprise: Option<f64>, slopes: &mut Slopes) {
        for Term { loss, needs, weight, .. } in &mut self.0 {
            match surprise {
                Some(surprise) if !needs.rows => {
                    loss.observe_surprise(tile.section.index, [surprise, 0.0]);
                    loss.pull_evenly(tile, *weight as f32, slopes);
                }
                _ => loss.observe_and_pull(tile, *weight as f32, slopes),
            }
        }
    }
    /// The one slope that all labels have, where nothing else has any.
    pub fn pull_evenly(&mut self, tile: &Tile, slopes: &mut Slopes) {
        self.0.iter_mut().for_each(|term| term.loss.pull_evenly(tile, term.weight as f32, slopes));
    }
    /// Second sweep. `by_planes`: whether planes are swept; `kept`: whether slopes known in the first were kept.
    pub fn pull(&mut self, tile: &Tile, by_planes: bool, kept: bool, slopes: &mut Slopes) {
        for Term { loss, needs, weight, .. } in &mut self.0 {
            let weight = *weight as f32;
            if by_planes && !needs.rows {
                loss.pull_evenly(tile, weight, slopes);
            } else if !(kept && needs.early()) {
                loss.pull(tile, weight, slopes);
            }
        }
    }
    /// Adds the weighted loss of each pixel to a row.
    pub fn map(&mut self, tile: &Tile, row: &mut [f32]) {
        self.0.iter_mut().for_each(|term| term.loss.map(tile, term.weight as f32, row));
    }
    /// Lets planar losses look at every class, and leaves the sum of their slopes in `buffer`.
    pub fn look(&mut self, batch: &Batch, buffer: &mut [f32], aside: &mut Vec<f32>) {
        let looking = self.0.iter_mut().filter(|term| term.needs.planes);
        let mut looking: Weighted =
            looking.map(|term| (term.weight as f32, &mut *term.loss as &mut dyn Loss)).collect();
        planar::look(batch, &mut looking, buffer, aside);
    }

    /// Settles the values of those that need sums, on which their slopes depend, or of the others, of which some
    /// observe in the second sweep only.
    pub fn settle(&mut self, with_sums: bool, sums: &[Sums]) {
        for term in self.0.iter_mut().filter(|term| term.needs.sums == with_sums) {
            term.value = term.loss.settle(sums);
        }
    }
    /// The weighted sum of the values.
    pub fn value(&self) -> f64 {
        sum(self.0.iter().map(|term| (term.weight, term.value)))
    }
    /// The value of one of the losses, unweighted.
    pub fn value_of(&self, loss: usize) -> f64 {
        sum(self.0.iter().filter(|term| term.of == loss).map(|term| (term.share, term.value)))
    }
}

/// Σ weight · value. What weighs nothing adds nothing, even where it is infinite.
fn sum(weighted: impl Iterator<Item = (f64, f64)>) -> f64 {
    weighted.filter(|&(weight, _)| weight != 0.0).fold(0.0, |sum, (weight, value)| sum + weight * value)
}
