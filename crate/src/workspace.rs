//! The memory of one tile, reused for all, and the steps of a sweep on it.
//!
//! A tile works in place where it can: channels-first, full width, it reads the batch's own logits
//! and writes into the gradient buffer. Everything else (channels-last, the last pixels of a
//! section, no buffer) is staged: gathered into planes of its own, padded, and scattered back.

use crate::activation::{OutcomePlanes, SiteRows, encode_row, given, recall_sites, sigmoid, softmax};
use crate::batch::{Batch, NO_LABEL, Section, Target};
use crate::loss::Needs;
use crate::simd::F32x4;
use crate::tile::{Outcomes, Planes, PlanesMut, Site, Slopes, Tile, Truth, vectors, vectors_mut};

/// Rows and planes of one tile.
#[derive(Default)]
pub struct Workspace {
    width: usize,
    outcomes: usize,
    /// What the objective's losses need.
    pub needs: Needs,
    /// Whether truth is told outcome by outcome.
    pub dense: bool,
    label: Vec<u32>,
    weights: Vec<f32>,
    /// Logits, distances and results that are not in place.
    input: Vec<f32>,
    distance: Vec<f32>,
    staged: Vec<f32>,
    /// p and q of a sigmoid.
    p: Vec<f32>,
    q: Vec<f32>,
    /// u, p, q of each label.
    site: [Vec<f32>; 3],
    /// y, u, p, q of each outcome.
    outcome: [Vec<f32>; 4],
    slopes: Slopes,
}

impl Workspace {
    /// Sizes everything for a batch.
    pub fn prepare(&mut self, batch: &Batch, needs: Needs, dense: bool, width: usize) {
        let channels = if batch.sigmoid { 1 } else { batch.channels };
        (self.needs, self.dense, self.width, self.outcomes) = (needs, dense, width, batch.outcomes());
        self.label.resize(width, 0);
        let planes = [&mut self.input, &mut self.distance, &mut self.staged];
        planes.into_iter().for_each(|plane| plane.resize(channels * width, 0.0));
        let rows = [&mut self.weights, &mut self.p, &mut self.q];
        rows.into_iter().chain(&mut self.site).for_each(|row| row.resize(width, 0.0));
        let size = if dense { self.outcomes * width } else { 0 };
        self.outcome.iter_mut().for_each(|planes| planes.resize(size, 0.0));
    }
    /// Pixels of a tile.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Reads a tile's target and weights. Its results go into the buffer, in place where possible.
    pub fn open<'w, 'b>(
        &'w mut self,
        batch: &'w Batch<'b>,
        section: Section,
        start: usize,
        length: usize,
        buffer: Option<&'w mut [f32]>,
    ) -> Work<'w, 'b> {
        let direct = buffer.is_some() && length == self.width && (!batch.channels_last || batch.channels == 1);
        Work::read(self, batch, section, start, length, buffer, direct)
    }
    /// The same, with results staged because the buffer holds something that is still needed.
    pub fn open_aside<'w, 'b>(
        &'w mut self,
        batch: &'w Batch<'b>,
        section: Section,
        start: usize,
        length: usize,
        buffer: &'w mut [f32],
    ) -> Work<'w, 'b> {
        Work::read(self, batch, section, start, length, Some(buffer), false)
    }
}

/// One tile at work.
pub struct Work<'w, 'b> {
    space: &'w mut Workspace,
    batch: &'w Batch<'b>,
    section: Section,
    start: usize,
    length: usize,
    buffer: Option<&'w mut [f32]>,
    /// Whether results lie in the buffer itself.
    direct: bool,
    /// Whether some pixel takes part in nothing.
    masked: bool,
    /// Whether slopes of planar losses wait in the buffer.
    planar: bool,
}

impl<'w, 'b> Work<'w, 'b> {
    fn read(
        space: &'w mut Workspace,
        batch: &'w Batch<'b>,
        section: Section,
        start: usize,
        length: usize,
        buffer: Option<&'w mut [f32]>,
        direct: bool,
    ) -> Self {
        let mut masked = length < space.width;
        masked |= batch.read_labels(&section, start, length, &mut space.label);
        if let Some(weights) = batch.pixel_weights {
            let weights = &weights[section.image * batch.pixels() + start..][..length];
            space.weights[..length].copy_from_slice(weights);
            space.weights[length..].fill(0.0);
            masked |= weights.contains(&0.0);
        }
        let mut work = Self { space, batch, section, start, length, buffer, direct, masked, planar: false };
        if work.space.dense {
            work.read_shares();
        }
        if let Some(distance) = batch.distance
            && !work.reads_in_place()
        {
            let mut planes = std::mem::take(&mut work.space.distance);
            work.gather(distance, &mut planes);
            work.space.distance = planes;
        }
        work
    }

