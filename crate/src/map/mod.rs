//! Distance maps, and what is computed from them.
//!
//! | file | what |
//! |---|---|
//! | [`distance`] | exact Euclidean distance to the nearest seed |
//! | [`signed`] | distances to the border of a class from both sides |
//! | [`unet`] | weights of the background between cells |
//! | [`surface`] | Hausdorff and other distances between the surfaces of two masks |
//! | `envelope` | the lower envelope of parabolas, in linear time |
//! | `two_nearest`, `pair`, `window` | distances to the nearest and the second nearest instance |

pub mod distance;
mod envelope;
mod pair;
pub mod signed;
pub mod surface;
#[cfg(test)]
mod testing;
mod two_nearest;
pub mod unet;
mod window;
