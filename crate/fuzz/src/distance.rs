//! Distance transforms and the two signed maps against brute force.

use crate::input::Input;
use crate::plain::{self, assert_close};
use segrad::map::distance::{self, Grid, distance_to};
use segrad::map::signed::{self, Cell, border_distance, signed_distance};

/// What the maps promise.
const RELATIVE: f64 = 1e-6;

/// Two grids one after the other in the same memory.
pub fn check(bytes: &[u8]) {
    let input = &mut Input::new(bytes);
    let (mut distance, mut signed) = (distance::Scratch::default(), signed::Scratch::default());
    for _ in 0..2 {
        let grid = input.grid();
        let cells = cells(input, &grid);
        let mut out = vec![f32::NAN; grid.pixels()];

        let seeds: Vec<_> = cells.iter().map(|&cell| cell == Cell::Inside).collect();
        distance_to(|pixel| seeds[pixel], &grid, &mut out, &mut distance);
        compare(&out, &plain::distances(|pixel| seeds[pixel], &grid), 0.0, &grid);

        out.fill(f32::NAN);
        border_distance(&cells, &grid, &mut out, &mut signed);
        compare(&out, &plain::border(&cells, &grid), 0.0, &grid);

        out.fill(f32::NAN);
        signed_distance(&cells, &grid, &mut out, &mut signed);
        // 1 − d cancels near d = 1, so the error is measured against 1 there.
        compare(&out, &plain::signed(&cells, &grid), 1.0, &grid);
    }
}

fn compare(out: &[f32], expected: &[f64], least: f64, grid: &Grid) {
    for (pixel, (&value, &expected)) in out.iter().zip(expected).enumerate() {
        assert_close(value.into(), expected, RELATIVE * expected.abs().max(least), &(pixel, grid));
    }
}

fn cells(input: &mut Input, grid: &Grid) -> Vec<Cell> {
    let inside = input.pick(&[0, 1, 5, 50, 95, 100]);
    let ignored = input.pick(&[0, 0, 5, 60]);
    let lone = input.once_in(4).then(|| input.below(grid.pixels()));
    let cell = |pixel| match (input.any_below(100), input.any_below(100)) {
        _ if lone == Some(pixel) => Cell::Inside,
        (percent, _) if percent < ignored => Cell::Ignored,
        (_, percent) if lone.is_none() && percent < inside => Cell::Inside,
        _ => Cell::Outside,
    };
    (0..grid.pixels()).map(cell).collect()
}
