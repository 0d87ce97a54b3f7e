//! The last axis of [`super::two_nearest`] where spacing is 1 and the limit is a few pixels.
//!
//! Squared distances are then small integers, eight to a vector. Every pixel looks outwards as in
//! [`super::distance`], at most as far as it can still matter:
//!
//! 1. near, up to half the limit;
//! 2. the label of near, where it is needed: the pixel q with near(q) + (x − q)² = near(x), which moves
//!    only to the right while x does, so one walk finds them all;
//! 3. far, up to the rest of the limit, in each run of pixels with the same nearest label L, in a row
//!    that holds far(q) where L is nearest and near(q) elsewhere.

use super::pair::Pairs;
use std::array::from_fn;
use std::ops::Range;

/// The furthest limit; rows are padded by as much.
pub const REACH: usize = 48;
/// Pixels that search together: two vectors.
pub const LANES: usize = 16;
/// The square of a distance that does not matter. A step of REACH must not make it overflow.
const AWAY: u16 = 1 << 14;
/// 2²³: added to a smaller integer, it leaves that integer in the low bits of the float.
const INTEGER: f32 = 8_388_608.0;

type Block = [[u16; LANES / 2]; 2];

/// One row; everything that is seen from its pixels is padded by [`REACH`].
#[derive(Default)]
pub struct Window {
    near: Vec<u16>,
    label: Vec<u32>,
    far: Vec<u16>,
    /// Step 3: what is seen from the pixels of one run.
    others: Vec<u16>,
    settled_near: Vec<u16>,
    settled_far: Vec<u16>,
    /// Far matters below this; 0 where near already decides.
    bound: Vec<u16>,
}

/// Pixels that have the same nearest label, and others between them that do not matter.
struct Run {
    pixels: Range<usize>,
    label: u32,
}

impl Window {
    /// Makes room for rows of this width.
    pub fn resize(&mut self, width: usize) {
        let blocks = width.next_multiple_of(LANES) + LANES;
        for line in [&mut self.near, &mut self.far, &mut self.others] {
            line.clear();
            line.resize(blocks + 2 * REACH, AWAY);
        }
        self.label.clear();
        self.label.resize(blocks + 2 * REACH, 0);
        for line in [&mut self.settled_near, &mut self.settled_far, &mut self.bound] {
            line.clear();
            line.resize(blocks, 0);
        }
    }

    /// Settles the row of `pairs` that starts at `first` and writes near and far to `out`.
    pub fn settle(&mut self, pairs: &Pairs, first: usize, width: usize, limit: f32, out: &mut Pairs) {
        let row = first..first + width;
        let inside = REACH..REACH + width;
        let integer =
            |square: f32| (INTEGER + if square < f32::from(AWAY) { square } else { f32::from(AWAY) }).to_bits();
        for (line, squares) in [(&mut self.near, &pairs.near), (&mut self.far, &pairs.far)] {
            let line = line[inside.clone()].iter_mut();
            line.zip(&squares[row.clone()]).for_each(|(to, &square)| *to = integer(square) as u16);
        }
        self.label[inside].copy_from_slice(&pairs.label[row]);

        let half = (limit * limit / 4.0).ceil() as u16;
        let reach = limit.ceil() as usize;
        self.settle_near(width, half, reach.div_ceil(2));
        for (bound, &near) in self.bound[..width].iter_mut().zip(&self.settled_near) {
            let rest = limit - float(near).sqrt();
            let rounded_up = (rest * rest + 0.5 + INTEGER).to_bits() as u16;
            *bound = if (near > 0) & (near < half) { rounded_up } else { 0 };
        }
        self.settle_far(width, reach);
        out.near[..width].iter_mut().zip(&self.settled_near).for_each(|(to, &near)| *to = float(near));
        for ((to, &far), &bound) in out.far[..width].iter_mut().zip(&self.settled_far).zip(&self.bound) {
            *to = if far < bound { float(far) } else { f32::INFINITY };
        }
    }

    fn settle_near(&mut self, width: usize, half: u16, reach: usize) {
        let most = [half; LANES];
        for left in (0..width).step_by(LANES) {
            let centre = REACH + left;
            let mut least = block(&self.near, centre);
            for away in (LANES / 2..reach + LANES / 2).step_by(LANES / 2) {
                least = zip(least, block(&self.near, centre - away), lesser);
                least = zip(least, block(&self.near, centre + away), lesser);
            }
            if any_below(least, half) {
                search(&self.near, centre, &most, &mut self.settled_near[left..]);
            } else {
                self.settled_near[left..left + LANES].copy_from_slice(&most);
            }
        }
    }

