//! The lower envelope of parabolas: f(x) ← min over q of f(q) + (spacing · (x − q))² for one line, in
//! linear time whatever the values (Felzenszwalb and Huttenlocher, Theory of Computing 8, 2012).
//!
//! All parabolas have the same width. Divided by spacing² and less x², each is a straight line of slope
//! −2q, so q is on the envelope exactly if (q, f(q)/spacing² + q²) is a corner of the lower convex
//! hull of these points: no division, and no intersections to round.

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
    /// Writes to `out` the minimum over all of `line`; +Infinity where the line has no finite value.
    pub fn minimise<'a, 'b>(
        &mut self,
        line: impl Iterator<Item = &'a f32>,
        spacing: f64,
        out: impl Iterator<Item = &'b mut f32>,
    ) {
        self.build(line, spacing);
        let Some((&first, mut rest)) = self.sites.split_first() else {
            return out.for_each(|value| *value = f32::INFINITY);
        };
        let mut site = first;
        for (index, value) in out.enumerate() {
            let position = index as f64;
            let mut nearest = site.reaches(position, spacing);
            while let Some((next, others)) = rest.split_first() {
                let square = next.reaches(position, spacing);
                if square > nearest {
                    break;
                }
                (site, nearest, rest) = (*next, square, others);
            }
            *value = nearest as f32;
        }
    }

    fn build<'a>(&mut self, line: impl Iterator<Item = &'a f32>, spacing: f64) {
        let scale = 1.0 / (spacing * spacing);
        self.sites.clear();
        for (index, &square) in line.enumerate().filter(|(_, square)| square.is_finite()) {
            let (position, square) = (index as f64, f64::from(square));
            let site = Site { position, square, height: square * scale + position * position };
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
