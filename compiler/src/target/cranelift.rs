//! Cranelift's description of a target, with the settings that the options ask for.

use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use precast_format::target::Isa;
use target_lexicon::BinaryFormat;

use super::features::setting_of;
use super::{Target, cpus};
use crate::error::{CompileError, Result};
use crate::options::{ContextRegister, OptLevel, Options};

/// How far apart the probes of a large frame are, in bytes, where it is probed. Two
/// frames that are just too small for a probe are no larger than a page. Where there are many probes,
/// the last may lie below the frame, by less than this.
pub(crate) const STACK_PROBE: u32 = 1 << 11;

impl Target {
    /// Builds Cranelift's description of this target with the settings that the options ask for.
    pub(crate) fn cranelift_isa(&self, options: &Options) -> Result<OwnedTargetIsa> {
        self.isa_with(options, options.opt_level, "backtracking")
    }

    /// The same for functions that are too deep for the optimiser: no step takes more than linear
    /// time. Code of both kinds can call each other.
    pub(crate) fn plain_cranelift_isa(&self, options: &Options) -> Result<OwnedTargetIsa> {
        self.isa_with(options, OptLevel::None, "single_pass")
    }

    fn isa_with(
        &self,
        options: &Options,
        opt_level: OptLevel,
        register_allocation: &str,
    ) -> Result<OwnedTargetIsa> {
        let internal = |error: &dyn std::fmt::Display| CompileError::internal(error.to_string());
        let mut triple = self.triple.clone();
        if triple.binary_format == BinaryFormat::Unknown {
            triple.binary_format = BinaryFormat::Elf;
        }
        let mut builder =
            isa::lookup(triple).map_err(|error| CompileError::options(error.to_string()))?;
        if !self.is_bytecode() {
            // The code generator has no settings for what all code for z/Architecture uses.
            let always =
                |name: &str| self.isa == Isa::S390x && cpus::always(self.isa).contains(&name);
            for name in self.isa.features().iter().filter(|name| !always(name)) {
                let value = if self.has_feature(name) {
                    "true"
                } else {
                    "false"
                };
                builder
                    .set(&setting_of(self.isa, name), value)
                    .map_err(|error| internal(&error))?;
            }
        }
        let mut flags = settings::builder();
        let opt_level = match opt_level {
            OptLevel::None => "none",
            OptLevel::Speed => "speed",
            OptLevel::Size => "speed_and_size",
        };
        let boolean = |value: bool| if value { "true" } else { "false" };
        let pinned = options.context_register() == ContextRegister::Pinned;
        let probes = self.touches_stack(options.stack_checks);
        for (name, value) in [
            ("opt_level", opt_level),
            ("regalloc_algorithm", register_allocation),
            ("enable_verifier", boolean(options.verify)),
            ("enable_pinned_reg", boolean(pinned)),
            ("enable_multi_ret_implicit_sret", "true"),
            ("enable_probestack", boolean(probes)),
            ("probestack_strategy", "inline"),
            ("probestack_size_log2", &STACK_PROBE.ilog2().to_string()),
            (
                "enable_heap_access_spectre_mitigation",
                boolean(options.heap_spectre_guard),
            ),
            ("enable_table_access_spectre_mitigation", "false"),
            (
                "enable_nan_canonicalization",
                boolean(options.canonicalize_nans),
            ),
            ("preserve_frame_pointers", "true"),
            ("unwind_info", boolean(options.unwind_info)),
            // Where blocks start tells code from jump tables.
            ("machine_code_cfg_info", "true"),
        ] {
            flags.set(name, value).map_err(|error| internal(&error))?;
        }
        builder
            .finish(settings::Flags::new(flags))
            .map_err(|error| internal(&error))
    }
}
