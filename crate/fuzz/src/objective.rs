//! Objectives on whole batches: what must not change a bit, what must be zero, and values and slopes in f64.

use crate::input::Input;
use crate::oracle::{Oracle, Value};
use crate::plain::assert_close;
use crate::scene::{Kind, Scene, Truth};
use crate::spec::{self, Spec};
use segrad::census::Fault;
use segrad::loss::Reduction;
use segrad::objective::Objective;

/// What float32 may be off, relative to the size of what is added up.
const RELATIVE: f64 = 1e-5;

/// One objective on one batch, and on another in between.
pub fn check(bytes: &[u8]) {
    let input = &mut Input::new(bytes);
    let mut scene = Scene::any(input, None);
    let terms: Vec<(f64, Spec)> =
        (0..input.pick(&[1, 1, 2, 3])).map(|_| (input.pick(&[1.0, 1.0, 0.5, 0.0]), Spec::any(input, &scene))).collect();
    let mut objective = Objective::default();
    terms.iter().for_each(|(weight, spec)| objective.push(*weight, spec.build()));
    if input.once_in(8) {
        if let Some(fault) = scene.spoil(input) {
            expect_fault(&mut objective, &scene, fault);
        }
        return;
    }
    let (last, label_type) = (input.below(2) == 1, input.below(6));
    let result = evaluate(&mut objective, &scene, last, label_type).expect("a good batch");
    same_bits(&mut objective, &scene, &terms, (last, label_type), &result, input);
    zeros(&scene, &result);
    // Powers of u beyond 3·10³⁸ are infinite float32 numbers.
    let overflows = |spec: &Spec| matches!(spec.kind, spec::Kind::Conservative | spec::Kind::ExponentialLogarithmic);
    let may_overflow = scene.kind == Kind::Extreme && terms.iter().any(|(_, spec)| overflows(spec));
    if scene.kind != Kind::Broken && scene.from_logits && !may_overflow {
        assert!(result.value.is_finite(), "value {}: {terms:?} {scene:?}", result.value);
        assert!(result.gradient.iter().all(|slope| slope.is_finite()), "a slope: {terms:?} {scene:?}");
    }
    // A probability of 0 costs ∞, but that is a number too. The slope of some powers of ∞ is none.
    if scene.kind != Kind::Broken && !scene.from_logits && !terms.iter().any(|(_, spec)| overflows(spec)) {
        assert!(!result.value.is_nan(), "{terms:?} {scene:?}");
        assert!(!result.gradient.iter().any(|slope| slope.is_nan()), "a slope: {terms:?} {scene:?}");
    }
    if matches!(scene.kind, Kind::Calm | Kind::Tied) || scene.kind == Kind::Sure && scene.from_logits {
        against_oracle(&objective, &scene, &terms, &result, input);
    }
    if scene.kind == Kind::Calm {
        other_layout(&mut objective, &scene, &terms, !last, &result);
    }
    if terms.iter().all(|(_, spec)| spec.kind.is_pointwise()) && scene.kind == Kind::Calm {
        map_adds_up(&scene, &terms);
    }
}

#[derive(Debug)]
struct Evaluated {
    value: f64,
    gradient: Vec<f32>,
}

fn evaluate(objective: &mut Objective, scene: &Scene, last: bool, label_type: usize) -> Result<Evaluated, Fault> {
    let arrays = scene.arrays(last, label_type);
    let mut gradient = vec![f32::NAN; scene.logits.len()];
    let value = objective.evaluate(&arrays.batch(scene), Some(&mut gradient), false)?;
    let written = (0..gradient.len()).map(|at| gradient[if last { scene.index_last(at) } else { at }]);
    Ok(Evaluated { value, gradient: written.collect() })
}

fn expect_fault(objective: &mut Objective, scene: &Scene, fault: Fault) {
    let arrays = scene.arrays(false, 0);
    let mut gradient = vec![f32::NAN; scene.logits.len()];
    let found = objective.evaluate(&arrays.batch(scene), Some(&mut gradient), false).expect_err("a fault");
    assert_eq!(found, fault, "{scene:?}");
    assert!(gradient.iter().all(|slope| slope.is_nan()), "something was written");
}

/// Neither another batch before, nor the type of the labels, nor leaving out the gradient changes a bit.
fn same_bits(
    objective: &mut Objective,
    scene: &Scene,
    terms: &[(f64, Spec)],
    (last, label_type): (bool, usize),
    result: &Evaluated,
    input: &mut Input,
) {
    let what = || format!("channels last: {last}, {terms:?} {scene:?}");
    let other = Scene::any(input, Some(scene));
    evaluate(objective, &other, input.below(2) == 1, 5).expect("another good batch");
    for label_type in [label_type, label_type + 1] {
        let again = evaluate(objective, scene, last, label_type).expect("the same batch");
        assert_eq!(again.value.to_bits(), result.value.to_bits(), "{} {} {}", again.value, result.value, what());
        for (at, (again, slope)) in again.gradient.iter().zip(&result.gradient).enumerate() {
            let same = again.to_bits() == slope.to_bits() || again.is_nan() && slope.is_nan();
            assert!(same, "{again} instead of {slope} at {at}: {}", what());
        }
    }
    let arrays = scene.arrays(last, label_type);
    let value = objective.evaluate(&arrays.batch(scene), None, false).expect("the same batch");
    assert_eq!(value.to_bits(), result.value.to_bits(), "{value} {} {}", result.value, what());
}

