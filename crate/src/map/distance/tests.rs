use super::*;
use crate::map::testing::{Random, assert_close, brute_distance, hexadecimal};

fn distances(seeds: &[bool], grid: &Grid) -> Vec<f32> {
    let mut out = vec![f32::NAN; grid.pixels()];
    distance_to(|pixel| seeds[pixel], grid, &mut out, &mut Scratch::default());
    out
}

fn check(seeds: &[bool], grid: &Grid) {
    assert_close(&distances(seeds, grid), &brute_distance(seeds, grid), 1e-6, &(seeds.len(), grid));
}

#[test]
fn equals_brute_force_on_random_masks() {
    let mut random = Random(1);
    for _ in 0..300 {
        let grid = random.grid();
        let percent = [2, 10, 50, 95][random.below(4)];
        check(&random.mask(grid.pixels(), percent), &grid);
    }
}

#[test]
fn equals_brute_force_where_seeds_are_far_apart() {
    let mut random = Random(2);
    for size in [[1, 60, 70], [1, 1, 500], [60, 50, 2], [3, 4, 150], [150, 3, 9]] {
        for spacing in [[1.0; 3], [1e-3, 1e3, 1.0], [1e3, 1.0, 1e-3], [1.0, 1e-3, 1e3], [0.3, 0.7, 1.9]] {
            let grid = Grid { size, spacing };
            let mut seeds = vec![false; grid.pixels()];
            (0..5).for_each(|_| seeds[random.below(grid.pixels())] = true);
            check(&seeds, &grid);
        }
    }
}

#[test]
fn equals_brute_force_where_one_axis_is_a_thousand_times_longer() {
    for size in [[1500, 1, 2], [2, 1500, 1], [2, 1, 1500], [1500, 2, 2], [2, 2, 1500]] {
        for spacing in [[1.0; 3], [1e-3, 1e3, 1e3], [1e3, 1e-3, 1.0]] {
            let grid = Grid { size, spacing };
            let seeds: Vec<_> = (0..grid.pixels()).map(|pixel| pixel % 1201 == 1).collect();
            check(&seeds, &grid);
        }
    }
}

#[test]
fn squares_beyond_2_24_stay_exact() {
    for size in [[1, 1, 5000], [1, 5000, 1], [5000, 1, 1], [5000, 2, 1], [2, 1, 5000]] {
        let grid = Grid { size, spacing: [1.0; 3] };
        let place = |pixel: usize| match size {
            [5000, lines, 1] => pixel / lines,
            _ => pixel % 5000,
        };
        let seeds: Vec<_> = (0..grid.pixels()).map(|pixel| place(pixel) == 0).collect();
        let expected: Vec<_> = (0..grid.pixels()).map(|pixel| place(pixel) as f64).collect();
        assert_close(&distances(&seeds, &grid), &expected, 0.0, &grid);
    }
}

#[test]
fn without_seeds_every_distance_is_infinite() {
    for size in [[1, 5, 7], [3, 4, 50], [1, 1, 1], [2, 200, 1]] {
        let grid = Grid { size, spacing: [1.0; 3] };
        assert!(distances(&vec![false; grid.pixels()], &grid).iter().all(|&value| value == f32::INFINITY));
        assert!(distances(&vec![true; grid.pixels()], &grid).iter().all(|&value| value == 0.0));
    }
    assert!(distances(&[], &Grid { size: [1, 0, 3], spacing: [1.0; 3] }).is_empty());
}

#[test]
fn agrees_with_scipy() {
    let mask = concat!(
        "11110111110111",
        "11111101100011",
        "11111111110101",
        "11011111110111",
        "11101011110111",
        "10100111110111",
        "11011111111111",
        "11110101001011",
        "01111111011110",
    );
    // Squared distances, as hexadecimal digits.
    let squares = concat!(
        "d9410112210125",
        "85421101100012",
        "52124212210101",
        "41012125410112",
        "21101014410145",
        "10100125410148",
        "21011212111124",
        "12110101001011",
        "01421211012110",
    );
    let seeds: Vec<_> = mask.bytes().map(|pixel| pixel == b'0').collect();
    let expected: Vec<_> = hexadecimal(squares).map(f64::sqrt).collect();
    assert_close(&distances(&seeds, &Grid { size: [1, 9, 14], spacing: [1.0; 3] }), &expected, 1e-7, &mask);
}

#[test]
fn scratch_is_reused_and_leaves_no_trace() {
    let mut random = Random(3);
    let grids = [[1, 40, 60], [5, 6, 70], [1, 1, 9], [9, 20, 5]].map(|size| Grid { size, spacing: [1.0; 3] });
    let masks = grids.map(|grid| random.mask(grid.pixels(), 3));
    let mut scratch = Scratch::default();
    let mut run = || {
        for (grid, seeds) in grids.iter().zip(&masks) {
            let mut out = vec![f32::NAN; grid.pixels()];
            distance_to(|pixel| seeds[pixel], grid, &mut out, &mut scratch);
            assert_eq!(out, distances(seeds, grid));
        }
        [scratch.since.as_ptr().addr(), scratch.columns.as_ptr().addr(), scratch.row.as_ptr().addr()]
    };
    run();
    assert_eq!(run(), run());
}
