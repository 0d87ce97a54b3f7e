use super::*;
use proptest::prelude::*;

/// A pixel: its error, and whether it is foreground.
type Pixel = (f32, bool);

/// Errors of either class, as residuals.
fn residuals(pixels: &[Pixel]) -> Vec<f32> {
    pixels.iter().map(|&(error, foreground)| if foreground { -error } else { error }).collect()
}
fn foreground(pixels: &[Pixel]) -> usize {
    pixels.iter().filter(|pixel| pixel.1).count()
}

/// Surveys and pushes runs of residuals: first position, step, residuals.
fn fill(extension: &mut LovaszExtension, runs: &[(u32, u32, &[f32])], foreground: usize) {
    extension.begin();
    runs.iter().for_each(|run| extension.survey(run.2));
    extension.open(foreground, runs.iter().map(|run| run.2.len()).sum());
    runs.iter().for_each(|&(first, step, residuals)| extension.push(first, step, residuals));
}

/// Value and slopes ∂value/∂error of what is under test.
fn extension(pixels: &[Pixel]) -> (f64, Vec<f32>) {
    let mut extension = LovaszExtension::default();
    fill(&mut extension, &[(0, 1, &residuals(pixels))], foreground(pixels));
    let mut slopes = vec![0.0; pixels.len()];
    let value = extension.value(|at, slope| slopes[at as usize] = slope);
    for (slope, pixel) in slopes.iter_mut().zip(pixels) {
        *slope *= if pixel.1 { -1.0 } else { 1.0 };
    }
    (value, slopes)
}

/// The same from the definition, in f64: sort, difference the Jaccard losses of growing sets, average
/// over equal pixels.
fn by_definition(pixels: &[Pixel]) -> (f64, Vec<f64>) {
    let total = foreground(pixels) as f64;
    let mut order: Vec<usize> = (0..pixels.len()).collect();
    order.sort_by(|&a, &b| pixels[b].0.total_cmp(&pixels[a].0).then(pixels[b].1.cmp(&pixels[a].1)));
    let (mut seen, mut wrong, mut before) = (0.0, 0.0, 0.0);
    let (mut value, mut slopes) = (0.0, vec![0.0; pixels.len()]);
    for group in order.chunk_by(|&a, &b| pixels[a] == pixels[b]) {
        let start = before;
        for &i in group {
            if pixels[i].1 {
                seen += 1.0
            } else {
                wrong += 1.0
            }
            let jaccard = 1.0 - (total - seen) / (total + wrong);
            value += f64::from(pixels[i].0) * (jaccard - before);
            before = jaccard;
        }
        group.iter().for_each(|&i| slopes[i] = (before - start) / group.len() as f64);
    }
    (value, slopes)
}

fn check(pixels: &[Pixel]) -> Result<(), TestCaseError> {
    let (value, slopes) = extension(pixels);
    let (expected, exact) = by_definition(pixels);
    prop_assert!((value - expected).abs() <= 4e-7 * expected, "{value} is not {expected}");
    for (i, (&slope, &exact)) in slopes.iter().zip(&exact).enumerate() {
        let exact = if pixels[i].0 > 0.0 { exact } else { 0.0 };
        // 1 ulp of f64 in J is 1e-16, and of f32 in the slope 6e-8 of it.
        prop_assert!((f64::from(slope) - exact).abs() <= 1e-15 + 4e-7 * exact, "pixel {i}: {slope} is not {exact}");
    }
    Ok(())
}

fn pixels(error: impl Strategy<Value = f32>, most: usize) -> impl Strategy<Value = Vec<Pixel>> {
    (0.0..=1f64, prop::collection::vec((error, 0.0..1f64), 1..most))
        .prop_map(|(share, pixels)| pixels.into_iter().map(|(error, toss)| (error, toss < share)).collect())
}
/// Errors of 1 to 5 different sizes, zero among them: heavy ties.
fn tied(most: usize) -> impl Strategy<Value = Vec<Pixel>> {
    (1..=5u32)
        .prop_flat_map(move |levels| pixels((0..levels).prop_map(move |level| level as f32 / levels as f32), most))
}

