//! How far apart the surfaces of two masks are.
//!
//! The surface of a mask are its pixels with a face neighbour outside the mask or outside the image:
//! `mask ^ erosion(mask)` of SciPy and MONAI. With d(p, S) the distance from a pixel to the nearest pixel
//! of a surface, a set of distances is taken from each side: d(a, B) for a in A, and d(b, A) for b in B.

use super::distance::{self, Grid, distance_to};
use std::ops::Range;

/// What [`surface_distances`] measures, in the unit of the spacing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SurfaceDistances {
    /// Hausdorff distance: the largest of all distances.
    pub hausdorff: f64,
    /// HD95: the larger of the 95th percentiles of the two sets, interpolated linearly.
    pub hausdorff95: f64,
    /// ASSD: the mean over both sets together.
    pub average: f64,
    /// Normalised surface Dice: the share of both sets within the tolerance.
    pub dice: f64,
}

/// Memory of [`surface_distances`], kept between calls.
#[derive(Default)]
pub struct Scratch {
    distance: distance::Scratch,
    masks: [Vec<bool>; 2],
    surfaces: [Vec<bool>; 2],
    map: Vec<f32>,
    sets: [Vec<f32>; 2],
}

/// Compares the surfaces of two masks. Two empty masks have distance 0 and Dice 1; if only one is
/// empty, the distances are +Infinity and Dice is 0. A depth of 1 means an image: its pixels have
/// neighbours in the plane only.
pub fn surface_distances(
    first: impl Fn(usize) -> bool,
    second: impl Fn(usize) -> bool,
    grid: &Grid,
    tolerance: f64,
    scratch: &mut Scratch,
) -> SurfaceDistances {
    let masks: [&dyn Fn(usize) -> bool; 2] = [&first, &second];
    let crop = bounding_box(|pixel| first(pixel) || second(pixel), grid);
    let cropped = Grid { size: crop.clone().map(|range| range.len()), ..*grid };
    let Scratch { distance, masks: inside, surfaces, map, sets } = scratch;
    for side in 0..2 {
        inside[side].clear();
        inside[side].extend(pixels(&crop, grid).map(masks[side]));
        surface(&inside[side], &cropped, grid.size[0] > 1, &mut surfaces[side]);
    }
    match [0, 1].map(|side| surfaces[side].contains(&true)) {
        [false, false] => return SurfaceDistances { hausdorff: 0.0, hausdorff95: 0.0, average: 0.0, dice: 1.0 },
        [true, true] => {}
        _ => {
            let far = f64::INFINITY;
            return SurfaceDistances { hausdorff: far, hausdorff95: far, average: far, dice: 0.0 };
        }
    }
    map.resize(cropped.pixels(), 0.0);
    for side in 0..2 {
        distance_to(|pixel| surfaces[1 - side][pixel], &cropped, map, distance);
        sets[side].clear();
        sets[side].extend(map.iter().zip(&surfaces[side]).filter(|(_, here)| **here).map(|(&distance, _)| distance));
    }
    summary(sets, tolerance)
}

fn summary(sets: &[Vec<f32>; 2], tolerance: f64) -> SurfaceDistances {
    let all = || sets.iter().flatten().map(|&distance| f64::from(distance));
    let count = (sets[0].len() + sets[1].len()) as f64;
    // As much as the distances may err, so that those that equal the tolerance count.
    let tolerance = tolerance * (1.0 + 1e-6);
    let hausdorff = all().fold(0.0, f64::max);
    let average = all().sum::<f64>() / count;
    let dice = all().filter(|&distance| distance <= tolerance).count() as f64 / count;
    let [a, b] = sets.each_ref().map(|set| percentile95(set));
    SurfaceDistances { hausdorff, hausdorff95: a.max(b), average, dice }
}

/// The 95th percentile with linear interpolation, as NumPy's default.
fn percentile95(values: &[f32]) -> f64 {
    let last = values.len() - 1;
    let rank = 0.95 * last as f64;
    let [low, high] = [rank as usize, last.min(rank as usize + 1)].map(|rank| f64::from(of_rank(values, rank)));
    low + (high - low) * rank.fract()
}

