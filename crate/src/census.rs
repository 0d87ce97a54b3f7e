//! One look at the target before anything is computed: is it valid, and how much of what is in it?
//!
//! Means need the number of valid sites, overlap losses the size of each class, balanced losses the
//! share of negatives. All of it depends on the target alone, so one pass serves every term.

use crate::batch::{Batch, Label, Section, Target, match_target};

/// The first thing that is wrong with a batch's data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    /// The argument it is in.
    pub argument: Argument,
    /// Its index in that argument's array.
    pub index: usize,
}

/// Arguments whose data can be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(u32)]
pub enum Argument {
    /// A label outside the classes, or a soft target outside [0, 1].
    Target = 1,
    /// A weight that is negative or not finite.
    PixelWeights = 2,
    /// A probability outside [0, 1], or (only when asked) a logit that is not finite.
    Logits = 3,
    /// A distance that is not finite.
    Distance = 4,
    /// None: there is no room to work in. The index is how many bytes that takes.
    Memory = 5,
}

/// What the target holds, per section and outcome.
#[derive(Default)]
pub struct Census {
    outcomes: usize,
    valid: Vec<f64>,
    count: Vec<f64>,
    mass: Vec<f64>,
    square: Vec<f64>,
}

impl Census {
    /// Number of valid sites in a section.
    pub fn valid(&self, section: usize) -> f64 {
        self.valid[section]
    }
    /// Number of valid sites in all.
    pub fn valid_total(&self) -> f64 {
        self.valid.iter().sum()
    }
    /// Σ y over the section's valid sites, weights left out: the number of sites with this label.
    pub fn count(&self, section: usize, outcome: usize) -> f64 {
        self.count[section * self.outcomes + outcome]
    }
    /// Σ ω y over the section's valid sites.
    pub fn mass(&self, section: usize, outcome: usize) -> f64 {
        self.mass[section * self.outcomes + outcome]
    }
    /// Σ ω y² over the section's valid sites.
    pub fn square(&self, section: usize, outcome: usize) -> f64 {
        self.square[section * self.outcomes + outcome]
    }

    /// Checks the batch's data and counts the target. `counts`: whether anybody will ask for more
    /// than the number of valid sites; `check_logits`: whether non-finite logits are faults.
    pub fn take(batch: &Batch, counts: bool, check_logits: bool) -> Result<Self, Fault> {
        if let Some(weights) = batch.pixel_weights {
            first_index(weights, |w| !(0.0..=f32::MAX).contains(&w), Argument::PixelWeights)?;
        }
        if let Some(distance) = batch.distance {
            first_index(distance, |d| !d.is_finite(), Argument::Distance)?;
        }
        if check_logits {
            first_index(batch.logits, |z| !z.is_finite(), Argument::Logits)?;
        }
        if !batch.from_logits {
            first_index(batch.logits, |p| !(0.0..=1.0).contains(&p) && !p.is_nan(), Argument::Logits)?;
        }
        let outcomes = batch.outcomes();
        let cells = batch.section_count() * outcomes;
        let mut census = Self {
            outcomes,
            valid: vec![0.0; batch.section_count()],
            count: vec![0.0; cells],
            mass: vec![0.0; cells],
            square: vec![0.0; cells],
        };
        if let Target::Soft(soft) = batch.target {
            first_index(soft, |y| !(0.0..=1.0).contains(&y), Argument::Target)?;
        }
        for section in batch.sections() {
            match_target!(batch.target,
                labels => census.count_labels(batch, &section, labels, counts)?,
                soft => census.count_soft(batch, &section, soft, counts)
            );
        }
        Ok(census)
    }

