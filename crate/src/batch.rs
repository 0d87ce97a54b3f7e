//! A batch as the sweeps see it: logits, target, weights, and how they lie in memory.
//!
//! The unit of work is a *section*: what one activation couples. Softmax couples all channels of an
//! image, so a section is an image; a sigmoid couples nothing, so each channel of each image is a
//! section of its own. A *site* is one label: a pixel of a section. An *outcome* is what a label can
//! be: the classes under softmax, negative (0) and positive (1) under a sigmoid.

/// Label of a site that takes part in nothing: ignored, or padding of a tile. Even, as that of a negative.
pub const NO_LABEL: u32 = u32::MAX - 1;

/// The target: one label a site, or soft targets shaped like the logits. Signed labels are held as unsigned ones of
/// the same width: a negative one becomes larger than any class.
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub enum Target<'a> {
    U8(&'a [u8], Sign),
    U16(&'a [u16], Sign),
    U32(&'a [u32], Sign),
    Soft(&'a [f32]),
}

/// Whether labels came with a sign.
#[derive(Clone, Copy, PartialEq)]
#[allow(missing_docs)]
pub enum Sign {
    Unsigned,
    Signed,
}

/// Runs one generic expression over the labels, whatever their type; the second for soft targets.
macro_rules! match_target {
    ($target:expr, $labels:ident => $hard:expr, $soft:ident => $other:expr) => {
        match $target {
            Target::U8($labels, _) => $hard,
            Target::U16($labels, _) => $hard,
            Target::U32($labels, _) => $hard,
            Target::Soft($soft) => $other,
        }
    };
}
pub(crate) use match_target;

/// An integer label of any width.
pub trait Label: Copy + PartialOrd {
    /// The label as a class number.
    fn class(self) -> u32;
    /// The label of a class that this width can name.
    fn of(class: u32) -> Self;
}
macro_rules! labels { ($($type:ty),*) => { $(impl Label for $type {
    #[inline(always)]
    fn class(self) -> u32 {
        self.into()
    }
    #[inline(always)]
    fn of(class: u32) -> Self {
        class as $type
    }
})* } }
labels!(u8, u16, u32);

impl Target<'_> {
    /// Labels from an index on that lie `step` apart, as class numbers; 0 where targets are soft. One
    /// function for all who read labels: the loops for six types are in the module once.
    #[inline(never)]
    pub fn read_classes(&self, first: usize, step: usize, row: &mut [u32]) {
        match_target!(
            *self,
            labels => {
                let labels = &labels[first..];
                if step == 1 {
                    // Sixteen at a time: of single bytes the compiler takes four.
                    let (runs, rest) = row.as_chunks_mut::<16>();
                    for (to, labels) in runs.iter_mut().zip(labels.as_chunks().0) {
                        *to = labels.map(Label::class);
                    }
                    let labels = &labels[16 * runs.len()..];
                    rest.iter_mut().zip(labels).for_each(|(to, label)| *to = label.class());
                } else {
                    row.iter_mut().zip(labels.iter().step_by(step)).for_each(|(to, label)| *to = label.class());
                }
            },
            _soft => row.fill(0)
        )
    }
    /// Bits of a label, and whether it has a sign.
    pub fn width(&self) -> (u32, Sign) {
        match *self {
            Self::U8(_, sign) => (8, sign),
            Self::U16(_, sign) => (16, sign),
            Self::U32(_, sign) => (32, sign),
            Self::Soft(_) => (0, Sign::Unsigned),
        }
    }
    /// The largest class that a label of this type can name.
    pub fn highest(&self) -> u32 {
        let (bits, sign) = self.width();
        ((1u64 << (bits - u32::from(sign == Sign::Signed && bits > 0))) - 1) as u32
    }
    /// The class number of a label, if this type can hold it.
    pub fn class_of(&self, number: i64) -> Option<u32> {
        let (bits, sign) = self.width();
        let highest = i64::from(self.highest());
        let lowest = if sign == Sign::Signed { -highest - 1 } else { 0 };
        let holds = bits > 0 && (lowest..=highest).contains(&number);
        holds.then(|| (number & ((1 << bits) - 1)) as u32)
    }
}

/// Everything a loss is evaluated on. Lengths are checked by whoever makes one (`exports`).
pub struct Batch<'a> {
    /// Logits, or probabilities where `from_logits` is false.
    pub logits: &'a [f32],
    /// Labels or soft targets.
    pub target: Target<'a>,
    /// N
    pub images: usize,
    /// C
    pub channels: usize,
    /// Depth (1 in 2D), height, width.
    pub size: [usize; 3],
    /// Voxel size per axis of `size`.
    pub spacing: [f64; 3],
    /// Independent sigmoids (binary, multilabel) instead of one softmax.
    pub sigmoid: bool,
    /// N·spatial·C instead of N·C·spatial.
    pub channels_last: bool,
    /// Whether `logits` are logits.
    pub from_logits: bool,
    /// The label that marks a site as ignored.
    pub ignore: Option<i64>,
    /// One weight a pixel.
    pub pixel_weights: Option<&'a [f32]>,
    /// Signed distance maps shaped like the logits.
    pub distance: Option<&'a [f32]>,
}

/// What one activation couples.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Position among the batch's sections.
    pub index: usize,
    /// The image it belongs to.
    pub image: usize,
    /// Its first channel.
    pub class: usize,
    /// How many channels it has: C under softmax, 1 under a sigmoid.
    pub channels: usize,
}

