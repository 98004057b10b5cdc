//! The machine that code is made for: a triple, a CPU and its features.

use std::str::FromStr;

use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use precast_format::target::{CpuFeatures, Endianness, HostAbi, Isa};
use target_lexicon::{Architecture, BinaryFormat, OperatingSystem, Triple};

use crate::error::{CompileError, Result};
use crate::options::{ContextRegister, OptLevel, Options};
use precast_format::tunables::StackChecks;

/// How far apart the probes of a large frame are, in bytes, where it is probed. Two
/// frames that are just too small for a probe are no larger than a page. Where there are many probes,
/// the last may lie below the frame, by less than this.
pub(crate) const STACK_PROBE: u32 = 1 << 11;

/// A target triple with the CPU features that code for it may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    triple: Triple,
    isa: Isa,
    features: CpuFeatures,
}

/// The x86-64 levels of the System V ABI supplement, by LLVM's names, with what each adds.
const X86_64_LEVELS: &[(&str, &[&str])] = &[
    ("x86-64", &[]),
    (
        "x86-64-v2",
        &["sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "cx16"],
    ),
    ("x86-64-v3", &["avx", "avx2", "fma", "bmi", "bmi2", "lzcnt"]),
    ("x86-64-v4", &["avx512f", "avx512vl", "avx512dq"]),
];

/// The processors of z/Architecture, with what each adds. Cranelift makes no code for older ones.
const S390X_LEVELS: &[(&str, &[&str])] = &[
    (
        "z14",
        &[
            "vector",
            "vector-enhancements-1",
            "miscellaneous-extensions-2",
        ],
    ),
    (
        "z15",
        &["miscellaneous-extensions-3", "vector-enhancements-2"],
    ),
    ("z16", &[]),
    (
        "z17",
        &["miscellaneous-extensions-4", "vector-enhancements-3"],
    ),
];

/// What the base instruction set of a CPU name implies, for the other instruction sets.
fn baseline(isa: Isa) -> &'static [&'static str] {
    match isa {
        Isa::Riscv64 => &["m", "a", "f", "d", "zca", "zcd"],
        Isa::S390x => S390X_LEVELS[0].1,
        _ => &[],
    }
}

impl Target {
    /// The target of a triple such as `aarch64-unknown-linux-gnu` or a short name such as
    /// `aarch64`, with its default CPU.
    ///
    /// # Errors
    ///
    /// When the triple cannot be parsed or its architecture has no code generator.
    pub fn new(name: &str) -> Result<Target> {
        let triple = match name {
            "x86_64" | "aarch64" | "s390x" => format!("{name}-unknown-linux-gnu"),
            "riscv64" => "riscv64gc-unknown-linux-gnu".to_owned(),
            "pulley32" | "pulley64" | "pulley32be" | "pulley64be" => format!("{name}-unknown-none"),
            _ => name.to_owned(),
        };
        let triple = Triple::from_str(&triple).map_err(|error| {
            CompileError::options(format!("target `{name}` is not a target triple: {error}"))
        })?;
        Target::from_triple(triple)
    }

    /// The machine that this process runs on, with the default CPU of its architecture.
    ///
    /// # Errors
    ///
    /// When the architecture has no code generator.
    pub fn host() -> Result<Target> {
        Target::from_triple(Triple::host())
    }

    fn from_triple(triple: Triple) -> Result<Target> {
        let isa = match triple.architecture {
            Architecture::X86_64 | Architecture::X86_64h => Isa::X86_64,
            Architecture::Aarch64(_) => Isa::Aarch64,
            Architecture::Riscv64(_) => Isa::Riscv64,
            Architecture::S390x => Isa::S390x,
            Architecture::Pulley32 | Architecture::Pulley32be => Isa::Pulley32,
            Architecture::Pulley64 | Architecture::Pulley64be => Isa::Pulley64,
            _ => {
                return Err(CompileError::options(format!(
                    "no code generator for the architecture of `{triple}`"
                )));
            }
        };
        let mut target = Target {
            triple,
            isa,
            features: CpuFeatures::default(),
        };
        target.set_cpu(target.default_cpu())?;
        Ok(target)
    }