/// The value at a rank. Distances are ordered as their bits are, so it is found bit by bit: the largest number
/// below which no more than `rank` of them lie. A selection by partitions is faster and takes 1 KB of module.
fn of_rank(values: &[f32], rank: usize) -> f32 {
    let below = |bound: u32| values.iter().filter(|value| value.to_bits() < bound).count();
    let bits = (0..31).rev().map(|bit| 1 << bit);
    f32::from_bits(bits.fold(0, |found, bit| if below(found | bit) <= rank { found | bit } else { found }))
}

/// The smallest box around a mask; empty for an empty mask.
fn bounding_box(mask: impl Fn(usize) -> bool, grid: &Grid) -> [Range<usize>; 3] {
    let [depth, height, width] = grid.size;
    let mut low = grid.size;
    let mut high = [0; 3];
    for (z, y) in (0..depth).flat_map(|z| (0..height).map(move |y| (z, y))) {
        let inside = |&x: &usize| mask((z * height + y) * width + x);
        if let Some(left) = (0..width).find(inside) {
            let right = (left..width).rfind(inside).unwrap_or(left);
            low = [low[0].min(z), low[1].min(y), low[2].min(left)];
            high = [high[0].max(z + 1), high[1].max(y + 1), high[2].max(right + 1)];
        }
    }
    std::array::from_fn(|axis| low[axis].min(high[axis])..high[axis])
}

/// The pixels of a box, row by row.
fn pixels(crop: &[Range<usize>; 3], grid: &Grid) -> impl Iterator<Item = usize> {
    let [_, height, width] = grid.size;
    let [depths, rows, columns] = crop.clone();
    depths.flat_map(move |z| {
        let columns = columns.clone();
        rows.clone().flat_map(move |y| columns.clone().map(move |x| (z * height + y) * width + x))
    })
}

