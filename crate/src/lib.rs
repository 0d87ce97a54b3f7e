//! The core of segrad: segmentation losses and their analytic gradients.
//!
//! The floors, from the ground; arrows point down only:
//!
//! | floor | rooms |
//! |---|---|
//! | 0 | [`simd`]: four lanes; [`batch`]: what is evaluated |
//! | 1 | [`math`]: exp, ln; [`tile`]: planes; [`walk`]: rows together; [`view`]: what a loss sees of them; [`slopes`]: what it reports; [`interleaved`]: channels-last; [`labels`]: what lies at labels; [`census`]: one look at the target; [`sort`]: radix sort; [`map`]: distance transforms, weight maps, surfaces |
//! | 2 | [`activation`]: logits to probabilities, slopes to gradients; [`loss`]: one file a loss, and their table |
//! | 3 | [`workspace`]: the memory of one tile; [`work`]: the steps on it; [`sweep_planes`], [`sweep_pixels`], [`sweep_rows`]: whole sweeps of a softmax and of a sigmoid; [`terms`]: weighted losses; [`objective`]: the two sweeps |
//! | 4 | [`exports`]: the boundary to JavaScript, the only room that knows of it |

pub mod activation;
pub mod batch;
pub mod census;
pub mod exports;
pub mod interleaved;
mod kept;
mod labels;
pub mod loss;
pub mod map;
pub mod math;
pub mod objective;
pub mod simd;
pub mod slopes;
pub mod sort;
pub mod sweep_linear;
pub mod sweep_pixels;
pub mod sweep_planes;
pub mod sweep_rows;
pub mod terms;
pub mod tile;
pub mod view;
mod walk;
pub mod work;
mod workspace;
