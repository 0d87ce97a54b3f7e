//! Channels-last arrays to planes and back, four pixels by four channels at a time: a transposed copy
//! costs a fifth of one that goes number by number.

use crate::simd::F32x4;

const SIDE: usize = 4;

/// Planes of `width` floats from `length` pixels that lie `step` apart, their channels side by side;
/// padding becomes 0.
pub fn gather(from: &[f32], to: &mut [f32], step: usize, length: usize, width: usize) {
    let channels = to.len() / width;
    let (whole_pixels, whole_channels) = (length / SIDE * SIDE, channels / SIDE * SIDE);
    for pixel in (0..whole_pixels).step_by(SIDE) {
        for k in (0..whole_channels).step_by(SIDE) {
            let rows = std::array::from_fn(|i| load(&from[(pixel + i) * step + k..]));
            for (j, column) in F32x4::transpose(rows).into_iter().enumerate() {
                store(column, &mut to[(k + j) * width + pixel..]);
            }
        }
    }
    for (k, plane) in to.chunks_exact_mut(width).enumerate() {
        let done = if k < whole_channels { whole_pixels } else { 0 };
        for (pixel, cell) in plane.iter_mut().enumerate().skip(done) {
            *cell = if pixel < length { from[pixel * step + k] } else { 0.0 };
        }
    }
}

/// The way back.
pub fn scatter(from: &[f32], to: &mut [f32], step: usize, length: usize, width: usize) {
    let channels = from.len() / width;
    let (whole_pixels, whole_channels) = (length / SIDE * SIDE, channels / SIDE * SIDE);
    for pixel in (0..whole_pixels).step_by(SIDE) {
        for k in (0..whole_channels).step_by(SIDE) {
            let rows = std::array::from_fn(|j| load(&from[(k + j) * width + pixel..]));
            for (i, column) in F32x4::transpose(rows).into_iter().enumerate() {
                store(column, &mut to[(pixel + i) * step + k..]);
            }
        }
    }
    for (k, plane) in from.chunks_exact(width).enumerate() {
        let done = if k < whole_channels { whole_pixels } else { 0 };
        for (pixel, &value) in plane[..length].iter().enumerate().skip(done) {
            to[pixel * step + k] = value;
        }
    }
}

#[inline(always)]
fn load(from: &[f32]) -> F32x4 {
    F32x4::load(from.first_chunk().expect("four channels or pixels"))
}
#[inline(always)]
fn store(vector: F32x4, to: &mut [f32]) {
    vector.store(to.first_chunk_mut().expect("four channels or pixels"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for (channels, step, length, width) in
            [(1, 3, 5, 16), (4, 4, 16, 16), (5, 5, 7, 16), (21, 21, 30, 32), (3, 3, 1, 16)]
        {
            let from: Vec<f32> = (0..step * length).map(|i| i as f32 + 1.0).collect();
            let mut planes = vec![-1.0; channels * width];
            gather(&from, &mut planes, step, length, width);
            for k in 0..channels {
                for pixel in 0..width {
                    let expected = if pixel < length { (pixel * step + k) as f32 + 1.0 } else { 0.0 };
                    assert_eq!(planes[k * width + pixel], expected);
                }
            }
            let mut back = vec![0.0; from.len()];
            scatter(&planes, &mut back, step, length, width);
            for (pixel, k) in (0..length).flat_map(|pixel| (0..channels).map(move |k| (pixel, k))) {
                assert_eq!(back[pixel * step + k], from[pixel * step + k]);
            }
        }
    }
}
