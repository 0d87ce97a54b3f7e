//! The boundary as JavaScript uses it: memory that `allocate` gave, pointers and numbers. Small enough for
//! Miri, which follows every pointer (`scripts/sanitize.sh`).

use super::baseline::exp_sweep;
use super::maps::Maps;
use super::memory::{allocate, release};
use super::objective::Objective;
use super::*;
use crate::batch::{Batch, Sign};
use crate::map::distance::Grid;
use crate::map::signed::{Cell, signed_distance};

/// An array in the memory that JavaScript sees; gives it back at its end.
struct Array<T> {
    pointer: *mut T,
    length: usize,
}

impl<T: Copy> Array<T> {
    fn of(values: &[T]) -> Self {
        let pointer = allocate(size_of_val(values)).cast::<T>();
        assert!(!pointer.is_null() && pointer.addr().is_multiple_of(16));
        for (i, &value) in values.iter().enumerate() {
            // SAFETY: there is room for as many.
            unsafe { pointer.add(i).write(value) };
        }
        Self { pointer, length: values.len() }
    }
    fn read(&self) -> Vec<T> {
        // SAFETY: all were written by `of`.
        (0..self.length).map(|i| unsafe { self.pointer.add(i).read() }).collect()
    }
}
impl<T> Drop for Array<T> {
    fn drop(&mut self) {
        release(self.pointer.cast(), self.length * size_of::<T>());
    }
}

/// Numbers between −3 and 3 that look random.
fn numbers(length: usize) -> Vec<f32> {
    (0..length).map(|i| (i * 2_654_435_769 % 601) as f32 / 100.0 - 3.0).collect()
}

/// Every loss of the table that fits a softmax or several sigmoids, with lists where it takes lists.
fn push_all(objective: &mut Objective, sigmoid: bool) -> usize {
    let (class_weights, classes, present) =
        (Array::of(&[3.0, 1.0, 0.5, 2.0]), Array::of(&[2.0, 0.0, 1.0]), Array::of(&[-1.0]));
    let one = Array::of(&[-1.0, 0.25]);
    let null = std::ptr::null();
    objective.cross_entropy(1.0, class_weights.pointer, 0.1, 0);
    objective.focal(0.5, 2.0, one.pointer, 1);
    objective.conservative(1.0, std::f64::consts::E, 5.0, 1e-6, 0);
    objective.dice(1.0, 0, classes.pointer, 1.0, true);
    objective.jaccard(1.0, 1, present.pointer, 1.0);
    objective.tversky(1.0, 0, null, 0.3, 0.7, 1.0);
    objective.focal_tversky(1.0, 0, null, 0.3, 0.7, 0.75, 1.0);
    objective.generalized_dice(1.0, 0, null, 0, 1e-5);
    objective.exponential_logarithmic(1.0, 0, null, 0.8, 0.2, 0.3, 0.3, class_weights.pointer, 1.0);
    objective.lovasz_softmax(1.0, 1, present.pointer);
    objective.boundary(1.0, null, class_weights.pointer);
    objective.hausdorff_dt(1.0, classes.pointer, 2.0, null);
    if !sigmoid {
        return 12;
    }
    objective.weighted_cross_entropy(1.0, 2.0, 0);
    objective.balanced_cross_entropy(1.0, f64::NAN, 0);
    objective.combo(1.0, 1, null, 0.5, 0.5, 1.0);
    15
}

