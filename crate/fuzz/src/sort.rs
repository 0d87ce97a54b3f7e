//! The radix sort against the standard library's.

use crate::input::Input;
use segrad::sort::{Sorter, key, position};

/// Sorts random keys, pushed in pieces, twice with the same memory.
pub fn check(bytes: &[u8]) {
    let input = &mut Input::new(bytes);
    let mut sorter = Sorter::default();
    for _ in 0..2 {
        let keys = keys(input);
        let step = input.pick(&[1, 2, 7]);
        let most = input.pick(&[1, 511, 512, 513, 100_000]);
        let limit = limit(input, &keys);
        // More keys than announced are welcome.
        sorter.begin(input.pick(&[keys.len(), 0, keys.len() / 3, 2 * keys.len()]), limit);
        for (piece, part) in keys.chunks(most).enumerate() {
            sorter.push((piece * most) as u32 * step, step, part);
        }
        // Every pair is answered by its rank.
        let mut result: Vec<(u32, u32)> = Vec::new();
        sorter.sort(|pairs, answers| {
            let last = result.last().map(|last| last.0);
            assert!(last.is_none_or(|last| last < key(pairs[0])), "a group of equal keys was cut");
            for &pair in pairs {
                answers.set(position(pair), f32::from_bits(result.len() as u32));
                result.push((key(pair), u32::MAX));
            }
        });
        sorter.answers(|position, rank| result[rank.to_bits() as usize].1 = position);
        assert!(result.is_sorted_by_key(|pair| pair.0));
        result.sort_unstable();
        let mut expected: Vec<_> = (0..).step_by(step as usize).zip(&keys).map(|(at, &key)| (key, at)).collect();
        expected.retain(|(key, _)| *key < limit);
        expected.sort_unstable();
        assert!(result == expected, "pairs were lost, moved or invented");
    }
}

fn keys(input: &mut Input) -> Vec<u32> {
    let length = match input.below(4) {
        0 => input.below(20),
        1 => input.below(1200),
        2 => input.pick(&[16, 17, 511, 512, 513, 1023, 1024, 1025]),
        _ => input.below(60_000),
    };
    let (kind, shift, base) = (input.below(5), input.below(32), input.random() as u32);
    let few: [u32; 4] = std::array::from_fn(|_| (input.random() as u32) >> shift);
    let key = |i: usize| match kind {
        0 => (input.random() as u32) >> shift,
        1 => base.wrapping_add((input.random() as u32) >> shift),
        2 => few[input.any_below(4)],
        3 => (i as u32) << (shift & 15),
        // As the Lovász losses make them, of floats.
        _ => !(input.unit() as f32).to_bits().rotate_left(1),
    };
    (0..length).map(key).collect()
}

fn limit(input: &mut Input, keys: &[u32]) -> u32 {
    match input.below(4) {
        0 => input.random() as u32,
        1 if !keys.is_empty() => keys[input.any_below(keys.len())],
        2 => input.pick(&[0, 1, u32::MAX - 1]),
        _ => u32::MAX,
    }
}
