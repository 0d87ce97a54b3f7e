//! The labels of a tile, and what lies at them: in planes, tables and sums of classes.

use crate::batch::NO_LABEL;
use crate::simd::{F32x4, U32x4};
use crate::tile::{Planes, PlanesMut, SUM_RUN, multiply_row, vectors, vectors_mut};

/// Where the cells of the labels are among planes `stride` apart.
enum Cells {
    /// Four neighbours of one class.
    Four(usize),
    /// A single one.
    One(usize),
    /// There is no label.
    None,
}

/// Visits pixels and the cells of their labels. Inside an object neighbours have one label, and four of them move
/// at once (cross-entropy of five classes takes a fifth less).
#[inline(always)]
fn at_labels(label: &[u32], stride: usize, mut visit: impl FnMut(usize, Cells)) {
    let cells = |pixel: usize, label: u32| match label {
        NO_LABEL => Cells::None,
        label => Cells::One(label as usize * stride + pixel),
    };
    if !are_smooth(label) {
        return label.iter().zip(0..).for_each(|(&label, pixel)| visit(pixel, cells(pixel, label)));
    }
    for (four, pixel) in vectors(label).iter().zip((0..).step_by(4)) {
        if is_one_class(four) {
            visit(pixel, Cells::Four(four[0] as usize * stride + pixel));
        } else {
            four.iter().zip(pixel..).for_each(|(&label, pixel)| visit(pixel, cells(pixel, label)));
        }
    }
}

/// Whether objects are so large that seven of eight vectors lie in one, by every eighth of them. With more borders it
/// costs more to guess wrong than to move pixels one by one (5 % of Dice, where it is three of four).
#[inline(never)]
fn are_smooth(label: &[u32]) -> bool {
    let sample = label.as_chunks::<4>().0.iter().step_by(8);
    8 * sample.clone().filter(|four| !are_alike(four)).count() <= sample.len()
}

/// Whether four pixels have the same label.
#[inline(always)]
fn are_alike(label: &[u32; 4]) -> bool {
    !(!U32x4::load(label).eq(U32x4::splat(label[0]))).any()
}

/// Whether four pixels are of one class.
#[inline(always)]
fn is_one_class(label: &[u32; 4]) -> bool {
    label[0] != NO_LABEL && are_alike(label)
}

/// Takes what the planes of the labels have, and leaves 0 there; 0 where there is no label.
#[inline(never)]
pub fn take_own(x: &mut PlanesMut, label: &[u32], own: &mut [f32]) {
    let stride = x.stride();
    let data = x.data_mut();
    at_labels(label, stride, |pixel, cells| match cells {
        Cells::Four(at) => {
            own[pixel..pixel + 4].copy_from_slice(&data[at..at + 4]);
            data[at..at + 4].fill(0.0);
        }
        Cells::One(at) => own[pixel] = std::mem::take(&mut data[at]),
        Cells::None => own[pixel] = 0.0,
    });
}

/// Puts `own` into the planes of the labels.
#[inline(never)]
pub fn put_own(x: &mut PlanesMut, label: &[u32], own: &[f32]) {
    let stride = x.stride();
    let data = x.data_mut();
    at_labels(label, stride, |pixel, cells| match cells {
        Cells::Four(at) => data[at..at + 4].copy_from_slice(&own[pixel..pixel + 4]),
        Cells::One(at) => data[at] = own[pixel],
        Cells::None => {}
    });
}

/// What the planes of the labels have; 0 where there is no label.
#[inline(never)]
pub fn read_own(x: Planes, label: &[u32], own: &mut [f32]) {
    let (data, stride) = (x.data(), x.stride());
    for (pixel, (&label, own)) in label.iter().zip(own).enumerate() {
        *own = if label == NO_LABEL { 0.0 } else { data[label as usize * stride + pixel] };
    }
}

/// The number that belongs to the class of each label; 0 where there is no label.
#[inline(never)]
pub fn look_up(label: &[u32], numbers: &[f32], row: &mut [f32]) {
    let smooth = are_smooth(label);
    let of = |label: u32| numbers.get(label as usize).copied().unwrap_or(0.0);
    for (label, row) in vectors(label).iter().zip(vectors_mut(row)) {
        if smooth && is_one_class(label) {
            F32x4::splat(of(label[0])).store(row);
        } else {
            *row = label.map(of);
        }
    }
}

