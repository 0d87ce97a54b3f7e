//! Sorting of (key, position) pairs by radix, in linear time: what the Lovász losses spend theirs on.
//!
//! 1. *Push*: pairs are written down, those beyond a limit left out: half of all when a network has
//!    begun to learn.
//! 2. *Place*: as soon as there is a chunk of them, each goes to its bin within the chunk. A bin is the
//!    keys that share their leading bits.
//! 3. *Arrange*: bin by bin, its pairs are gathered from all chunks, sorted, and handed on. Each may be
//!    answered: by a number that is left where the pair was placed.
//! 4. *Answer*: chunk by chunk, the numbers are handed out with the positions.
//!
//! Chunks and bins fit in the second cache; memory beyond it is read and written in order. Pairs that
//! were placed across all memory, and numbers that went from their rank to their position at once, took
//! a fifth more time of the whole loss at two million pairs of a class, a tenth more at a quarter of a
//! million. A radix sort from the bottom would move all pairs across all memory for every digit.
//!
//! Memory: 8 bytes per pair, 16 per pair of the largest bin, and the ends of bins, 1 per pair.

/// Pairs handled at once, so that those looked at twice are still in the first cache.
const BLOCK: usize = 512;
/// Pairs placed at once. Half and twice as many are as good.
const CHUNK: usize = 1 << 14;
/// Up to this many pairs are sorted by insertion alone.
const SMALL: usize = 16;
/// From this many on a bin is sorted by two digits. The digits' 2000 counters are cleared for every
/// bin: smaller bins have counters after their own size.
const LARGE: usize = 1024;

/// A key in the upper half, a position in the lower. A single number, so that it moves in one piece.
pub type Pair = u64;

/// The key of a pair.
#[inline(always)]
pub fn key(pair: Pair) -> u32 {
    (pair >> 32) as u32
}
/// The position of a pair.
#[inline(always)]
pub fn position(pair: Pair) -> u32 {
    pair as u32
}
#[inline(always)]
fn pair(key: u32, position: u32) -> Pair {
    Pair::from(key) << 32 | Pair::from(position)
}

/// Sorts pairs by ascending key. Keeps its memory from one use to the next.
#[derive(Default)]
pub struct Sorter {
    /// Leading bits of a key that name its bin.
    bits: u32,
    /// Keys from here on are left out.
    limit: u32,
    /// Pairs that wait to be placed, and how many.
    chunk: Vec<Pair>,
    waiting: usize,
    /// Pairs chunk by chunk, in each bin by bin; once arranged, answers in place of their keys.
    placed: Vec<Pair>,
    length: usize,
    /// Of each chunk, where its bins end among the placed.
    ends: Vec<u32>,
    /// Pairs in each bin.
    bins: Vec<u32>,
    /// Room for the largest bin, to arrange it in, and as much again.
    room: Vec<Pair>,
    /// Counters of the digits inside a bin.
    slots: Vec<u32>,
}

impl Sorter {
    /// Forgets all pairs. About `expected` of them will follow; keys from `limit` on are left out.
    pub fn begin(&mut self, expected: usize, limit: u32) {
        // Keys made of floats share few exponents, so of 2¹² bins some 250 to 500 are in use. With few
        // pairs clearing the counters must not outweigh sorting.
        self.bits = expected.max(1).ilog2().saturating_sub(4).clamp(8, 12);
        self.limit = limit;
        zeros(&mut self.bins, 1 << self.bits);
        self.ends.clear();
        (self.waiting, self.length) = (0, 0);
        grow(&mut self.chunk, expected.min(CHUNK) + BLOCK);
        grow(&mut self.placed, expected);
    }

    /// Adds keys of positions that lie `step` apart.
    #[inline(never)]
    pub fn push(&mut self, first: u32, step: u32, keys: &[u32]) {
        for (start, keys) in (0..).step_by(BLOCK).zip(keys.chunks(BLOCK)) {
            if self.waiting + BLOCK > self.chunk.len() {
                self.place();
            }
            let room = self.chunk[self.waiting..].first_chunk_mut::<BLOCK>().expect("room for a block");
            let pairs = (start..).zip(keys).map(|(j, &key)| pair(key, first.wrapping_add(step.wrapping_mul(j))));
            self.waiting += if all_below(keys, self.limit) {
                room.iter_mut().zip(pairs).for_each(|(to, pair)| *to = pair);
                keys.len()
            } else {
                keep(pairs, self.limit, room)
            };
        }
    }

