//! The value of every loss in f64, from its formula, over all pixels at once.

use crate::lovasz::by_definition;
use crate::plain;
use crate::scene::{Scene, Truth};
use crate::spec::{Kind, Spec};
use segrad::loss::{Classes, Numbers, Over, Reduction, Weighting};
use segrad::map::distance::Grid;
use segrad::map::signed::Cell;

/// What a pixel of an image has to say about one of its labels.
#[derive(Clone, Copy, Default)]
struct Outcome {
    /// Its share of the target
    y: f64,
    /// −ln p
    u: f64,
    p: f64,
    q: f64,
}

/// A prediction in f64, beside its target.
pub struct Oracle<'a> {
    scene: &'a Scene,
    outcomes: usize,
    /// By section, pixel and outcome.
    cells: Vec<Outcome>,
    /// By section and pixel.
    valid: Vec<bool>,
    logits: Vec<f64>,
}

/// A value, and the size of what was added up for it: its rounding errors are in proportion to that.
#[derive(Clone, Copy, Debug, Default)]
pub struct Value {
    pub value: f64,
    pub size: f64,
}
impl Value {
    fn new(value: f64) -> Self {
        Self { value, size: 1.0 + value.abs() }
    }
    fn times(self, factor: f64) -> Self {
        Self { value: self.value * factor, size: self.size * factor.abs() }
    }
    fn plus(self, other: Self) -> Self {
        Self { value: self.value + other.value, size: self.size + other.size }
    }
}

/// The sums of a class in an image or a batch.
#[derive(Clone, Copy, Default)]
struct Sums {
    hit: f64,
    p: f64,
    y: f64,
    p_square: f64,
    y_square: f64,
}

impl<'a> Oracle<'a> {
    /// The batch with these logits in place of its own.
    pub fn new(scene: &'a Scene, logits: Vec<f64>) -> Self {
        let (pixels, channels) = (scene.pixels(), scene.channels);
        let outcomes = if scene.sigmoid { 2 } else { channels };
        let sections = if scene.sigmoid { scene.images * channels } else { scene.images };
        let (mut cells, mut valid) = (Vec::new(), Vec::new());
        for section in 0..sections {
            for pixel in 0..pixels {
                let channel =
                    |k: usize| (if scene.sigmoid { section } else { section * channels + k }) * pixels + pixel;
                let mut outcome = |y, u: f64, q| cells.push(Outcome { y, u, p: (-u).exp(), q });
                let label = match &scene.truth {
                    Truth::Labels(labels) => Some(labels[section * pixels + pixel]),
                    Truth::Soft(_) => None,
                };
                let share = |k: usize| match &scene.truth {
                    Truth::Labels(_) => f64::from(u8::from(label == Some(k as i64))),
                    Truth::Soft(soft) if scene.sigmoid && k == 0 => 1.0 - f64::from(soft[channel(0)]),
                    Truth::Soft(soft) => f64::from(soft[channel(k)]),
                };
                valid.push(label.is_none() || label != scene.ignore);
                let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
                match (scene.sigmoid, scene.from_logits) {
                    (true, true) => {
                        let z = logits[channel(0)];
                        outcome(share(0), softplus(z), (-softplus(-z)).exp());
                        outcome(share(1), softplus(-z), (-softplus(z)).exp());
                    }
                    (true, false) => {
                        let p = logits[channel(0)];
                        outcome(share(0), -(-p).ln_1p(), p);
                        outcome(share(1), -p.ln(), 1.0 - p);
                    }
                    (false, true) => {
                        let z = |k: usize| logits[channel(k)];
                        let top = (0..channels).map(z).fold(f64::NEG_INFINITY, f64::max);
                        let sum: f64 = (0..channels).map(|k| (z(k) - top).exp()).sum();
                        for k in 0..channels {
                            let others: f64 = (0..channels).filter(|&j| j != k).map(|j| (z(j) - top).exp()).sum();
                            // ln(1 + others / own) where own is large, to keep what is small.
                            let own = (z(k) - top).exp();
                            let u = if own > 0.1 { (others / own).ln_1p() } else { sum.ln() + top - z(k) };
                            outcome(share(k), u, others / sum);
                        }
                    }
                    (false, false) => {
                        for k in 0..channels {
                            let p = logits[channel(k)];
                            outcome(share(k), -p.ln(), 1.0 - p);
                        }
                    }
                }
            }
        }
        Self { scene, outcomes, cells, valid, logits }
    }

