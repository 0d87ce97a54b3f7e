//! Maps by looking at every pair of pixels.

use segrad::map::distance::Grid;
use segrad::map::signed::Cell;

/// Where a pixel lies.
pub fn place(pixel: usize, grid: &Grid) -> [f64; 3] {
    let [_, height, width] = grid.size;
    let place = [pixel / width / height, pixel / width % height, pixel % width];
    std::array::from_fn(|axis| place[axis] as f64 * grid.spacing[axis])
}

/// The distance from every pixel to the nearest for which `is_seed` holds; +Infinity without any.
pub fn distances(is_seed: impl Fn(usize) -> bool, grid: &Grid) -> Vec<f64> {
    let seeds: Vec<_> = (0..grid.pixels()).filter(|&pixel| is_seed(pixel)).map(|pixel| place(pixel, grid)).collect();
    let to = |here: [f64; 3], seed: &[f64; 3]| (0..3).map(|axis| (here[axis] - seed[axis]).powi(2)).sum::<f64>();
    let nearest = |here| seeds.iter().map(|seed| to(here, seed)).fold(f64::INFINITY, f64::min).sqrt();
    (0..grid.pixels()).map(|pixel| nearest(place(pixel, grid))).collect()
}

/// What every pixel's distance to the other side is, and whether it is inside. 0 where all are on one side,
/// and where ignored.
pub fn border(cells: &[Cell], grid: &Grid) -> Vec<f64> {
    if !cells.contains(&Cell::Inside) || !cells.contains(&Cell::Outside) {
        return vec![0.0; cells.len()];
    }
    let to_inside = distances(|pixel| cells[pixel] == Cell::Inside, grid);
    let to_outside = distances(|pixel| cells[pixel] == Cell::Outside, grid);
    let distance = |(pixel, cell): (usize, &Cell)| match cell {
        Cell::Inside => to_outside[pixel],
        Cell::Outside => to_inside[pixel],
        Cell::Ignored => 0.0,
    };
    cells.iter().enumerate().map(distance).collect()
}

/// φ: the distance outside, 1 − distance inside, 0 where all are on one side, and where ignored.
pub fn signed(cells: &[Cell], grid: &Grid) -> Vec<f64> {
    let turn = |(distance, cell)| if cell == &Cell::Inside && distance > 0.0 { 1.0 - distance } else { distance };
    border(cells, grid).into_iter().zip(cells).map(turn).collect()
}

/// Fails unless `value` is within `tolerance` of what is expected. Infinities must be equal.
#[track_caller]
pub fn assert_close(value: f64, expected: f64, tolerance: f64, what: &dyn std::fmt::Debug) {
    let close = value == expected || (value - expected).abs() <= tolerance;
    assert!(close, "{value} instead of {expected}, more than {tolerance} off: {what:?}");
}
