//! What stays from the first sweep to the second, beside what the gradient buffer holds.

use crate::workspace::{Place, Workspace};

/// What is kept of each label between the sweeps, where the second needs it again: ∂L/∂ln p of those losses that wait
/// for no sums, and under a softmax p. What is not needed is empty.
pub struct Kept<'k>([&'k mut [f32]; 2]);

impl<'k> Kept<'k> {
    /// Where a tile's labels keep it, if anything is kept.
    #[inline(never)]
    pub fn of(rows: &'k mut [Vec<f32>; 2], place: &Place) -> Option<Self> {
        if rows.iter().all(Vec::is_empty) {
            return None;
        }
        let at = place.section.index * place.batch.pixels() + place.start;
        Some(Self(rows.each_mut().map(|row| row.get_mut(at..at + place.length).unwrap_or(&mut []))))
    }
    /// Keeps it.
    #[inline(never)]
    pub(crate) fn store(self, space: &mut Workspace) {
        let Workspace { slopes, site: [_, p, _], .. } = space;
        let [kept_slopes, kept_p] = self.0;
        if !kept_slopes.is_empty() {
            kept_slopes.copy_from_slice(&slopes.b().row(0)[..kept_slopes.len()]);
        }
        kept_p.copy_from_slice(&p[..kept_p.len()]);
    }
    /// Brings it back.
    #[inline(never)]
    pub(crate) fn load(self, space: &mut Workspace) {
        let Workspace { slopes, site: [_, p, _], .. } = space;
        let [kept_slopes, kept_p] = self.0;
        if !kept_slopes.is_empty() {
            load_row(kept_slopes, slopes.b().row(0));
        }
        if !kept_p.is_empty() {
            load_row(kept_p, p);
        }
    }
}

fn load_row(kept: &[f32], row: &mut [f32]) {
    row[..kept.len()].copy_from_slice(kept);
    row[kept.len()..].fill(0.0);
}
