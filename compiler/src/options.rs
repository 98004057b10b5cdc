//! The choices a caller makes, each with the default that suits a hosted target.

use precast_format::tunables::{BoundsChecks, RelocationModel, StackChecks, TrapMode};
use wasmparser::WasmFeatures;

use crate::error::{CompileError, Result};
use crate::target::Target;

/// How much time to spend on the code, and to what end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum OptLevel {
    /// No optimisation: the fastest compilation.
    None,
    /// The fastest code.
    #[default]
    Speed,
    /// Fast code, smaller where both are possible.
    Size,
}

/// Which WebAssembly a module may use.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum WasmVersion {
    /// WebAssembly 1.0 with mutable globals.
    V1,
    /// What the proposal for threads was written for: WebAssembly 1.0 with bulk memory operations,
    /// shared memories and atomic instructions.
    Threads,
    /// WebAssembly 2.0.
    V2,
    /// All that this compiler implements of WebAssembly 3.0 and of later proposals.
    #[default]
    Latest,
}

impl WasmVersion {
    /// The features that the validator accepts.
    pub(crate) fn features(self) -> WasmFeatures {
        let v1 = WasmFeatures::WASM1;
        let v2 = WasmFeatures::WASM2;
        match self {
            WasmVersion::V1 => v1,
            WasmVersion::V2 => v2,
            WasmVersion::Threads => v1 | WasmFeatures::BULK_MEMORY | WasmFeatures::THREADS,
            WasmVersion::Latest => {
                v2 | WasmFeatures::EXTENDED_CONST
                    | WasmFeatures::TAIL_CALL
                    | WasmFeatures::MULTI_MEMORY
                    | WasmFeatures::MEMORY64
                    | WasmFeatures::RELAXED_SIMD
                    | WasmFeatures::CUSTOM_PAGE_SIZES
                    | WasmFeatures::THREADS
                    | WasmFeatures::WIDE_ARITHMETIC
                    | WasmFeatures::EXCEPTIONS
                    | WasmFeatures::LEGACY_EXCEPTIONS
                    | WasmFeatures::FUNCTION_REFERENCES
                    // The validator ties recursion groups to garbage collection. What else is in
                    // that is refused by name: see `module/collection.rs`.
                    | WasmFeatures::GC
            }
        }
    }
}

/// How compiled code holds the instance context.
///
/// A choice of the application binary interface inside one artifact; the loader never sees it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ContextRegister {
    /// Cranelift's pinned register, where the instruction set has one.
    Pinned,
    /// The first parameter of every function.
    Parameter,
}

/// Everything that a caller can choose.
#[derive(Clone, Debug)]
pub struct Options {
    /// What machine the code is for.
    pub target: Target,
    /// Optimisation level.
    pub opt_level: OptLevel,
    /// Which WebAssembly is accepted.
    pub wasm: WasmVersion,
    /// How memory accesses are kept in bounds.
    pub bounds_checks: BoundsChecks,
    /// How stack overflow is noticed.
    pub stack_checks: StackChecks,
    /// Whether the pointer of the C stack in linear memory is checked, where the compiler knows the
    /// stack's bounds.
    pub aux_stack_checks: bool,
    /// Whether code looks for interruptions, at the start of functions and loops. `None` is where the
    /// module has a shared memory: such programs have several threads, of which one may have to stop
    /// the others.
    pub interrupt_checks: Option<bool>,
    /// How traps are raised.
    pub trap_mode: TrapMode,
    /// How text refers to the loader.
    pub relocation_model: RelocationModel,
    /// Page size of the device as a power of two, to which text and initial memory are aligned in
    /// the artifact; zero packs them. `None` is the target's customary page.
    pub page_size_log2: Option<u8>,
    /// Threads to compile with; `None` is one for each core. The result does not depend on it.
    pub threads: Option<usize>,
    /// Whether function names go into the artifact.
    pub names: bool,
    /// Whether the addresses of calls are kept, which backtraces need for wasm offsets.
    pub call_sites: bool,
    /// Whether code counts the calls of each function, and the time in it. Code becomes larger and
    /// slower; nothing is inlined, moved or left out for it.
    pub call_profile: bool,
    /// Whether the host can hand its functions to the program without an import: in a table, a global, or
    /// as an argument. Adds an adapter for each type of functions, of 100 to 200 bytes.
    pub host_references: bool,
    /// Whether the stack depth of every function is kept, from which paths can be told; those of
    /// exports always are.
    pub function_depths: bool,
    /// The largest stack region, in bytes, on which every export and the start function have to be
    /// proved to fit; a module that cannot be is refused with the reason.
    pub max_stack: Option<u64>,
    /// Whether custom sections of the module are carried through. Debug sections never are.
    pub custom_sections: bool,
    /// Whether an explicitly checked access is also masked against speculation (Spectre variant 1).
    /// Costs about 30 % where bounds checks are explicit; without effect elsewhere.
    pub heap_spectre_guard: bool,
    /// Whether every NaN that arithmetic produces is the canonical one.
    pub canonicalize_nans: bool,
    /// Whether memory 0 is cut to what the program needs: `__heap_base` bytes. A module that may
    /// use more is refused with the reason.
    pub shrink_memory: bool,
    /// Address space that a guarded memory reserves, in bytes, without its guard.
    pub memory_reservation: u64,
    /// Inaccessible address space after the reservation, in bytes.
    pub memory_guard: u64,
    /// Twice the largest frame that a function may take before its stack is checked, in bytes: a
    /// function with a larger frame is checked before. The artifact records what the code uses.
    pub stack_reserve: u32,
    /// Where the context is held; `None` is what measured best for the instruction set.
    pub context_register: Option<ContextRegister>,
    /// Whether what debuggers need for walking the stack is kept for object files. Code is the same.
    pub unwind_info: bool,
    /// Whether Cranelift verifies its input; for developers.
    pub verify: bool,
}

