//! Distances between the surfaces of two masks against brute force.

use crate::input::Input;
use crate::plain::{self, assert_close};
use segrad::map::distance::Grid;
use segrad::map::surface::{Scratch, SurfaceDistances, surface_distances};

/// Two pairs of masks one after the other in the same memory.
pub fn check(bytes: &[u8]) {
    let input = &mut Input::new(bytes);
    let mut scratch = Scratch::default();
    for _ in 0..2 {
        let grid = input.grid();
        let masks: [Vec<bool>; 2] = std::array::from_fn(|_| mask(input, &grid));
        let tolerance = input.pick(&[0.0, 1.0, 2.5, 1e9]);
        let measured =
            surface_distances(|pixel| masks[0][pixel], |pixel| masks[1][pixel], &grid, tolerance, &mut scratch);
        let expected = measure(&masks, &grid, tolerance);
        let close = |value: f64, expected: f64| assert_close(value, expected, 2e-6 * expected, &(&grid, tolerance));
        close(measured.hausdorff, expected.hausdorff);
        close(measured.hausdorff95, expected.hausdorff95);
        close(measured.average, expected.average);
        close(measured.dice, expected.dice);
    }
}

fn mask(input: &mut Input, grid: &Grid) -> Vec<bool> {
    let percent = input.pick(&[0, 1, 10, 50, 95, 100]);
    (0..grid.pixels()).map(|_| input.any_below(100) < percent).collect()
}

/// Whether a pixel of a mask has a face neighbour outside of it. An image has no neighbours above and below.
fn is_surface(mask: &[bool], pixel: usize, grid: &Grid) -> bool {
    let [depth, height, width] = grid.size;
    let place = [pixel / width / height, pixel / width % height, pixel % width];
    let strides = [height * width, width, 1];
    let first = usize::from(depth == 1);
    mask[pixel]
        && (first..3).any(|axis| {
            let before = place[axis] == 0 || !mask[pixel - strides[axis]];
            before || place[axis] + 1 == grid.size[axis] || !mask[pixel + strides[axis]]
        })
}

fn measure(masks: &[Vec<bool>; 2], grid: &Grid, tolerance: f64) -> SurfaceDistances {
    let on =
        [0, 1].map(|side| (0..grid.pixels()).map(|pixel| is_surface(&masks[side], pixel, grid)).collect::<Vec<_>>());
    let result =
        |distance, dice| SurfaceDistances { hausdorff: distance, hausdorff95: distance, average: distance, dice };
    match on.each_ref().map(|surface| surface.contains(&true)) {
        [false, false] => return result(0.0, 1.0),
        [true, true] => {}
        _ => return result(f64::INFINITY, 0.0),
    }
    let sets = [0, 1].map(|side| {
        let to_other = plain::distances(|pixel| on[1 - side][pixel], grid);
        let mut set: Vec<f64> = to_other.into_iter().zip(&on[side]).filter(|(_, on)| **on).map(|(d, _)| d).collect();
        set.sort_by(f64::total_cmp);
        set
    });
    let percentile = |set: &Vec<f64>| {
        let rank = 0.95 * (set.len() - 1) as f64;
        let (low, high) = (set[rank as usize], set[(rank as usize + 1).min(set.len() - 1)]);
        low + (high - low) * rank.fract()
    };
    let all = || sets.iter().flatten().copied();
    let count = all().count() as f64;
    SurfaceDistances {
        hausdorff: all().fold(0.0, f64::max),
        hausdorff95: percentile(&sets[0]).max(percentile(&sets[1])),
        average: all().sum::<f64>() / count,
        dice: all().filter(|&distance| distance <= tolerance * (1.0 + 1e-6)).count() as f64 / count,
    }
}
