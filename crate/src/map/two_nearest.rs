//! The squared distances of every pixel to the nearest instance and to the nearest other instance,
//! one axis after the other, as in [`super::distance`].
//!
//! A pixel carries the distance to its nearest instance, that instance's label, and the distance to
//! the nearest other label. This is enough: with L the label that turns out nearest at x, along a line
//!
//! ```text
//! near(x) = min over q of near(q) + (spacing · (x − q))²
//! far(x)  = min over q of [far(q) where label(q) = L, else near(q)] + (spacing · (x − q))²
//! ```
//! The outermost axis takes two sweeps; further axes one envelope for near, then one for far in each
//! run of pixels with the same L. In a run, the minimum without L lies between the q that serves the
//! pixel before the run and the one that serves the pixel after it, because minima move with x. No
//! q is in more than two such stretches, so the time is linear, however many labels there are.
//!
//! Only pixels whose two distances add up to less than a limit matter. Where that is a few pixels,
//! [`super::window`] does the last axis faster.

use super::distance::Grid;
use super::envelope::Envelope;
use super::pair::{LANES, Pairs};
use super::window::{self, Window};
use crate::simd::U32x4;

/// Memory of [`two_nearest`], kept between calls: 12 bytes a pixel, two layers and a few rows.
#[derive(Default)]
pub struct Scratch {
    pairs: Pairs,
    running: Pairs,
    layer: Pairs,
    line: Pairs,
    sites: Vec<usize>,
    envelope: Envelope,
    window: Window,
}

/// Calls `visit` for every row with its first pixel and the squared distances of its pixels to the
/// nearest instance and to the nearest other one. `label` is the instance of a pixel, 0 for the
/// background. +Infinity where there is no such instance; pixels that are in an instance, and those whose
/// distances add up to `limit` or more, may get it too.
pub fn two_nearest(
    label: impl Fn(usize) -> u32,
    grid: &Grid,
    limit: f64,
    scratch: &mut Scratch,
    mut visit: impl FnMut(usize, &[f32], &[f32]),
) {
    if grid.pixels() == 0 {
        return;
    }
    let is_short = grid.spacing == [1.0; 3] && limit <= window::REACH as f64;
    let grid = grid.squeezed();
    let [depth, height, width] = grid.size;
    // Rows are padded to whole vectors, so that the sweeps need no tail.
    let stride = width.next_multiple_of(LANES);
    let plane = height * stride;
    scratch.pairs.resize(depth * plane);
    scratch.running.resize(plane);
    scratch.layer.resize(plane);
    scratch.line.resize(height.max(width));
    if is_short {
        scratch.window.resize(width);
    }
    count_before(label, &grid, stride, scratch);
    let Scratch { pairs, running, layer, line, sites, envelope, window } = scratch;
    running.forget();
    for z in (0..depth).rev() {
        {
            let before = pairs.fours(z * plane..(z + 1) * plane);
            let (mut after, mut layer) = (running.fours(0..plane), layer.fours(0..plane));
            for at in 0..plane / LANES {
                let before = before.get(at);
                let pair = after.get(at).meet(before.labels_here());
                after.set(at, pair);
                layer.set(at, before.merge(pair).squared(grid.spacing[0] as f32));
            }
        }
        if height > 1 {
            for x in 0..width {
                settle_line(layer, [x, stride], height, grid.spacing[1], line, sites, envelope);
                for y in 0..height {
                    let at = y * stride + x;
                    (layer.near[at], layer.label[at], layer.far[at]) = (line.near[y], line.label[y], line.far[y]);
                }
            }
        }
        for y in 0..height {
            if is_short {
                window.settle(layer, y * stride, width, limit as f32, line);
            } else {
                settle_line(layer, [y * stride, 1], width, grid.spacing[2], line, sites, envelope);
            }
            visit((z * height + y) * width, &line.near[..width], &line.far[..width]);
        }
    }
}

/// The first sweep: pixels since the last instance, and since the last other one, in the layers before.
fn count_before(label: impl Fn(usize) -> u32, grid: &Grid, stride: usize, scratch: &mut Scratch) {
    let [depth, height, width] = grid.size;
    let plane = height * stride;
    scratch.running.forget();
    for z in 0..depth {
        let mut running = scratch.running.fours(0..plane);
        let mut pairs = scratch.pairs.fours(z * plane..(z + 1) * plane);
        for y in 0..height {
            for left in (0..stride).step_by(LANES) {
                let first = (z * height + y) * width + left;
                let labels = if left + LANES <= width {
                    std::array::from_fn(|lane| label(first + lane))
                } else {
                    std::array::from_fn(|lane| if left + lane < width { label(first + lane) } else { 0 })
                };
                let at = (y * stride + left) / LANES;
                let pair = running.get(at).meet(U32x4::load(&labels));
                running.set(at, pair);
                pairs.set(at, pair);
            }
        }
    }
}

/// Settles the line whose pixels begin at `first` and lie `step` apart, and writes it to `out`.
#[inline(never)]
fn settle_line(
    pairs: &Pairs,
    [first, step]: [usize; 2],
    length: usize,
    spacing: f64,
    out: &mut Pairs,
    sites: &mut Vec<usize>,
    envelope: &mut Envelope,
) {
    let place = |pixel| first + pixel * step;
    sites.clear();
    let line = (0..length).map(|q| (q, pairs.near[place(q)]));
    envelope.minimise(line, spacing, 0..length, |x, square, site| {
        out.near[x] = square;
        out.label[x] = pairs.label[place(site)];
        sites.push(site);
    });
    let mut start = 0;
    while start < length {
        let nearest = out.label[start];
        let other = |q| if pairs.label[place(q)] == nearest { pairs.far[place(q)] } else { pairs.near[place(q)] };
        let end = (start..length).find(|&x| out.label[x] != nearest).unwrap_or(length);
        let first = if start == 0 { 0 } else { sites[start - 1] };
        let last = if end == length { length - 1 } else { sites[end] };
        let stretch = (first..=last).map(|q| (q, other(q)));
        envelope.minimise(stretch, spacing, start..end, |x, square, _| out.far[x] = square);
        start = end;
    }
}
