//! Distance maps, and what is computed from them.

pub mod distance;
mod envelope;
pub mod signed;
#[cfg(test)]
mod testing;