    /// The name of the CPU that is the default for this architecture.
    pub fn default_cpu(&self) -> &'static str {
        match self.isa {
            Isa::X86_64 => "x86-64-v2",
            _ => "generic",
        }
    }

    /// Chooses a CPU by LLVM's name; `native` is the CPU of this machine.
    ///
    /// # Errors
    ///
    /// When the architecture has no CPU of this name, or `native` is another architecture.
    pub fn set_cpu(&mut self, cpu: &str) -> Result<()> {
        self.features = match (cpu, self.isa) {
            ("native", _) => self.native_features()?,
            ("generic", Isa::X86_64) => CpuFeatures::default(),
            ("generic", isa) => self.named(baseline(isa))?,
            (_, Isa::X86_64) => self.up_to_level(X86_64_LEVELS, cpu)?,
            (_, Isa::S390x) => self.up_to_level(S390X_LEVELS, cpu)?,
            _ => {
                return Err(CompileError::options(format!(
                    "CPU `{cpu}` is not known for {}; use generic or native",
                    self.isa.name()
                )));
            }
        };
        Ok(())
    }

    /// The features of a CPU and of those before it.
    fn up_to_level(&self, levels: &[(&str, &[&str])], cpu: &str) -> Result<CpuFeatures> {
        let level = levels.iter().position(|(name, _)| *name == cpu);
        let level = level.ok_or_else(|| {
            let names: Vec<&str> = levels.iter().map(|(name, _)| *name).collect();
            CompileError::options(format!(
                "CPU `{cpu}` is not known for {}; use generic, {} or native",
                self.isa.name(),
                names.join(", ")
            ))
        })?;
        let mut features = CpuFeatures::default();
        for (_, added) in &levels[..=level] {
            features.0 |= self.named(added)?.0;
        }
        Ok(features)
    }

    /// Adds and removes features: a comma-separated list of `+name` and `-name`, names as LLVM
    /// spells them.
    ///
    /// # Errors
    ///
    /// When an item has no sign or the architecture has no such feature.
    pub fn change_features(&mut self, list: &str) -> Result<()> {
        for item in list
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
        {
            let (add, name) = match item.split_at_checked(1) {
                Some(("+", name)) => (true, name),
                Some(("-", name)) => (false, name),
                _ => {
                    return Err(CompileError::options(format!(
                        "CPU feature `{item}` must begin with + or -"
                    )));
                }
            };
            let bit = self.named(&[name])?.0;
            if !add && self.isa == Isa::S390x && baseline(self.isa).contains(&name) {
                return Err(CompileError::options(format!(
                    "CPU feature `{name}` cannot be removed: all code for {} uses it",
                    self.isa.name()
                )));
            }
            if add {
                self.features.0 |= bit;
            } else {
                self.features.0 &= !bit;
            }
        }
        Ok(())
    }

    fn named(&self, names: &[&str]) -> Result<CpuFeatures> {
        names
            .iter()
            .try_fold(CpuFeatures::default(), |features, name| {
                features.with(self.isa, name).ok_or_else(|| {
                    CompileError::options(format!(
                        "CPU feature `{name}` is not known for {}; it has {}",
                        self.isa.name(),
                        self.isa.features().join(", ")
                    ))
                })
            })
    }

    fn native_features(&self) -> Result<CpuFeatures> {
        if Triple::host().architecture != self.triple.architecture {
            return Err(CompileError::options(format!(
                "CPU `native` needs a target of this machine, not `{}`",
                self.triple
            )));
        }
        let mut builder = isa::lookup(self.triple.clone())
            .map_err(|error| CompileError::options(error.to_string()))?;
        cranelift_native::infer_native_flags(&mut builder)
            .map_err(|error| CompileError::options(error.to_string()))?;
        let isa = builder
            .finish(settings::Flags::new(settings::builder()))
            .map_err(|error| CompileError::options(error.to_string()))?;
        let enabled = isa.isa_flags();
        let enabled = enabled.iter().filter(|value| value.as_bool() == Some(true));
        let names = enabled.filter_map(|value| self.feature_of_setting(value.name));
        let base = match self.isa {
            // Cranelift has no settings for these.
            Isa::S390x => self.named(baseline(self.isa))?,
            _ => CpuFeatures::default(),
        };
        Ok(names.fold(base, |features, name| {
            features.with(self.isa, name).unwrap_or(features)
        }))
    }

    /// Our (LLVM's) name of a Cranelift setting, where it is a CPU feature that we record.
    fn feature_of_setting(&self, setting: &str) -> Option<&'static str> {
        self.isa
            .features()
            .iter()
            .copied()
            .find(|name| setting_of(self.isa, name) == setting)
    }

    /// The triple.
    pub fn triple(&self) -> &Triple {
        &self.triple
    }

    /// The instruction set.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// The CPU features that code may use.
    pub fn features(&self) -> CpuFeatures {
        self.features
    }

    /// Whether code may use this feature, named as LLVM does.
    pub fn has_feature(&self, name: &str) -> bool {
        CpuFeatures::default()
            .with(self.isa, name)
            .is_some_and(|feature| feature.missing_from(self.features).is_empty())
    }

    /// Byte order of the code's accesses.
    pub fn endianness(&self) -> Endianness {
        match self.triple.architecture {
            Architecture::S390x | Architecture::Pulley32be | Architecture::Pulley64be => {
                Endianness::Big
            }
            _ => Endianness::Little,
        }
    }

    /// Whether an operating system with an MMU and signals is there. Of the machine that interprets
    /// bytecode, nothing is known.
    pub fn is_hosted(&self) -> bool {
        !self.isa.is_bytecode()
            && !matches!(
                self.triple.operating_system,
                OperatingSystem::None_ | OperatingSystem::Unknown
            )
    }

    /// Whether Cranelift has a pinned register for the instruction set.
    pub fn has_pinned_register(&self) -> bool {
        matches!(self.isa, Isa::X86_64 | Isa::Aarch64)
    }

    /// The convention for calls between the code and the loader.
    pub fn host_abi(&self) -> HostAbi {
        match self.triple.operating_system {
            _ if self.isa.is_bytecode() => HostAbi::SystemV,
            OperatingSystem::Windows => HostAbi::WindowsFastcall,
            OperatingSystem::Darwin(_) | OperatingSystem::MacOSX(_) if self.isa == Isa::Aarch64 => {
                HostAbi::AppleAarch64
            }
            _ => HostAbi::SystemV,
        }
    }

    /// Whether large frames touch each page that they take. Where a guard page ends the stack, that is
    /// how the end is found; Windows gives the next page of a stack out only when the one above it has
    /// been touched.
    pub(crate) fn touches_stack(&self, checks: StackChecks) -> bool {
        checks == StackChecks::Guard || self.host_abi() == HostAbi::WindowsFastcall
    }

    /// The customary page of hosted systems of this architecture as a power of two; zero on bare
    /// metal, where nothing is mapped.
    pub fn page_size_log2(&self) -> u8 {
        match (self.is_hosted(), self.isa) {
            (false, _) => 0,
            (true, Isa::Aarch64) => 14,
            (true, _) => 12,
        }
    }

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
        if !self.isa.is_bytecode() {
            // Cranelift has no settings for what all code for z/Architecture uses.
            let always = |name: &str| self.isa == Isa::S390x && baseline(self.isa).contains(&name);
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

/// Cranelift's name for a feature that LLVM and we spell otherwise.
fn setting_of(isa: Isa, feature: &str) -> String {
    match (isa, feature) {
        (Isa::X86_64, "cx16") => "has_cmpxchg16b".to_owned(),
        (Isa::X86_64, "bmi") => "has_bmi1".to_owned(),
        (Isa::X86_64, "avxvnni") => "has_avx_vnni".to_owned(),
        (Isa::X86_64, name) => format!("has_{}", name.replace('.', "")),
        (Isa::Aarch64, "bti") => "use_bti".to_owned(),
        (Isa::S390x, "miscellaneous-extensions-3") => "has_mie3".to_owned(),
        (Isa::S390x, "miscellaneous-extensions-4") => "has_mie4".to_owned(),
        (Isa::S390x, "vector-enhancements-2") => "has_vxrs_ext2".to_owned(),
        (Isa::S390x, "vector-enhancements-3") => "has_vxrs_ext3".to_owned(),
        (_, name) => format!("has_{name}"),
    }
}
