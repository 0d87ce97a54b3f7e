//! Distances to the border of an object, from both of its sides.
//!
//! Of a transform to the inside and one to the outside, each is 0 where the other is not. Ignored
//! pixels belong to no side: they are no seeds, distances run across them, and they get 0.

use super::distance::{self, Grid, distance_to};

/// Where a pixel lies as seen from one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// In the class.
    Inside,
    /// In another class.
    Outside,
    /// In none, as if it were not there.
    Ignored,
}

/// Memory of [`signed_distance`] and [`border_distance`], kept between calls: one map beside the output.
#[derive(Default)]
pub struct Scratch {
    distance: distance::Scratch,
    to_outside: Vec<f32>,
}

/// φ of the boundary loss (Kervadec et al., MIDL 2019): the distance to the nearest pixel inside where
/// outside, −(distance to the nearest pixel outside − 1) where inside. So the inner rim has 0 if the
/// spacing is 1; as in the authors' code the 1 is in the unit of the spacing. 0 everywhere if all
/// valid pixels are on one side. Panics if `out` does not have one value per pixel.
pub fn signed_distance(cells: &[Cell], grid: &Grid, out: &mut [f32], scratch: &mut Scratch) {
    let to_outside = from_both_sides(cells, grid, out, scratch);
    for (value, &inside) in out.iter_mut().zip(to_outside) {
        *value = match (*value, inside) {
            (outside, 0.0) => outside,
            (0.0, inside) => 1.0 - inside,
            _ => 0.0, // ignored
        };
    }
}

/// The distance to the nearest pixel of the other side, inside and outside: the d of the Hausdorff
/// loss (Karimi and Salcudean, IEEE TMI 39, 2019). 0 everywhere if all valid pixels are on one side.
/// Panics if `out` does not have one value per pixel.
pub fn border_distance(cells: &[Cell], grid: &Grid, out: &mut [f32], scratch: &mut Scratch) {
    let to_outside = from_both_sides(cells, grid, out, scratch);
    for (value, &inside) in out.iter_mut().zip(to_outside) {
        *value = if *value > 0.0 && inside > 0.0 { 0.0 } else { *value + inside };
    }
}

/// Writes the distances to the inside to `out` and returns those to the outside. Nothing is returned,
/// and `out` is 0, where all valid pixels are on one side. Of a pair one is 0 unless the pixel is
/// ignored.
fn from_both_sides<'s>(cells: &[Cell], grid: &Grid, out: &mut [f32], scratch: &'s mut Scratch) -> &'s [f32] {
    assert!(cells.len() == grid.pixels(), "one cell per pixel");
    if !cells.contains(&Cell::Inside) || !cells.contains(&Cell::Outside) {
        assert!(out.len() == grid.pixels(), "one distance per pixel");
        out.fill(0.0);
        return &[];
    }
    let Scratch { distance, to_outside } = scratch;
    to_outside.resize(grid.pixels(), 0.0);
    for (side, map) in [(Cell::Inside, &mut *out), (Cell::Outside, &mut **to_outside)] {
        distance_to(|pixel| cells[pixel] == side, grid, map, distance);
    }
    to_outside
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Random, assert_close, brute_distance, hexadecimal};
    use super::*;

    fn run(map: impl Fn(&[Cell], &Grid, &mut [f32], &mut Scratch), cells: &[Cell], grid: &Grid) -> Vec<f32> {
        let mut out = vec![f32::NAN; grid.pixels()];
        map(cells, grid, &mut out, &mut Scratch::default());
        out
    }

    fn both(cells: &[Cell], grid: &Grid) -> [Vec<f32>; 2] {
        [run(signed_distance, cells, grid), run(border_distance, cells, grid)]
    }

    #[test]
    fn equals_brute_force_with_ignored_pixels() {
        let mut random = Random(4);
        for _ in 0..150 {
            let grid = random.grid();
            let [inside, ignored] = [[5, 40, 90][random.below(3)], [0, 5, 60][random.below(3)]];
            let [inside, ignored] = [inside, ignored].map(|percent| random.mask(grid.pixels(), percent));
            let cells: Vec<_> = (0..grid.pixels())
                .map(|pixel| match (ignored[pixel], inside[pixel]) {
                    (true, _) => Cell::Ignored,
                    (false, true) => Cell::Inside,
                    (false, false) => Cell::Outside,
                })
                .collect();
            let to = |side| brute_distance(&cells.iter().map(|&cell| cell == side).collect::<Vec<_>>(), &grid);
            let [to_inside, to_outside] = [to(Cell::Inside), to(Cell::Outside)];
            let mixed = cells.contains(&Cell::Inside) && cells.contains(&Cell::Outside);
            let expect = |inside: &dyn Fn(f64) -> f64| -> Vec<f64> {
                (0..cells.len())
                    .map(|pixel| match cells[pixel] {
                        Cell::Outside if mixed => to_inside[pixel],
                        Cell::Inside if mixed => inside(to_outside[pixel]),
                        _ => 0.0,
                    })
                    .collect()
            };
            let [signed, border] = both(&cells, &grid);
            assert_close(&border, &expect(&|distance| distance), 1e-6, &grid);
            // 1 − d cancels near d = 1, so the error is measured against 1 there.
            for (pixel, (&value, expected)) in signed.iter().zip(expect(&|distance| 1.0 - distance)).enumerate() {
                let scale = expected.abs().max(1.0);
                assert!(
                    (f64::from(value) - expected).abs() <= 1e-6 * scale,
                    "{value} {expected} at {pixel} of {grid:?}"
                );
            }
        }
    }

    #[test]
    fn agrees_with_the_authors_code() {
        let labels = "100000011122002221222222220222222220112222211112221111112111111";
        // Squared distances to the other side, as hexadecimal digits.
        let outside = "0149941000149a52101258a8521112554211001421100001110000001000000";
        let inside = "100000012100000001000000000000000000110000011410001124410112458";
        let cells: Vec<_> =
            labels.bytes().map(|label| if label == b'1' { Cell::Inside } else { Cell::Outside }).collect();
        let expected: Vec<_> = hexadecimal(outside)
            .zip(hexadecimal(inside))
            .map(|(outside, inside)| if inside > 0.0 { 1.0 - inside.sqrt() } else { outside.sqrt() })
            .collect();
        let [signed, _] = both(&cells, &Grid { size: [1, 7, 9], spacing: [1.0; 3] });
        assert_close(&signed, &expected, 1e-6, &labels);
    }

    #[test]
    fn one_side_alone_gives_zero() {
        let grid = Grid { size: [2, 3, 4], spacing: [1.0; 3] };
        for side in [Cell::Inside, Cell::Outside, Cell::Ignored] {
            let mut cells = vec![side; 24];
            cells[5] = Cell::Ignored;
            assert_eq!(both(&cells, &grid), [[0.0; 24], [0.0; 24]]);
        }
    }
}