    fn count_labels<L: Label>(
        &mut self,
        batch: &Batch,
        section: &Section,
        labels: &[L],
        counts: bool,
    ) -> Result<(), Fault> {
        let (pixels, outcomes) = (batch.pixels(), self.outcomes);
        let (first, step) = batch.label_plane(section);
        let ignore = batch.ignore.and_then(L::from_number);
        let is_bad = |label: L| !label.is_below(outcomes) && Some(label) != ignore;
        let fault = |offset: usize| Fault { argument: Argument::Target, index: first + offset * step };
        let counted = &mut self.count[section.index * outcomes..][..outcomes];
        if step == 1 {
            let labels = &labels[first..][..pixels];
            // In runs, without a branch: the compiler turns both loops into vector code.
            let mut ignored = 0;
            for (run, start) in labels.chunks(RUN).zip((0..).step_by(RUN)) {
                // Labels stay as narrow as they came: sixteen bytes are compared at once.
                let all_fit = match ignore {
                    None => run.iter().fold(true, |all, &label| all & label.is_below(outcomes)),
                    Some(ignore) => {
                        run.iter().fold(true, |all, &label| all & (label.is_below(outcomes) | (label == ignore)))
                    }
                };
                if !all_fit && let Some(offset) = run.iter().position(|&label| is_bad(label)) {
                    return Err(fault(start + offset));
                }
                if let Some(ignore) = ignore {
                    ignored += run.iter().map(|&label| u32::from(label == ignore)).sum::<u32>() as usize;
                }
            }
            self.valid[section.index] = (pixels - ignored) as f64;
            if counts {
                histogram(labels, counted, ignore.map(L::class), self.valid[section.index]);
            }
        } else {
            let mut valid = 0.0;
            for (offset, &label) in labels[first..].iter().step_by(step).take(pixels).enumerate() {
                if is_bad(label) {
                    return Err(fault(offset));
                }
                if Some(label) != ignore {
                    valid += 1.0;
                    counted[label.class() as usize] += 1.0;
                }
            }
            self.valid[section.index] = valid;
        }
        // A hard y is its own square.
        let mass = &mut self.mass[section.index * outcomes..][..outcomes];
        match batch.pixel_weights {
            Some(weights) if counts => {
                let weights = &weights[section.image * pixels..][..pixels];
                let labels = labels[first..].iter().step_by(step);
                for (&label, &weight) in labels.zip(weights) {
                    if Some(label) != ignore {
                        mass[label.class() as usize] += f64::from(weight);
                    }
                }
            }
            _ => mass.copy_from_slice(counted),
        }
        self.square[section.index * outcomes..][..outcomes].copy_from_slice(mass);
        Ok(())
    }

    fn count_soft(&mut self, batch: &Batch, section: &Section, soft: &[f32], counts: bool) {
        let pixels = batch.pixels();
        self.valid[section.index] = pixels as f64;
        if !counts {
            return;
        }
        for k in 0..section.channels {
            let (first, step) = batch.plane(section.image, section.class + k);
            let (mut count, mut mass, mut square, mut total) = (0.0, 0.0, 0.0, 0.0);
            for (pixel, &y) in soft[first..].iter().step_by(step).take(pixels).enumerate() {
                let y = f64::from(y);
                let weight = batch.pixel_weights.map_or(1.0, |w| f64::from(w[section.image * pixels + pixel]));
                count += y;
                mass += weight * y;
                square += weight * y * y;
                total += weight;
            }
            let cell = section.index * self.outcomes + batch.outcome_of(k);
            (self.count[cell], self.mass[cell], self.square[cell]) = (count, mass, square);
            if batch.sigmoid {
                (self.count[cell - 1], self.mass[cell - 1]) = (pixels as f64 - count, total - mass);
                self.square[cell - 1] = total - 2.0 * mass + square;
            }
        }
    }
}

/// Labels checked between two looks at whether one was bad.
const RUN: usize = 4096;

fn first_index(values: &[f32], is_bad: impl Fn(f32) -> bool, argument: Argument) -> Result<(), Fault> {
    for (run, start) in values.chunks(RUN).zip((0..).step_by(RUN)) {
        if run.iter().fold(false, |bad, &value| bad | is_bad(value)) {
            let offset = run.iter().position(|&value| is_bad(value)).unwrap_or(0);
            return Err(Fault { argument, index: start + offset });
        }
    }
    Ok(())
}

