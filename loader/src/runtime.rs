//! The runtime: what all modules and instances on a device share.
//!
//! It knows where memory comes from, what the device offers, which function types are in use, and
//! it holds the signal handlers for as long as it lives.

use core::fmt;
use core::mem::MaybeUninit;

use precast_format::target::{CpuFeatures, Endianness, HostAbi, Isa};

use crate::alloc::{Allocator, Category, CustomAllocator, OutOfMemory, PoolUsage, Shared, Usage};
use crate::call::error::StackError;
use crate::call::exec_env::{ExecutionEnvironment, Stack};
use crate::code::CodeMemory;
use crate::error::LoadError;
use crate::facility::{GuardPages, Signals};
use crate::module::Module;
use crate::open::Source;
use crate::open::trust::{Proof, Trust};
use crate::sys::lock::Lock;
use crate::trap::signals::SignalHandlers;
use crate::types::TypeRegistry;

/// What a loader is told about the device that it runs on, where the default does not fit.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RuntimeOptions {
    /// Whether memories may rely on reserved address space and page protection.
    pub guard_pages: bool,
    /// Whether hardware faults may be caught by signal handlers.
    pub signals: bool,
    /// The CPU's features; `None` asks the CPU.
    pub cpu_features: Option<CpuFeatures>,
    /// Whether a runtime that lives in a pool may have memories with guard pages all the same. Their
    /// address space is reserved from the platform, and their bytes are then not the pool's. Not
    /// allowed by default: such artifacts are refused. Other runtimes do not ask.
    pub platform_mappings: bool,
    /// Where code is kept.
    pub code_memory: CodeMemory,
    /// Functions that provide linear memories instead of the runtime's allocator, and nothing else:
    /// for hosts with memory of several kinds. Their bytes are counted with the runtime's. Reserved
    /// address space of memories with guard pages is the platform's all the same.
    pub linear_memory: Option<CustomAllocator>,
}

impl Default for RuntimeOptions {
    /// What this system offers.
    fn default() -> RuntimeOptions {
        RuntimeOptions {
            guard_pages: crate::sys::HAS_GUARD_PAGES && GuardPages::IS_BUILT_IN,
            signals: crate::sys::HAS_SIGNALS && Signals::IS_BUILT_IN,
            cpu_features: None,
            platform_mappings: false,
            code_memory: CodeMemory::platform(),
            linear_memory: None,
        }
    }
}

impl RuntimeOptions {
    /// The options with guard pages allowed or not.
    pub fn guard_pages(mut self, available: bool) -> RuntimeOptions {
        self.guard_pages = available;
        self
    }

    /// The options with signal handlers allowed or not.
    pub fn signals(mut self, available: bool) -> RuntimeOptions {
        self.signals = available;
        self
    }

    /// The options with the CPU's features given.
    pub fn cpu_features(mut self, features: CpuFeatures) -> RuntimeOptions {
        self.cpu_features = Some(features);
        self
    }

    /// The options with memories outside of the pool allowed or not.
    pub fn platform_mappings(mut self, allowed: bool) -> RuntimeOptions {
        self.platform_mappings = allowed;
        self
    }

    /// The options with code in memory of the host's choice.
    pub fn code_memory(mut self, memory: CodeMemory) -> RuntimeOptions {
        self.code_memory = memory;
        self
    }

    /// The options with linear memories from functions of the host.
    pub fn linear_memory(mut self, functions: CustomAllocator) -> RuntimeOptions {
        self.linear_memory = Some(functions);
        self
    }
}

/// What the device offers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
// As many bytes on 32-bit x86, whose 64-bit numbers are aligned to four, as everywhere else.
#[repr(align(8))]
pub struct Device {
    /// Instruction set of native code; the bytecode's where there is no native code for the device.
    pub isa: Isa,
    /// The bytecode that the loader interprets, if it was built with an interpreter.
    pub bytecode: Option<Isa>,
    /// Byte order.
    pub endianness: Endianness,
    /// Calling convention between compiled code and the loader.
    pub host_abi: HostAbi,
    /// Features of the CPU.
    pub cpu_features: CpuFeatures,
    /// Page size in bytes; 1 where there is no memory management unit.
    pub page_size: u64,
    /// Whether memories may rely on reserved address space and page protection.
    pub guard_pages: bool,
    /// Whether hardware faults are caught.
    pub signals: bool,
}

/// The bytecode with pointers of this machine, if there is an interpreter.
const BYTECODE: Option<Isa> = match (cfg!(feature = "pulley"), size_of::<usize>()) {
    (false, _) => None,
    (true, 4) => Some(Isa::Pulley32),
    (true, _) => Some(Isa::Pulley64),
};

/// The byte order of this machine.
const ENDIANNESS: Endianness = match u16::from_ne_bytes([1, 0]) {
    1 => Endianness::Little,
    _ => Endianness::Big,
};

struct Inner {
    allocator: Allocator,
    /// Where linear memories come from, if not from the allocator.
    linear_memory: Option<Allocator>,
    code_memory: CodeMemory,
    device: Device,
    types: Lock<TypeRegistry>,
    /// Held from the first module on that needs them.
    signals: Lock<Option<SignalHandlers>>,
}

/// A runtime. Clones are handles to the same one.
#[derive(Clone)]
pub struct Runtime(Shared<Inner>);

impl Runtime {
    /// A runtime on the system's allocator, with what this device offers.
    pub fn system() -> Result<Runtime, OutOfMemory> {
        Runtime::system_with(RuntimeOptions::default())
    }

    /// A runtime on the system's allocator.
    pub fn system_with(options: RuntimeOptions) -> Result<Runtime, OutOfMemory> {
        Runtime::with_allocator(Allocator::system()?, options)
    }