    /// y of every outcome.
    fn read_shares(&mut self) {
        let width = self.space.width;
        let mut shares = std::mem::take(&mut self.space.outcome[0]);
        match self.batch.target {
            Target::Soft(soft) if self.batch.sigmoid => {
                let (negative, positive) = shares.split_at_mut(width);
                self.gather(soft, positive);
                for (negative, positive) in negative[..self.length].iter_mut().zip(&*positive) {
                    *negative = 1.0 - positive;
                }
                negative[self.length..].fill(0.0);
            }
            Target::Soft(soft) => self.gather(soft, &mut shares),
            _ => {
                for (k, shares) in shares.chunks_exact_mut(width).enumerate() {
                    for (share, &label) in shares.iter_mut().zip(&self.space.label) {
                        *share = if label == k as u32 { 1.0 } else { 0.0 };
                    }
                }
            }
        }
        self.space.outcome[0] = shares;
    }

    /// Whether this tile of an array shaped like the logits can be read where it lies.
    fn reads_in_place(&self) -> bool {
        self.length == self.space.width && (!self.batch.channels_last || self.batch.channels == 1)
    }
    /// Where the tile starts in an array shaped like the logits, and its strides over channels and
    /// pixels.
    fn place(&self) -> (usize, usize, usize) {
        let (first, step) = self.batch.plane(self.section.image, self.section.class);
        (first + self.start * step, self.batch.channel_stride(), step)
    }
    /// Copies the tile out of an array shaped like the logits; padding becomes 0.
    fn gather(&self, from: &[f32], to: &mut [f32]) {
        let (first, channel, step) = self.place();
        for (k, row) in to.chunks_exact_mut(self.space.width).enumerate() {
            let (row, padding) = row.split_at_mut(self.length);
            let from = &from[first + k * channel..];
            if step == 1 {
                row.copy_from_slice(&from[..self.length]);
            } else {
                row.iter_mut().zip(from.iter().step_by(step)).for_each(|(to, &from)| *to = from);
            }
            padding.fill(0.0);
        }
    }
    /// Copies staged results into the buffer.
    fn scatter(&mut self) {
        let (first, channel, step) = self.place();
        let (width, length) = (self.space.width, self.length);
        let Some(buffer) = self.buffer.as_deref_mut().filter(|_| !self.direct) else { return };
        for (k, row) in self.space.staged.chunks_exact(width).enumerate() {
            let to = &mut buffer[first + k * channel..];
            if step == 1 {
                to[..length].copy_from_slice(&row[..length]);
            } else {
                to.iter_mut().step_by(step).zip(&row[..length]).for_each(|(to, &from)| *to = from);
            }
        }
    }

    /// Logits to probabilities.
    pub fn activate(&mut self) {
        let (batch, channels) = (self.batch, self.section.channels);
        let (first, channel, _) = self.place();
        let in_place = self.reads_in_place();
        if !in_place {
            let mut input = std::mem::take(&mut self.space.input);
            self.gather(batch.logits, &mut input);
            self.space.input = input;
        }
        let Workspace { width, outcomes, needs, dense, label, input, staged, p, q, site, outcome, .. } =
            &mut *self.space;
        let (width, sites) = (*width, needs.sites);
        let z = if in_place {
            Planes::new(&batch.logits[first..], channel, width)
        } else {
            Planes::new(input, width, width)
        };
        let mut result = match self.buffer.as_deref_mut() {
            Some(buffer) if self.direct => PlanesMut::new(&mut buffer[first..], channel, width),
            _ => PlanesMut::new(staged, width, width),
        };
        let [u, own, others] = site;
        let mut rows = SiteRows { u, p: own, q: others };
        let [_, u, pk, qk] = outcome;
        let mut planes = OutcomePlanes { u, p: pk, q: qk };
        match (batch.from_logits, batch.sigmoid, *dense && sites) {
            (true, false, true) => softmax::forward_dense(z, channels, &mut result, &mut planes),
            (true, false, false) if sites => softmax::forward::<true>(z, channels, label, &mut result, &mut rows),
            (true, false, false) => softmax::forward::<false>(z, channels, label, &mut result, &mut rows),
            (true, true, true) => sigmoid::forward_dense(z.plane(0), p, q, &mut planes),
            (true, true, false) if sites => sigmoid::forward::<true>(z.plane(0), label, p, q, &mut rows),
            (true, true, false) => sigmoid::forward::<false>(z.plane(0), label, p, q, &mut rows),
            (false, false, _) => given::forward(z, channels, label, &mut result, &mut rows),
            (false, true, _) => given::forward_sigmoid(z.plane(0), label, p, q, &mut rows),
        }
        if !batch.from_logits && *dense && sites {
            given::outcomes(z, *outcomes, batch.sigmoid, &mut planes);
        }
        self.mask();
    }