/// Adds up what the pixels of each label have, times a factor, into the sum of its class. With factors there is a
/// multiple of four pixels.
#[inline(never)]
pub fn add_by_label(label: &[u32], numbers: &[f32], factors: Option<&[f32]>, sums: &mut [f64]) {
    let smooth = are_smooth(label);
    let mut lanes = Lanes { of: vec![[0.0; 4]; sums.len()], class: usize::MAX, at_hand: F32x4::zero() };
    let mut room = [0.0; SUM_RUN];
    for (label, start) in label.chunks(SUM_RUN).zip((0..).step_by(SUM_RUN)) {
        let mut row = &numbers[start..][..label.len()];
        if let Some(factors) = factors {
            let room = &mut room[..label.len()];
            room.copy_from_slice(row);
            multiply_row(room, &factors[start..][..label.len()]);
            row = room;
        }
        let ((vectors, last), (rows, row)) = (label.as_chunks::<4>(), row.as_chunks::<4>());
        if sums.len() <= FEW {
            for (class, lanes) in (0..).map(U32x4::splat).zip(&mut lanes.of) {
                let mine =
                    vectors.iter().zip(rows).map(|(label, row)| F32x4::load(row).keep(U32x4::load(label).eq(class)));
                mine.fold(F32x4::zero(), |sum, mine| sum + mine).store(lanes);
            }
        } else {
            lanes.add_vectors(vectors, rows, smooth);
        }
        last.iter().zip(row).for_each(|(&label, &number)| lanes.add(0, label, number));
        for (sum, lanes) in sums.iter_mut().zip(&mut lanes.of) {
            *sum += F32x4::load(lanes).sum();
            *lanes = [0.0; 4];
        }
    }
}

/// Classes that are added up one by one, looking at every label (of two 0.1 ns a pixel, where borders cost 0.6; of eight
/// more).
const FEW: usize = 4;

/// Four sums of each class. Those of the class `at_hand` stay in a register: out of memory each addition would wait for
/// the last one all through a blob (0.7 ns a pixel).
struct Lanes {
    of: Vec<[f32; 4]>,
    class: usize,
    at_hand: F32x4,
}

impl Lanes {
    /// Adds four numbers at a time. `smooth`: where neighbours often are of one class.
    #[inline(always)]
    fn add_vectors(&mut self, label: &[[u32; 4]], row: &[[f32; 4]], smooth: bool) {
        for (label, row) in label.iter().zip(row) {
            if smooth && is_one_class(label) {
                self.take(label[0] as usize);
                self.at_hand = self.at_hand + F32x4::load(row);
            } else {
                self.take(usize::MAX);
                (0..4).for_each(|lane| self.add(lane, label[lane], row[lane]));
            }
        }
        self.take(usize::MAX);
    }
    /// Takes a class to hand; no class, no sums.
    #[inline(always)]
    fn take(&mut self, class: usize) {
        if class != self.class {
            if let Some(lanes) = self.of.get_mut(self.class) {
                self.at_hand.store(lanes);
            }
            self.class = class;
            self.at_hand = self.of.get(class).map_or(F32x4::zero(), F32x4::load);
        }
    }
    /// Adds one number, while no class is at hand.
    #[inline(always)]
    fn add(&mut self, lane: usize, label: u32, number: f32) {
        if let Some(lanes) = self.of.get_mut(label as usize) {
            lanes[lane] += number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 512;
    const CLASSES: usize = 5;

    /// Stripes of `length` pixels, some without a label; their borders lie anywhere in a vector.
    fn stripes(length: usize) -> Vec<u32> {
        (0..WIDTH).map(|i| [3, 0, NO_LABEL, 4, 1][i / length % 5]).collect()
    }

    #[test]
    fn large_objects_and_small_ones_give_the_same() {
        for (length, smooth) in [(3, false), (70, true), (600, true)] {
            let label = stripes(length);
            assert_eq!(are_smooth(&label), smooth);
            let start: Vec<f32> = (0..CLASSES * WIDTH).map(|i| i as f32).collect();
            let at = |i: usize| (label[i] != NO_LABEL).then(|| label[i] as usize * WIDTH + i);
            let of_label = |i| at(i).map_or(0.0, |at| start[at]);

            let (mut x, mut own) = (start.clone(), vec![-1.0; WIDTH]);
            take_own(&mut PlanesMut::new(&mut x, WIDTH, WIDTH), &label, &mut own);
            assert!((0..WIDTH).all(|i| own[i] == of_label(i) && at(i).is_none_or(|at| x[at] == 0.0)));
            assert_eq!(x.iter().sum::<f32>() + own.iter().sum::<f32>(), start.iter().sum());
            put_own(&mut PlanesMut::new(&mut x, WIDTH, WIDTH), &label, &own);
            assert_eq!(x, start);

            let numbers = [0.5, 1.5, 2.5, 3.5, 4.5];
            look_up(&label, &numbers, &mut own);
            assert!((0..WIDTH).all(|i| own[i] == numbers.get(label[i] as usize).copied().unwrap_or(0.0)));

            let mut sums = [0.0; CLASSES];
            add_by_label(&label, &start[..WIDTH], Some(&[2.0; WIDTH]), &mut sums);
            for (k, sum) in sums.into_iter().enumerate() {
                let want: usize = (0..WIDTH).filter(|&i| label[i] == k as u32).sum();
                assert_eq!(sum, 2.0 * want as f64);
            }
        }
    }
}