    /// A runtime on functions of the host.
    pub fn custom(
        functions: CustomAllocator,
        options: RuntimeOptions,
    ) -> Result<Runtime, OutOfMemory> {
        Runtime::with_allocator(Allocator::custom(functions)?, options)
    }

    /// A runtime that lives in a region of the host's, with its linear memories.
    ///
    /// It accepts artifacts with explicit bounds checks, unless
    /// [`RuntimeOptions::platform_mappings`] says more.
    pub fn with_pool(
        region: &'static mut [MaybeUninit<u8>],
        options: RuntimeOptions,
    ) -> Result<Runtime, OutOfMemory> {
        Runtime::with_allocator(Allocator::pool(region)?, options)
    }

    /// A runtime that takes all its memory from the allocator.
    pub fn with_allocator(
        allocator: Allocator,
        options: RuntimeOptions,
    ) -> Result<Runtime, OutOfMemory> {
        let may_map = options.platform_mappings || allocator.pool_usage().is_none();
        let device = Device {
            isa: crate::sys::isa::ISA,
            bytecode: BYTECODE,
            endianness: ENDIANNESS,
            host_abi: crate::sys::cpu::HOST_ABI,
            cpu_features: options
                .cpu_features
                .unwrap_or_else(crate::sys::cpu::features),
            page_size: crate::sys::page_size() as u64,
            guard_pages: options.guard_pages && may_map && GuardPages::IS_BUILT_IN,
            signals: options.signals && Signals::IS_BUILT_IN,
        };
        let linear_memory = match options.linear_memory {
            Some(functions) => Some(allocator.beside(functions)?),
            None => None,
        };
        let types = Lock::new(TypeRegistry::new());
        let signals = Lock::new(None);
        let inner = Inner {
            allocator: allocator.clone(),
            linear_memory,
            code_memory: options.code_memory,
            device,
            types,
            signals,
        };
        Ok(Runtime(Shared::new(&allocator, Category::Runtime, inner)?))
    }

    /// The layout of a runtime's own block.
    #[cfg(feature = "plan")]
    pub(crate) const fn layout() -> core::alloc::Layout {
        Shared::<Inner>::layout()
    }

    /// What the device offers, as the runtime was told.
    pub fn device(&self) -> &Device {
        &self.0.device
    }

    /// Where calls into instances of the runtime have their native stack: see
    /// [`ExecutionEnvironment::new`].
    pub fn execution_environment<'a>(
        &self,
        stack: Stack<'a>,
    ) -> Result<ExecutionEnvironment<'a>, StackError> {
        ExecutionEnvironment::new(self, stack)
    }

    /// Bytes that the runtime and everything made from it take for a purpose, now and at most.
    pub fn usage(&self, category: Category) -> Usage {
        self.0.allocator.usage(category)
    }

    /// How full the runtime's pool is, if it lives in one.
    pub fn pool_usage(&self) -> Option<PoolUsage> {
        self.0.allocator.pool_usage()
    }

    /// Loads an artifact that is signed by one of the keys.
    pub fn load<'a>(
        &self,
        source: impl Into<Source<'a>>,
        trust: Trust<'_>,
    ) -> Result<Module, LoadError> {
        Module::load(self, source.into(), Proof::Signature(trust))
    }

    /// Loads an artifact without asking who made it.
    ///
    /// The artifact is checked as any other: malformed bytes and unmet requirements are errors.
    ///
    /// # Safety
    ///
    /// The machine code in the artifact is what the Precast compiler made of a WebAssembly module.
    /// Running any other code can do anything that the process can do. A source that is mapped
    /// from a file must not change while the module lives.
    pub unsafe fn load_unverified<'a>(
        &self,
        source: impl Into<Source<'a>>,
    ) -> Result<Module, LoadError> {
        Module::load(self, source.into(), Proof::VouchedFor)
    }

    /// Sees to it that hardware faults are caught for as long as the runtime lives.
    pub(crate) fn catch_faults(&self) -> Result<(), LoadError> {
        let mut signals = self.0.signals.lock();
        if signals.is_none() {
            let acquired = SignalHandlers::acquire();
            *signals =
                Some(acquired.map_err(|error| LoadError::SignalHandlers { os_error: error.0 })?);
        }
        Ok(())
    }

    /// Loads an artifact that the user of a command named, which is how a user says that it may
    /// run. The promise of [`Runtime::load_unverified`] is the user's.
    ///
    /// For programs that are nothing but a command; whoever embeds the loader states its trust.
    #[cfg(feature = "command")]
    pub fn load_named_by_user<'a>(
        &self,
        source: impl Into<Source<'a>>,
    ) -> Result<Module, LoadError> {
        Module::load(self, source.into(), Proof::VouchedFor)
    }

    /// The runtime's allocator, for crates that keep state of their own in its memory: the
    /// containers of [`crate::alloc`] take it, each with the [`Category`] that is then charged.
    pub fn allocator(&self) -> &Allocator {
        &self.0.allocator
    }

    /// Where linear memories come from.
    pub(crate) fn linear_memory(&self) -> &Allocator {
        let functions = self.0.linear_memory.as_ref();
        functions.unwrap_or(&self.0.allocator)
    }

    /// Where code is kept.
    pub(crate) fn code_memory(&self) -> &CodeMemory {
        &self.0.code_memory
    }

    pub(crate) fn types(&self) -> &Lock<TypeRegistry> {
        &self.0.types
    }

    /// Whether two handles are to the same runtime.
    pub fn is_same(&self, other: &Runtime) -> bool {
        Shared::is_same(&self.0, &other.0)
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("device", &self.0.device)
            .finish_non_exhaustive()
    }
}