/// Layouts may be swept differently, and agree but for rounding. Where the order of errors or p > ½ decides,
/// rounding may decide.
fn other_layout(objective: &mut Objective, scene: &Scene, terms: &[(f64, Spec)], last: bool, result: &Evaluated) {
    use spec::Kind::*;
    if terms.iter().any(|(_, spec)| spec.kind == HausdorffDt) {
        return;
    }
    let other = evaluate(objective, scene, last, 0).expect("the same batch");
    assert_close(other.value, result.value, RELATIVE * (1.0 + result.value.abs()), &(terms, scene));
    if terms.iter().any(|(_, spec)| matches!(spec.kind, LovaszHinge | LovaszSoftmax)) {
        return;
    }
    let largest = result.gradient.iter().fold(0.0, |largest, slope| f64::from(slope.abs()).max(largest));
    for (at, (&slope, &expected)) in other.gradient.iter().zip(&result.gradient).enumerate() {
        assert_close(slope.into(), expected.into(), RELATIVE * largest + 1e-12, &(at, terms, scene));
    }
}

/// Ignored sites have slope 0.
fn zeros(scene: &Scene, result: &Evaluated) {
    let Truth::Labels(labels) = &scene.truth else { return };
    let (pixels, channels) = (scene.pixels(), scene.channels);
    for (at, &slope) in result.gradient.iter().enumerate() {
        let site = if scene.sigmoid { at } else { at / pixels / channels * pixels + at % pixels };
        assert!(Some(labels[site]) != scene.ignore || slope == 0.0, "{slope} at {at}, which is ignored: {scene:?}");
    }
}

fn against_oracle(objective: &Objective, scene: &Scene, terms: &[(f64, Spec)], result: &Evaluated, input: &mut Input) {
    use spec::Kind::*;
    let logits: Vec<f64> = scene.logits.iter().map(|&z| f64::from(z)).collect();
    let oracle = Oracle::new(scene, logits.clone());
    // Whether p is above ½ decides on the maps of this loss.
    let jumps = |spec: &Spec, margin: f64| spec.kind == HausdorffDt && oracle.nearest_half() < margin;
    if terms.iter().any(|(_, spec)| jumps(spec, 1e-5)) {
        return;
    }
    // p² is 0 from p = 10⁻²³ on, and without smoothing nothing over nothing is a perfect score.
    let underflows = |spec: &Spec| spec.squared && spec.smooth == 0.0 && scene.kind == Kind::Sure;
    for (at, (_, spec)) in terms.iter().enumerate().filter(|(_, (_, spec))| !underflows(spec)) {
        let expected = oracle.value(spec);
        assert_close(objective.value_of(at), expected.value, RELATIVE * expected.size, &(spec, scene));
    }
    let smooth = |spec: &Spec| !matches!(spec.kind, LovaszHinge | LovaszSoftmax) && !jumps(spec, 1e-3);
    if scene.kind != Kind::Calm || !terms.iter().all(|(_, spec)| smooth(spec)) {
        return;
    }
    // The slope along a random direction, by differences of the fourth order.
    let direction: Vec<f64> = logits.iter().map(|_| input.signed()).collect();
    let total = |step: f64| {
        let moved = logits.iter().zip(&direction).map(|(z, d)| z + step * d).collect();
        let oracle = Oracle::new(scene, moved);
        let values = terms.iter().map(|(weight, spec)| {
            let Value { value, size } = oracle.value(spec);
            Value { value: weight * value, size: weight * size }
        });
        values.fold((0.0, 0.0), |(sum, sizes), value| (sum + value.value, sizes + value.size))
    };
    const STEP: f64 = 1e-5;
    let [one, two] = [1.0, 2.0].map(|steps| total(steps * STEP).0 - total(-steps * STEP).0);
    let expected = (8.0 * one - two) / (12.0 * STEP);
    let products = || result.gradient.iter().zip(&direction).map(|(&slope, d)| f64::from(slope) * d);
    let size: f64 = products().map(f64::abs).sum();
    // Differences of f64 values lose 10⁻¹¹ of them.
    let tolerance = 3.0 * RELATIVE * size + 1e-9 * (1.0 + total(0.0).1);
    assert_close(products().sum(), expected, tolerance, &(terms, scene));
}

/// The loss of each site, added up, is the sum of them all.
fn map_adds_up(scene: &Scene, terms: &[(f64, Spec)]) {
    let mut objective = Objective::default();
    for (weight, spec) in terms {
        objective.push(*weight, Spec { reduction: Reduction::Sum, ..spec.clone() }.build());
    }
    let arrays = scene.arrays(false, 0);
    let batch = arrays.batch(scene);
    let sites = if scene.sigmoid { scene.logits.len() } else { scene.images * scene.pixels() };
    let mut losses = vec![f32::NAN; sites];
    objective.map(&batch, &mut losses, true).expect("a good batch");
    let value = objective.evaluate(&batch, None, true).expect("a good batch");
    let size: f64 = losses.iter().map(|&loss| f64::from(loss.abs())).sum();
    assert_close(losses.iter().map(|&loss| f64::from(loss)).sum(), value, RELATIVE * size, &(terms, scene));
}