    fn settle_far(&mut self, width: usize, reach: usize) {
        let mut run = Run { pixels: 0..0, label: 0 };
        let mut site = REACH;
        for left in (0..width).step_by(LANES) {
            let matters = |&x: &usize| self.bound[x] > 0;
            let Some(first) = (left..left + LANES).find(matters) else { continue };
            let last = (first..left + LANES).rfind(matters).unwrap_or(first);
            if first == 0 || first != run.pixels.end {
                site = self.site_of(first, site, reach);
            }
            let start = site;
            site = self.site_of(last, start, reach);
            let label = self.label[start];
            if self.label[start..=site].iter().all(|&other| other == label) {
                self.extend(&mut run, first..last + 1, label, reach);
                continue;
            }
            let mut site = start;
            for x in first..=last {
                if self.bound[x] > 0 {
                    site = self.site_of(x, site, reach);
                    self.extend(&mut run, x..x + 1, self.label[site], reach);
                }
            }
        }
        self.settle_run(&run, reach);
    }

    /// The first padded position, from `after` on, that is nearest to pixel `x`.
    #[inline(always)]
    fn site_of(&self, x: usize, after: usize, reach: usize) -> usize {
        let centre = REACH + x;
        let first = after.max(centre - reach.div_ceil(2));
        let offsets = first as i32 - centre as i32..;
        let nearest = i32::from(self.settled_near[x]);
        let serves = |(&near, offset): (&u16, i32)| i32::from(near) + offset * offset == nearest;
        let passed = self.near[first..].iter().zip(offsets).position(serves);
        first + passed.expect("near is the minimum of these")
    }

    /// Adds pixels to the run, or settles it and starts another.
    fn extend(&mut self, run: &mut Run, pixels: Range<usize>, label: u32, reach: usize) {
        if label != run.label || pixels.start > run.pixels.end + LANES {
            self.settle_run(run, reach);
            *run = Run { pixels, label };
        } else {
            run.pixels.end = pixels.end;
        }
    }

    /// Settles far in one run. What this writes to the right of the run is wrong; the next run mends it.
    fn settle_run(&mut self, run: &Run, reach: usize) {
        let seen = run.pixels.start + REACH - reach..run.pixels.end + REACH + reach;
        let length = seen.len();
        let others = &mut self.others[seen.clone()][..length];
        let (near, far) = (&self.near[seen.clone()][..length], &self.far[seen.clone()][..length]);
        let label = &self.label[seen][..length];
        for q in 0..length {
            // As bits: a conditional load would not be vectorised.
            let mask = 0u16.wrapping_sub(u16::from(label[q] == run.label));
            others[q] = (far[q] & mask) | (near[q] & !mask);
        }
        for left in run.pixels.clone().step_by(LANES) {
            search(&self.others, REACH + left, &self.bound[left..], &mut self.settled_far[left..]);
        }
    }
}

/// Looks from the block at `centre` both ways until no pixel can improve; at most as far as `bound`.
// Not inlined, because the loop is only vectorised well on its own.
#[inline(never)]
fn search(line: &[u16], centre: usize, bound: &[u16], out: &mut [u16]) {
    // A window of known length: no bounds are checked in the loop.
    let seen: &[u16; LANES + 2 * REACH] = line[centre - REACH..].first_chunk().expect("rows are padded");
    let mut best = zip(block(seen, REACH), block(bound, 0), lesser);
    for k in 1..=REACH {
        let step = (k * k) as u16;
        if !any_above(best, step) {
            break;
        }
        let around = zip(block(seen, REACH - k), block(seen, REACH + k), lesser);
        best = zip(best, around, |best, square| lesser(best, square + step));
    }
    out[..LANES].copy_from_slice(best.as_flattened());
}

#[inline(always)]
fn block(line: &[u16], first: usize) -> Block {
    *line[first..first + LANES].as_chunks().0.first_chunk().expect("rows are padded")
}

#[inline(always)]
fn zip(a: Block, b: Block, f: impl Fn(u16, u16) -> u16) -> Block {
    [from_fn(|lane| f(a[0][lane], b[0][lane])), from_fn(|lane| f(a[1][lane], b[1][lane]))]
}

#[inline(always)]
fn any_above([a, b]: Block, value: u16) -> bool {
    let larger: [u16; LANES / 2] = from_fn(|lane| if a[lane] > b[lane] { a[lane] } else { b[lane] });
    larger.iter().fold(false, |any, &larger| any | (larger > value))
}

#[inline(always)]
fn any_below([a, b]: Block, value: u16) -> bool {
    let lesser: [u16; LANES / 2] = from_fn(|lane| lesser(a[lane], b[lane]));
    lesser.iter().fold(false, |any, &lesser| any | (lesser < value))
}

#[inline(always)]
fn lesser(a: u16, b: u16) -> u16 {
    if a < b { a } else { b }
}

#[inline(always)]
fn float(integer: u16) -> f32 {
    f32::from_bits(INTEGER.to_bits() | u32::from(integer)) - INTEGER
}
