//! Maps of one image, and the distances between the surfaces of two masks.

use super::{product, target};
use crate::batch::Target;
use crate::map::distance::{self, Grid, distance_to};
use crate::map::signed::{self, Cell, signed_distance};
use crate::map::surface::{self, SurfaceDistances, surface_distances};
use crate::map::unet::{self, UnetWeights, unet_weight_map};
use wasm_bindgen::prelude::wasm_bindgen;

/// The image that maps are made of, and the memory they are made in.
///
/// Labels of any type are first written down as what the maps ask of them: the code of the maps is in the
/// module once, not once a type.
#[wasm_bindgen]
#[derive(Default)]
pub struct Maps {
    size: [usize; 3],
    spacing: [f64; 3],
    marks: Vec<bool>,
    cells: Vec<Cell>,
    ids: Vec<u32>,
    distance: distance::Scratch,
    signed: signed::Scratch,
    unet: unet::Scratch,
    surface: surface::Scratch,
    measured: SurfaceDistances,
}

#[wasm_bindgen]
impl Maps {
    /// Maps of nothing yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sides and pixel size of the images to come.
    pub fn layout(
        &mut self,
        depth: usize,
        height: usize,
        width: usize,
        depth_spacing: f64,
        height_spacing: f64,
        width_spacing: f64,
    ) {
        product(&[depth, height, width]);
        self.size = [depth, height, width];
        self.spacing = [depth_spacing, height_spacing, width_spacing];
    }

    /// Distance of every pixel of the mask that is not 0 to the nearest that is.
    pub fn distance(&mut self, mask: *const u8, mask_type: u32, map: *mut f32) {
        // SAFETY: TypeScript gives arrays of one entry a pixel.
        let (mask, map) = unsafe { (self.labels(mask, mask_type), self.map(map)) };
        let (grid, zeros) = (self.grid(), &mut self.marks);
        match mask {
            Target::Soft(soft) => {
                zeros.clear();
                zeros.extend(soft.iter().map(|&value| value == 0.0));
            }
            labels => mark(&labels, grid.pixels(), 0, zeros),
        }
        distance_to(|pixel| zeros[pixel], &grid, map, &mut self.distance);
    }

    /// φ of a class. `ignore` is NaN where no label is ignored.
    pub fn signed(&mut self, labels: *const u8, label_type: u32, class: u32, ignore: f64, map: *mut f32) {
        // SAFETY: as in `distance`.
        let (labels, map) = unsafe { (self.labels(labels, label_type), self.map(map)) };
        let (grid, cells) = (self.grid(), &mut self.cells);
        write_cells(&labels, grid.pixels(), class, ignored(ignore), cells);
        signed_distance(cells, &grid, map, &mut self.signed);
    }

    /// U-Net's weights between instances, on top of a weight for the background and one for the instances.
    #[allow(clippy::too_many_arguments)]
    pub fn unet(
        &mut self,
        instances: *const u8,
        instance_type: u32,
        w0: f64,
        sigma: f64,
        background: f32,
        foreground: f32,
        map: *mut f32,
    ) {
        // SAFETY: as in `distance`.
        let (instances, map) = unsafe { (self.labels(instances, instance_type), self.map(map)) };
        let (grid, ids) = (self.grid(), &mut self.ids);
        ids.clear();
        for_each_run(&instances, grid.pixels(), |classes| ids.extend_from_slice(classes));
        let options = UnetWeights { w0, sigma, background, cell: foreground };
        unet_weight_map(|pixel| ids[pixel], &options, &grid, map, &mut self.unet);
    }

    /// Measures how far apart the surfaces of a class are in two arrays of labels. Pixels whose target is
    /// `ignore` (NaN: none) are in neither. The results follow.
    #[allow(clippy::too_many_arguments)]
    pub fn measure(
        &mut self,
        prediction: *const u8,
        prediction_type: u32,
        target: *const u8,
        target_type: u32,
        class: u32,
        ignore: f64,
        tolerance: f64,
    ) {
        // SAFETY: as in `distance`.
        let (prediction, target) =
            unsafe { (self.labels(prediction, prediction_type), self.labels(target, target_type)) };
        let (grid, predicted, cells) = (self.grid(), &mut self.marks, &mut self.cells);
        mark(&prediction, grid.pixels(), class, predicted);
        write_cells(&target, grid.pixels(), class, ignored(ignore), cells);
        self.measured = surface_distances(
            |pixel| predicted[pixel] && cells[pixel] != Cell::Ignored,
            |pixel| cells[pixel] == Cell::Inside,
            &grid,
            tolerance,
            &mut self.surface,
        );
    }
    /// Hausdorff distance of the last measurement.
    pub fn hausdorff(&self) -> f64 {
        self.measured.hausdorff
    }
    /// HD95 of the last measurement.
    pub fn hausdorff95(&self) -> f64 {
        self.measured.hausdorff95
    }
    /// Average symmetric surface distance of the last measurement.
    pub fn average_surface_distance(&self) -> f64 {
        self.measured.average
    }
    /// Normalised surface Dice of the last measurement.
    pub fn surface_dice(&self) -> f64 {
        self.measured.dice
    }
}

impl Maps {
    fn grid(&self) -> Grid {
        Grid { size: self.size, spacing: self.spacing }
    }

    /// # Safety
    /// The pointer leads to an array of this type with one entry a pixel, which lives through the call.
    unsafe fn labels<'a>(&self, pointer: *const u8, kind: u32) -> Target<'a> {
        // SAFETY: promised by the caller.
        unsafe { target(pointer, kind, self.grid().pixels()) }
    }

    /// # Safety
    /// The pointer leads to room for one float a pixel, which nothing else uses during the call.
    unsafe fn map<'a>(&self, pointer: *mut f32) -> &'a mut [f32] {
        // SAFETY: promised by the caller.
        unsafe { std::slice::from_raw_parts_mut(pointer, self.grid().pixels()) }
    }
}

fn ignored(label: f64) -> Option<i64> {
    (!label.is_nan()).then_some(label as i64)
}

/// Labels read at once.
const RUN: usize = 512;

/// Gives all labels, as class numbers, to `visit`.
fn for_each_run(labels: &Target, pixels: usize, mut visit: impl FnMut(&[u32])) {
    assert!(!matches!(labels, Target::Soft(_)), "labels are integers: checked in TypeScript");
    let mut row = [0; RUN];
    for start in (0..pixels).step_by(RUN) {
        let row = &mut row[..RUN.min(pixels - start)];
        labels.read_classes(start, 1, row);
        visit(row);
    }
}

/// Writes which labels are `class`.
fn mark(labels: &Target, pixels: usize, class: u32, marks: &mut Vec<bool>) {
    let class = labels.class_of(class.into());
    marks.clear();
    for_each_run(labels, pixels, |row| marks.extend(row.iter().map(|&label| Some(label) == class)));
}

/// Writes where every label lies as seen from `class`.
fn write_cells(labels: &Target, pixels: usize, class: u32, ignore: Option<i64>, cells: &mut Vec<Cell>) {
    let class = labels.class_of(class.into());
    let ignore = ignore.and_then(|number| labels.class_of(number));
    cells.clear();
    for_each_run(labels, pixels, |row| {
        cells.extend(row.iter().map(|&label| match Some(label) {
            label if label == ignore => Cell::Ignored,
            label if label == class => Cell::Inside,
            _ => Cell::Outside,
        }));
    });
}
