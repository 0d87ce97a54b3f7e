//! Hausdorff loss by distance transforms (Karimi and Salcudean 2019, as in MONAI): mean of
//! (p − y)² (d_p^α + d_y^α), d the distances to the border of [p > ½] and of [y > ½] from both sides.
//! Distances carry no gradient: ∂L/∂p = 2 (p − y) (d_p^α + d_y^α) / number of terms.

use super::boundary::{Maps, per_term};
use super::planar::{Plane, RUN, Run, runs};
use super::{Classes, Loss, Needs, Numbers};
use crate::batch::Batch;
use crate::census::Census;
use crate::map::signed::{Cell, border_distance};
use crate::math::power;
use crate::slopes::Slopes;
use crate::view::{Sums, Tile};

/// Options of the Hausdorff loss.
pub struct HausdorffDt {
    /// Which classes count.
    pub classes: Classes,
    /// α
    pub alpha: f64,
    /// Voxel size per axis; nothing: the batch's.
    pub spacing: Numbers,
}

struct Mapped {
    options: HausdorffDt,
    selected: Vec<bool>,
    per_term: f64,
    sum: f64,
    maps: Maps,
    predicted_cells: Vec<Cell>,
    predicted: Vec<f32>,
}

impl HausdorffDt {
    /// The loss with these options.
    pub fn build(self) -> Box<dyn Loss> {
        Box::new(Mapped {
            options: self,
            selected: Vec::new(),
            per_term: 0.0,
            sum: 0.0,
            maps: Maps::default(),
            predicted_cells: Vec::new(),
            predicted: Vec::new(),
        })
    }
}

impl Loss for Mapped {
    fn needs(&self, _batch: &Batch) -> Needs {
        Needs { planes: true, counts: true, ..Needs::default() }
    }
    fn scratch(&self, batch: &Batch) -> usize {
        (Maps::BYTES + 5).saturating_mul(batch.pixels())
    }
    fn begin(&mut self, batch: &Batch, census: &Census) {
        self.sum = 0.0;
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
            self.maps.read_cells(batch, image, plane.class);
            let Maps { cells, map, scratch } = &mut self.maps;
            let predicted = &mut self.predicted;
            map.resize(batch.pixels(), 0.0);
            predicted.resize(batch.pixels(), 0.0);
            border_distance(cells, &grid, map, scratch);
            let (start, step) = batch.plane(image, plane.class);
            let cell_of = |(pixel, &cell): (usize, &Cell)| match cell {
                Cell::Ignored => Cell::Ignored,
                _ if plane.probability(start + pixel * step).0 > 0.5 => Cell::Inside,
                _ => Cell::Outside,
            };
            self.predicted_cells.clear();
            self.predicted_cells.extend(cells.iter().enumerate().map(cell_of));
            border_distance(&self.predicted_cells, &grid, predicted, scratch);

            let mut shares = [0.0; RUN];
            for Run { start: first, length, .. } in runs(batch, image, plane.class) {
                batch.read_shares(image, plane.class, first, &mut shares[..length]);
                for (i, &y) in shares[..length].iter().enumerate() {
                    let pixel = first + i;
                    let at = start + pixel * step;
                    if cells[pixel] == Cell::Ignored {
                        plane.slopes[at].set(0.0);
                        continue;
                    }
                    let power = |distance: f32| match f64::from(distance) {
                        0.0 => 0.0,
                        distance => power(distance, self.options.alpha),
                    };
                    let (p, q) = plane.probability(at);
                    let error = f64::from(if y == 1.0 { -q } else { p - y });
                    let weight = f64::from(batch.weight(image, pixel)) * (power(map[pixel]) + power(predicted[pixel]));
                    if weight != 0.0 {
                        self.sum += weight * error * error;
                    }
                    let slope = if weight == 0.0 { 0.0 } else { 2.0 * weight * error * self.per_term };
                    plane.slopes[at].set(slope as f32);
                }
            }
        }
    }
    fn settle(&mut self, _sums: &[Sums]) -> f64 {
        if self.per_term > 0.0 { self.sum * self.per_term } else { 0.0 }
    }
    fn pull(&mut self, _tile: &Tile, _scale: f32, _slopes: &mut Slopes) {}
}