impl<'a> Batch<'a> {
    /// P: pixels of one image.
    pub fn pixels(&self) -> usize {
        self.size.iter().product()
    }
    /// How many different labels a site can have.
    pub fn outcomes(&self) -> usize {
        if self.sigmoid { 2 } else { self.channels }
    }
    /// The outcome that means "this class is here" for channel k of a section.
    pub fn outcome_of(&self, k: usize) -> usize {
        if self.sigmoid { 1 } else { k }
    }
    /// Whether targets are soft.
    pub fn soft(&self) -> bool {
        matches!(self.target, Target::Soft(_))
    }
    /// How many sections there are.
    pub fn section_count(&self) -> usize {
        if self.sigmoid { self.images * self.channels } else { self.images }
    }
    /// How many labels there are.
    pub fn labels(&self) -> usize {
        self.section_count() * self.pixels()
    }
    /// All sections, images outermost.
    pub fn sections(&self) -> impl Iterator<Item = Section> + use<> {
        let (channels, sigmoid) = (self.channels, self.sigmoid);
        (0..self.section_count()).map(move |index| {
            if sigmoid {
                Section { index, image: index / channels, class: index % channels, channels: 1 }
            } else {
                Section { index, image: index, class: 0, channels }
            }
        })
    }
    /// The section that channel `class` of an image belongs to.
    pub fn section_of(&self, image: usize, class: usize) -> usize {
        if self.sigmoid { image * self.channels + class } else { image }
    }
    /// Where channel `class` of an image starts in an array shaped like the logits, and how far
    /// apart its pixels lie.
    pub fn plane(&self, image: usize, class: usize) -> (usize, usize) {
        let pixels = self.pixels();
        if self.channels_last {
            (image * pixels * self.channels + class, self.channels)
        } else {
            ((image * self.channels + class) * pixels, 1)
        }
    }
    /// Where the labels of a section start, and how far apart they lie.
    pub fn label_plane(&self, section: &Section) -> (usize, usize) {
        if self.sigmoid { self.plane(section.image, section.class) } else { (section.image * self.pixels(), 1) }
    }
    /// How far apart the channels of one pixel lie in an array shaped like the logits.
    pub fn channel_stride(&self) -> usize {
        if self.channels_last { 1 } else { self.pixels() }
    }

