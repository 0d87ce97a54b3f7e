//! The weight map of U-Net, which makes the narrow background between cells expensive to get wrong.

use super::distance::Grid;
use super::two_nearest::two_nearest;

pub use super::two_nearest::Scratch;

/// The options of [`unet_weight_map`].
#[derive(Clone, Copy, Debug)]
pub struct UnetWeights {
    /// The weight where two cells touch.
    pub w0: f64,
    /// How fast it falls with the sum of the distances, in the unit of the spacing; above 0.
    pub sigma: f64,
    /// What is added on the background.
    pub background: f32,
    /// What is added in the cells.
    pub cell: f32,
}

/// The share of `w0` below which a weight is written as 0.
const NEGLIGIBLE: f64 = 1e-7;

/// Pixels that are skipped together where nothing is near.
const CHUNK: usize = 32;

/// w(x) = w0 · exp(−(d1 + d2)² / (2 · sigma²)) on the background, 0 in the cells; d1 and d2 are the
/// distances to the nearest and to the nearest other instance (Ronneberger, Fischer and Brox, MICCAI
/// 2015). With fewer than two instances there is no d2, and the weight is 0.
///
/// `instance` numbers the instance of a pixel, 0 for background; instances that touch keep their
/// numbers. Weights below 10⁻⁷ · w0 become 0. Panics if `out` does not have one value per pixel.
pub fn unet_weight_map(
    instance: impl Fn(usize) -> u32,
    options: &UnetWeights,
    grid: &Grid,
    out: &mut [f32],
    scratch: &mut Scratch,
) {
    assert!(out.len() == grid.pixels(), "one weight per pixel");
    let UnetWeights { w0, sigma, background, cell } = *options;
    let limit = sigma * (-2.0 * NEGLIGIBLE.ln()).sqrt();
    let halvings_per_square = (std::f64::consts::LOG2_E / (2.0 * sigma * sigma)) as f32;
    let (w0, below) = (w0 as f32, limit as f32);
    two_nearest(instance, grid, limit, scratch, |first, near, far| {
        let row = &mut out[first..first + near.len()];
        for ((weights, near), far) in row.chunks_mut(CHUNK).zip(near.chunks(CHUNK)).zip(far.chunks(CHUNK)) {
            for (weight, &near) in weights.iter_mut().zip(near) {
                *weight = if near > 0.0 { background } else { cell };
            }
            if !far.iter().fold(false, |any, &far| any | (far < f32::INFINITY)) {
                continue;
            }
            for ((weight, &near), &far) in weights.iter_mut().zip(near).zip(far) {
                let sum = near.sqrt() + far.sqrt();
                let between = w0 * half_to_the(sum * sum * halvings_per_square);
                *weight += if (near > 0.0) & (sum < below) { between } else { 0.0 };
            }
        }
    });
}