    fn at(&self, section: usize, pixel: usize, k: usize) -> Outcome {
        self.cells[(section * self.scene.pixels() + pixel) * self.outcomes + k]
    }
    /// Section and outcome of a class of an image.
    fn locate(&self, image: usize, class: usize) -> (usize, usize) {
        if self.scene.sigmoid { (image * self.scene.channels + class, 1) } else { (image, class) }
    }
    fn is_valid(&self, section: usize, pixel: usize) -> bool {
        self.valid[section * self.scene.pixels() + pixel]
    }
    fn weight(&self, image: usize, pixel: usize) -> f64 {
        self.scene.weights.as_ref().map_or(1.0, |weights| f64::from(weights[image * self.scene.pixels() + pixel]))
    }
    /// Valid pixels of a class of an image, with what they say of it.
    fn class(&self, image: usize, class: usize) -> impl Iterator<Item = (usize, f64, Outcome)> {
        let (section, outcome) = self.locate(image, class);
        (0..self.scene.pixels())
            .filter(move |&pixel| self.is_valid(section, pixel))
            .map(move |pixel| (pixel, self.weight(image, pixel), self.at(section, pixel, outcome)))
    }
    /// Smallest difference of a probability from ½.
    pub fn nearest_half(&self) -> f64 {
        self.cells.iter().map(|cell| (cell.p - 0.5).abs()).fold(1.0, f64::min)
    }

    /// The value of a loss.
    pub fn value(&self, spec: &Spec) -> Value {
        let Spec { alpha, gamma, smooth, .. } = *spec;
        let beta = spec.plain_beta();
        let dice = |sums: &Sums| ratio(2.0 * sums.hit + smooth, sums.p + sums.y + smooth);
        let tversky = |sums: &Sums| {
            let errors = alpha * (sums.p - sums.hit) + beta * (sums.y - sums.hit);
            ratio(sums.hit + smooth, sums.hit + errors + smooth)
        };
        let class_weight = |section: usize, k: usize| {
            let class = if self.scene.sigmoid { section % self.scene.channels } else { k };
            match &spec.numbers {
                Numbers::One(alpha) => {
                    if k == 0 {
                        1.0 - alpha
                    } else {
                        *alpha
                    }
                }
                list => list.get(class),
            }
        };
        let surprise = |cell: Outcome| cell.u;
        match spec.kind {
            Kind::CrossEntropy => self.pointwise(spec, surprise, class_weight, true),
            Kind::WeightedCrossEntropy => self.pointwise(spec, surprise, |_, k| [1.0, gamma][k], false),
            Kind::BalancedCrossEntropy => {
                let betas: Vec<f64> = (0..self.valid.len() / self.scene.pixels()).map(|s| self.balance(s)).collect();
                let beta = |section: usize| if spec.beta.is_nan() { betas[section] } else { spec.beta };
                self.pointwise(spec, surprise, |s, k| [1.0 - beta(s), beta(s)][k], false)
            }
            Kind::Focal => self.pointwise(spec, |cell| cell.q.powf(gamma) * cell.u, class_weight, false),
            Kind::Conservative => {
                let log_base = (gamma + 1.0).ln();
                let published = |cell: Outcome| {
                    let v = (cell.u / log_base).max(1e-6);
                    5.0 * (1.0 - v).powi(2) * v.ln() / log_base
                };
                self.pointwise(spec, published, |_, _| 1.0, false)
            }
            Kind::Dice if spec.squared => {
                self.overlap(spec, |sums| 1.0 - ratio(2.0 * sums.hit + smooth, sums.p_square + sums.y_square + smooth))
            }
            Kind::Dice => self.overlap(spec, |sums| 1.0 - dice(sums)),
            Kind::Jaccard => self
                .overlap(spec, |sums| 1.0 - ratio(sums.hit + smooth / 2.0, sums.p + sums.y - sums.hit + smooth / 2.0)),
            Kind::Tversky => self.overlap(spec, |sums| 1.0 - tversky(sums)),
            Kind::FocalTversky => self.overlap(spec, |sums| (1.0 - tversky(sums)).max(1e-7).powf(gamma)),
            Kind::GeneralizedDice => self.generalized_dice(spec),
            Kind::ExponentialLogarithmic => {
                let spec = &Spec { reduction: Reduction::Mean, ..spec.clone() };
                let dice = self.overlap(spec, |sums| (-dice(sums).ln()).max(1e-7).powf(gamma));
                let cross = self.pointwise(spec, |cell| cell.u.max(1e-7).powf(gamma), class_weight, false);
                dice.times(0.8).plus(cross.times(0.2))
            }
            Kind::Combo => {
                let mean = &Spec { reduction: Reduction::Mean, ..spec.clone() };
                let cross = self.pointwise(mean, surprise, |_, k| [1.0 - beta, beta][k], false);
                cross.times(alpha).plus(self.overlap(spec, |sums| -dice(sums)).times(1.0 - alpha))
            }
            Kind::LovaszHinge | Kind::LovaszSoftmax => self.lovasz(spec),
            Kind::Boundary | Kind::HausdorffDt => self.distances(spec),
        }
    }

