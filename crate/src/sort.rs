//! Radix sort.
