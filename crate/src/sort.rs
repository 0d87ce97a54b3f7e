//! Sorting of (key, position) pairs by radix, in linear time: what the Lovász losses spend theirs on.
//!
//! 1. *Count*, while keys are pushed: how many fall into each bin, a bin being the keys that share
//!    their leading bits.
//! 2. *Place*: every pair goes to its bin. The bins lie in order, so this is the first step of a
//!    radix sort from the top, and the only one that moves data between distant places.
//! 3. *Arrange*, bin by bin: a second counting sort with two to four slots per pair leaves few pairs
//!    out of order, and those few are inserted. A bin fits the first or second cache, and is
//!    handed on while it is still there.
//!
//! Why not three passes of 11 bits from the bottom, as usual: out of cache they cost 10 to 13 ns per
//! pair at two million, all pairs; this costs 8, and pairs beyond the limit (see [`Sorter::sort`])
//! cost almost nothing.
//!
//! Memory: 8 bytes per pair that is sorted and 8 per pair of the largest bin, at least 4 per key.

/// Keys pushed at once and looked at twice while they are in the first cache.
const BLOCK: usize = 512;
/// Bins of so few pairs are sorted by insertion alone.
const SMALL: usize = 16;

/// A pair: the key in the upper half, the position in the lower. One number moves in one piece,
/// which made a bin 8 % faster than two halves.
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
    runs: Vec<Run>,
    /// Keys of all runs, two in each number, until they are placed; then the bin in the making.
    spare: Vec<u64>,
    used: usize,
    /// Leading bits of a key that name its bin.
    bits: u32,
    /// Pairs in each bin; from placing on, where the bin ends.
    bins: Vec<u32>,
    pairs: Vec<Pair>,
    slots: Vec<u32>,
}

/// Keys that were pushed together.
struct Run {
    position: u32,
    step: u32,
    length: usize,
}

impl Sorter {
    /// Forgets all keys. `expected` of them will follow.
    pub fn begin(&mut self, expected: usize) {
        // 2¹³ bins serve from a quarter of a million keys to many millions: floats of one problem
        // share few exponents, so some 500 to 1000 bins are in use, and as many places are written
        // to at once. With 2000 of them the caches give up (4 ns instead of 2 to place a pair at two
        // million). Fewer keys, fewer bins: clearing them must not outweigh the sort.
        self.bits = (expected.max(1).ilog2()).saturating_sub(5).clamp(8, 13);
        self.bins.clear();
        self.bins.resize(1 << self.bits, 0);
        self.runs.clear();
        self.used = 0;
    }

    /// Adds keys of positions that lie `step` apart. Keys from `limit` on are not sorted.
    pub fn push(&mut self, first: u32, step: u32, keys: &[u32], limit: u32) {
        let end = self.used + keys.len().div_ceil(2);
        if self.spare.len() < end {
            self.spare.resize(end, 0);
        }
        pack(keys, &mut self.spare[self.used..end]);
        self.used = end;
        self.runs.push(Run { position: first, step, length: keys.len() });

        let (bins, shift) = (&mut self.bins[..], 32 - self.bits);
        let mut count = |keys: &[u32]| {
            for &key in keys {
                bins[(key >> shift) as usize & (bins.len() - 1)] += 1;
            }
        };
        for block in keys.chunks(BLOCK) {
            // Keys beyond the limit fall into one bin, and adding one to the same number again and
            // again takes the time of a store and a load (1.6 ns); so, where there are many, they
            // are left out (1.1 ns for all).
            if beyond(block, limit) <= block.len() / 4 {
                count(block);
            } else {
                let mut kept = [0; BLOCK];
                let mut length = 0;
                for &key in block {
                    kept[length % BLOCK] = key;
                    length += usize::from(key < limit);
                }
                count(&kept[..length]);
            }
        }
    }

    /// Hands out the pairs whose key is below the limit, in ascending order of keys, in pieces; pairs
    /// of one key come in one piece, in no particular order. The limit may be lower than it was
    /// when keys were pushed.
    #[inline(always)]
    pub fn sort(&mut self, limit: u32, mut visit: impl FnMut(&[Pair])) {
        self.place(limit);
        let Self { bins, pairs, spare, slots, bits, .. } = self;
        let rest = 32 - *bits;
        let mut start = 0;
        for &end in &bins[..=(limit >> rest) as usize] {
            let end = end as usize;
            // The last bin may end early: what is beyond the limit was counted, but not placed.
            let Some(bin) = pairs.get_mut(start..end).filter(|bin| !bin.is_empty()) else { continue };
            start = end;
            if spare.len() < bin.len() {
                spare.resize(bin.len(), 0);
            }
            visit(arrange(bin, &mut spare[..bin.len()], slots, rest));
        }
    }

