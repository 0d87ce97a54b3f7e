//! One look at the target before anything is computed: is it valid, and how much of what is in it?
//!
//! Means need the number of valid sites, overlap losses the size of each class, balanced losses the
//! share of negatives. All of it depends on the target alone, so one pass serves every term.

use crate::batch::{Batch, Label, Section, Target, match_target};
use crate::labels::add_by_label;
use std::ops::Range;

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
        let mut census =
            Self { outcomes, valid: vec![0.0; batch.section_count()], count: vec![0.0; cells], mass: vec![0.0; cells] };
        if let Target::Soft(soft) = batch.target {
            first_index(soft, |y| !(0.0..=1.0).contains(&y), Argument::Target)?;
        }
        for section in batch.sections() {
            if let Target::Soft(soft) = batch.target {
                census.count_soft(batch, &section, soft, counts);
            } else {
                check_labels(batch, &section)?;
                census.count_labels(batch, &section, counts);
            }
        }
        Ok(census)
    }

    fn count_labels(&mut self, batch: &Batch, section: &Section, counts: bool) {
        let (pixels, outcomes) = (batch.pixels(), self.outcomes);
        self.valid[section.index] = pixels as f64;
        if !counts && batch.ignore.is_none() {
            return;
        }
        let (first, step) = batch.label_plane(section);
        let cells = section.index * outcomes..(section.index + 1) * outcomes;
        let (count, mass) = (&mut self.count[cells.clone()], &mut self.mass[cells]);
        let is_few = step == 1 && outcomes <= few(&batch.target);
        if is_few {
            let count_from =
                |class, counts: &mut [f64]| count_each(&batch.target, first..first + pixels, class, counts);
            let valid = &mut self.valid[section.index];
            count_from(1, &mut count[1..]);
            if let Some(ignored) = batch.ignore.and_then(|number| batch.target.class_of(number)) {
                let mut ignored_count = [0.0];
                count_from(ignored, &mut ignored_count);
                *valid -= ignored_count[0];
                if let Some(count) = count.get_mut(ignored as usize) {
                    *count = 0.0;
                }
            }
            count[0] = *valid - count[1..].iter().sum::<f64>();
        }
        if !is_few || batch.pixel_weights.is_some() {
            let mut histogram = (!is_few).then(|| Histogram::new(outcomes));
            let mut row = [0; RUN];
            for start in (0..pixels).step_by(RUN) {
                let row = &mut row[..RUN.min(pixels - start)];
                batch.read_labels(section, start, row.len(), row);
                if let Some(histogram) = &mut histogram {
                    histogram.add(row);
                }
                if let Some(weights) = batch.pixel_weights {
                    add_by_label(row, &weights[section.image * pixels + start..][..row.len()], None, mass);
                }
            }
            if let Some(histogram) = histogram {
                self.valid[section.index] = histogram.settle(count);
            }
        }
        if batch.pixel_weights.is_none() {
            mass.copy_from_slice(count);
        }
    }

    fn count_soft(&mut self, batch: &Batch, section: &Section, soft: &[f32], counts: bool) {
        let pixels = batch.pixels();
        self.valid[section.index] = pixels as f64;
        if !counts {
            return;
        }
        for k in 0..section.channels {
            let (first, step) = batch.plane(section.image, section.class + k);
            let (mut count, mut mass, mut total) = (0.0, 0.0, 0.0);
            for (pixel, &y) in soft[first..].iter().step_by(step).take(pixels).enumerate() {
                let y = f64::from(y);
                let weight = batch.pixel_weights.map_or(1.0, |w| f64::from(w[section.image * pixels + pixel]));
                count += y;
                mass += weight * y;
                total += weight;
            }
            let cell = section.index * self.outcomes + batch.outcome_of(k);
            (self.count[cell], self.mass[cell]) = (count, mass);
            if batch.sigmoid {
                (self.count[cell - 1], self.mass[cell - 1]) = (pixels as f64 - count, total - mass);
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

/// The highest class that a label can be.
fn highest_class(batch: &Batch) -> u32 {
    batch.target.highest().min(batch.outcomes() as u32 - 1)
}

/// The first label of a section that is neither a class nor ignored.
fn check_labels(batch: &Batch, section: &Section) -> Result<(), Fault> {
    let (first, step) = batch.label_plane(section);
    let pixels = batch.pixels();
    let highest = highest_class(batch);
    let ignore = batch.ignore.and_then(|number| batch.target.class_of(number));
    let all_fit =
        |labels| match_target!(labels, labels => fit(&labels[first..][..pixels], highest, ignore), _soft => true);
    if step == 1 && all_fit(batch.target) {
        return Ok(());
    }
    let mut row = [0; RUN];
    for start in (0..pixels).step_by(RUN) {
        let row = &mut row[..RUN.min(pixels - start)];
        batch.target.read_classes(first + start * step, step, row);
        let is_bad = |&label: &u32| label > highest && Some(label) != ignore;
        if let Some(offset) = row.iter().position(is_bad) {
            return Err(Fault { argument: Argument::Target, index: first + (start + offset) * step });
        }
    }
    Ok(())
}

/// Whether labels are classes or ignored. They stay as narrow as they came: sixteen bytes are compared at once.
fn fit<L: Label>(labels: &[L], highest: u32, ignore: Option<u32>) -> bool {
    // Class 0 may always be let through.
    let (highest, ignore) = (L::of(highest), L::of(ignore.unwrap_or(0)));
    labels.chunks(RUN).all(|run| run.iter().fold(true, |all, &label| all & ((label <= highest) | (label == ignore))))
}

/// How often each class from `class` on is among labels; adds to `counts`.
fn count_each(target: &Target, labels: Range<usize>, class: u32, counts: &mut [f64]) {
    match_target!(*target, all => {
        for run in all[labels].chunks(RUN) {
            counts.iter_mut().zip(0..).for_each(|(count, next)| *count += occurrences(run, class + next));
        }
    }, _soft => ());
}

/// Of how many classes each is counted for itself: a table takes 1.4 ns a label, whatever its type.
fn few(target: &Target) -> usize {
    256 / target.width().0.max(8) as usize
}

/// How often a class is among labels. A byte counts 240 of them, so that sixteen are compared at once (0.03 ns a
/// label, where counts of 32 bits take 0.1).
fn occurrences<L: Label>(labels: &[L], class: u32) -> f64 {
    let class = L::of(class);
    let runs = labels.chunks(240);
    let counts = runs.map(|run| run.iter().fold(0u8, |count, &label| count + u8::from(label == class)));
    counts.map(u64::from).sum::<u64>() as f64
}

/// The same of labels that were read.
const FEW: usize = 8;

/// Counts classes among labels.
struct Histogram {
    classes: usize,
    /// Four tables in turn, each with a place for labels that take part in nothing: a run of equal labels
    /// would otherwise wait for its own last increment.
    tables: Vec<u32>,
}

impl Histogram {
    fn new(classes: usize) -> Self {
        Self { classes, tables: vec![0; 4 * (classes + 1)] }
    }
    fn add(&mut self, labels: &[u32]) {
        if self.classes <= FEW {
            for (class, table) in self.tables.iter_mut().take(self.classes).enumerate() {
                *table += occurrences(labels, class as u32) as u32;
            }
            return;
        }
        for (label, table) in labels.iter().zip([0, 1, 2, 3].into_iter().cycle()) {
            self.tables[table * (self.classes + 1) + (*label as usize).min(self.classes)] += 1;
        }
    }
    /// Writes the counts, returns their sum.
    fn settle(&self, count: &mut [f64]) -> f64 {
        for (class, count) in count.iter_mut().enumerate() {
            *count = (0..4).map(|table| f64::from(self.tables[table * (self.classes + 1) + class])).sum();
        }
        count.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Sign;

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
        let census = Census::take(
            &batch(Target::U8(&[0, 1, 9, 1], Sign::Unsigned), false, Some(&[1.0, 2.0, 4.0, 0.5])),
            true,
            false,
        )
        .unwrap();
        assert_eq!((census.valid(0), census.count(0, 0), census.count(0, 1)), (3.0, 1.0, 2.0));
        assert_eq!((census.mass(0, 0), census.mass(0, 1)), (1.0, 2.5));
    }

    #[test]
    fn counts_channels_last_sigmoids() {
        let census =
            Census::take(&batch(Target::U32(&[0, 1, 1, 1, 9, 0, 0, 1], Sign::Signed), true, None), true, false)
                .unwrap();
        assert_eq!((census.valid(0), census.count(0, 1)), (3.0, 1.0));
        assert_eq!((census.valid(1), census.count(1, 1)), (4.0, 3.0));
    }

    #[test]
    fn each_way_of_counting_gives_the_same() {
        let labels: Vec<u32> = (0..5000).map(|i| i * 7919 % 31).collect();
        let narrow: Vec<u8> = labels.iter().map(|&label| label as u8).collect();
        let taken = |target: Target, weights| {
            let whole = Batch { images: 1, channels: 31, size: [1, 1, 5000], ..batch(target, false, weights) };
            Census::take(&whole, true, false).unwrap()
        };
        // Byte by byte, by a table, and added up.
        let ones = [1.0; 5000];
        let narrow = taken(Target::U8(&narrow, Sign::Unsigned), Some(&ones));
        let wide = taken(Target::U32(&labels, Sign::Unsigned), None);
        assert_eq!(
            (narrow.valid(0), wide.valid(0)),
            (4839.0, 4839.0),
            "31 does not divide 5000: 161 or 162 of each, 9 ignored"
        );
        for class in 0..31 {
            let count = if class == 9 { 0.0 } else { wide.count(0, class) };
            assert_eq!((narrow.count(0, class), narrow.mass(0, class)), (count, count));
        }
    }

    #[test]
    fn the_ignored_label_may_be_a_class() {
        for (ignore, counts) in [(0, [0.0, 3.0]), (1, [1.0, 0.0])] {
            let mut batch = batch(Target::U8(&[0, 1, 1, 1], Sign::Unsigned), false, None);
            batch.ignore = Some(ignore);
            let census = Census::take(&batch, true, false).unwrap();
            assert_eq!([census.count(0, 0), census.count(0, 1)], counts);
        }
    }

    #[test]
    fn names_the_first_fault() {
        let fault = |argument, index| Some(Fault { argument, index });
        let labels = Target::U16(&[0, 1, -2i16 as u16, 1], Sign::Signed);
        assert_eq!(Census::take(&batch(labels, false, None), true, false).err(), fault(Argument::Target, 2));
        let weights = Some(&[1.0, f32::NAN, -1.0, 1.0][..]);
        assert_eq!(
            Census::take(&batch(Target::U8(&[0; 4], Sign::Unsigned), false, weights), true, false).err(),
            fault(Argument::PixelWeights, 1)
        );
        let soft = Target::Soft(&[0.0, 0.5, 1.0, 1.0, 0.0, f32::NAN, 0.0, 0.0]);
        assert_eq!(Census::take(&batch(soft, false, None), true, false).err(), fault(Argument::Target, 5));
    }
}
