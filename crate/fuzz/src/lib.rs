//! What the fuzz targets check, one module a target. Every check makes its input from bytes, so a fuzzer can
//! steer it, and compares the core with something plainer that is slow and easy to believe.

pub mod distance;
pub mod input;
pub mod interleaved;
pub mod lovasz;
pub mod objective;
pub mod oracle;
pub mod plain;
pub mod scene;
pub mod sort;
pub mod spec;
pub mod surface;
pub mod unet;