    /// β of a section: its share of negatives.
    fn balance(&self, section: usize) -> f64 {
        let pixels = || (0..self.scene.pixels()).filter(|&pixel| self.is_valid(section, pixel));
        let negatives: f64 = pixels().map(|pixel| self.at(section, pixel, 0).y).sum();
        let valid = pixels().count() as f64;
        if valid > 0.0 { (negatives / valid).clamp(0.01, 0.99) } else { 0.5 }
    }

    fn pointwise(
        &self,
        spec: &Spec,
        loss: impl Fn(Outcome) -> f64,
        weight: impl Fn(usize, usize) -> f64,
        over_weights: bool,
    ) -> Value {
        let smoothing = if spec.kind == Kind::CrossEntropy { spec.smoothing } else { 0.0 };
        let soft = matches!(self.scene.truth, Truth::Soft(_));
        let weighs = over_weights && spec.numbers != Numbers::None && !(soft && !self.scene.sigmoid);
        let (mut sum, mut divisor) = (Value::default(), 0.0);
        for (site, _) in self.valid.iter().enumerate().filter(|(_, valid)| **valid) {
            let (section, pixel) = (site / self.scene.pixels(), site % self.scene.pixels());
            let image = if self.scene.sigmoid { section / self.scene.channels } else { section };
            let omega = self.weight(image, pixel);
            let mut share = 0.0;
            for k in 0..self.outcomes {
                let cell = self.at(section, pixel, k);
                let y = cell.y * (1.0 - smoothing) + smoothing / self.outcomes as f64;
                let factor = omega * y * weight(section, k);
                share += cell.y * weight(section, k);
                if factor > 0.0 {
                    let value = loss(cell);
                    sum = sum.plus(Value::new(value).times(factor));
                }
            }
            divisor += if weighs && self.scene.sigmoid {
                weight(section, 1)
            } else if weighs {
                share
            } else {
                1.0
            };
        }
        match spec.reduction {
            Reduction::Sum => sum,
            Reduction::Mean if divisor == 0.0 => Value::default(),
            Reduction::Mean => sum.times(1.0 / divisor),
        }
    }

