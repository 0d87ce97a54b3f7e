//! Planes of channels and the tiles cut from them: a few hundred pixels of every channel, small
//! enough to stay in the first cache, padded so that no kernel has a tail.

use crate::batch::Section;

/// Pixels that kernels take at once; every tile's width is a multiple of it.
pub const BLOCK: usize = 16;
/// A block of one channel, as four vectors.
pub type Block = [[f32; 4]; 4];

/// Floats of one tile over all channels: 16 KiB leave room in a first cache of 32 KiB for what
/// the losses keep beside the probabilities.
const TILE_FLOATS: usize = 4096;

/// How many pixels a tile holds for this number of channels.
pub fn tile_width(channels: usize) -> usize {
    (TILE_FLOATS / channels).clamp(BLOCK, 1024) / BLOCK * BLOCK
}

/// Channels of a tile, to read: channel k starts at `k * stride`.
#[derive(Clone, Copy)]
pub struct Planes<'a> {
    data: &'a [f32],
    stride: usize,
    width: usize,
}

/// Channels of a tile, to write.
pub struct PlanesMut<'a> {
    data: &'a mut [f32],
    stride: usize,
    width: usize,
}

impl<'a> Planes<'a> {
    /// Channels that lie `stride` apart, `width` pixels of each, a multiple of [`BLOCK`].
    pub fn new(data: &'a [f32], stride: usize, width: usize) -> Self {
        assert!(width.is_multiple_of(BLOCK));
        Self { data, stride, width }
    }
    /// Pixels in the tile, padding included.
    pub fn width(&self) -> usize {
        self.width
    }
    /// Channel k as vectors.
    #[inline(always)]
    pub fn plane(&self, k: usize) -> &'a [[f32; 4]] {
        vectors(&self.data[k * self.stride..][..self.width])
    }
    /// One block of channel k: one bounds check for sixteen pixels.
    #[inline(always)]
    pub fn block(&self, k: usize, start: usize) -> &'a Block {
        block(&self.data[k * self.stride + start..][..BLOCK])
    }
}

impl<'a> PlanesMut<'a> {
    /// Channels that lie `stride` apart, `width` pixels of each, a multiple of [`BLOCK`].
    pub fn new(data: &'a mut [f32], stride: usize, width: usize) -> Self {
        assert!(width.is_multiple_of(BLOCK));
        Self { data, stride, width }
    }
    /// Channel k as vectors.
    #[inline(always)]
    pub fn plane(&mut self, k: usize) -> &mut [[f32; 4]] {
        vectors_mut(&mut self.data[k * self.stride..][..self.width])
    }
    /// One block of channel k.
    #[inline(always)]
    pub fn block(&mut self, k: usize, start: usize) -> &mut Block {
        let vectors = vectors_mut(&mut self.data[k * self.stride + start..][..BLOCK]);
        vectors.try_into().expect("a block is four vectors")
    }
    /// The same channels, to read.
    pub fn as_planes(&self) -> Planes<'_> {
        Planes { data: self.data, stride: self.stride, width: self.width }
    }
    /// Pixels in the tile, padding included.
    pub fn width(&self) -> usize {
        self.width
    }
    /// Writes one pixel of every one of the first `channels` channels.
    pub fn fill_pixel(&mut self, channels: usize, pixel: usize, value: f32) {
        for k in 0..channels {
            self.data[k * self.stride + pixel] = value;
        }
    }
}

/// A row as vectors of four; its length is a multiple of four.
#[inline(always)]
pub fn vectors<T>(row: &[T]) -> &[[T; 4]] {
    let (vectors, rest) = row.as_chunks::<4>();
    debug_assert!(rest.is_empty());
    vectors
}

/// A row as vectors of four, to write.
#[inline(always)]
pub fn vectors_mut<T>(row: &mut [T]) -> &mut [[T; 4]] {
    let (vectors, rest) = row.as_chunks_mut::<4>();
    debug_assert!(rest.is_empty());
    vectors
}

/// A row of sixteen as a block of four vectors.
#[inline(always)]
pub fn block<T>(row: &[T]) -> &[[T; 4]; 4] {
    vectors(row).try_into().expect("a block is four vectors")
}