/// 2^−t for t ≥ 0, within 2 · 10⁻⁷ of itself up to t = 40; further on it stays there.
#[inline(always)]
fn half_to_the(t: f32) -> f32 {
    // Adding 1.5 · 2²³ rounds t to an integer, which stays in the low bits, ready for the exponent.
    const ROUND: f32 = 12_582_912.0;
    let t = if t < 40.0 { t } else { 40.0 };
    let rounded = t + ROUND;
    let x = ((rounded - ROUND) - t) * std::f32::consts::LN_2;
    // e^x for |x| ≤ ln 2 / 2.
    let coefficients = [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0];
    let fraction = 1.0 + x * coefficients.into_iter().fold(0.0, |sum, c| sum * x + c);
    f32::from_bits(fraction.to_bits().wrapping_sub(rounded.to_bits() << 23))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Random, brute_distance};
    use super::*;

    fn weights(ids: &[u32], options: &UnetWeights, grid: &Grid) -> Vec<f32> {
        let mut out = vec![f32::NAN; grid.pixels()];
        unet_weight_map(|pixel| ids[pixel], options, grid, &mut out, &mut Scratch::default());
        out
    }

    fn check(ids: &[u32], sigmas: &[f64], grid: &Grid) {
        let mut nearest = vec![[f64::INFINITY; 2]; ids.len()];
        let mut labels: Vec<_> = ids.iter().copied().filter(|&id| id != 0).collect();
        labels.sort();
        labels.dedup();
        for label in labels {
            let to_label = brute_distance(&ids.iter().map(|&id| id == label).collect::<Vec<_>>(), grid);
            for (nearest, distance) in nearest.iter_mut().zip(to_label) {
                nearest[1] = nearest[1].min(nearest[0].max(distance));
                nearest[0] = nearest[0].min(distance);
            }
        }
        for &sigma in sigmas {
            let options = UnetWeights { w0: 10.0, sigma, background: 0.0, cell: 0.0 };
            for (pixel, &weight) in weights(ids, &options, grid).iter().enumerate() {
                let [near, far] = nearest[pixel];
                let expected = 10.0 * (-(near + far).powi(2) / (2.0 * sigma * sigma)).exp();
                let expected = if ids[pixel] == 0 { expected } else { 0.0 };
                let error = (f64::from(weight) - expected).abs();
                assert!(error < 5e-6, "{weight} instead of {expected} at {pixel}, σ {sigma}, {grid:?}, {ids:?}");
            }
        }
    }

    /// Boxes of up to `size` pixels an axis, which may cover each other.
    fn boxes(random: &mut Random, grid: &Grid, count: usize, size: usize) -> Vec<u32> {
        let mut ids = vec![0; grid.pixels()];
        let [_, height, width] = grid.size;
        for _ in 0..count {
            let corner = grid.size.map(|length| random.below(length));
            let extent = [(); 3].map(|()| 1 + random.below(size));
            let id = [1, 2, 3, 4, 5, u32::MAX, 1 << 31][random.below(7)];
            for (pixel, here) in ids.iter_mut().enumerate() {
                let place = [pixel / width / height, pixel / width % height, pixel % width];
                if (0..3).all(|axis| (corner[axis]..corner[axis] + extent[axis]).contains(&place[axis])) {
                    *here = id;
                }
            }
        }
        ids
    }

    #[test]
    fn equals_brute_force_with_any_spacing() {
        let mut random = Random(5);
        for _ in 0..60 {
            let grid = random.grid();
            let ids = boxes(&mut random, &grid, [1, 3, 30][grid.size[0] % 3], 4);
            let finest = grid.spacing.into_iter().fold(f64::INFINITY, f64::min);
            check(&ids, &[0.8, 5.0, 1e3].map(|pixels| pixels * finest), &grid);
        }
    }

    #[test]
    fn equals_brute_force_at_every_reach() {
        let mut random = Random(6);
        for round in 0..8 {
            let grid = Grid { size: [1, 25 + round % 7, 90 + round % 19], spacing: [1.0; 3] };
            let ids = boxes(&mut random, &grid, [2, 5, 20, 200][round % 4], [1, 6, 12][round % 3]);
            check(&ids, &[0.1, 1.0, 2.9, 5.0, 8.45, 8.46, 40.0], &grid);
        }
    }

    #[test]
    fn the_nearest_other_instance_may_hide_behind_the_nearest() {
        // Instance 2 lies behind 1 in every column; only the second nearest of a column knows it.
        let grid = Grid { size: [1, 12, 3], spacing: [1.0; 3] };
        let ids: Vec<_> =
            (0..36).map(|pixel| [1, 2].get((pixel / 3usize).wrapping_sub(4)).copied().unwrap_or(0)).collect();
        check(&ids, &[5.0], &grid);
    }

    #[test]
    fn agrees_with_scipy() {
        let mut ids = vec![0; 480];
        let rows = [
            "000000000000000000040000",
            "000000000000000114444400",
            "000000000000001555544400",
            "000000000000001555554440",
            "000000000000005555554400",
            "000000000000005555554400",
            "000000000000000555550000",
            "000000000000000005000000",
            "000000000000000000000000",
            "000022000000000000000000",
            "000222200000003330000000",
            "002222220000033333000000",
            "000222220000033333000000",
            "000222200000033333000000",
            "000000000000003333000000",
        ];
        ids.splice(72..432, rows.concat().bytes().map(|digit| u32::from(digit - b'0')));
        let options = UnetWeights { w0: 10.0, sigma: 5.0, background: 0.0, cell: 0.0 };
        let weights = weights(&ids, &options, &Grid { size: [1, 20, 24], spacing: [1.0; 3] });
        for (row, column, expected) in [
            (0, 23, 0.696_055_436_919_468_9),
            (3, 18, 8.352_702_114_112_72),
            (8, 1, 0.015_338_106_793_244_63),
            (9, 19, 0.0),
            (10, 16, 7.261_490_370_736_91),
            (13, 8, 4.280_804_635_860_49),
            (14, 10, 4.867_522_559_599_717),
            (17, 13, 3.419_871_167_969_353_6),
        ] {
            let weight = f64::from(weights[row * 24 + column]);
            assert!((weight - expected).abs() < 5e-6, "{weight} instead of {expected} in row {row}, column {column}");
        }
    }

    #[test]
    fn without_a_second_instance_every_weight_is_zero() {
        let options = UnetWeights { w0: 10.0, sigma: 5.0, background: 0.0, cell: 0.0 };
        let grid = Grid { size: [2, 5, 30], spacing: [1.0; 3] };
        let one: Vec<_> = (0..300).map(|pixel| u32::from(pixel % 7 == 0)).collect();
        for ids in [vec![0; 300], vec![3; 300], one] {
            assert_eq!(weights(&ids, &options, &grid), [0.0; 300]);
        }
    }

    #[test]
    fn background_and_cells_have_weights_of_their_own() {
        let options = UnetWeights { w0: 0.0, sigma: 5.0, background: 0.625, cell: 2.5 };
        let grid = Grid { size: [1, 4, 5], spacing: [1.0; 3] };
        let ids: Vec<_> = (0..20).map(|pixel| u32::from(pixel < 4)).collect();
        let expected: Vec<_> = ids.iter().map(|&id| if id == 0 { 0.625 } else { 2.5 }).collect();
        assert_eq!(weights(&ids, &options, &grid), expected);
        assert_eq!(weights(&[0; 20], &options, &grid), [0.625; 20]);
        assert_eq!(weights(&[7; 20], &options, &grid), [2.5; 20]);
    }

    #[test]
    fn half_to_the_is_accurate() {
        for index in 0..=40_000u16 {
            let t = f32::from(index) / 1000.0;
            let expected = (-f64::from(t)).exp2();
            assert!((f64::from(half_to_the(t)) / expected - 1.0).abs() < 2e-7, "{t}");
        }
        assert!(half_to_the(f32::INFINITY) < 1e-12);
    }
}
