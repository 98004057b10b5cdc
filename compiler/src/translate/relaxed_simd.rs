//! Relaxed SIMD (being written).
