//! U-Net's weights, by windows and by envelopes, against brute force.

use crate::input::Input;
use crate::plain::{self, assert_close};
use segrad::map::distance::Grid;
use segrad::map::unet::{Scratch, UnetWeights, unet_weight_map};

/// Two images one after the other in the same memory.
pub fn check(bytes: &[u8]) {
    let input = &mut Input::new(bytes);
    let mut scratch = Scratch::default();
    for _ in 0..2 {
        let grid = input.grid();
        let ids = instances(input, &grid);
        let finest = grid.spacing.into_iter().fold(f64::INFINITY, f64::min);
        // 8.45 is the last σ whose reach is a window of 48 pixels.
        let sigma = finest * input.pick(&[0.1, 0.8, 1.0, 2.9, 5.0, 8.45, 8.46, 40.0, 1e3]);
        let [background, cell] = input.pick(&[[0.0; 2], [0.625, 2.5]]);
        let options = UnetWeights { w0: 10.0, sigma, background, cell };
        let mut out = vec![f32::NAN; grid.pixels()];
        unet_weight_map(|pixel| ids[pixel], &options, &grid, &mut out, &mut scratch);
        compare(&out, &ids, &options, &grid);
    }
}

fn compare(out: &[f32], ids: &[u32], options: &UnetWeights, grid: &Grid) {
    let mut labels: Vec<_> = ids.iter().copied().filter(|&id| id != 0).collect();
    labels.sort_unstable();
    labels.dedup();
    let mut nearest = vec![[f64::INFINITY; 2]; ids.len()];
    for label in labels {
        for (nearest, distance) in nearest.iter_mut().zip(plain::distances(|pixel| ids[pixel] == label, grid)) {
            nearest[1] = nearest[1].min(nearest[0].max(distance));
            nearest[0] = nearest[0].min(distance);
        }
    }
    let [background, cell] = [options.background, options.cell].map(f64::from);
    for (pixel, (&weight, [near, far])) in out.iter().zip(nearest).enumerate() {
        let between = options.w0 * (-(near + far).powi(2) / (2.0 * options.sigma.powi(2))).exp();
        let expected = if ids[pixel] == 0 { background + between } else { cell };
        // An exponent of −16 at most, whose distances are 10⁻⁶ off: 3·10⁻⁷ of the weight's range.
        assert_close(weight.into(), expected, 5e-7 * (options.w0 + expected), &(pixel, options, grid));
    }
}

/// Boxes, which may touch and cover each other; or lone pixels.
fn instances(input: &mut Input, grid: &Grid) -> Vec<u32> {
    let mut ids = vec![0; grid.pixels()];
    let [_, height, width] = grid.size;
    let (boxes, side) = (input.pick(&[0, 1, 2, 3, 8, 30]), input.pick(&[1, 2, 6, 12]));
    for _ in 0..boxes {
        let corner = grid.size.map(|length| input.any_below(length));
        let extent = [(); 3].map(|()| 1 + input.any_below(side));
        let id = [1, 2, 3, 4, 5, u32::MAX, 1 << 31][input.any_below(7)];
        for (pixel, here) in ids.iter_mut().enumerate() {
            let place = [pixel / width / height, pixel / width % height, pixel % width];
            if (0..3).all(|axis| (corner[axis]..corner[axis] + extent[axis]).contains(&place[axis])) {
                *here = id;
            }
        }
    }
    ids
}