impl Options {
    /// The default options for a target: speed, guard pages and signals where the operating system
    /// has them, explicit checks on bare metal. Bytecode has trapping instructions everywhere, and
    /// explicit checks of memory and stack.
    pub fn new(target: Target) -> Options {
        let hosted = target.is_hosted();
        Options {
            bounds_checks: if hosted {
                BoundsChecks::Guard
            } else {
                BoundsChecks::Explicit
            },
            trap_mode: if hosted || target.isa().is_bytecode() {
                TrapMode::Signals
            } else {
                TrapMode::Explicit
            },
            target,
            opt_level: OptLevel::Speed,
            wasm: WasmVersion::Latest,
            stack_checks: StackChecks::Explicit,
            aux_stack_checks: true,
            interrupt_checks: None,
            relocation_model: RelocationModel::Xip,
            page_size_log2: None,
            threads: None,
            names: true,
            call_sites: true,
            call_profile: false,
            host_references: false,
            function_depths: true,
            max_stack: None,
            custom_sections: true,
            heap_spectre_guard: false,
            canonicalize_nans: false,
            shrink_memory: false,
            memory_reservation: 4 << 30,
            memory_guard: 32 << 20,
            stack_reserve: 16 << 10,
            context_register: None,
            unwind_info: false,
            verify: cfg!(debug_assertions),
        }
    }

    /// Refuses what the target's code cannot do.
    ///
    /// # Errors
    ///
    /// When bytecode is to rely on guard pages: nobody catches the faults of an interpreter.
    pub(crate) fn check(&self) -> Result<()> {
        let isa = self.target.isa();
        let bounds = self.bounds_checks == BoundsChecks::Guard;
        let stack = self.stack_checks == StackChecks::Guard;
        let checks = match (isa.is_bytecode(), bounds, stack) {
            (true, true, _) => "bounds checks",
            (true, _, true) => "stack checks",
            _ => return Ok(()),
        };
        Err(CompileError::options(format!(
            "{checks} by guard pages need code that the processor runs, and that of {} is interpreted; \
             use `explicit` or `none`",
            isa.name()
        )))
    }

    /// How text refers to the loader after defaults are applied: bytecode has nothing to patch.
    pub fn relocation_model(&self) -> RelocationModel {
        if self.target.isa().is_bytecode() {
            RelocationModel::Xip
        } else {
            self.relocation_model
        }
    }

    /// How many threads compile: as many as the options say, else as the machine has.
    pub(crate) fn thread_count(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.unwrap_or_else(cores)
    }

    /// The page size as a power of two after defaults are applied.
    pub fn page_size_log2(&self) -> u8 {
        self.page_size_log2
            .unwrap_or_else(|| self.target.page_size_log2())
    }

    /// Where the context is held after defaults are applied.
    pub fn context_register(&self) -> ContextRegister {
        match self.context_register {
            Some(ContextRegister::Pinned) if self.target.has_pinned_register() => {
                ContextRegister::Pinned
            }
            Some(_) => ContextRegister::Parameter,
            None if self.target.has_pinned_register() => ContextRegister::Pinned,
            None => ContextRegister::Parameter,
        }
    }
}