    /// On which side of a class pixels `start..` of an image are: −1 in the class (soft: y > ½), 1
    /// outside, 0 ignored.
    #[inline(never)]
    pub fn read_sides(&self, image: usize, class: usize, start: usize, sides: &mut [f32]) {
        if let Target::Soft(soft) = self.target {
            let (first, step) = self.plane(image, class);
            let shares = soft[first + start * step..].iter().step_by(step);
            sides.iter_mut().zip(shares).for_each(|(side, &y)| *side = if y > 0.5 { -1.0 } else { 1.0 });
            return;
        }
        let section = Section { index: 0, image, class, channels: 1 };
        let outcome = self.outcome_of(class) as u32;
        let mut labels = [0; 256];
        for (sides, start) in sides.chunks_mut(256).zip((start..).step_by(256)) {
            let labels = &mut labels[..sides.len()];
            self.read_labels(&section, start, sides.len(), labels);
            for (side, &label) in sides.iter_mut().zip(&*labels) {
                *side = match label {
                    NO_LABEL => 0.0,
                    label if label == outcome => -1.0,
                    _ => 1.0,
                };
            }
        }
    }
    /// The target's share y of a class at pixels `start..` of an image; 0 where ignored.
    pub fn read_shares(&self, image: usize, class: usize, start: usize, shares: &mut [f32]) {
        if let Target::Soft(soft) = self.target {
            let (first, step) = self.plane(image, class);
            let from = soft[first + start * step..].iter().step_by(step);
            shares.iter_mut().zip(from).for_each(|(share, &y)| *share = y);
            return;
        }
        self.read_sides(image, class, start, shares);
        shares.iter_mut().for_each(|share| *share = if *share < 0.0 { 1.0 } else { 0.0 });
    }
    /// ω of a pixel.
    #[inline(always)]
    pub fn weight(&self, image: usize, pixel: usize) -> f32 {
        self.pixel_weights.map_or(1.0, |weights| weights[image * self.pixels() + pixel])
    }

    /// Writes labels `start..start + length` of a section, then [`NO_LABEL`] to the end of the row.
    /// Returns whether any of them is ignored.
    pub fn read_labels(&self, section: &Section, start: usize, length: usize, row: &mut [u32]) -> bool {
        row[length..].fill(NO_LABEL);
        let (first, step) = self.label_plane(section);
        let row = &mut row[..length];
        self.target.read_classes(first + start * step, step, row);
        let Some(ignored) = self.ignore.and_then(|number| self.target.class_of(number)) else { return false };
        // A number, not a truth value: the compiler makes vectors of it.
        let mut any = 0;
        for label in row {
            let is_ignored = *label == ignored;
            any |= u32::from(is_ignored);
            *label = if is_ignored { NO_LABEL } else { *label };
        }
        any != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_labels_of_every_type() {
        let section = Section { index: 0, image: 0, class: 0, channels: 3 };
        let mut batch = Batch {
            logits: &[0.0; 12],
            target: Target::U8(&[0, -1i8 as u8, 2, 1], Sign::Signed),
            images: 1,
            channels: 3,
            size: [1, 2, 2],
            spacing: [1.0; 3],
            sigmoid: false,
            channels_last: false,
            from_logits: true,
            ignore: Some(-1),
            pixel_weights: None,
            distance: None,
        };
        let mut row = [9; 6];
        assert!(batch.read_labels(&section, 0, 4, &mut row));
        assert_eq!(row, [0, NO_LABEL, 2, 1, NO_LABEL, NO_LABEL]);
        batch.target = Target::U8(&[0, 255, 2, 1], Sign::Unsigned);
        batch.ignore = Some(255);
        assert!(batch.read_labels(&section, 1, 2, &mut row));
        assert_eq!(row[..3], [NO_LABEL, 2, NO_LABEL]);
        batch.ignore = Some(-1); // no u8 is −1
        assert!(!batch.read_labels(&section, 0, 1, &mut row));
    }

    #[test]
    fn every_type_names_the_classes_it_can_hold() {
        let types = [
            (Target::U8(&[], Sign::Unsigned), 0, 255),
            (Target::U8(&[], Sign::Signed), -128, 127),
            (Target::U16(&[], Sign::Unsigned), 0, 65_535),
            (Target::U16(&[], Sign::Signed), -32_768, 32_767),
            (Target::U32(&[], Sign::Unsigned), 0, i64::from(u32::MAX)),
            (Target::U32(&[], Sign::Signed), i64::from(i32::MIN), i64::from(i32::MAX)),
        ];
        for (labels, lowest, highest) in types {
            assert_eq!(i64::from(labels.highest()), highest);
            assert_eq!(labels.class_of(highest), Some(labels.highest()));
            assert_eq!((labels.class_of(lowest - 1), labels.class_of(highest + 1)), (None, None));
            // Above all classes, or class 0.
            let lowest = labels.class_of(lowest).unwrap();
            assert!(lowest == 0 || lowest == labels.highest() + 1);
        }
        assert_eq!(Target::Soft(&[]).class_of(0), None);
    }
}
