//! Random losses: every option of every loss in one record, from which the loss is built and its oracle reads.

use crate::input::Input;
use crate::scene::Scene;
use segrad::loss::parts::Parts;
use segrad::loss::*;

/// A loss and its options.
#[derive(Clone, Debug)]
pub struct Spec {
    pub kind: Kind,
    pub over: Over,
    pub classes: Classes,
    pub reduction: Reduction,
    pub weighting: Weighting,
    pub numbers: Numbers,
    pub alpha: f64,
    pub beta: f64,
    pub gamma: f64,
    pub smooth: f64,
    pub smoothing: f64,
    pub squared: bool,
    pub spacing: Numbers,
}

/// The rows of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Kind {
    CrossEntropy,
    WeightedCrossEntropy,
    BalancedCrossEntropy,
    Focal,
    Conservative,
    Dice,
    Jaccard,
    Tversky,
    FocalTversky,
    GeneralizedDice,
    ExponentialLogarithmic,
    Combo,
    LovaszHinge,
    LovaszSoftmax,
    Boundary,
    HausdorffDt,
}

impl Kind {
    /// Whether it has a loss for each site.
    pub fn is_pointwise(self) -> bool {
        use Kind::*;
        matches!(self, CrossEntropy | WeightedCrossEntropy | BalancedCrossEntropy | Focal | Conservative)
    }
}

impl Spec {
    /// Any loss that fits the batch.
    pub fn any(input: &mut Input, scene: &Scene) -> Self {
        use Kind::*;
        let mut kinds = vec![
            CrossEntropy,
            Focal,
            Conservative,
            Dice,
            Jaccard,
            Tversky,
            FocalTversky,
            GeneralizedDice,
            ExponentialLogarithmic,
            LovaszSoftmax,
            Boundary,
            HausdorffDt,
        ];
        if scene.sigmoid {
            kinds.extend([WeightedCrossEntropy, BalancedCrossEntropy, Combo]);
        }
        if scene.sigmoid && scene.channels == 1 && scene.from_logits {
            kinds.push(LovaszHinge);
        }
        let kind = input.pick(&kinds);
        let channels = scene.channels;
        let classes = match input.below(4) {
            0 => Classes::Present,
            1 => Classes::List((0..channels).filter(|_| input.any_below(3) > 0).collect()),
            _ => Classes::All,
        };
        let numbers = match input.below(4) {
            0 => Numbers::List((0..channels).map(|_| [0.0, 1.0, 3.0 * input.unit()][input.any_below(3)]).collect()),
            1 if kind == Focal => Numbers::One(input.pick(&[0.25, 0.0, 1.0])),
            _ => Numbers::None,
        };
        // −ln D is infinite where nothing was hit and nothing smooths.
        let smooths: &[f64] = if kind == ExponentialLogarithmic { &[1.0, 1e-5] } else { &[1e-5, 1.0, 0.0] };
        Self {
            kind,
            over: input.pick(&[Over::Image, Over::Batch]),
            classes,
            reduction: input.pick(&[Reduction::Mean, Reduction::Mean, Reduction::Sum]),
            weighting: input.pick(&[Weighting::Square, Weighting::Simple, Weighting::Uniform]),
            numbers,
            alpha: input.pick(&[0.5, 0.3, 1.0, 0.0]),
            beta: input.pick(&[0.5, 0.7, 1.0, f64::NAN]),
            gamma: input.pick(&[2.0, 1.0, 0.75, 0.3, 3.0]),
            smooth: input.pick(smooths),
            smoothing: input.pick(&[0.0, 0.0, 0.1, 1.0]),
            squared: input.below(2) == 1,
            spacing: if input.once_in(4) { Numbers::List(vec![0.5, 2.0]) } else { Numbers::None },
        }
    }

    /// β of a loss that has no "auto" for it.
    pub fn plain_beta(&self) -> f64 {
        if self.beta.is_nan() { 0.25 } else { self.beta }
    }

    /// The loss of the core.
    pub fn build(&self) -> Parts {
        let Self { over, reduction, weighting, alpha, gamma, smooth, squared, .. } = *self;
        let (classes, numbers, spacing) = (self.classes.clone(), self.numbers.clone(), self.spacing.clone());
        let beta = self.plain_beta();
        let loss = match self.kind {
            Kind::CrossEntropy => {
                cross_entropy::CrossEntropy { class_weights: numbers, label_smoothing: self.smoothing, reduction }
                    .build()
            }
            Kind::WeightedCrossEntropy => {
                weighted_cross_entropy::WeightedCrossEntropy { positive_weight: gamma, reduction }.build()
            }
            Kind::BalancedCrossEntropy => {
                balanced_cross_entropy::BalancedCrossEntropy { beta: self.beta, reduction }.build()
            }
            Kind::Focal => focal::Focal { gamma, alpha: numbers, reduction }.build(),
            Kind::Conservative => {
                conservative::Conservative { base: gamma + 1.0, lambda: 5.0, floor: 1e-6, reduction }.build()
            }
            Kind::Dice => dice::Dice { over, classes, smooth, squared }.build(),
            Kind::Jaccard => jaccard::Jaccard { over, classes, smooth }.build(),
            Kind::Tversky => tversky::Tversky { over, classes, alpha, beta, smooth }.build(),
            Kind::FocalTversky => focal_tversky::FocalTversky { over, classes, alpha, beta, gamma, smooth }.build(),
            Kind::GeneralizedDice => generalized_dice::GeneralizedDice { over, classes, weighting, smooth }.build(),
            Kind::ExponentialLogarithmic => {
                return exponential_logarithmic::ExponentialLogarithmic {
                    over,
                    classes,
                    dice_weight: 0.8,
                    cross_weight: 0.2,
                    dice_gamma: gamma,
                    cross_gamma: gamma,
                    class_weights: numbers,
                    smooth,
                }
                .build();
            }
            Kind::Combo => return combo::Combo { over, classes, alpha, beta, smooth }.build(),
            Kind::LovaszHinge => lovasz_hinge::LovaszHinge { over }.build(),
            Kind::LovaszSoftmax => lovasz_softmax::LovaszSoftmax { over, classes }.build(),
            Kind::Boundary => boundary::Boundary { classes, spacing }.build(),
            Kind::HausdorffDt => hausdorff_dt::HausdorffDt { classes, alpha: gamma, spacing }.build(),
        };
        loss.into()
    }
}
