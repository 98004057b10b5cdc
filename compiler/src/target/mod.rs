//! The machine that code is made for: a triple, a CPU and its features.
//!
//! Names are in `names`, CPUs in `cpus`, their features in `features`; `support` says what a target
//! can do, and `cranelift` turns all of that into settings of the code generator.

mod cpus;
mod cranelift;
mod features;
mod names;
mod nearest;
mod support;

use precast_format::target::{CpuFeatures, Endianness, HostAbi, Isa};
use precast_format::tunables::StackChecks;
use target_lexicon::{Architecture, OperatingSystem, Triple};

use crate::error::{CompileError, Result};

pub(crate) use cranelift::STACK_PROBE;
pub use names::{ALIASES, Alias, KNOWN, KnownTarget, Tested};
pub use support::Support;

/// A target triple with the CPU features that code for it may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    triple: Triple,
    isa: Isa,
    /// The machine that interprets the code, where one was named.
    machine: Option<Triple>,
    features: CpuFeatures,
}

impl Target {
    /// The target of a triple such as `aarch64-unknown-linux-gnu` or a short name such as
    /// `aarch64`, with its default CPU. A machine without a code generator, such as
    /// `thumbv7em-none-eabihf`, means the bytecode that is interpreted there; [`Target::note`] says so.
    ///
    /// # Errors
    ///
    /// When the name is not known, or nothing of ours runs on such machines.
    pub fn new(name: &str) -> Result<Target> {
        Target::from_meaning(names::find(name)?)
    }

    /// The machine that this process runs on, with the default CPU of its architecture.
    ///
    /// # Errors
    ///
    /// When nothing of ours runs on it.
    pub fn host() -> Result<Target> {
        Target::from_meaning(names::of(Triple::host())?)
    }

    fn from_meaning(meaning: names::Meaning) -> Result<Target> {
        let mut target = Target {
            triple: meaning.triple,
            isa: meaning.isa,
            machine: meaning.machine,
            features: CpuFeatures::default(),
        };
        target.set_cpu(target.default_cpu())?;
        Ok(target)
    }

    /// What the user of the name should know: that a machine stands for bytecode.
    pub fn note(&self) -> Option<String> {
        let machine = self.machine.as_ref()?;
        Some(format!(
            "{machine} interprets: the artifact is bytecode for {}, which every loader with {}-bit \
             pointers and {}-endian data runs",
            self.isa.name(),
            8 * self.isa.pointer_width().bytes(),
            self.endianness().name(),
        ))
    }

    /// The name of the CPU that is the default for this architecture.
    pub fn default_cpu(&self) -> &'static str {
        cpus::default(self.isa)
    }

    /// The names of the CPUs of this architecture, and what each may use. `native` is no name of the
    /// list: it is the CPU of the machine that compiles.
    pub fn cpus(&self) -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
        let isa = self.isa;
        let features = move |name| cpus::features(isa, name).unwrap_or_default();
        cpus::all(isa)
            .iter()
            .map(move |cpu| (cpu.name, features(cpu.name)))
    }

    /// Chooses a CPU by LLVM's name; `native` is the CPU of this machine.
    ///
    /// # Errors
    ///
    /// When the architecture has no CPU of this name, or `native` is another architecture.
    pub fn set_cpu(&mut self, cpu: &str) -> Result<()> {
        if cpu == "native" {
            self.features = self.native_features()?;
            return Ok(());
        }
        let features = cpus::features(self.isa, cpu).ok_or_else(|| {
            let names = cpus::all(self.isa).iter().map(|cpu| cpu.name);
            let suggestion = nearest::suggestion(cpu, names.chain(["native"]));
            CompileError::options(format!(
                "CPU `{cpu}` is not known for {}{suggestion}; `precast targets {}` lists them",
                self.isa.name(),
                self.isa.name()
            ))
        })?;
        self.features = self.named(&features)?;
        Ok(())
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

    /// The machine that interprets the code, where one was named.
    pub fn machine(&self) -> Option<&Triple> {
        self.machine.as_ref()
    }

    /// Whether the code is bytecode, which the loader interprets.
    pub fn is_bytecode(&self) -> bool {
        self.isa.is_bytecode()
    }

    /// Byte order of the code's accesses to its own data.
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
        let bare = matches!(
            self.triple.operating_system,
            OperatingSystem::None_ | OperatingSystem::Unknown
        );
        !self.is_bytecode() && !bare
    }

    /// Whether Cranelift has a pinned register for the instruction set.
    pub fn has_pinned_register(&self) -> bool {
        matches!(self.isa, Isa::X86_64 | Isa::Aarch64)
    }

    /// The convention for calls between the code and the loader.
    pub fn host_abi(&self) -> HostAbi {
        match self.triple.operating_system {
            _ if self.is_bytecode() => HostAbi::SystemV,
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
}