/// Pixels of the mask with a face neighbour outside the mask or the box.
fn surface(mask: &[bool], grid: &Grid, is_volume: bool, out: &mut Vec<bool>) {
    let [depth, height, width] = grid.size;
    let axes = [(depth, height * width), (height, width), (width, 1)];
    let axes = if is_volume { &axes[..] } else { &axes[1..] };
    let is_outer = |pixel: usize| {
        axes.iter().any(|&(length, stride)| {
            let at = pixel / stride % length;
            at == 0 || at == length - 1 || !mask[pixel - stride] || !mask[pixel + stride]
        })
    };
    out.clear();
    out.extend((0..mask.len()).map(|pixel| mask[pixel] && is_outer(pixel)));
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Random, brute_distance};
    use super::*;

    fn compare(first: &[bool], second: &[bool], grid: &Grid, tolerance: f64) -> SurfaceDistances {
        let mut scratch = Scratch::default();
        surface_distances(|pixel| first[pixel], |pixel| second[pixel], grid, tolerance, &mut scratch)
    }

    fn assert_same(measured: SurfaceDistances, expected: SurfaceDistances, what: &dyn std::fmt::Debug) {
        let values = |s: SurfaceDistances| [s.hausdorff, s.hausdorff95, s.average, s.dice];
        for (measured, expected) in values(measured).into_iter().zip(values(expected)) {
            let close = measured == expected || (measured - expected).abs() <= 1e-6 * expected;
            assert!(close, "{measured} instead of {expected}: {what:?}");
        }
    }

    /// The same from the definition, with every pair of pixels and sorted distances.
    fn brute(masks: [&[bool]; 2], grid: &Grid, tolerance: f64) -> SurfaceDistances {
        let surfaces = masks.map(|mask| brute_surface(mask, grid));
        let side = |here: usize| -> Vec<f64> {
            let distances = brute_distance(&surfaces[1 - here], grid);
            let mut set: Vec<_> = (0..distances.len()).filter(|&p| surfaces[here][p]).map(|p| distances[p]).collect();
            set.sort_by(f64::total_cmp);
            set
        };
        let sets = [side(0), side(1)];
        if sets.iter().any(Vec::is_empty) {
            let far = if sets[0] == sets[1] { 0.0 } else { f64::INFINITY };
            let dice = if sets[0] == sets[1] { 1.0 } else { 0.0 };
            return SurfaceDistances { hausdorff: far, hausdorff95: far, average: far, dice };
        }
        let percentile = |set: &[f64]| {
            let rank = 0.95 * (set.len() - 1) as f64;
            set[rank.floor() as usize] * (1.0 - rank.fract()) + set[rank.ceil() as usize] * rank.fract()
        };
        let all = sets.concat();
        SurfaceDistances {
            hausdorff: all.iter().copied().fold(0.0, f64::max),
            hausdorff95: percentile(&sets[0]).max(percentile(&sets[1])),
            average: all.iter().sum::<f64>() / all.len() as f64,
            dice: all.iter().filter(|&&distance| distance <= tolerance * (1.0 + 1e-9)).count() as f64
                / all.len() as f64,
        }
    }

    fn brute_surface(mask: &[bool], grid: &Grid) -> Vec<bool> {
        let size = grid.size.map(|length| length as isize);
        let inside = |[z, y, x]: [isize; 3]| {
            let in_image = z >= 0 && y >= 0 && x >= 0 && z < size[0] && y < size[1] && x < size[2];
            in_image && mask[((z * size[1] + y) * size[2] + x) as usize]
        };
        let mut surface = Vec::new();
        for (z, y, x) in (0..size[0]).flat_map(|z| (0..size[1]).flat_map(move |y| (0..size[2]).map(move |x| (z, y, x))))
        {
            let in_plane = [[z, y - 1, x], [z, y + 1, x], [z, y, x - 1], [z, y, x + 1]];
            let across = [[z - 1, y, x], [z + 1, y, x]];
            let enclosed = in_plane.into_iter().all(inside) && (size[0] == 1 || across.into_iter().all(inside));
            surface.push(inside([z, y, x]) && !enclosed);
        }
        surface
    }

    #[test]
    fn equals_the_definition_on_random_masks() {
        let mut random = Random(7);
        for _ in 0..150 {
            let grid = random.grid();
            let masks = [(); 2].map(|()| {
                let percent = [0, 3, 60, 97, 100][random.below(5)];
                random.mask(grid.pixels(), percent)
            });
            let tolerance = [0.0, 0.69, 1.01, 2.49, 900.0][random.below(5)];
            let expected = brute([&masks[0], &masks[1]], &grid, tolerance);
            assert_same(compare(&masks[0], &masks[1], &grid, tolerance), expected, &(&grid, tolerance));
            assert_same(compare(&masks[1], &masks[0], &grid, tolerance), expected, &(&grid, tolerance));
        }
    }

    #[test]
    fn agrees_with_scipy_and_numpy() {
        let mask = |rows: [&str; 7]| rows.concat().bytes().map(|pixel| pixel == b'#').collect::<Vec<_>>();
        let first =
            mask(["..........", ".#####....", ".#####....", ".#####....", ".####.....", "..........", "........#."]);
        let second =
            mask(["..........", "...#####..", "..######..", "..####....", "..####....", "...##.....", ".........."]);
        let grid = |spacing| Grid { size: [1, 7, 10], spacing };
        let expected = SurfaceDistances {
            hausdorff: 3.176476034853718,
            hausdorff95: 2.0217666121988005,
            average: 0.6705884298162041,
            dice: 25.0 / 28.0,
        };
        assert_same(compare(&first, &second, &grid([1.0, 1.5, 0.7]), 1.4), expected, &"spacing 1.5, 0.7");
        let expected = SurfaceDistances {
            hausdorff: 3.605551275463989,
            hausdorff95: 2.181181761954907,
            average: 0.8221344584941817,
            dice: 24.0 / 28.0,
        };
        assert_same(compare(&first, &second, &grid([1.0; 3]), 1.0), expected, &"spacing 1");
    }

    #[test]
    fn empty_and_equal_masks() {
        let grid = Grid { size: [2, 3, 4], spacing: [1.0; 3] };
        let same = SurfaceDistances { hausdorff: 0.0, hausdorff95: 0.0, average: 0.0, dice: 1.0 };
        let infinite = f64::INFINITY;
        let apart = SurfaceDistances { hausdorff: infinite, hausdorff95: infinite, average: infinite, dice: 0.0 };
        let [empty, full] = [[false; 24], [true; 24]];
        assert_eq!(compare(&empty, &empty, &grid, 1.0), same);
        assert_eq!(compare(&full, &full, &grid, 0.0), same);
        assert_eq!(compare(&full, &empty, &grid, 1.0), apart);
        assert_eq!(compare(&empty, &full, &grid, 1.0), apart);
    }
}