/// Counts each class among the labels, the ignored one left out: it may be a class itself.
fn histogram<L: Label>(labels: &[L], counted: &mut [f64], ignored: Option<u32>, valid: f64) {
    if counted.len() == 2 {
        // Two classes: one vectorised count, 0.1 ns a label.
        let is_positive = |label: L| u32::from(label.class() == 1 && ignored != Some(1));
        let runs = labels.chunks(RUN).map(|run| run.iter().map(|&label| is_positive(label)).sum::<u32>());
        counted[1] = runs.map(f64::from).sum();
        counted[0] = valid - counted[1];
        return;
    }
    // Four tables in turn: a run of equal labels would otherwise wait for its own last increment.
    let classes = counted.len();
    let mut tables = vec![0u64; 4 * (classes + 1)];
    for (label, table) in labels.iter().zip([0, 1, 2, 3].into_iter().cycle()) {
        tables[table * (classes + 1) + (label.class() as usize).min(classes)] += 1;
    }
    for (class, count) in counted.iter_mut().enumerate().filter(|(class, _)| Some(*class as u32) != ignored) {
        *count = (0..4).map(|table| tables[table * (classes + 1) + class]).sum::<u64>() as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch<'a>(target: Target<'a>, sigmoid: bool, weights: Option<&'a [f32]>) -> Batch<'a> {
        Batch {
            logits: &[0.0; 8],
            target,
            images: 1,
            channels: 2,
            size: [1, 2, 2],
            spacing: [1.0; 3],
            sigmoid,
            channels_last: sigmoid,
            from_logits: true,
            ignore: Some(9),
            pixel_weights: weights,
            distance: None,
        }
    }

    #[test]
    fn counts_labels_and_weights() {
        let census =
            Census::take(&batch(Target::U8(&[0, 1, 9, 1]), false, Some(&[1.0, 2.0, 4.0, 0.5])), true, false).unwrap();
        assert_eq!((census.valid(0), census.count(0, 0), census.count(0, 1)), (3.0, 1.0, 2.0));
        assert_eq!((census.mass(0, 0), census.mass(0, 1), census.square(0, 1)), (1.0, 2.5, 2.5));
    }

    #[test]
    fn counts_channels_last_sigmoids() {
        let census = Census::take(&batch(Target::I32(&[0, 1, 1, 1, 9, 0, 0, 1]), true, None), true, false).unwrap();
        assert_eq!((census.valid(0), census.count(0, 1)), (3.0, 1.0));
        assert_eq!((census.valid(1), census.count(1, 1)), (4.0, 3.0));
    }

    #[test]
    fn the_ignored_label_may_be_a_class() {
        for (ignore, counts) in [(0, [0.0, 3.0]), (1, [1.0, 0.0])] {
            let mut batch = batch(Target::U8(&[0, 1, 1, 1]), false, None);
            batch.ignore = Some(ignore);
            let census = Census::take(&batch, true, false).unwrap();
            assert_eq!([census.count(0, 0), census.count(0, 1)], counts);
        }
    }

    #[test]
    fn names_the_first_fault() {
        let fault = |argument, index| Some(Fault { argument, index });
        let labels = Target::I16(&[0, 1, -2, 1]);
        assert_eq!(Census::take(&batch(labels, false, None), true, false).err(), fault(Argument::Target, 2));
        let weights = Some(&[1.0, f32::NAN, -1.0, 1.0][..]);
        assert_eq!(
            Census::take(&batch(Target::U8(&[0; 4]), false, weights), true, false).err(),
            fault(Argument::PixelWeights, 1)
        );
        let soft = Target::Soft(&[0.0, 0.5, 1.0, 1.0, 0.0, f32::NAN, 0.0, 0.0]);
        assert_eq!(Census::take(&batch(soft, false, None), true, false).err(), fault(Argument::Target, 5));
    }
}