    /// Moves the pairs that wait to their bins. Zeros are written there first: they bring the memory to
    /// the cache in order, where the pairs would wait for one line after the other (a tenth of the loss).
    #[inline(never)]
    fn place(&mut self) {
        let (chunk, shift) = (&self.chunk[..self.waiting], 32 - self.bits);
        let chunks = self.ends.len();
        self.ends.resize(chunks + self.bins.len(), 0);
        let ends = &mut self.ends[chunks..];
        count(chunk, ends, shift);
        self.bins.iter_mut().zip(&*ends).for_each(|(bin, count)| *bin += count);
        running_sum(ends, self.length as u32);
        grow(&mut self.placed, self.length + chunk.len());
        self.placed[self.length..][..chunk.len()].fill(0);
        scatter(chunk, &mut self.placed, ends, shift);
        self.length += chunk.len();
        self.waiting = 0;
    }

    /// Hands out the pairs, in pieces, by ascending key. Pairs of one key come in one piece, in no
    /// particular order. Each has a place instead of its position: where its answer goes.
    #[inline(always)]
    pub fn sort(&mut self, mut visit: impl FnMut(&[Pair], &mut Answers)) {
        self.place();
        // Once: room that grew with the bins would leave holes behind.
        let largest = self.bins.iter().fold(0, |largest, &size| size.max(largest)) as usize;
        grow(&mut self.room, 2 * largest);
        let rest = 32 - self.bits;
        for number in 0..self.bins.len() {
            if self.bins[number] > 0 {
                self.gather(number);
                let size = self.bins[number] as usize;
                let (bin, spare) = self.room[..2 * size].split_at_mut(size);
                let bin = arrange(bin, spare, &mut self.slots, rest);
                visit(bin, &mut Answers(&mut self.placed));
            }
        }
    }

    /// Copies a bin's pairs out of all chunks.
    #[inline(never)]
    fn gather(&mut self, number: usize) {
        let mut rest = &mut self.room[..];
        let mut begin = 0;
        for ends in self.ends.chunks(self.bins.len()) {
            let start = if number > 0 { ends[number - 1] } else { begin };
            let pairs = &self.placed[start as usize..ends[number] as usize];
            let (to, others) = rest.split_at_mut(pairs.len());
            for ((to, &from), place) in to.iter_mut().zip(pairs).zip(start..) {
                *to = pair(key(from), place);
            }
            rest = others;
            begin = ends[ends.len() - 1];
        }
    }

    /// Hands out position and answer of all pairs.
    #[inline(always)]
    pub fn answers(&self, mut deposit: impl FnMut(u32, f32)) {
        for &pair in &self.placed[..self.length] {
            deposit(position(pair), f32::from_bits(key(pair)));
        }
    }
}

/// Where the answers to pairs go.
pub struct Answers<'a>(&'a mut [Pair]);

impl Answers<'_> {
    /// The answer to the pair of this place.
    #[inline(always)]
    pub fn set(&mut self, place: u32, answer: f32) {
        let to = &mut self.0[place as usize];
        *to = pair(answer.to_bits(), position(*to));
    }
}

