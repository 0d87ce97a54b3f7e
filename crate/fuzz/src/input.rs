//! Choices made from bytes.

use segrad::map::distance::Grid;

/// A source of choices: the fuzzer's bytes while they last, then random numbers that these bytes seed.
/// So a short input still makes a large batch, and mutating a byte changes one choice.
pub struct Input<'a> {
    bytes: &'a [u8],
    random: u64,
}

impl<'a> Input<'a> {
    /// Choices from these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        let (seed, bytes) = bytes.split_at(bytes.len().min(8));
        let random = seed.iter().fold(0, |number, &byte| number << 8 | u64::from(byte));
        Self { bytes, random }
    }

    /// The next random number (splitmix64).
    pub fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }
    /// A choice: 0 to `limit` − 1.
    pub fn below(&mut self, limit: usize) -> usize {
        let number = match self.bytes {
            [byte, rest @ ..] if limit <= 256 => {
                self.bytes = rest;
                u64::from(*byte)
            }
            [high, low, rest @ ..] => {
                self.bytes = rest;
                u64::from(u16::from_be_bytes([*high, *low]))
            }
            _ => self.random(),
        };
        (number % limit as u64) as usize
    }
    /// One of these.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }
    /// A random number from 0 to `limit` − 1, which costs no byte: for whatever there is much of.
    pub fn any_below(&mut self, limit: usize) -> usize {
        (self.random() % limit as u64) as usize
    }
    /// A random number in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.random() >> 11) as f64 / (1u64 << 53) as f64
    }
    /// A random number in [−1, 1).
    pub fn signed(&mut self) -> f64 {
        2.0 * self.unit() - 1.0
    }

    /// A line, an image or a volume of at most about 3000 pixels, whose sides are often just beside a
    /// multiple of the lanes.
    pub fn size(&mut self) -> [usize; 3] {
        let mut size = match self.below(5) {
            0 => [1, 1, 1 + self.below(300)],
            1 => [1, 1 + self.below(12), 1 + self.below(40)],
            2 => [1 + self.below(6), 1 + self.below(7), 1 + self.below(20)],
            3 => [1, self.pick(&[15, 16, 17, 31, 32, 33, 48, 49]), self.pick(&[15, 16, 17, 47, 48, 49, 60])],
            _ => [1, 1, self.pick(&[1, 2, 4, 16, 2047, 2048, 2049, 3000])],
        };
        size.rotate_left(self.below(3));
        size
    }
    /// A size with spacings from 10⁻³ to 10³.
    pub fn grid(&mut self) -> Grid {
        let size = self.size();
        let uneven = self.below(2) == 1;
        let spacing = [(); 3].map(|()| if uneven { self.pick(&[1e-3, 0.7, 1.0, 2.5, 1e3]) } else { 1.0 });
        Grid { size, spacing }
    }
}
