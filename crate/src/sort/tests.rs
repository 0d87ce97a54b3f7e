use super::*;
use proptest::prelude::*;

/// Sorts what was pushed; returns (key, position) in order. Each pair is answered by its rank.
fn sorted(sorter: &mut Sorter) -> Vec<(u32, u32)> {
    let mut keys: Vec<u32> = Vec::new();
    sorter.sort(|pairs, answers| {
        assert!(keys.last().is_none_or(|&last| last < key(pairs[0])), "a group of equal keys was cut");
        for &pair in pairs {
            answers.set(position(pair), f32::from_bits(keys.len() as u32));
            keys.push(key(pair));
        }
    });
    let mut sorted: Vec<_> = keys.into_iter().map(|key| (key, u32::MAX)).collect();
    sorter.answers(|position, rank| sorted[rank.to_bits() as usize].1 = position);
    sorted
}

/// Sorts keys at positions 0, 1, 2, …, pushed in pieces, and checks what comes out.
fn check(keys: &[u32], limit: u32, piece: usize) {
    let mut sorter = Sorter::default();
    // More keys than announced are welcome.
    sorter.begin(keys.len() / 3, limit);
    for (i, part) in keys.chunks(piece).enumerate() {
        sorter.push((i * piece) as u32, 1, part);
    }
    let mut sorted = sorted(&mut sorter);
    assert!(sorted.is_sorted_by_key(|pair| pair.0));
    sorted.sort_unstable();
    let mut expected: Vec<_> = keys.iter().copied().zip(0..).filter(|pair| pair.0 < limit).collect();
    expected.sort_unstable();
    assert!(sorted == expected, "pairs were lost or invented");
}

proptest! {
    #[test]
    fn any_keys_are_sorted(
        keys in prop::collection::vec(any::<u32>(), 0..3000),
        limit in any::<u32>(),
        piece in 1usize..1500,
        shift in 0u32..32,
    ) {
        let keys: Vec<_> = keys.iter().map(|key| key >> shift).collect();
        check(&keys, limit, piece);
        check(&keys, u32::MAX, piece);
    }

    #[test]
    fn keys_of_few_values_are_sorted(
        keys in prop::collection::vec(prop::sample::select(vec![0, 1, 7, 8, 1 << 20, (1 << 20) + 1, u32::MAX - 1]), 0..3000),
        limit in prop::sample::select(vec![0, 1, 8, 9, (1 << 20) + 1, u32::MAX - 1, u32::MAX]),
    ) {
        check(&keys, limit, 700);
    }
}

/// A multiple of an odd number runs through its range without repeating.
fn scattered(count: u32) -> impl Iterator<Item = u32> {
    (0..count).map(|i| i.wrapping_mul(0x9e37_79b1))
}

#[test]
fn many_keys_are_sorted() {
    check(&scattered(300_000).collect::<Vec<_>>(), u32::MAX, 512);
    // All in one bin, as when an untrained network says the same of all pixels.
    check(&scattered(300_000).map(|key| 0x7f00_0000 + key % 100_000).collect::<Vec<_>>(), u32::MAX, 512);
    check(&[5; 300_000], u32::MAX, 300_000);
}

#[test]
fn different_keys_that_crowd_into_few_slots_are_sorted_by_two_digits() {
    // 500 pairs have 1024 slots of 2¹⁰ keys, and all keys lie in the first. Insertion alone would take
    // 60 000 moves.
    let mut bin: Vec<Pair> = scattered(500).map(|number| pair(number % 1024, 0)).collect();
    let mut spare = vec![0; bin.len()];
    let place = bin.as_ptr();
    let sorted = arrange(&mut bin, &mut spare, &mut Vec::new(), 20);
    assert!(sorted.is_sorted_by_key(|&pair| key(pair)));
    assert_eq!(sorted.as_ptr(), place, "the second digit brings the pairs back");
}

#[test]
fn insertion_gives_up_on_its_budget() {
    let reversed: Vec<Pair> = (0..100).rev().collect();
    assert!(insert(&mut reversed.clone(), 99 * 100 / 2));
    assert!(!insert(&mut reversed.clone(), 99 * 100 / 2 - 1));
}

#[test]
fn positions_follow_their_steps() {
    let mut sorter = Sorter::default();
    for _ in 0..2 {
        sorter.begin(5, 9);
        sorter.push(100, 3, &[9, 2, 7]);
        sorter.push(7, 1, &[4, 8]);
        assert_eq!(sorted(&mut sorter), [(2, 103), (4, 7), (7, 106), (8, 8)]);
    }
}

#[test]
fn memory_is_reused_and_bounded() {
    let keys: Vec<_> = scattered(100_000).collect();
    let mut sorter = Sorter::default();
    let mut bytes = 0;
    for round in 0..3 {
        sorter.begin(keys.len(), u32::MAX);
        sorter.push(0, 1, &keys);
        sorter.sort(|_, _| ());
        let pairs = [&sorter.chunk, &sorter.placed, &sorter.room];
        let now = 8 * pairs.map(Vec::capacity).iter().sum::<usize>();
        // 2¹² bins; keys that are spread evenly leave no bin with twice its share.
        assert!(now <= 8 * (keys.len() + CHUNK + BLOCK + 4 * keys.len() / 4096), "{now} bytes for {} keys", keys.len());
        assert!(round == 0 || now == bytes);
        bytes = now;
    }
}