/// Sorts a bin, whose keys differ in their last `rest` bits only; the result lies in one of the two.
#[inline(always)]
fn arrange<'a>(bin: &'a mut [Pair], spare: &'a mut [Pair], slots: &mut Vec<u32>, rest: u32) -> &'a [Pair] {
    if bin.len() <= SMALL {
        insert(bin, usize::MAX);
        return bin;
    }
    if bin.len() < LARGE {
        // One digit, with two to four slots per pair, leaves few of them out of order. With half as
        // many slots, more is to be inserted than less clearing saves.
        let bits = bin.len().ilog2() + 2;
        let slots = zeros(slots, 1 << bits);
        count(bin, slots, rest - bits);
        running_sum(slots, 0);
        scatter(bin, spare, slots, rest - bits);
        if insert(spare, 4 * bin.len()) {
            return spare;
        }
        // Different keys crowd into few slots. Two digits know no bad case.
    }
    let low = rest / 2;
    let (low_slots, high_slots) = zeros(slots, (1 << low) + (1 << (rest - low))).split_at_mut(1 << low);
    count(bin, low_slots, 0);
    count(bin, high_slots, low);
    running_sum(low_slots, 0);
    running_sum(high_slots, 0);
    scatter(bin, spare, low_slots, 0);
    scatter(spare, bin, high_slots, low);
    bin
}

/// Counts pairs by the digit from bit `shift` of the key on; the number of slots, a power of two,
/// says how long the digit is.
#[inline(always)]
fn count(pairs: &[Pair], slots: &mut [u32], shift: u32) {
    for &pair in pairs {
        slots[(key(pair) >> shift) as usize & (slots.len() - 1)] += 1;
    }
}

/// Moves every pair to the place its digit's slot points to.
#[inline(always)]
fn scatter(from: &[Pair], to: &mut [Pair], slots: &mut [u32], shift: u32) {
    for &pair in from {
        let next = &mut slots[(key(pair) >> shift) as usize & (slots.len() - 1)];
        to[*next as usize] = pair;
        *next += 1;
    }
}

/// Insertion sort. Gives up, and says so, when it takes more than about `budget` moves.
#[inline(never)]
fn insert(pairs: &mut [Pair], mut budget: usize) -> bool {
    let mut largest = pairs[0];
    for i in 1..pairs.len() {
        if pairs[i] >= largest {
            largest = pairs[i];
            continue;
        }
        let moves = sink(&mut pairs[..=i]);
        if moves > budget {
            return false;
        }
        budget -= moves;
    }
    true
}

/// Moves the last pair to its place among the others, which are sorted; returns how far.
#[inline(always)]
fn sink(pairs: &mut [Pair]) -> usize {
    let last = pairs.len() - 1;
    let pair = pairs[last];
    let mut to = last;
    while to > 0 && pair < pairs[to - 1] {
        pairs[to] = pairs[to - 1];
        to -= 1;
    }
    pairs[to] = pair;
    last - to
}

/// Replaces counts by the sums of those before them, from `sum` on. Four at a time, so that only one
/// addition in four waits for the one before.
#[inline(never)]
fn running_sum(counts: &mut [u32], mut sum: u32) {
    for four in counts.as_chunks_mut::<4>().0 {
        let [a, b, c, d] = *four;
        let (ab, cd) = (a + b, c + d);
        *four = [sum, sum + a, sum + ab, sum + ab + c];
        sum += ab + cd;
    }
}

/// Copies the pairs whose key is below the limit; returns how many. A branch per pair would be
/// mispredicted: each is written, few advance (1.7 ns per pair for a push of hinge errors, half of
/// which are 0).
#[inline(always)]
fn keep(pairs: impl Iterator<Item = Pair>, limit: u32, to: &mut [Pair; BLOCK]) -> usize {
    let mut length = 0;
    for pair in pairs {
        to[length % BLOCK] = pair;
        length += usize::from(key(pair) < limit);
    }
    length
}

/// Whether all keys are below the limit. Looks at all of them, in vectors.
#[inline(always)]
fn all_below(keys: &[u32], limit: u32) -> bool {
    keys.iter().map(|&key| u32::from(key >= limit)).sum::<u32>() == 0
}

/// The first `length` counters, all 0.
#[inline(always)]
fn zeros(slots: &mut Vec<u32>, length: usize) -> &mut [u32] {
    slots.clear();
    slots.resize(length, 0);
    slots
}

/// Makes room for `length` pairs, and for no more: `Vec` alone would double.
fn grow(pairs: &mut Vec<Pair>, length: usize) {
    if pairs.len() < length {
        pairs.reserve_exact(length - pairs.len());
        pairs.resize(length, 0);
    }
}

#[cfg(test)]
mod tests;
