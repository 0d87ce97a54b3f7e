//! Random batches, as numbers that can be laid out and typed in several ways.

use crate::input::Input;
use segrad::batch::{Batch, Sign, Target};
use segrad::census::{Argument, Fault};

/// A batch, channels first.
#[derive(Clone, Debug)]
pub struct Scene {
    pub images: usize,
    pub channels: usize,
    pub size: [usize; 3],
    pub spacing: [f64; 3],
    pub sigmoid: bool,
    pub from_logits: bool,
    pub ignore: Option<i64>,
    pub logits: Vec<f32>,
    pub truth: Truth,
    pub weights: Option<Vec<f32>>,
    pub distance: Option<Vec<f32>>,
    pub kind: Kind,
}

/// Labels, one a site, or soft targets.
#[derive(Clone, Debug)]
pub enum Truth {
    Labels(Vec<i64>),
    Soft(Vec<f32>),
}

/// What the logits are like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Within ±3, all different.
    Calm,
    /// A few values within ±3: many ties.
    Tied,
    /// Within ±30.
    Sure,
    /// Within ±10⁴.
    Certain,
    /// Up to 10³⁰, zeros of both signs and denormals.
    Extreme,
    /// NaN and infinities among them.
    Broken,
}

impl Scene {
    /// Any batch; with the mode and channels of another, if there is one.
    pub fn any(input: &mut Input, like: Option<&Scene>) -> Self {
        let sigmoid = like.map_or_else(|| input.below(2) == 0, |like| like.sigmoid);
        let from_logits = like.map_or_else(|| input.below(5) != 0, |like| like.from_logits);
        let channels = like.map_or_else(
            || if sigmoid { input.pick(&[1, 1, 1, 2, 3, 5]) } else { input.pick(&[1, 2, 2, 3, 4, 5, 8, 21, 150, 300]) },
            |like| like.channels,
        );
        let size = loop {
            let size = input.size();
            if size.iter().product::<usize>() * channels <= 12_000 {
                break size;
            }
        };
        let pixels: usize = size.iter().product();
        let images = if channels * pixels > 6000 { 1 } else { 1 + input.below(3) };
        let spacing = if input.once_in(4) { [2.0, 0.5, 1.5] } else { [1.0; 3] };
        let kinds = [Kind::Calm, Kind::Calm, Kind::Tied, Kind::Sure, Kind::Certain, Kind::Extreme, Kind::Broken];
        let kind = input.pick(&kinds);
        let number = |input: &mut Input| if from_logits { logit(input, kind) } else { probability(input, kind) };
        let elements = images * channels * pixels;
        let logits = (0..elements).map(|_| number(input)).collect();
        let (ignore, truth) = truth(input, sigmoid, channels, images * pixels);
        let weights = input.once_in(3).then(|| {
            (0..images * pixels).map(|_| [0.0, 1.0, 2.5, (3.0 * input.unit()) as f32][input.any_below(4)]).collect()
        });
        let distance = input.once_in(4).then(|| (0..elements).map(|_| (9.0 * input.signed()) as f32).collect());
        Self { images, channels, size, spacing, sigmoid, from_logits, ignore, logits, truth, weights, distance, kind }
    }

    pub fn pixels(&self) -> usize {
        self.size.iter().product()
    }

    /// Spoils one number of one argument, and says what must be found. None if nothing can be spoiled.
    pub fn spoil(&mut self, input: &mut Input) -> Option<Fault> {
        let bad = input.pick(&[f32::NAN, -0.25, f32::INFINITY]);
        let (argument, length) = match (input.below(4), &mut self.truth) {
            (0, Truth::Labels(labels)) => {
                let at = input.any_below(labels.len());
                let most = if self.sigmoid { 2 } else { self.channels as i64 };
                labels[at] = if self.ignore == Some(most) { most + 1 } else { most };
                return Some(Fault { argument: Argument::Target, index: at });
            }
            (0, Truth::Soft(shares)) => (Argument::Target, shares),
            (1, _) if self.weights.is_some() => (Argument::PixelWeights, self.weights.as_mut()?),
            (2, _) if self.distance.is_some() => {
                let distance = self.distance.as_mut()?;
                let at = input.any_below(distance.len());
                distance[at] = f32::NAN;
                return Some(Fault { argument: Argument::Distance, index: at });
            }
            _ => return None,
        };
        let at = input.any_below(length.len());
        length[at] = bad;
        Some(Fault { argument, index: at })
    }

    /// Where an entry of an array shaped like the logits lies with the channels last.
    pub fn index_last(&self, at: usize) -> usize {
        let (plane, pixel) = (at / self.pixels(), at % self.pixels());
        let (image, channel) = (plane / self.channels, plane % self.channels);
        (image * self.pixels() + pixel) * self.channels + channel
    }
    fn laid_out<T: Copy>(&self, values: &[T], last: bool) -> Vec<T> {
        let mut out = values.to_vec();
        if last {
            values.iter().enumerate().for_each(|(at, &value)| out[self.index_last(at)] = value);
        }
        out
    }

