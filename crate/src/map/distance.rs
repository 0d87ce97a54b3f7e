//! Exact Euclidean distance of every pixel to the nearest seed pixel.
//!
//! ```text
//! distance(x) = min over seeds q of √(Σ_axis (spacing_axis · (x_axis − q_axis))²)
//! ```
//! The squared distance is a sum over the axes, so it can be minimised one axis at a time:
//!
//! 1. outermost axis: two sweeps count the pixels since the last seed above and below;
//! 2. every further axis: f(x) ← min over q of f(q) + (spacing · (x − q))² along each line.
//!
//! A pixel whose value is f cannot gain anything from beyond √f, and objects in masks are rarely
//! wide. So step 2 looks outwards from 16 pixels at a time until none of them can improve. Where
//! that takes more than [`REACH`] steps the line is done by its lower envelope of parabolas, in
//! linear time (Felzenszwalb and Huttenlocher, Theory of Computing 8, 2012). The time per pixel
//! is bounded in both cases.
//!
//! Everything that is added is positive, so f32 squares keep a relative error of a few 2⁻²⁴ at any
//! spacing; with spacing 1 they are exact integers up to 2²⁴. The envelope compares in f64.

use super::envelope::Envelope;
use crate::simd::F32x4;

/// Pixels that search for their nearest seed together.
const LANES: usize = 16;
/// How far they look before the envelope takes over; lines are padded by as much.
const REACH: usize = 48;
/// Pixels since the last seed where there was none. Counting on from here must not overflow.
const NEVER: i32 = 1 << 30;

type Block = [f32; LANES];

/// The shape of an image or volume, and the size of its pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Depth, height, width; the depth of an image is 1. Rows are contiguous.
    pub size: [usize; 3],
    /// Distance between neighbouring pixels along each of these axes: finite and positive.
    pub spacing: [f64; 3],
}

impl Grid {
    /// Number of pixels.
    pub fn pixels(&self) -> usize {
        self.size.iter().product()
    }

    /// The same pixels without axes of length 1 between the longer ones: the vector code runs over
    /// the last axis, and a missing middle axis costs nothing.
    pub(super) fn squeezed(&self) -> Grid {
        let mut size = [1; 3];
        let mut spacing = [1.0; 3];
        let mut free = 3;
        for axis in (0..3).rev().filter(|&axis| self.size[axis] > 1) {
            free -= 1;
            size[free] = self.size[axis];
            spacing[free] = self.spacing[axis];
        }
        if free == 1 {
            size.swap(0, 1);
            spacing.swap(0, 1);
        }
        Grid { size, spacing }
    }
}

/// Memory of [`distance_to`], kept between calls: two planes, sixteen columns and a row.
#[derive(Default)]
pub struct Scratch {
    since: Vec<i32>,
    squares: Vec<f32>,
    columns: Vec<f32>,
    row: Vec<f32>,
    envelope: Envelope,
}

/// Writes to `out` the distance of every pixel to the nearest pixel for which `seed` holds: 0 on the
/// seeds, +Infinity everywhere when there are none. The relative error is below 10⁻⁶.
///
/// `seed` is asked once for every pixel, in order. Panics if `out` does not have one value per pixel.
pub fn distance_to(seed: impl Fn(usize) -> bool, grid: &Grid, out: &mut [f32], scratch: &mut Scratch) {
    assert!(out.len() == grid.pixels(), "one distance per pixel");
    if out.is_empty() {
        return;
    }
    let grid = grid.squeezed();
    let plane = grid.size[1] * grid.size[2];
    let since = &mut scratch.since;
    since.clear();
    since.resize(plane, NEVER);
    for (index, layer) in out.chunks_exact_mut(plane).enumerate() {
        for (pixel, (count, since)) in layer.iter_mut().zip(since.iter_mut()).enumerate() {
            *since = if seed(index * plane + pixel) { 0 } else { *since + 1 };
            *count = as_count(*since);
        }
    }
    from_counts(&grid, out, scratch);
}

fn as_count(since: i32) -> f32 {
    if since >= NEVER { f32::INFINITY } else { since as f32 }
}

/// Turns `out`, the pixels since the last seed in the layers before, into distances. Each layer is
/// finished while it is in the cache.
fn from_counts(grid: &Grid, out: &mut [f32], scratch: &mut Scratch) {
    let [_, height, width] = grid.size;
    let spacing = grid.spacing[0] as f32;
    let down = Axis::new(height, grid.spacing[1]);
    let along = Axis::new(width, grid.spacing[2]);
    let Scratch { since, squares, columns, row: line, envelope } = scratch;
    since.fill(NEVER);
    squares.resize(height * width, 0.0);
    down.pad(columns, LANES);
    along.pad(line, 1);
    for layer in out.chunks_exact_mut(height * width).rev() {
        for ((square, since), before) in squares.iter_mut().zip(since.iter_mut()).zip(layer.iter()) {
            *since = if *before == 0.0 { 0 } else { *since + 1 };
            let distance = spacing * lesser(as_count(*since), *before);
            *square = distance * distance;
        }
        if height > 1 {
            for left in (0..width).step_by(LANES) {
                down.settle_columns(&mut squares[left..], width, columns, envelope);
            }
        }
        for (row, result) in squares.chunks_exact(width).zip(layer.chunks_exact_mut(width)) {
            along.settle_row(row, result, line, envelope);
        }
    }
}

