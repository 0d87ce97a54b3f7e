//! The losses: what each must say of itself, and the table of all of them.
//!
//! Three families share their sweeps: [`pointwise`] (a mean over sites), [`overlap`] (a function of
//! three sums per class) and [`planar`] (a look at a whole plane of errors between the sweeps). A
//! loss's own file holds its formula and its derivative.

pub mod overlap;
pub mod planar;
pub mod pointwise;

pub mod balanced_cross_entropy;
pub mod boundary;
pub mod combo;
pub mod conservative;
pub mod cross_entropy;
pub mod dice;
pub mod exponential_logarithmic;
pub mod focal;
pub mod focal_tversky;
pub mod generalized_dice;
pub mod hausdorff_dt;
pub mod jaccard;
pub mod lovasz;
pub mod lovasz_extension;
pub mod lovasz_hinge;
pub mod lovasz_softmax;
pub mod parts;
pub mod smoothing;
pub mod tversky;
pub mod weighted_cross_entropy;

use crate::batch::{Batch, Section};
use crate::census::Census;
use crate::slopes::Slopes;
use crate::view::{Row, Sums, Tile};
use planar::Plane;

/// What a loss does at each stage of an evaluation.
pub trait Loss {
    /// What it needs of the activation and the sweeps for such a batch.
    fn needs(&self, batch: &Batch) -> Needs;
    /// Bytes it will work in, where that grows with the batch.
    fn scratch(&self, _batch: &Batch) -> usize {
        0
    }
    /// Looks at the target's census; forgets what it knew of another batch.
    fn begin(&mut self, batch: &Batch, census: &Census);
    /// c of each channel, where a part of it is Σ c_k (z_l − z_k), and what that is multiplied with.
    fn linear(&self) -> (&[f32], f32) {
        (&[], 0.0)
    }
    /// Before the sweeps: Σ of that over all pixels.
    fn observe_linear(&mut self, _sum: f64) {}
    /// First sweep: looks at each site of a tile. Only where `needs` says so.
    fn observe(&mut self, _tile: &Tile) {}
    /// Between the sweeps: looks at one class of all images, and writes its slopes.
    fn look(&mut self, _batch: &Batch, _plane: &Plane) {}
    /// The value, from what it observed and from `sums`, one per image and class.
    fn settle(&mut self, sums: &[Sums]) -> f64;
    /// Second sweep: adds `scale` times its slopes.
    fn pull(&mut self, tile: &Tile, scale: f32, slopes: &mut Slopes);
    /// The same where nobody needs rows: one slope for all labels will do.
    fn pull_evenly(&mut self, tile: &Tile, scale: f32, slopes: &mut Slopes) {
        self.pull(tile, scale, slopes);
    }
    /// Both at once, where every loss of the objective needs one sweep only.
    fn observe_and_pull(&mut self, tile: &Tile, scale: f32, slopes: &mut Slopes) {
        self.observe(tile);
        self.pull(tile, scale, slopes);
    }
    /// First sweep in place of `observe` where nobody needs rows: Σ u, under a sigmoid of a section's
    /// negatives and positives.
    fn observe_surprise(&mut self, _section: usize, _surprise: [f64; 2]) {}
    /// Second sweep under a sigmoid, in place of `pull` where slopes are the same for a whole outcome.
    fn pull_outcomes(&self, _section: &Section, _scale: f64, _slopes: &mut OutcomeSlopes) {}
    /// Both sweeps of one row under a sigmoid at once: `scale` times the gradient, ∂L/∂z, into `out`.
    /// False where it does not know how.
    fn sweep_row(&mut self, _row: &Row, _scale: f32, _out: &mut [f32]) -> bool {
        false
    }
    /// Adds `scale` times the loss of each pixel, unreduced. Only where `needs` says there is one.
    fn map(&mut self, _tile: &Tile, _scale: f32, _row: &mut [f32]) {}
}

/// Slopes of a section under a sigmoid that are the same for a whole outcome.
#[derive(Clone, Copy, Default)]
pub struct OutcomeSlopes {
    /// ∂L/∂p
    pub constant: f64,
    /// What positives have on top of it.
    pub hit: f64,
    /// ∂L/∂ln p of the label of negatives and positives.
    pub labels: [f64; 2],
}

/// What a loss needs.
#[derive(Clone, Copy, Default)]
pub struct Needs {
    /// u, p and q of each label: it is pointwise (at least in part).
    pub sites: bool,
    /// Them one by one, not only Σ u and the same slope along ln p for all.
    pub rows: bool,
    /// Of negatives apart from positives: it weighs them differently.
    pub uneven: bool,
    /// The same of every outcome, even where targets are hard.
    pub outcomes: bool,
    /// Slopes along ln p that differ from label to label of a class.
    pub varied: bool,
    /// The sums of each class: its slopes depend on them.
    pub sums: bool,
    /// Among them Σ (1 − p) y, without cancellation. Costs the sites.
    pub misses: bool,
    /// Among them Σ (p − y)²; slopes grow with p. Costs the sites.
    pub squares: bool,
    /// Σ p times the signed distances that came with the batch; slopes depend on the distances alone.
    pub distance: bool,
    /// A look at whole planes between the sweeps.
    pub planes: bool,
    /// The slopes it leaves there are ∂L/∂z, not ∂L/∂p.
    pub logit_slopes: bool,
    /// How often each label occurs.
    pub counts: bool,
}