    /// Zeroes everything known of pixels that take part in nothing, so that not even a NaN of theirs
    /// reaches a sum.
    fn mask(&mut self) {
        if !self.masked {
            return;
        }
        let masked: Vec<usize> = self.masked_pixels().collect();
        let (channels, sigmoid) = (self.section.channels, self.batch.sigmoid);
        if !sigmoid {
            let mut result = self.result();
            masked.iter().for_each(|&i| result.fill_pixel(channels, i, 0.0));
        }
        let Workspace { width, p, q, site, outcome, .. } = &mut *self.space;
        for &i in &masked {
            (p[i], q[i]) = (0.0, 0.0);
            site.iter_mut().for_each(|row| row[i] = 0.0);
            for planes in outcome.iter_mut() {
                planes.iter_mut().skip(i).step_by(*width).for_each(|value| *value = 0.0);
            }
        }
    }
    fn masked_pixels(&self) -> impl Iterator<Item = usize> + '_ {
        let weighted = self.batch.pixel_weights.is_some();
        (0..self.space.width)
            .filter(move |&i| self.space.label[i] == NO_LABEL || (weighted && self.space.weights[i] == 0.0))
    }

    /// Where probabilities, and in the end the gradient, are written.
    fn result(&mut self) -> PlanesMut<'_> {
        let (first, channel, _) = self.place();
        let width = self.space.width;
        match self.buffer.as_deref_mut() {
            Some(buffer) if self.direct => PlanesMut::new(&mut buffer[first..], channel, width),
            _ => PlanesMut::new(&mut self.space.staged, width, width),
        }
    }

    /// What the losses see.
    pub fn tile(&mut self) -> Tile<'_> {
        self.tile_and_slopes().0
    }
    /// What the losses see, and where they report.
    pub fn tile_and_slopes(&mut self) -> (Tile<'_>, &mut Slopes) {
        let (first, channel, _) = self.place();
        let in_place = self.reads_in_place();
        let Workspace { width, outcomes, dense, label, weights, distance, staged, p, site, outcome, slopes, .. } =
            &mut *self.space;
        let width = *width;
        let probability = match self.buffer.as_deref() {
            _ if self.batch.sigmoid => Planes::new(p, width, width),
            Some(buffer) if self.direct => Planes::new(&buffer[first..], channel, width),
            _ => Planes::new(staged, width, width),
        };
        let truth = if *dense {
            let [y, u, p, q] = &*outcome;
            let planes = |planes| Planes::new(planes, width, width);
            Truth::Dense(Outcomes { y: planes(y), u: planes(u), p: planes(p), q: planes(q) })
        } else {
            let [u, p, q] = &*site;
            Truth::Hard { label, site: Site { u, p, q } }
        };
        let given = self.batch.distance;
        let distance = given.map(|given| {
            if in_place { Planes::new(&given[first..], channel, width) } else { Planes::new(distance, width, width) }
        });
        let tile = Tile {
            section: self.section,
            start: self.start,
            length: self.length,
            outcomes: *outcomes,
            weights: self.batch.pixel_weights.map(|_| &**weights),
            probability,
            truth,
            distance,
        };
        (tile, slopes)
    }

    /// Copies u of each site for the second sweep.
    pub fn keep_surprise(&self, kept: &mut [f32]) {
        kept.copy_from_slice(&self.space.site[0][..self.length]);
    }

    /// Leaves the probabilities in the buffer for the second sweep; `encoded` where planes are looked
    /// at, which need 1 − p as well as p.
    pub fn store_probabilities(&mut self, encoded: bool) {
        if self.buffer.is_none() {
            return;
        }
        if self.batch.sigmoid {
            let (p, q) = (std::mem::take(&mut self.space.p), std::mem::take(&mut self.space.q));
            encode_row(&p, &q, self.result().plane(0));
            (self.space.p, self.space.q) = (p, q);
        } else if encoded {
            let (channels, from_logits) = (self.section.channels, self.batch.from_logits);
            softmax::encode_planes(&mut self.result(), channels, from_logits);
        }
        self.scatter();
    }

    /// Probabilities of the first sweep, from the buffer; `kept` is the sites' surprise.
    pub fn recall(&mut self, kept: &[f32]) {
        let (batch, channels) = (self.batch, self.section.channels);
        if !self.direct {
            let buffer = self.buffer.take();
            let mut staged = std::mem::take(&mut self.space.staged);
            if let Some(buffer) = &buffer {
                self.gather(buffer, &mut staged);
            }
            (self.buffer, self.space.staged) = (buffer, staged);
        }
        let sites = self.space.needs.sites && !self.space.dense;
        if batch.sigmoid {
            let (mut p, mut q) = (std::mem::take(&mut self.space.p), std::mem::take(&mut self.space.q));
            let codes = self.result();
            let rows = vectors_mut(&mut p).iter_mut().zip(vectors_mut(&mut q));
            for (code, (p, q)) in codes.as_planes().plane(0).iter().zip(rows) {
                let (large, small) = crate::activation::decode(F32x4::load(code));
                large.store(p);
                small.store(q);
            }
            (self.space.p, self.space.q) = (p, q);
            if sites {
                self.recall_sigmoid_sites();
            }
            self.mask();
        } else if sites {
            self.space.site[0][..self.length].copy_from_slice(kept);
            let mut site = std::mem::take(&mut self.space.site);
            let label = std::mem::take(&mut self.space.label);
            let [u, p, q] = &mut site;
            recall_sites(self.result().as_planes(), channels, &label, &mut SiteRows { u, p, q });
            (self.space.site, self.space.label) = (site, label);
            self.mask();
        }
    }

    fn recall_sigmoid_sites(&mut self) {
        let (first, ..) = self.place();
        let surprise = self.space.needs.surprise_again;
        let in_place = self.reads_in_place();
        if surprise && !in_place {
            let mut input = std::mem::take(&mut self.space.input);
            self.gather(self.batch.logits, &mut input);
            self.space.input = input;
        }
        let Workspace { width, label, input, p, q, site, .. } = &mut *self.space;
        let z = if in_place { &self.batch.logits[first..][..*width] } else { &input[..*width] };
        let [u, own, others] = site;
        sigmoid::recall_sites(vectors(z), p, q, label, surprise, &mut SiteRows { u, p: own, q: others });
    }

    /// Makes room for this tile's slopes.
    pub fn reset_slopes(&mut self) {
        let (channels, width) = (self.section.channels, self.space.width);
        let outcomes = if self.space.dense { self.space.outcomes } else { 1 };
        self.space.slopes.reset(channels, outcomes, width);
    }

    /// Adds what planar losses left in the buffer: ∂L/∂p here, ∂L/∂z of sigmoids after the chain.
    pub fn add_planar_slopes(&mut self) {
        if self.batch.sigmoid && self.batch.from_logits {
            self.planar = true;
            return;
        }
        let buffer = self.buffer.take();
        let mut left = std::mem::take(&mut self.space.input);
        if let Some(buffer) = &buffer {
            self.gather(buffer, &mut left);
        }
        let mut a = self.space.slopes.a();
        for (k, left) in left.chunks_exact(self.space.width).enumerate() {
            for (a, left) in a.plane(k).iter_mut().zip(vectors(left)) {
                (F32x4::load(a) + F32x4::load(left)).store(a);
            }
        }
        (self.buffer, self.space.input) = (buffer, left);
    }

    /// Slopes to the gradient, in place of the probabilities, and into the buffer.
    pub fn chain(&mut self) {
        let (batch, channels) = (self.batch, self.section.channels);
        let slopes = std::mem::take(&mut self.space.slopes);
        let label = std::mem::take(&mut self.space.label);
        let site = std::mem::take(&mut self.space.site);
        let outcome = std::mem::take(&mut self.space.outcome);
        let (p, q) = (std::mem::take(&mut self.space.p), std::mem::take(&mut self.space.q));
        let (width, dense) = (self.space.width, self.space.dense && slopes.read_b().is_some());
        let mut result = self.result();
        let planes = |i: usize| Planes::new(&outcome[i], width, width);
        match (batch.from_logits, batch.sigmoid, dense) {
            (true, false, true) => softmax::chain_dense(&mut result, channels, planes(3), &slopes),
            (true, false, false) => softmax::chain(&mut result, channels, &label, &site[2], &slopes),
            (true, true, true) => sigmoid::chain_dense(&p, &q, &slopes, result.plane(0)),
            (true, true, false) => sigmoid::chain(&p, &q, &label, &slopes, result.plane(0)),
            (false, sigmoid, true) => given::chain_dense(&mut result, channels, sigmoid, planes(2), &slopes),
            (false, sigmoid, false) => given::chain(&mut result, channels, sigmoid, &label, &site[1], &slopes),
        }
        (self.space.slopes, self.space.label, self.space.site) = (slopes, label, site);
        (self.space.outcome, self.space.p, self.space.q) = (outcome, p, q);
        if self.planar {
            let buffer = self.buffer.take();
            let mut left = std::mem::take(&mut self.space.input);
            if let Some(buffer) = &buffer {
                self.gather(buffer, &mut left);
            }
            for (to, left) in vectors_mut(&mut self.space.staged).iter_mut().zip(vectors(&left)) {
                (F32x4::load(to) + F32x4::load(left)).store(to);
            }
            (self.buffer, self.space.input) = (buffer, left);
        }
        if self.masked {
            let masked: Vec<usize> = self.masked_pixels().collect();
            let mut result = self.result();
            masked.iter().for_each(|&i| result.fill_pixel(channels, i, 0.0));
        }
        self.scatter();
    }
}
