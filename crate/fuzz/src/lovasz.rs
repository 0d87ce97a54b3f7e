//! The Lovász extension against its definition.

use crate::input::Input;
use crate::plain::assert_close;
use segrad::loss::lovasz_extension::LovaszExtension;

/// Two sets of pixels one after the other in the same memory.
pub fn check(bytes: &[u8]) {
    let input = &mut Input::new(bytes);
    let mut extension = LovaszExtension::default();
    for _ in 0..2 {
        let length = input.pick(&[1, 2, 5, 127, 128, 129, 511, 512, 513, 3000, 40_000]);
        let (share, levels, scale) =
            (input.below(101), input.pick(&[1, 2, 5, 1 << 30]), input.pick(&[1.0, 1e-30, 1e30]));
        let pixels: Vec<(f32, bool)> = (0..length)
            .map(|_| {
                let error = if levels < 9 { input.any_below(levels + 1) as f64 / levels as f64 } else { input.unit() };
                ((error * scale) as f32, input.any_below(100) < share)
            })
            .collect();
        let residuals: Vec<f32> = pixels.iter().map(|&(error, inside)| if inside { -error } else { error }).collect();
        let (step, piece) = (1 + input.below(4), input.pick(&[1, 100, 512, 10_000]));
        let foreground = pixels.iter().filter(|pixel| pixel.1).count();
        extension.begin();
        residuals.chunks(piece).for_each(|part| extension.survey(part));
        extension.open(foreground, length);
        for (i, part) in residuals.chunks(piece).enumerate() {
            extension.push((i * piece * step) as u32, step as u32, part);
        }
        let mut slopes = vec![0.0; length * step];
        let value = extension.value(|at, slope| slopes[at as usize] = slope);

        let (expected, exact) = by_definition(&pixels);
        assert_close(value, expected, 1e-6 * expected, &pixels);
        for (i, &exact) in exact.iter().enumerate() {
            let (error, inside) = pixels[i];
            let exact = if error == 0.0 { 0.0 } else { exact };
            let slope = f64::from(slopes[i * step]) * if inside { -1.0 } else { 1.0 };
            // A unit of f64 in a Jaccard loss, and some of f32 in its difference.
            assert_close(slope, exact, 1e-14 + 1e-6 * exact, &(i, &pixels));
        }
        assert!(slopes.iter().enumerate().all(|(at, &slope)| at % step == 0 || slope == 0.0), "a slope went astray");
    }
}

/// Value and slopes by the errors: sort, difference the Jaccard losses of growing sets, foreground first
/// among equals; equals share.
pub fn by_definition<E: PartialOrd + Copy + Into<f64>>(pixels: &[(E, bool)]) -> (f64, Vec<f64>) {
    let total = pixels.iter().filter(|pixel| pixel.1).count() as f64;
    let number = |i: usize| -> f64 { pixels[i].0.into() };
    let mut order: Vec<usize> = (0..pixels.len()).collect();
    order.sort_by(|&a, &b| number(b).total_cmp(&number(a)).then(pixels[b].1.cmp(&pixels[a].1)));
    let (mut found, mut wrong, mut before) = (0.0, 0.0, 0.0);
    let (mut value, mut slopes) = (0.0, vec![0.0; pixels.len()]);
    for group in order.chunk_by(|&a, &b| number(a) == number(b) && pixels[a].1 == pixels[b].1) {
        let start = before;
        for &i in group {
            if pixels[i].1 {
                found += 1.0
            } else {
                wrong += 1.0
            }
            let jaccard = 1.0 - (total - found) / (total + wrong);
            value += number(i) * (jaccard - before);
            before = jaccard;
        }
        group.iter().for_each(|&i| slopes[i] = (before - start) / group.len() as f64);
    }
    (value, slopes)
}
