//! What machine code is made for.

use crate::Outcome;
use crate::failure::Failure;
use clap::Args;
use precast_compiler::Target;

/// The target's arguments.
#[derive(Args)]
#[command(next_help_heading = "Target")]
pub struct TargetFlags {
    /// Target triple or architecture: x86_64, aarch64-unknown-none, riscv64, s390x, pulley32 …
    /// The default is this machine; `precast targets` lists all.
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
    /// The CPU by LLVM's name, or `native` for that of this machine. The default is x86-64-v2 on
    /// x86_64 and generic elsewhere.
    #[arg(long, value_name = "NAME")]
    cpu: Option<String>,
    /// CPU features to add and to leave out, by LLVM's names: `+avx2,-popcnt`.
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    cpu_features: Option<String>,
}

impl TargetFlags {
    /// The target that the arguments name.
    pub fn target(&self) -> Outcome<Target> {
        self.named().map_err(|error| Failure::usage(error.message))
    }

    fn named(&self) -> Result<Target, precast_compiler::CompileError> {
        let mut target = match &self.target {
            Some(name) => Target::new(name)?,
            None => Target::host()?,
        };
        if let Some(cpu) = &self.cpu {
            target.set_cpu(cpu)?;
        }
        if let Some(features) = &self.cpu_features {
            target.change_features(features)?;
        }
        Ok(target)
    }
}
