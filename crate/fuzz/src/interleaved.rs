//! Channels-last arrays to planes and back, number by number; and the vectors that walk through planes.

use crate::input::Input;
use segrad::interleaved::{gather, scatter};
use segrad::simd::F32x4;
use segrad::tile::{BLOCK, column, column_mut, tile_width};

/// A tile there and back, at the end of arrays that are no longer than they must be.
pub fn check(bytes: &[u8]) {
    let input = &mut Input::new(bytes);
    let channels = input.pick(&[1, 2, 3, 4, 5, 7, 8, 21, 150]);
    let length = 1 + input.below(100);
    let step = channels + input.pick(&[0, 0, 1, 5]);
    let width = length.next_multiple_of(BLOCK) + BLOCK * input.below(2);
    // The last pixel ends where its channels do.
    let from: Vec<f32> = (0..step * (length - 1) + channels).map(|i| i as f32 + 1.0).collect();
    let mut planes = vec![-1.0; channels * width];
    gather(&from, &mut planes, step, length, width);
    for (k, plane) in planes.chunks_exact(width).enumerate() {
        for (pixel, &value) in plane.iter().enumerate() {
            let expected = if pixel < length { from[pixel * step + k] } else { 0.0 };
            assert_eq!(value, expected, "channel {k}, pixel {pixel}");
        }
    }

    for i in 0..width / 4 {
        let read: Vec<_> = column(&planes, width, i).map(F32x4::lanes).collect();
        let at = |k: usize| std::array::from_fn(|lane| planes[k * width + 4 * i + lane]);
        assert_eq!(read, (0..channels).map(at).collect::<Vec<[f32; 4]>>());
        let written: Vec<_> = column_mut(&mut planes, width, i).collect();
        assert_eq!(written.len(), channels);
        written.into_iter().for_each(|four| *four = four.map(|value| 2.0 * value));
    }

    let mut back = vec![f32::NAN; from.len()];
    scatter(&planes, &mut back, step, length, width);
    for (i, (&value, &from)) in back.iter().zip(&from).enumerate() {
        let expected = if i % step < channels { 2.0 * from } else { f32::NAN };
        assert_eq!(value.to_bits(), expected.to_bits(), "at {i}");
    }

    let (channels, pixels) = (1 + input.below(6000), 1 + input.below(60_000));
    let width = tile_width(channels, pixels);
    assert!(width.is_multiple_of(BLOCK) && width > 0, "{width} pixels of {channels} channels");
}
