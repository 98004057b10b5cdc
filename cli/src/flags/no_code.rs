//! The flags of code where there is no compiler: none.

use clap::Args;

/// Stands for the arguments of everything that compiles.
#[derive(Args)]
pub struct CodeFlags {}