impl Needs {
    /// Whether a loss that needs this sweeps rows under a sigmoid by itself, also where others are swept
    /// twice (`Loss::sweep_row`): its slopes need more of a row than where it is positive, but no sums.
    pub fn apart(&self) -> bool {
        (self.varied || self.distance) && !self.sums
    }
    /// Whether slopes of a loss that needs this are known in the first sweep also where others are swept twice: along
    /// ln p of labels, and they wait for no sums.
    pub fn early(&self) -> bool {
        self.sites && !self.sums
    }
    /// What both need together.
    pub fn and(self, other: Self) -> Self {
        Self {
            sites: self.sites | other.sites,
            rows: self.rows | other.rows,
            uneven: self.uneven | other.uneven,
            outcomes: self.outcomes | other.outcomes,
            varied: self.varied | other.varied,
            sums: self.sums | other.sums,
            misses: self.misses | other.misses,
            squares: self.squares | other.squares,
            distance: self.distance | other.distance,
            planes: self.planes | other.planes,
            logit_slopes: self.logit_slopes | other.logit_slopes,
            counts: self.counts | other.counts,
        }
    }
}

/// An option with a few named values, which passes the WebAssembly boundary as its index.
pub trait Choice {
    /// The value at an index of the table's list; the first where there is none.
    fn at(index: u32) -> Self;
}
macro_rules! choices { ($($(#[$doc:meta])* $name:ident { $($(#[$choice_doc:meta])* $choice:ident),* })*) => { $(
    $(#[$doc])*
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum $name { $($(#[$choice_doc])* $choice),* }
    impl Choice for $name {
        fn at(index: u32) -> Self {
            const ALL: &[$name] = &[$($name::$choice),*];
            *ALL.get(index as usize).unwrap_or(&ALL[0])
        }
    }
)* } }
choices! {
    /// How pointwise losses are reduced.
    Reduction {
        /// Over the number of valid sites, or their class weights.
        Mean,
        /// Added up.
        Sum
    }
    /// What set losses collect their statistics over.
    Over {
        /// Each image for itself.
        Image,
        /// The whole batch.
        Batch
    }
    /// How generalized Dice weighs a class of size v.
    Weighting {
        /// 1 / v²
        Square,
        /// 1 / v
        Simple,
        /// 1
        Uniform
    }
}

/// Numbers for the classes: nothing, which counts as 1; one number; or a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Numbers {
    /// Nothing was given.
    #[default]
    None,
    /// One number.
    One(f64),
    /// One a class.
    List(Vec<f64>),
}
impl Numbers {
    /// The number for a class.
    pub fn get(&self, class: usize) -> f64 {
        match self {
            Self::None => 1.0,
            Self::One(number) => *number,
            Self::List(list) => list[class],
        }
    }
}

/// Which classes a set loss averages over.
#[derive(Clone, Debug, PartialEq)]
pub enum Classes {
    /// Every class.
    All,
    /// Those that occur in the target.
    Present,
    /// These.
    List(Vec<usize>),
}
impl Classes {
    /// Whether a class is selected, given how much of it the target holds.
    pub fn select(&self, class: usize, count: f64) -> bool {
        match self {
            Self::All => true,
            Self::Present => count > 0.0,
            Self::List(list) => list.contains(&class),
        }
    }
    /// Which (image, class) pairs are selected, image by image; one row where the batch is pooled. A
    /// pair of which every pixel is ignored is no pair.
    pub fn pairs(&self, over: Over, batch: &Batch, census: &Census) -> Vec<bool> {
        let groups = if over == Over::Image { batch.images } else { 1 };
        let cells = 0..groups * batch.channels;
        let selected = cells.map(|cell| {
            let (group, class) = (cell / batch.channels, cell % batch.channels);
            let images = if over == Over::Image { group..group + 1 } else { 0..batch.images };
            let (mut count, mut valid) = (0.0, 0.0);
            for section in images.map(|image| batch.section_of(image, class)) {
                count += census.count(section, batch.outcome_of(class));
                valid += census.valid(section);
            }
            valid > 0.0 && self.select(class, count)
        });
        selected.collect()
    }
}

/// The table: one row per loss, with its options in the order of the TypeScript table. From it
/// follow the methods that the core exports (`exports::objective`), one per loss.
#[macro_export]
macro_rules! losses {
    ($use:ident) => {
        $use! {
            cross_entropy::CrossEntropy { class_weights: Numbers, label_smoothing: f64, reduction: Reduction }
            weighted_cross_entropy::WeightedCrossEntropy { positive_weight: f64, reduction: Reduction }
            balanced_cross_entropy::BalancedCrossEntropy { beta: f64, reduction: Reduction }
            focal::Focal { gamma: f64, alpha: Numbers, reduction: Reduction }
            conservative::Conservative { base: f64, lambda: f64, floor: f64, reduction: Reduction }
            dice::Dice { over: Over, classes: Classes, smooth: f64, squared: bool }
            jaccard::Jaccard { over: Over, classes: Classes, smooth: f64 }
            tversky::Tversky { over: Over, classes: Classes, alpha: f64, beta: f64, smooth: f64 }
            focal_tversky::FocalTversky { over: Over, classes: Classes, alpha: f64, beta: f64, gamma: f64, smooth: f64 }
            generalized_dice::GeneralizedDice { over: Over, classes: Classes, weighting: Weighting, smooth: f64 }
            exponential_logarithmic::ExponentialLogarithmic {
                over: Over, classes: Classes, dice_weight: f64, cross_weight: f64, dice_gamma: f64,
                cross_gamma: f64, class_weights: Numbers, smooth: f64
            }
            combo::Combo { over: Over, classes: Classes, alpha: f64, beta: f64, smooth: f64 }
            lovasz_hinge::LovaszHinge { over: Over }
            lovasz_softmax::LovaszSoftmax { over: Over, classes: Classes }
            boundary::Boundary { classes: Classes, spacing: Numbers }
            hausdorff_dt::HausdorffDt { classes: Classes, alpha: f64, spacing: Numbers }
        }
    };
}
