//! What code for a target can do, told once: what is refused and what is listed come from here.

use precast_format::target::{Endianness, Isa};

use super::Target;
use crate::error::{CompileError, Result};
use crate::options::Options;

/// Whether something of WebAssembly or an option is there for a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// Always.
    Yes,
    /// With a CPU feature, by its name.
    WithFeature(&'static str),
    /// Never, for this reason.
    No(&'static str),
}

impl Support {
    /// A phrase for tables.
    pub fn text(self) -> String {
        match self {
            Support::Yes => "yes".to_owned(),
            Support::WithFeature(feature) => format!("with +{feature}"),
            Support::No(_) => "no".to_owned(),
        }
    }
}

impl Target {
    /// SIMD instructions and vectors.
    pub fn simd(&self) -> Support {
        match self.isa() {
            // Shuffles are `pshufb`. All else has a sequence in SSE2, or has one of ours.
            Isa::X86_64 => Support::WithFeature("ssse3"),
            Isa::Riscv64 => Support::WithFeature("v"),
            Isa::Pulley32 | Isa::Pulley64 if self.endianness() == Endianness::Big => {
                Support::No("has no vectors in big-endian memory")
            }
            _ => Support::Yes,
        }
    }

    /// Shared memories and atomic instructions.
    pub fn threads(&self) -> Support {
        match self.is_bytecode() {
            true => Support::No("has no atomic instructions"),
            false => Support::Yes,
        }
    }

    /// Guard pages around memories and stacks, and faults that are traps.
    pub fn guard_pages(&self) -> Support {
        match (self.is_bytecode(), self.is_hosted()) {
            (true, _) => Support::No("is interpreted, and nobody catches an interpreter's faults"),
            (false, true) => Support::Yes,
            (false, false) => {
                Support::No("needs an operating system, or a platform layer of yours that has them")
            }
        }
    }

    /// The object format of `--emit object`; of bytecode that of the machine that was named.
    pub fn object_format(&self) -> &'static str {
        use target_lexicon::BinaryFormat::{Coff, Macho};
        let machine = match (self.machine(), self.is_bytecode()) {
            (Some(machine), _) => machine,
            (None, true) => return "of the machine",
            (None, false) => self.triple(),
        };
        match machine.binary_format {
            Macho => "Mach-O",
            Coff => "COFF",
            _ => "ELF",
        }
    }

    /// Refuses options that the target's code cannot have.
    ///
    /// # Errors
    ///
    /// When bytecode shall read what another thread writes, or mask accesses against a processor's
    /// speculation: an interpreter's are no instructions of the module.
    pub(crate) fn require_options(&self, options: &Options, interrupt_checks: bool) -> Result<()> {
        let isa = self.isa().name();
        let refused = |message: String| Err(CompileError::options(message));
        match self.threads() {
            Support::No(reason) if interrupt_checks => refused(format!(
                "interrupt checks need atomic reads, and {isa} {reason}; use --interrupt-checks 0"
            )),
            _ if options.heap_spectre_guard && self.is_bytecode() => refused(format!(
                "accesses of native code are masked, and {isa} is interpreted; use no --spectre-guard"
            )),
            _ => Ok(()),
        }
    }

    /// Refuses a feature of WebAssembly that the target lacks.
    ///
    /// # Errors
    ///
    /// When it does, with what to do about it.
    pub(crate) fn require(&self, name: &str, support: Support) -> Result<()> {
        let isa = self.isa().name();
        match support {
            Support::Yes => Ok(()),
            Support::WithFeature(feature) if self.has_feature(feature) => Ok(()),
            Support::WithFeature(feature) => Err(CompileError::unsupported(format!(
                "{name} needs the CPU feature `{feature}` on {isa}; compile with --cpu-features \
                 +{feature}"
            ))),
            Support::No(reason) => Err(CompileError::unsupported(format!(
                "the module needs {name}, and {isa} {reason}; build the module without, or \
                 choose another target"
            ))),
        }
    }
}
