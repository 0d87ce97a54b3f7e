//! What stays from the first sweep to the second, beside what the gradient buffer holds.

use crate::workspace::{Place, Workspace};

/// What a softmax keeps of each pixel between the sweeps, where the second needs it again: u, p and q of
/// the label. What is not needed is empty.
pub struct Kept<'k>([&'k mut [f32]; 3]);

impl<'k> Kept<'k> {
    /// Where a tile's pixels keep it, if anything is kept.
    #[inline(never)]
    pub fn of(rows: &'k mut [Vec<f32>; 3], place: &Place) -> Option<Self> {
        if rows.iter().all(Vec::is_empty) {
            return None;
        }
        let at = place.section.image * place.batch.pixels() + place.start;
        Some(Self(rows.each_mut().map(|row| row.get_mut(at..at + place.length).unwrap_or(&mut []))))
    }
    /// Keeps it.
    #[inline(never)]
    pub(crate) fn store(self, space: &Workspace) {
        self.0.into_iter().zip(&space.site).for_each(|(kept, row)| kept.copy_from_slice(&row[..kept.len()]));
    }
    /// Brings it back.
    #[inline(never)]
    pub(crate) fn load(self, space: &mut Workspace) {
        for (kept, row) in self.0.into_iter().zip(&mut space.site).filter(|(kept, _)| !kept.is_empty()) {
            row[..kept.len()].copy_from_slice(kept);
            row[kept.len()..].fill(0.0);
        }
    }
}
