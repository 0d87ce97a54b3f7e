//! What the tests of the maps share: random masks, and distances by looking at every pair of pixels.

use super::distance::Grid;

/// Random numbers that are the same in every run (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % limit as u64) as usize
    }

    /// An image, a volume or a single line, with spacings from 10⁻³ to 10³.
    pub fn grid(&mut self) -> Grid {
        let mut size = match self.below(4) {
            0 => [1, 1 + self.below(20), 1 + self.below(40)],
            1 => [1 + self.below(7), 1 + self.below(8), 1 + self.below(20)],
            2 => [1 + self.below(9), 1 + self.below(9), 1 + self.below(9)],
            _ => [1, 1, 1 + self.below(150)],
        };
        size.rotate_left(self.below(3));
        let spacing =
            if self.below(2) == 0 { [1.0; 3] } else { [(); 3].map(|()| [1e-3, 0.7, 1.0, 2.5, 1e3][self.below(5)]) };
        Grid { size, spacing }
    }

    /// True for about `percent` of the pixels.
    pub fn mask(&mut self, pixels: usize, percent: usize) -> Vec<bool> {
        (0..pixels).map(|_| self.below(100) < percent).collect()
    }
}

/// The distance from every pixel to the nearest pixel of `seeds`.
pub fn brute_distance(seeds: &[bool], grid: &Grid) -> Vec<f64> {
    let [_, height, width] = grid.size;
    let place = |pixel: usize| {
        let [z, y, x] = [pixel / width / height, pixel / width % height, pixel % width];
        [z as f64 * grid.spacing[0], y as f64 * grid.spacing[1], x as f64 * grid.spacing[2]]
    };
    let seeds: Vec<_> = (0..seeds.len()).filter(|&pixel| seeds[pixel]).map(place).collect();
    let mut distances = Vec::new();
    for pixel in 0..grid.pixels() {
        let here = place(pixel);
        let mut nearest = f64::INFINITY;
        // Written out: tests run without optimisation.
        for seed in &seeds {
            let [z, y, x] = [here[0] - seed[0], here[1] - seed[1], here[2] - seed[2]];
            let square = z * z + y * y + x * x;
            if square < nearest {
                nearest = square;
            }
        }
        distances.push(nearest.sqrt());
    }
    distances
}

/// Fails unless every value is within `relative` of the expected one.
pub fn assert_close(values: &[f32], expected: &[f64], relative: f64, what: &dyn std::fmt::Debug) {
    assert_eq!(values.len(), expected.len(), "{what:?}");
    for (index, (&value, &expected)) in values.iter().zip(expected).enumerate() {
        let value = f64::from(value);
        let close = value == expected || (value - expected).abs() <= relative * expected.abs();
        assert!(close, "{value} instead of {expected} at {index} of {what:?}");
    }
}

/// The values of a string of hexadecimal digits.
pub fn hexadecimal(digits: &str) -> impl Iterator<Item = f64> {
    digits.chars().map(|digit| f64::from(digit.to_digit(16).expect("a hexadecimal digit")))
}