proptest! {
    #[test]
    fn value_and_slopes_are_those_of_the_definition(pixels in pixels(0f32..=1.0, 2000)) {
        check(&pixels)?;
    }
    #[test]
    fn so_they_are_over_many_magnitudes(pixels in pixels((-30f32..3.0).prop_map(f32::exp), 2000)) {
        check(&pixels)?;
    }
    #[test]
    fn so_they_are_with_heavy_ties(pixels in tied(2000)) {
        check(&pixels)?;
    }

    #[test]
    fn slopes_are_a_subgradient(
        pixels in tied(60),
        moves in prop::collection::vec(prop::collection::vec((0f32..1.0, -1f32..1.0), 60), 20),
        size in prop::sample::select(vec![1e-3f32, 0.1, 1.0, 10.0]),
    ) {
        let (value, slopes) = extension(&pixels);
        for moves in moves {
            let moved: Vec<Pixel> = pixels.iter().zip(moves)
                .map(|(&(error, foreground), (toss, change))| {
                    // Half of the errors stay, so that some of every group leave it and some do not.
                    (if toss < 0.5 { error } else { (error + size * change).max(0.0) }, foreground)
                })
                .collect();
            let steps = moved.iter().zip(&pixels).map(|(to, from)| f64::from(to.0) - f64::from(from.0));
            let terms: Vec<f64> = slopes.iter().zip(steps).map(|(&slope, step)| f64::from(slope) * step).collect();
            let rounding = 4e-7 * (value + terms.iter().map(|term| term.abs()).sum::<f64>());
            let there = by_definition(&moved).0;
            let plane = value + terms.iter().sum::<f64>();
            prop_assert!(there >= plane - rounding, "{there} lies below the plane's {plane}");
        }
    }

    #[test]
    fn moving_pixels_moves_their_slopes_and_nothing_else(pixels in tied(1000), seed in any::<u64>()) {
        let mut order: Vec<usize> = (0..pixels.len()).collect();
        order.sort_by_key(|&i| (i as u64 ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let moved: Vec<Pixel> = order.iter().map(|&i| pixels[i]).collect();
        let (value, slopes) = extension(&pixels);
        let (value_moved, slopes_moved) = extension(&moved);
        prop_assert_eq!(value.to_bits(), value_moved.to_bits());
        for (&i, slope) in order.iter().zip(slopes_moved) {
            prop_assert_eq!(slopes[i].to_bits(), slope.to_bits());
        }
    }

    #[test]
    fn nothing_crashes_and_nan_is_seen(
        pixels in pixels(prop::sample::select(vec![0.0, 1.0, 1e-45, f32::MAX, f32::INFINITY, f32::NAN, -f32::NAN]), 700),
    ) {
        let (value, slopes) = extension(&pixels);
        prop_assert_eq!(value.is_nan(), pixels.iter().any(|pixel| pixel.0.is_nan()));
        prop_assert!(slopes.iter().all(|slope| slope.is_finite()));
    }
}

#[test]
fn one_pixel() {
    assert_eq!(extension(&[(0.25, true)]), (0.25, vec![1.0]));
    assert_eq!(extension(&[(0.25, false)]), (0.25, vec![1.0]));
    assert_eq!(extension(&[(0.0, true)]), (0.0, vec![0.0]));
}

#[test]
fn no_pixel() {
    assert_eq!(extension(&[]), (0.0, vec![]));
}

#[test]
fn all_foreground_is_the_mean_error() {
    let pixels: Vec<Pixel> = (0..1000u16).map(|i| (f32::from(i % 37) / 64.0, true)).collect();
    let (value, slopes) = extension(&pixels);
    let mean = pixels.iter().map(|pixel| f64::from(pixel.0)).sum::<f64>() / 1000.0;
    assert!((value - mean).abs() < 1e-7 * mean);
    assert!(slopes.iter().zip(&pixels).all(|(&slope, pixel)| slope == if pixel.0 > 0.0 { 1e-3 } else { 0.0 }));
}

#[test]
fn without_foreground_the_largest_errors_share_the_slope() {
    assert_eq!(
        extension(&[(0.5, false), (0.75, false), (0.75, false), (0.0, false)]),
        (0.75, vec![0.0, 0.5, 0.5, 0.0])
    );
    let many = vec![(2.0, false); 1000];
    assert_eq!(extension(&many), (2.0, vec![1e-3; 1000]));
    assert_eq!(extension(&[(0.0, false), (0.0, false)]), (0.0, vec![0.0, 0.0]));
}

#[test]
fn foreground_without_error_counts() {
    // J after the one wrong pixel is 1/4: three foreground pixels are right.
    let (value, slopes) = extension(&[(1.0, false), (0.0, true), (0.0, true), (0.0, true)]);
    assert_eq!((value, slopes), (0.25, vec![0.25, 0.0, 0.0, 0.0]));
}

#[test]
fn background_below_all_foreground_is_left_alone() {
    let mut got = Vec::new();
    let mut extension = LovaszExtension::default();
    fill(&mut extension, &[(10, 5, &[-0.5, 0.75, 0.25, 0.5])], 1);
    extension.value(|at, slope| got.push((at, slope)));
    got.sort_by_key(|slope| slope.0);
    assert_eq!(got, [(10, -0.5), (15, 0.5)]);
}

#[test]
fn a_residual_of_either_zero_is_ignored() {
    let mut got = Vec::new();
    let mut extension = LovaszExtension::default();
    fill(&mut extension, &[(0, 1, &[-0.0, 0.75, 0.0, -0.0])], 0);
    assert_eq!(extension.value(|at, slope| got.push((at, slope))), 0.75);
    assert_eq!(got, [(1, 1.0)]);
}

#[test]
fn infinite_errors_are_infinite_values() {
    let (value, slopes) = extension(&[(f32::INFINITY, false), (0.5, true), (0.25, false)]);
    assert_eq!((value, slopes), (f64::INFINITY, vec![0.5, 0.5, 0.0]));
}

#[test]
fn more_pixels_of_one_class_than_f32_can_count() {
    // All errors differ; one foreground pixel among the largest, one after all background.
    const BACKGROUND: u32 = (1 << 24) + (1 << 20);
    let error = |rank: u32| f32::from_bits(1.0f32.to_bits() - rank);
    let mut extension = LovaszExtension::default();
    let residuals: Vec<f32> = (0..BACKGROUND).map(error).collect();
    fill(&mut extension, &[(BACKGROUND, 1, &[-2.0, -error(BACKGROUND)]), (0, 1, &residuals)], 2);
    let mut slopes = vec![0f32; BACKGROUND as usize + 2];
    let value = extension.value(|at, slope| slopes[at as usize] = slope);
    assert_eq!(slopes[BACKGROUND as usize], -0.5);
    assert_eq!(slopes[BACKGROUND as usize + 1], -1.0 / (2.0 + BACKGROUND as f32));
    let mut expected = 2.0 * 0.5 + f64::from(error(BACKGROUND)) / f64::from(BACKGROUND + 2);
    for rank in 0..BACKGROUND {
        let exact = 1.0 / (f64::from(rank + 2) * f64::from(rank + 3));
        let slope = f64::from(slopes[rank as usize]);
        assert!((slope - exact).abs() <= 4e-7 * exact, "rank {rank}: {slope} is not {exact}");
        expected += exact * f64::from(error(rank));
    }
    assert!((value - expected).abs() < 1e-7 * expected, "{value} is not {expected}");
}