    /// The batch's arrays in this layout, with labels of this type, or the next that can hold them.
    pub fn arrays(&self, last: bool, label_type: usize) -> Arrays {
        let target = match &self.truth {
            Truth::Soft(shares) => Typed::Soft(self.laid_out(shares, last)),
            Truth::Labels(labels) => Typed::new(&self.laid_out(labels, last && self.sigmoid), label_type),
        };
        Arrays {
            last,
            logits: self.laid_out(&self.logits, last),
            target,
            distance: self.distance.as_ref().map(|distance| self.laid_out(distance, last)),
        }
    }
}

/// A batch's arrays in one of its layouts.
pub struct Arrays {
    last: bool,
    pub logits: Vec<f32>,
    target: Typed,
    distance: Option<Vec<f32>>,
}

impl Arrays {
    /// The batch that these are.
    pub fn batch<'a>(&'a self, scene: &'a Scene) -> Batch<'a> {
        Batch {
            logits: &self.logits,
            target: self.target.target(),
            images: scene.images,
            channels: scene.channels,
            size: scene.size,
            spacing: scene.spacing,
            sigmoid: scene.sigmoid,
            channels_last: self.last,
            from_logits: scene.from_logits,
            ignore: scene.ignore,
            pixel_weights: scene.weights.as_deref(),
            distance: self.distance.as_deref(),
        }
    }
}

macro_rules! typed { ($($name:ident($type:ty as $target:ident($unsigned:ty), $sign:ident))*) => {
    enum Typed { $($name(Vec<$unsigned>),)* Soft(Vec<f32>) }
    impl Typed {
        fn new(labels: &[i64], first: usize) -> Self {
            let makers = [$(|labels: &[i64]| -> Option<Typed> {
                labels.iter().map(|&label| <$type>::try_from(label).ok().map(|label| label as $unsigned)).collect::<Option<_>>().map(Typed::$name)
            }),*];
            let made = (0..makers.len()).find_map(|i| makers[(first + i) % makers.len()](labels));
            made.expect("every label fits 32 bits")
        }
        fn target(&self) -> Target<'_> {
            match self { $(Self::$name(labels) => Target::$target(labels, Sign::$sign),)* Self::Soft(shares) => Target::Soft(shares) }
        }
    }
} }
typed! {
    U8(u8 as U8(u8), Unsigned) I8(i8 as U8(u8), Signed) U16(u16 as U16(u16), Unsigned)
    I16(i16 as U16(u16), Signed) U32(u32 as U32(u32), Unsigned) I32(i32 as U32(u32), Signed)
}

fn logit(input: &mut Input, kind: Kind) -> f32 {
    let special = [0.0, -0.0, 1e-40, -1e-40, 1e30, -1e30, 88.0, -104.0];
    let broken = [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
    match kind {
        Kind::Extreme if input.any_below(3) == 0 => special[input.any_below(special.len())],
        Kind::Broken if input.any_below(20) == 0 => broken[input.any_below(broken.len())],
        Kind::Tied => input.any_below(7) as f32 - 3.0,
        Kind::Sure => (30.0 * input.signed()) as f32,
        Kind::Certain | Kind::Extreme => (1e4 * input.signed()) as f32,
        Kind::Calm | Kind::Broken => (3.0 * input.signed()) as f32,
    }
}

fn probability(input: &mut Input, kind: Kind) -> f32 {
    match kind {
        Kind::Broken if input.any_below(20) == 0 => f32::NAN,
        Kind::Tied => [0.25, 0.5, 0.75][input.any_below(3)],
        Kind::Calm => (0.05 + 0.9 * input.unit()) as f32,
        _ if input.any_below(4) == 0 => [0.0, 1.0, 1e-40, 1.0 - f32::EPSILON / 2.0][input.any_below(4)],
        _ => input.unit() as f32,
    }
}

/// What is ignored, and the target.
fn truth(input: &mut Input, sigmoid: bool, channels: usize, pixels: usize) -> (Option<i64>, Truth) {
    let sites = if sigmoid { pixels * channels } else { pixels };
    if input.once_in(3) {
        let hardness = input.below(3);
        let mut share = || match hardness {
            0 => input.unit() as f32,
            1 => [0.0, 1.0, 0.5][input.any_below(3)],
            _ => input.any_below(2) as f32,
        };
        return (None, Truth::Soft((0..pixels * channels).map(|_| share()).collect()));
    }
    let ignore = match input.below(6) {
        0 => Some(-1),
        1 => Some(255),
        // A class may be the ignored label.
        2 => Some(0),
        _ => None,
    };
    let outcomes = if sigmoid { 2 } else { channels };
    // Of few classes most are absent; and sometimes all is ignored.
    let (classes, ignored) = (input.pick(&[outcomes, 1, outcomes.min(3)]), input.pick(&[5, 0, 50, 100]));
    let label = |_| match ignore {
        Some(ignore) if input.any_below(100) < ignored => ignore,
        _ => input.any_below(classes) as i64,
    };
    (ignore, Truth::Labels((0..sites).map(label).collect()))
}