/// An axis whose lines of squared distances are still to be minimised.
struct Axis {
    length: usize,
    spacing: f64,
    /// (k · spacing)²
    steps: [f32; REACH + 1],
}

impl Axis {
    fn new(length: usize, spacing: f64) -> Self {
        Axis { length, spacing, steps: std::array::from_fn(|k| (k as f64 * spacing).powi(2) as f32) }
    }

    /// Room for `lines` neighbouring lines, with nothing near beyond both of their ends.
    fn pad(&self, buffer: &mut Vec<f32>, lines: usize) {
        let inside = REACH * lines..(REACH + self.length) * lines;
        buffer.clear();
        buffer.resize(inside.end + REACH * lines + LANES, f32::INFINITY);
        // Lanes to the right of the image stay 0: they never ask for a further step.
        buffer[inside].fill(0.0);
    }

    /// Settles the first sixteen columns of `plane`, or as many as there are.
    fn settle_columns(&self, plane: &mut [f32], width: usize, buffer: &mut [f32], envelope: &mut Envelope) {
        let lanes = LANES.min(width).min(plane.len() - (self.length - 1) * width);
        let inside = REACH * LANES..(REACH + self.length) * LANES;
        for (row, line) in plane.chunks(width).zip(buffer[inside.clone()].chunks_exact_mut(LANES)) {
            copy_block(row, line, lanes);
        }
        for (y, row) in plane.chunks_mut(width).enumerate() {
            let Some(best) = self.search::<LANES>(buffer, (REACH + y) * LANES) else {
                for lane in 0..lanes {
                    let column = buffer[inside.clone()].iter().skip(lane).step_by(LANES);
                    let settle = |y, square, _| plane[y * width + lane] = square;
                    envelope.minimise(column.copied().enumerate(), self.spacing, 0..self.length, settle);
                }
                return;
            };
            copy_block(&best, row, lanes);
        }
    }

    /// Settles one row and writes its distances, no longer squared, to `out`.
    fn settle_row(&self, row: &[f32], out: &mut [f32], buffer: &mut [f32], envelope: &mut Envelope) {
        buffer[REACH..REACH + self.length].copy_from_slice(row);
        for (index, result) in out.chunks_mut(LANES).enumerate() {
            let Some(best) = self.search::<1>(buffer, REACH + index * LANES) else {
                let settle = |x: usize, square: f32, _| out[x] = square.sqrt();
                envelope.minimise(row.iter().copied().enumerate(), self.spacing, 0..self.length, settle);
                return;
            };
            result.iter_mut().zip(best).for_each(|(value, best)| *value = best.sqrt());
        }
    }

    /// Looks from the block at `centre` both ways along its lines until no pixel can improve.
    /// None if that takes too long.
    #[inline(always)]
    fn search<const STRIDE: usize>(&self, lines: &[f32], centre: usize) -> Option<Block> {
        let seen = &lines[centre - REACH * STRIDE..][..LANES + 2 * REACH * STRIDE];
        let centre = REACH * STRIDE;
        let mut best = block(seen, centre).map(|four| F32x4::load(&four));
        // Beyond the length of a line there is nothing to see.
        for (k, &step) in self.steps.iter().enumerate().take(self.length).skip(1) {
            let step = F32x4::splat(step);
            if !best[0].max(best[1]).max(best[2].max(best[3])).gt(step).any() {
                return Some(lanes(best));
            }
            let before = block(seen, centre - k * STRIDE);
            let after = block(seen, centre + k * STRIDE);
            for (best, (before, after)) in best.iter_mut().zip(before.iter().zip(after)) {
                *best = best.min(F32x4::load(before).min(F32x4::load(after)) + step);
            }
        }
        (self.length <= REACH).then(|| lanes(best))
    }
}

fn lanes(fours: [F32x4; LANES / 4]) -> Block {
    let mut block = [0.0; LANES];
    block.as_chunks_mut().0.iter_mut().zip(fours).for_each(|(to, four)| four.store(to));
    block
}

#[inline(always)]
fn block(values: &[f32], first: usize) -> &[[f32; 4]; LANES / 4] {
    values[first..first + LANES].as_chunks().0.first_chunk().expect("lines are padded by a block")
}

/// Copies the first `lanes` values; a whole block without a loop.
fn copy_block(from: &[f32], to: &mut [f32], lanes: usize) {
    match (from.first_chunk::<LANES>(), to.first_chunk_mut::<LANES>()) {
        (Some(from), Some(to)) if lanes == LANES => *to = *from,
        _ => to[..lanes].copy_from_slice(&from[..lanes]),
    }
}

/// The lesser of two values that are not NaN: one instruction, unlike `f32::min`.
fn lesser(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

#[cfg(test)]
mod tests;
