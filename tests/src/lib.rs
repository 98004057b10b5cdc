//! What the tests that cross crates share: the specification's suite, the configurations it runs
//! under, and the table of results.

pub mod child;
pub mod configuration;
pub mod corpus;
pub mod plan_host;
pub mod suite;
pub mod table;
