//! The lower envelope of parabolas: f(x) ← min over q of f(q) + (spacing · (x − q))² for one line, in
//! linear time whatever the values (Felzenszwalb and Huttenlocher, Theory of Computing 8, 2012).
//!
//! All parabolas have the same width. Divided by spacing² and less x², each is a straight line of slope
//! −2q, so q is on the envelope exactly if (q, f(q)/spacing² + q²) is a corner of the lower convex
//! hull of these points: no division, and no intersections to round.

use std::ops::Range;

/// The parabolas on the envelope of one line, from left to right. Keeps its memory between lines.
#[derive(Default)]
pub struct Envelope {
    sites: Vec<Site>,
}

#[derive(Clone, Copy)]
struct Site {
    position: f64,
    square: f64,
    /// square / spacing² + position²
    height: f64,
}

impl Envelope {
    /// Tells `settle` the minimum at each of `pixels`, and the q where it lies; `line` gives (q, f(q)) in
    /// ascending order. Without any finite f(q) the minimum is +Infinity, at the pixel itself.
    pub fn minimise(
        &mut self,
        line: impl Iterator<Item = (usize, f32)>,
        spacing: f64,
        pixels: Range<usize>,
        mut settle: impl FnMut(usize, f32, usize),
    ) {
        self.build(line, spacing);
        let Some((&first, mut rest)) = self.sites.split_first() else {
            return pixels.for_each(|pixel| settle(pixel, f32::INFINITY, pixel));
        };
        let mut site = first;
        for pixel in pixels {
            let position = pixel as f64;
            let mut nearest = site.reaches(position, spacing);
            while let Some((next, others)) = rest.split_first() {
                let square = next.reaches(position, spacing);
                if square > nearest {
                    break;
                }
                (site, nearest, rest) = (*next, square, others);
            }
            settle(pixel, nearest as f32, site.position as usize);
        }
    }

    fn build(&mut self, line: impl Iterator<Item = (usize, f32)>, spacing: f64) {
        let scale = 1.0 / (spacing * spacing);
        self.sites.clear();
        for (index, square) in line.filter(|(_, square)| square.is_finite()) {
            let (position, square) = (index as f64, f64::from(square));
            let height = square * scale + position * position;
            let site = Site { position, square, height };
            while let [.., before, last] = self.sites[..]
                && !last.is_below(&before, &site)
            {
                self.sites.pop();
            }
            self.sites.push(site);
        }
    }
}

impl Site {
    fn reaches(&self, position: f64, spacing: f64) -> f64 {
        let distance = (position - self.position) * spacing;
        self.square + distance * distance
    }

    /// Whether this point lies below the chord from `left` to `right`.
    fn is_below(&self, left: &Site, right: &Site) -> bool {
        (self.height - left.height) * (right.position - self.position)
            < (right.height - self.height) * (self.position - left.position)
    }
}
