//! Sorting of (key, position) pairs by radix, in linear time: what the Lovász losses spend theirs on.
//!
//! 1. *Push*: pairs are written down, and counted by bin; a bin is the keys that share their leading
//!    bits.
//! 2. *Place*: every pair goes to its bin. The bins lie in order, so this is the first digit of a
//!    radix sort from the top, and the only step that moves data between distant places.
//! 3. *Arrange*: each bin is sorted while it lies in a near cache, and is handed on from there.
//!
//! A radix sort from the bottom would move all pairs across all memory for every digit. At two
//! million pairs, out of cache, that takes 11 ns per pair in WebAssembly and this 8; at a quarter of
//! a million 6 and 7. But here the pairs beyond a limit (see [`Sorter::sort`]), half of all when a
//! network has begun to learn, stop at the second step, and who uses the sorted pairs gets them from
//! a near cache.
//!
//! Memory: 8 bytes per pair that was pushed and 8 per pair below the limit of pushing.

/// Pairs handled at once, so that those looked at twice are still in the first cache.
const BLOCK: usize = 512;
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
    /// Pairs in each bin; from placing on, where the bin ends.
    bins: Vec<u32>,
    /// The pairs as they came; once they are placed, room for the bin that is being arranged.
    spare: Vec<Pair>,
    pushed: usize,
    /// The pairs, bin by bin.
    placed: Vec<Pair>,
    /// Counters of the digits inside a bin.
    slots: Vec<u32>,
}

impl Sorter {
    /// Forgets all pairs. About `expected` of them will follow.
    pub fn begin(&mut self, expected: usize) {
        // Keys made of floats share few exponents, so of 2¹² bins some 250 to 500 are in use. With
        // 2000 in use the caches give up on writing to so many places: 4 ns to place a pair instead
        // of 2, at two million. With few pairs clearing the counters must not outweigh sorting.
        self.bits = expected.max(1).ilog2().saturating_sub(4).clamp(8, 12);
        self.bins.clear();
        self.bins.resize(1 << self.bits, 0);
        self.pushed = 0;
        grow(&mut self.spare, expected + BLOCK);
    }

    /// Adds keys of positions that lie `step` apart. Keys from `limit` on are left out.
    pub fn push(&mut self, first: u32, step: u32, keys: &[u32], limit: u32) {
        grow(&mut self.spare, self.pushed + keys.len() + BLOCK);
        let (bins, shift) = (&mut self.bins[..], 32 - self.bits);
        let mut first = first;
        for keys in keys.chunks(BLOCK) {
            let room = self.spare[self.pushed..].first_chunk_mut::<BLOCK>().expect("room for a block");
            let length = if all_below(keys.iter().copied(), limit) {
                for (j, (to, &key)) in room.iter_mut().zip(keys).enumerate() {
                    *to = pair(key, first.wrapping_add(step.wrapping_mul(j as u32)));
                }
                keys.len()
            } else {
                let pairs = keys.iter().enumerate();
                keep(pairs.map(|(j, &key)| pair(key, first.wrapping_add(step.wrapping_mul(j as u32)))), limit, room)
            };
            for &pair in &room[..length] {
                bins[(key(pair) >> shift) as usize & (bins.len() - 1)] += 1;
            }
            self.pushed += length;
            first = first.wrapping_add(step.wrapping_mul(BLOCK as u32));
        }
    }

    /// Hands out the pairs whose key is below the limit, in pieces, by ascending key. Pairs of one key
    /// come in one piece, in no particular order.
    #[inline(always)]
    pub fn sort(&mut self, limit: u32, mut visit: impl FnMut(&[Pair])) {
        self.place(limit);
        let rest = 32 - self.bits;
        let mut start = 0;
        // The bin of the limit ends early: its pairs beyond were counted, but not placed.
        for &end in &self.bins[..=(limit >> rest) as usize] {
            let end = end as usize;
            if start < end {
                let bin = &mut self.placed[start..end];
                visit(arrange(bin, &mut self.spare[..bin.len()], &mut self.slots, rest));
                start = end;
            }
        }
    }

    /// Moves pairs below the limit to their bins.
    fn place(&mut self, limit: u32) {
        running_sum(&mut self.bins);
        grow(&mut self.placed, self.pushed);
        let (bins, placed, shift) = (&mut self.bins[..], &mut self.placed[..], 32 - self.bits);
        let mut below = [0; BLOCK];
        for block in self.spare[..self.pushed].chunks(BLOCK) {
            if all_below(block.iter().map(|&pair| key(pair)), limit) {
                scatter(block, placed, bins, shift);
            } else {
                let length = keep(block.iter().copied(), limit, &mut below);
                scatter(&below[..length], placed, bins, shift);
            }
        }
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
        running_sum(slots);
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
    running_sum(low_slots);
    running_sum(high_slots);
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
#[inline(always)]
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

/// Replaces counts by the sums of those before them. Four at a time, so that only one addition in four
/// waits for the one before.
#[inline(always)]
fn running_sum(counts: &mut [u32]) {
    let mut sum = 0;
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
fn all_below(keys: impl Iterator<Item = u32>, limit: u32) -> bool {
    keys.map(|key| u32::from(key >= limit)).sum::<u32>() == 0
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