    /// Groups of images whose sums are one, and the classes of each that count.
    fn groups(&self, over: Over, classes: &Classes) -> Vec<(Vec<usize>, Vec<usize>)> {
        let images: Vec<usize> = (0..self.scene.images).collect();
        let groups = if over == Over::Image { images.into_iter().map(|i| vec![i]).collect() } else { vec![images] };
        let selected = |images: &[usize], class: usize| {
            let pixels = || images.iter().flat_map(|&image| self.class(image, class));
            let count: f64 = pixels().map(|(_, _, cell)| cell.y).sum();
            pixels().next().is_some()
                && match classes {
                    Classes::All => true,
                    Classes::Present => count > 0.0,
                    Classes::List(list) => list.contains(&class),
                }
        };
        let classes = |images: &[usize]| (0..self.scene.channels).filter(|&class| selected(images, class)).collect();
        groups.into_iter().map(|images: Vec<usize>| (images.clone(), classes(&images))).collect()
    }
    fn sums(&self, images: &[usize], class: usize) -> Sums {
        let mut sums = Sums::default();
        for (_, weight, cell) in images.iter().flat_map(|&image| self.class(image, class)) {
            sums.hit += weight * cell.p * cell.y;
            sums.p += weight * cell.p;
            sums.y += weight * cell.y;
            sums.p_square += weight * cell.p * cell.p;
            sums.y_square += weight * cell.y * cell.y;
        }
        sums
    }
    fn overlap(&self, spec: &Spec, cost: impl Fn(&Sums) -> f64) -> Value {
        let groups = self.groups(spec.over, &spec.classes);
        let costs: Vec<f64> = groups
            .iter()
            .flat_map(|(images, classes)| classes.iter().map(|&class| cost(&self.sums(images, class))))
            .collect();
        mean(&costs)
    }
    fn generalized_dice(&self, spec: &Spec) -> Value {
        let mut costs = Vec::new();
        for (images, classes) in self.groups(spec.over, &spec.classes) {
            if classes.is_empty() {
                continue;
            }
            let sums: Vec<Sums> = classes.iter().map(|&class| self.sums(&images, class)).collect();
            let weight = |sums: &Sums| match spec.weighting {
                Weighting::Square => sums.y.powi(-2),
                Weighting::Simple => sums.y.recip(),
                Weighting::Uniform => 1.0,
            };
            let largest = sums.iter().map(weight).filter(|w| w.is_finite()).fold(0.0, f64::max);
            let weight = |sums: &Sums| match weight(sums) {
                w if w.is_finite() => w,
                _ if largest > 0.0 => largest,
                _ => 1.0,
            };
            let hit: f64 = sums.iter().map(|sums| weight(sums) * sums.hit).sum();
            let all: f64 = sums.iter().map(|sums| weight(sums) * (sums.p + sums.y)).sum();
            costs.push(1.0 - ratio(2.0 * hit + spec.smooth, all + spec.smooth));
        }
        mean(&costs)
    }
    fn lovasz(&self, spec: &Spec) -> Value {
        let hinge = spec.kind == Kind::LovaszHinge;
        let all = Classes::All;
        let mut costs = Vec::new();
        for (images, classes) in self.groups(spec.over, if hinge { &all } else { &spec.classes }) {
            for class in classes {
                let mut pixels = Vec::new();
                for &image in &images {
                    for (pixel, weight, cell) in self.class(image, class) {
                        let inside = cell.y > 0.5;
                        let z = self.logits[(image * self.scene.channels + class) * self.scene.pixels() + pixel];
                        let margin = (1.0 - if inside { z } else { -z }).max(0.0);
                        let error = if hinge {
                            margin
                        } else if inside {
                            1.0 - cell.p
                        } else {
                            cell.p
                        };
                        pixels.push((weight * error, inside));
                    }
                }
                costs.push(by_definition(&pixels).0);
            }
        }
        mean(&costs)
    }
    fn distances(&self, spec: &Spec) -> Value {
        let spacing = match &spec.spacing {
            Numbers::List(list) => [1.0, list[0], list[1]],
            _ => self.scene.spacing,
        };
        let grid = Grid { size: self.scene.size, spacing };
        let (mut sum, mut size, mut terms) = (0.0, 0.0, 0.0);
        for (images, classes) in self.groups(Over::Image, &spec.classes) {
            for class in classes {
                let sides = |inside: &dyn Fn(Outcome) -> bool| {
                    let mut cells = vec![Cell::Ignored; self.scene.pixels()];
                    for (pixel, _, cell) in self.class(images[0], class) {
                        cells[pixel] = if inside(cell) { Cell::Inside } else { Cell::Outside };
                    }
                    cells
                };
                let target = sides(&|cell| cell.y > 0.5);
                let predicted = sides(&|cell| cell.p > 0.5);
                let given = |pixel: usize| {
                    let at = (images[0] * self.scene.channels + class) * self.scene.pixels() + pixel;
                    self.scene.distance.as_ref().map(|distance| f64::from(distance[at]))
                };
                let phi = plain::signed(&target, &grid);
                let borders = [plain::border(&target, &grid), plain::border(&predicted, &grid)];
                for (pixel, weight, cell) in self.class(images[0], class) {
                    terms += 1.0;
                    let term = if spec.kind == Kind::Boundary {
                        cell.p * given(pixel).unwrap_or(phi[pixel])
                    } else {
                        let power = |d: f64| if d == 0.0 { 0.0 } else { d.powf(spec.gamma) };
                        (cell.p - cell.y).powi(2) * borders.iter().map(|border| power(border[pixel])).sum::<f64>()
                    };
                    sum += weight * term;
                    size += weight * (1.0 + term.abs());
                }
            }
        }
        if terms == 0.0 { Value::default() } else { Value { value: sum / terms, size: size / terms } }
    }
}

/// A score; nothing over nothing is 1.
fn ratio(numerator: f64, denominator: f64) -> f64 {
    if denominator == 0.0 { 1.0 } else { numerator / denominator }
}

fn mean(costs: &[f64]) -> Value {
    if costs.is_empty() { Value::default() } else { Value::new(costs.iter().sum::<f64>() / costs.len() as f64) }
}
