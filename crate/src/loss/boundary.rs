//! Boundary loss (Kervadec et al. 2019): mean of p φ, φ the signed distance to the class's border;
//! ∂L/∂p = φ / number of terms. φ comes with the batch, or is computed from the target, class by class.

use super::planar::{Plane, RUN, Run, runs};
use super::{Classes, Loss, Needs, Numbers};
use crate::activation::sigmoid_rows;
use crate::batch::{Batch, Section};
use crate::census::Census;
use crate::map::distance::Grid;
use crate::map::signed::{Cell, Scratch, signed_distance};
use crate::slopes::Slopes;
use crate::view::{Row, Sums, Tile};

/// Options of the boundary loss.
pub struct Boundary {
    /// Which classes count.
    pub classes: Classes,
    /// Voxel size per axis; nothing: the batch's.
    pub spacing: Numbers,
}

struct Mapped {
    options: Boundary,
    channels: usize,
    /// Whether φ comes with the batch.
    given: bool,
    /// Which (image, class) pairs count.
    selected: Vec<bool>,
    /// 1 / number of valid pixels in all of them.
    per_term: f64,
    sum: f64,
    maps: Maps,
}

impl Boundary {
    /// The loss with these options.
    pub fn build(self) -> Box<dyn Loss> {
        Box::new(Mapped {
            options: self,
            channels: 0,
            given: false,
            selected: Vec::new(),
            per_term: 0.0,
            sum: 0.0,
            maps: Maps::default(),
        })
    }
}

/// What boundary and Hausdorff loss need to make maps of a target.
#[derive(Default)]
pub(super) struct Maps {
    pub cells: Vec<Cell>,
    pub map: Vec<f32>,
    pub scratch: Scratch,
}

impl Maps {
    /// Bytes a pixel: which side it is on, two distances, and a third while they are made.
    pub const BYTES: usize = 13;
    /// The grid of a batch, with the loss's own spacing where it has one.
    pub fn grid(batch: &Batch, spacing: &Numbers) -> Grid {
        let spacing = match spacing {
            Numbers::List(list) => std::array::from_fn(|axis| {
                // Two axes are height and width.
                (axis + list.len()).checked_sub(3).map_or(1.0, |axis| list[axis])
            }),
            _ => batch.spacing,
        };
        Grid { size: batch.size, spacing }
    }
    /// Reads where each pixel of an image lies as seen from a class.
    pub fn read_cells(&mut self, batch: &Batch, image: usize, class: usize) {
        self.cells.clear();
        let mut sides = [0.0; RUN];
        for Run { start, length, .. } in runs(batch, image, class) {
            batch.read_sides(image, class, start, &mut sides[..length]);
            self.cells.extend(sides[..length].iter().map(|&side| match side {
                0.0 => Cell::Ignored,
                side if side < 0.0 => Cell::Inside,
                _ => Cell::Outside,
            }));
        }
    }
}

/// 1 / number of valid pixels in all selected (image, class) pairs, 0 if there are none.
pub(super) fn per_term(selected: &[bool], batch: &Batch, census: &Census) -> f64 {
    let valid = |at: usize| census.valid(batch.section_of(at / batch.channels, at % batch.channels));
    let terms: f64 = (0..selected.len()).filter(|&at| selected[at]).map(valid).sum();
    if terms > 0.0 { 1.0 / terms } else { 0.0 }
}

impl Loss for Mapped {
    fn needs(&self, batch: &Batch) -> Needs {
        let given = batch.distance.is_some();
        Needs { planes: !given, distance: given, counts: true, ..Needs::default() }
    }
    fn scratch(&self, batch: &Batch) -> usize {
        if batch.distance.is_some() { 0 } else { Maps::BYTES.saturating_mul(batch.pixels()) }
    }
    fn begin(&mut self, batch: &Batch, census: &Census) {
        self.sum = 0.0;
        self.channels = batch.channels;
        self.given = batch.distance.is_some();
        self.selected = self.options.classes.pairs(super::Over::Image, batch, census);
        self.per_term = per_term(&self.selected, batch, census);
    }
    fn look(&mut self, batch: &Batch, plane: &Plane) {
        let grid = Maps::grid(batch, &self.options.spacing);
        for image in 0..batch.images {
            if !self.selected[image * batch.channels + plane.class] {
                plane.clear(batch, image);
                continue;
            }
            let Maps { cells, map, scratch } = {
                self.maps.read_cells(batch, image, plane.class);
                &mut self.maps
            };
            map.resize(batch.pixels(), 0.0);
            signed_distance(cells, &grid, map, scratch);
            let (start, step) = batch.plane(image, plane.class);
            for (pixel, &distance) in map.iter().enumerate() {
                let (at, weight) = (start + pixel * step, batch.weight(image, pixel));
                let (p, _) = plane.probability(at);
                let slope = f64::from(weight) * f64::from(distance);
                if slope != 0.0 {
                    self.sum += slope * f64::from(p);
                }
                plane.slopes[at].set((slope * self.per_term) as f32);
            }
        }
    }
    fn settle(&mut self, sums: &[Sums]) -> f64 {
        let given = sums.iter().zip(&self.selected).filter(|(_, selected)| **selected);
        let sum = self.sum + given.map(|(sums, _)| sums.distance).sum::<f64>();
        if self.per_term > 0.0 { sum * self.per_term } else { 0.0 }
    }
    fn pull(&mut self, tile: &Tile, scale: f32, slopes: &mut Slopes) {
        if !self.given {
            return;
        }
        for k in (0..tile.section.channels).filter(|&k| self.counts(&tile.section, k)) {
            slopes.add_map(k, self.per_term * f64::from(scale));
        }
    }
    fn sweep_row(&mut self, row: &Row, scale: f32, out: &mut [f32]) -> bool {
        if !self.given {
            return false;
        }
        let counts = self.counts(&row.section, 0);
        let scale = if counts { (self.per_term * f64::from(scale)) as f32 } else { 0.0 };
        let sum = sigmoid_rows::expectation(row, scale, out);
        self.sum += if counts { sum } else { 0.0 };
        true
    }
}

impl Mapped {
    fn counts(&self, section: &Section, k: usize) -> bool {
        self.selected[section.image * self.channels + section.class + k]
    }
}
