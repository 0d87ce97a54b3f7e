use super::*;
use proptest::prelude::*;

/// Sorts keys at positions 0, 1, 2, …, pushed in pieces, and checks what comes out.
fn check(keys: &[u32], limit: u32, piece: usize) {
    let mut sorter = Sorter::default();
    // More keys than announced are welcome.
    sorter.begin(keys.len() / 3);
    for (i, part) in keys.chunks(piece).enumerate() {
        sorter.push((i * piece) as u32, 1, part, u32::MAX);
    }
    let mut sorted = Vec::new();
    sorter.sort(limit, |pairs| {
        assert!(sorted.last().is_none_or(|&last| key(last) < key(pairs[0])), "a group of equal keys was cut");
        sorted.extend_from_slice(pairs);
    });
    assert!(sorted.is_sorted_by_key(|&pair| key(pair)));
    sorted.sort_unstable();
    let mut expected: Vec<_> =
        (0..).zip(keys).filter(|(_, key)| **key < limit).map(|(at, &key)| pair(key, at)).collect();
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
        sorter.begin(5);
        sorter.push(100, 3, &[9, 2, 7], u32::MAX);
        sorter.push(7, 1, &[4, 8], u32::MAX);
        let mut seen = Vec::new();
        sorter.sort(9, |pairs| seen.extend(pairs.iter().map(|&pair| (key(pair), position(pair)))));
        assert_eq!(seen, [(2, 103), (4, 7), (7, 106), (8, 8)]);
    }
}

#[test]
fn memory_is_reused_and_bounded() {
    let keys: Vec<_> = scattered(100_000).collect();
    let mut sorter = Sorter::default();
    let mut bytes = 0;
    for round in 0..3 {
        sorter.begin(keys.len());
        sorter.push(0, 1, &keys, u32::MAX);
        sorter.sort(u32::MAX, |_| ());
        let now = 8 * (sorter.spare.capacity() + sorter.placed.capacity());
        assert!(now <= 16 * keys.len() + 8 * BLOCK, "{now} bytes for {} keys", keys.len());
        assert!(round == 0 || now == bytes);
        bytes = now;
    }
}