    /// Moves pairs below the limit to their bins.
    fn place(&mut self, limit: u32) {
        let (bins, shift) = (&mut self.bins[..], 32 - self.bits);
        let total = running_sum(bins) as usize;
        if self.pairs.len() < total {
            self.pairs.resize(total, 0);
        }
        let pairs = &mut self.pairs[..];
        let mut place = |pair: Pair| {
            let next = &mut bins[(key(pair) >> shift) as usize & (bins.len() - 1)];
            pairs[*next as usize] = pair;
            *next += 1;
        };
        let mut packed = &self.spare[..self.used];
        let mut block = [0; BLOCK];
        for run in &self.runs {
            let (own, others) = packed.split_at(run.length.div_ceil(2));
            packed = others;
            let mut at = run.position;
            let mut left = run.length;
            for own in own.chunks(BLOCK / 2) {
                let keys = &mut block[..left.min(BLOCK)];
                left -= keys.len();
                unpack(own, keys);
                if beyond(keys, limit) == 0 {
                    for &mut key in keys {
                        place(pair(key, at));
                        at = at.wrapping_add(run.step);
                    }
                    continue;
                }
                // A branch per key would be mispredicted: each is written, few advance.
                let mut kept = [0; BLOCK];
                let mut length = 0;
                for &mut key in keys {
                    kept[length % BLOCK] = pair(key, at);
                    length += usize::from(key < limit);
                    at = at.wrapping_add(run.step);
                }
                kept[..length].iter().for_each(|&pair| place(pair));
            }
        }
    }
}

/// Sorts a bin, whose keys differ in their last `rest` bits only; the result lies in one of the two.
#[inline(always)]
fn arrange<'a>(bin: &'a mut [Pair], sorted: &'a mut [Pair], slots: &mut Vec<u32>, rest: u32) -> &'a [Pair] {
    if bin.len() <= SMALL {
        insert(bin, usize::MAX);
        return bin;
    }
    // Two to four slots per pair: with half as many, insertion has more to do than clearing saves.
    let bits = (bin.len().ilog2() + 2).min(rest);
    distribute(bin, sorted, slots, rest - bits, bits);
    if insert(sorted, 4 * bin.len()) {
        return sorted;
    }
    // Many different keys crowd into few slots: the two digits of a radix sort from the bottom know
    // no bad case.
    let low = rest / 2;
    distribute(bin, sorted, slots, 0, low);
    distribute(sorted, bin, slots, low, rest - low);
    bin
}

/// A stable counting sort by `bits` bits of the key, from bit `by` on.
#[inline(always)]
fn distribute(from: &[Pair], to: &mut [Pair], slots: &mut Vec<u32>, by: u32, bits: u32) {
    slots.clear();
    slots.resize(1 << bits, 0);
    let slots = &mut slots[..];
    let slot = |pair| (key(pair) >> by) as usize & ((1 << bits) - 1);
    for &pair in from {
        slots[slot(pair)] += 1;
    }
    running_sum(slots);
    for &pair in from {
        let next = &mut slots[slot(pair)];
        to[*next as usize] = pair;
        *next += 1;
    }
}

/// Insertion sort. Gives up, and says so, after about `budget` moves.
#[inline(always)]
fn insert(pairs: &mut [Pair], mut budget: usize) -> bool {
    let mut largest = pairs[0];
    for i in 1..pairs.len() {
        if pairs[i] < largest {
            let moves = sink(&mut pairs[..=i]);
            if moves > budget {
                return false;
            }
            budget -= moves;
        } else {
            largest = pairs[i];
        }
    }
    true
}

#[inline(always)]
fn sink(run: &mut [u64]) -> usize {
    let mut j = run.len() - 1;
    let entry = run[j];
    while j > 0 && entry < run[j - 1] {
        run[j] = run[j - 1];
        j -= 1;
    }
    run[j] = entry;
    run.len() - 1 - j
}

/// Replaces counts by the sums of those before them; returns the sum of all. Four at a time, so that
/// only one addition in four waits for the one before.
#[inline(always)]
fn running_sum(counts: &mut [u32]) -> u32 {
    let mut sum = 0;
    for four in counts.as_chunks_mut::<4>().0 {
        let [a, b, c, d] = *four;
        let (ab, cd) = (a + b, c + d);
        *four = [sum, sum + a, sum + ab, sum + ab + c];
        sum += ab + cd;
    }
    sum
}

/// How many keys are not below the limit.
#[inline(always)]
fn beyond(keys: &[u32], limit: u32) -> usize {
    keys.iter().map(|&key| u32::from(key >= limit)).sum::<u32>() as usize
}

fn pack(keys: &[u32], packed: &mut [u64]) {
    let (pairs, odd) = keys.as_chunks::<2>();
    for (packed, &[low, high]) in packed.iter_mut().zip(pairs) {
        *packed = pair(high, low);
    }
    if let [last] = odd {
        packed[pairs.len()] = u64::from(*last);
    }
}

fn unpack(packed: &[u64], keys: &mut [u32]) {
    let (pairs, odd) = keys.as_chunks_mut::<2>();
    for (keys, &packed) in pairs.iter_mut().zip(packed) {
        *keys = [position(packed), key(packed)];
    }
    if let ([last], Some(&packed)) = (odd, packed.last()) {
        *last = position(packed);
    }
}

#[cfg(test)]
mod tests;
