//! What the tests that cross crates share: the specification's suite, the configurations it runs
//! under, and the table of results.
#![forbid(unsafe_code)]

pub mod configuration;
pub mod suite;
pub mod table;