#[test]
fn every_loss_by_pointers_is_every_loss_by_slices() {
    // 35 pixels: two blocks and a tail. Miri takes a minute for each evaluation of the least that reaches
    // everything, and has nothing to compare.
    let (images, channels, [depth, height, width]) = if cfg!(miri) { (1, 2, [1, 1, 18]) } else { (2, 3, [1, 5, 7]) };
    let cases: &[u32] = if cfg!(miri) { &[0, 7] } else { &[0, 1, 2, 3, 4, 5, 6, 7] };
    let elements = images * channels * depth * height * width;
    let logits = Array::of(&numbers(elements));
    let weights = Array::of(&numbers(elements / channels).iter().map(|x| x.abs()).collect::<Vec<_>>());
    for (sigmoid, channels_last, soft) in cases.iter().map(|i| (i & 1 > 0, i & 2 > 0, i & 4 > 0)) {
        let labels = if sigmoid { elements } else { elements / channels };
        let labels: Vec<u8> = (0..labels).map(|i| [0, 1, 9, 1][i % 4]).collect();
        let shares: Vec<f32> = numbers(elements).iter().map(|x| x.abs() / 3.0).collect();
        let (hard_target, soft_target) = (Array::of(&labels), Array::of(&shares));
        let (target, target_type) = if soft { (soft_target.pointer.cast(), SOFT) } else { (hard_target.pointer, 0) };

        let mut objective = Objective::new();
        let terms = push_all(&mut objective, sigmoid);
        let ignore = if soft { f64::NAN } else { 9.0 };
        objective.layout(images, channels, depth, height, width, 1.0, 1.0, 1.0, sigmoid, channels_last, true, ignore);
        let gradient = Array::of(&vec![f32::NAN; elements]);
        let null = std::ptr::null();
        let value =
            objective.evaluate(logits.pointer, target, target_type, weights.pointer, null, gradient.pointer, true);
        assert_eq!((objective.fault(), objective.fault_index()), (0, -1.0));

        if cfg!(miri) {
            assert!(value.is_finite() && gradient.read().iter().all(|slope| slope.is_finite()));
            continue;
        }
        let batch = Batch {
            logits: &numbers(elements),
            target: if soft { Target::Soft(&shares) } else { Target::U8(&labels, Sign::Unsigned) },
            images,
            channels,
            size: [depth, height, width],
            spacing: [1.0; 3],
            sigmoid,
            channels_last,
            from_logits: true,
            ignore: (!soft).then_some(9),
            pixel_weights: Some(&weights.read()),
            distance: None,
        };
        let mut expected = vec![f32::NAN; elements];
        let inner = objective.inner();
        assert_eq!(inner.evaluate(&batch, Some(&mut expected), true), Ok(value));
        assert_eq!(gradient.read(), expected);
        assert!(value.is_finite() && expected.iter().all(|slope| slope.is_finite()));
        let sum: f64 = (0..terms).map(|term| objective.value_of(term) * if term == 1 { 0.5 } else { 1.0 }).sum();
        assert!((sum - value).abs() < 1e-12 * sum.abs());

        let alone =
            objective.evaluate(logits.pointer, target, target_type, weights.pointer, null, std::ptr::null_mut(), true);
        assert_eq!(alone, value);
    }
}

#[test]
fn labels_of_every_type_are_read_as_such() {
    fn target_of<T: Copy + TryFrom<i32>>(labels: &[i32]) -> Array<T> {
        let cast: Option<Vec<T>> = labels.iter().map(|&label| label.try_into().ok()).collect();
        Array::of(&cast.expect("small labels"))
    }
    let labels = [0, 2, 1, 1, 2, 0];
    let logits = Array::of(&numbers(18));
    let mut objective = Objective::new();
    objective.cross_entropy(1.0, std::ptr::null(), 0.0, 1);
    objective.layout(1, 3, 1, 2, 3, 1.0, 1.0, 1.0, false, false, true, f64::NAN);
    let (bytes, signed_bytes) = (target_of::<u8>(&labels), target_of::<i8>(&labels));
    let (shorts, signed_shorts) = (target_of::<u16>(&labels), target_of::<i16>(&labels));
    let (words, signed_words) = (target_of::<u32>(&labels), target_of::<i32>(&labels));
    let targets: [*const u8; 6] = [
        bytes.pointer,
        signed_bytes.pointer.cast(),
        shorts.pointer.cast(),
        signed_shorts.pointer.cast(),
        words.pointer.cast(),
        signed_words.pointer.cast(),
    ];
    let null = std::ptr::null();
    let losses = Array::of(&[f32::NAN; 6]);
    let values = (0..6u32).zip(targets).map(|(kind, target)| {
        objective.map(logits.pointer, target, kind, null, losses.pointer, true);
        let mapped: f64 = losses.read().iter().map(|&loss| f64::from(loss)).sum();
        let value = objective.evaluate(logits.pointer, target, kind, null, null, std::ptr::null_mut(), true);
        assert!((mapped - value).abs() < 1e-5 * value);
        value
    });
    let values: Vec<f64> = values.collect();
    assert!(values[0] > 0.0 && values.iter().all(|value| value == &values[0]), "{values:?}");

    // A fault names the argument and the index, and writes nothing.
    let bad = Array::of(&[0u8, 2, 1, 3, 2, 0]);
    let gradient = Array::of(&[7f32; 18]);
    assert!(objective.evaluate(logits.pointer, bad.pointer, 0, null, null, gradient.pointer, true).is_nan());
    assert_eq!((objective.fault(), objective.fault_index()), (1, 3.0));
    assert_eq!(gradient.read(), [7.0; 18]);
}