/// The truth of a tile, and how the prediction fares on it. u = −ln p is the *surprise*, q = 1 − p.
///
/// Masked pixels (ignored, weight 0, padding) hold 0 in every row, whatever their logits are.
#[derive(Clone, Copy)]
pub enum Truth<'a> {
    /// One label a site.
    Hard {
        /// The label, or `NO_LABEL`.
        label: &'a [u32],
        /// u, p and q of the label; empty unless a term asked for them.
        site: Site<'a>,
    },
    /// A share y for each outcome. Under a sigmoid the outcomes are negative (0) and positive (1).
    Dense(Outcomes<'a>),
}

/// The target and the prediction of every outcome.
#[derive(Clone, Copy)]
pub struct Outcomes<'a> {
    /// The target's share
    pub y: Planes<'a>,
    /// −ln p
    pub u: Planes<'a>,
    /// p
    pub p: Planes<'a>,
    /// 1 − p
    pub q: Planes<'a>,
}

/// The prediction at each site's own label.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// −ln p
    pub u: &'a [f32],
    /// p
    pub p: &'a [f32],
    /// 1 − p, with its relative accuracy as p → 1
    pub q: &'a [f32],
}

/// What a loss sees of a batch at a time: some pixels of one section.
#[derive(Clone, Copy)]
pub struct Tile<'a> {
    /// Which section it is cut from.
    pub section: Section,
    /// First pixel.
    pub start: usize,
    /// Pixels in it, without padding.
    pub length: usize,
    /// Outcomes a label can have.
    pub outcomes: usize,
    /// ω of each pixel (0 where masked), if the batch has weights.
    pub weights: Option<&'a [f32]>,
    /// p of each channel of the section.
    pub probability: Planes<'a>,
    /// The target.
    pub truth: Truth<'a>,
    /// Signed distances of each channel, if the batch brought them.
    pub distance: Option<Planes<'a>>,
}

impl Tile<'_> {
    /// The outcome that means "channel k is here".
    pub fn outcome_of(&self, k: usize) -> usize {
        if self.outcomes == self.section.channels { k } else { 1 }
    }
}

/// What the losses report of a tile: a = ∂L/∂p of each channel, and b = ∂L/∂ln p, of the label where
/// targets are hard, of each outcome where they are dense. Rows nobody asked for do not exist.
#[derive(Default)]
pub struct Slopes {
    a: Vec<f32>,
    b: Vec<f32>,
    width: usize,
    has_a: bool,
    has_b: bool,
}

impl Slopes {
    /// Forgets the last tile. `outcomes` is 1 where targets are hard.
    pub fn reset(&mut self, channels: usize, outcomes: usize, width: usize) {
        self.a.resize(channels * width, 0.0);
        self.b.resize(outcomes * width, 0.0);
        self.width = width;
        (self.has_a, self.has_b) = (false, false);
    }
    /// ∂L/∂p, to add to.
    pub fn a(&mut self) -> PlanesMut<'_> {
        if !self.has_a {
            self.a.fill(0.0);
            self.has_a = true;
        }
        PlanesMut::new(&mut self.a, self.width, self.width)
    }
    /// ∂L/∂ln p, to add to.
    pub fn b(&mut self) -> PlanesMut<'_> {
        if !self.has_b {
            self.b.fill(0.0);
            self.has_b = true;
        }
        PlanesMut::new(&mut self.b, self.width, self.width)
    }
    /// ∂L/∂p, if anybody reported it.
    pub fn read_a(&self) -> Option<Planes<'_>> {
        self.has_a.then(|| Planes::new(&self.a, self.width, self.width))
    }
    /// ∂L/∂ln p, if anybody reported it.
    pub fn read_b(&self) -> Option<Planes<'_>> {
        self.has_b.then(|| Planes::new(&self.b, self.width, self.width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_fit_the_cache_and_the_lanes() {
        for channels in 1..2000 {
            let width = tile_width(channels);
            assert!(width >= BLOCK && width.is_multiple_of(BLOCK));
            assert!(width == BLOCK || width * channels <= TILE_FLOATS);
        }
    }
}