#[test]
fn maps_by_pointers_are_maps_by_slices() {
    let grid = Grid { size: [1, 6, 9], spacing: [1.0, 2.0, 0.5] };
    let labels: Vec<i16> = (0..54).map(|i| [0, 1, 1, 2, -1, 0, 3][i * i % 7]).collect();
    let target = Array::of(&labels);
    let map = Array::of(&[f32::NAN; 54]);
    let mut maps = Maps::new();
    maps.layout(1, 6, 9, 1.0, 2.0, 0.5);
    maps.signed(target.pointer.cast(), 3, 1, -1.0, map.pointer);
    let cells: Vec<Cell> = labels
        .iter()
        .map(|label| match label {
            1 => Cell::Inside,
            -1 => Cell::Ignored,
            _ => Cell::Outside,
        })
        .collect();
    let mut expected = [0.0; 54];
    signed_distance(&cells, &grid, &mut expected, &mut Default::default());
    assert_eq!(map.read(), expected);

    // The nearest 0 of one row: two pixels to the left are nearer than one row up.
    let mask = Array::of(&[1f32, 0.0, 0.5, -1.0]);
    let distances = Array::of(&[f32::NAN; 4]);
    maps.layout(1, 1, 4, 1.0, 2.0, 0.5);
    maps.distance(mask.pointer.cast(), SOFT, distances.pointer);
    assert_eq!(distances.read(), [0.5, 0.0, 0.5, 1.0]);

    // One pixel between two instances, each one pixel away: w0 exp(−(1 + 1)² / 2σ²).
    let instances = Array::of(&[1u32, 0, 2]);
    let weights = Array::of(&[f32::NAN; 3]);
    maps.layout(1, 1, 3, 1.0, 1.0, 1.0);
    maps.unet(instances.pointer.cast(), 4, 10.0, 1.0, 0.5, 2.0, weights.pointer);
    let [left, between, right] = weights.read()[..] else { panic!("three weights") };
    assert_eq!([left, right], [2.0, 2.0]);
    assert!((f64::from(between) - 0.5 - 10.0 * (-2f64).exp()).abs() < 1e-5);

    let (prediction, target) = (Array::of(&[1u8, 0, 0, 0]), Array::of(&[0i32, 0, 0, 1]));
    maps.layout(1, 1, 4, 1.0, 1.0, 2.0);
    maps.measure(prediction.pointer, 0, target.pointer.cast(), 5, 1, f64::NAN, 6.0);
    assert_eq!([maps.hausdorff(), maps.hausdorff95(), maps.average_surface_distance()], [6.0; 3]);
    assert_eq!(maps.surface_dice(), 1.0);
}

#[test]
fn memory_of_any_size_is_given_and_taken_back() {
    for bytes in [0, 1, 15, 16, 4096] {
        let pointer = allocate(bytes);
        assert!(!pointer.is_null() && pointer.addr().is_multiple_of(16));
        release(pointer, bytes);
    }
    assert!(allocate(usize::MAX).is_null(), "more than there is");
    let (from, to) = (Array::of(&[0f32, 1.0, -1.0, 0.5]), Array::of(&[f32::NAN; 4]));
    exp_sweep(from.pointer, to.pointer, 4);
    assert_eq!(to.read()[0], 1.0);
}

#[test]
fn lists_of_options_are_read_to_their_ends() {
    let read = |numbers: &[f64]| {
        let list = Array::of(numbers);
        // SAFETY: a count and as many numbers.
        unsafe { (Numbers::from_raw(list.pointer), Classes::from_raw(list.pointer)) }
    };
    assert_eq!(read(&[2.0, 5.0, 7.0]), (Numbers::List(vec![5.0, 7.0]), Classes::List(vec![5, 7])));
    assert_eq!(read(&[0.0]), (Numbers::List(Vec::new()), Classes::List(Vec::new())));
    assert_eq!(read(&[-1.0, 3.0]), (Numbers::One(3.0), Classes::Present));
    // SAFETY: null is none.
    let none = unsafe { (Numbers::from_raw(std::ptr::null()), Classes::from_raw(std::ptr::null())) };
    assert_eq!(none, (Numbers::None, Classes::All));
}
