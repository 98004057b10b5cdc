//! How compiled code meets the loader: signatures, the context, adapters and libcalls.
//!
//! The rules are those of `precast_format::context` and `precast_format::libcall`; this folder
//! turns them into CLIF.

mod callee;
mod context;
mod exception;
mod libcall;
mod probe;
mod signature;
mod trampoline;

pub(crate) use callee::Callee;
pub(crate) use context::{ContextAccess, flags};
pub(crate) use exception::Clause;
pub(crate) use libcall::{call_libcall, libcall, raise, throw};
pub(crate) use probe::probe_stack;
pub(crate) use trampoline::{entry_trampoline, host_adapter, switch_adapter};

use std::sync::atomic::{AtomicU64, Ordering};

use cranelift_codegen::ir::{self, UserExternalName};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig, TargetIsa};
use precast_format::context::{ContextCounts, ContextLayout, PointerWidth};
use precast_format::libcall::Libcall;
use precast_format::target::Isa;
use precast_format::tunables::{RelocationModel, StackChecks, TrapMode};

use crate::error::{CompileError, Result};
use crate::module::Module;
use crate::options::{ContextRegister, Options};

/// Namespace of defined functions in external names; the index is the function index.
pub(crate) const NAMESPACE_FUNCTION: u32 = 0;
/// Namespace of libcalls; the index is the libcall's.
pub(crate) const NAMESPACE_LIBCALL: u32 = 1;
/// Namespace of the bodies of functions whose stack check is a stub in front of them.
pub(crate) const NAMESPACE_BODY: u32 = 2;
/// Namespace of the one name by which bytecode calls the entries of host objects.
pub(crate) const NAMESPACE_HOST_ENTRY: u32 = 3;

/// The conventions that hold in one artifact.
pub(crate) struct Abi {
    /// The instruction set.
    pub isa: Isa,
    /// The type of pointers and references.
    pub pointer: ir::Type,
    /// Size of a pointer.
    pub width: PointerWidth,
    /// Where the context is held.
    pub context_register: ContextRegister,
    /// The convention between compiled code and the loader.
    pub host_call_conv: CallConv,
    /// Whether code is interpreted: what the loader's is has numbers there, and no addresses.
    pub is_bytecode: bool,
    /// How libcalls are reached in native code.
    pub relocation_model: RelocationModel,
    /// How traps are raised.
    pub trap_mode: TrapMode,
    /// How stack overflow is noticed.
    pub stack_checks: StackChecks,
    /// Where everything is in the context.
    pub layout: ContextLayout,
    /// What Cranelift's frontend wants to know of the target.
    pub frontend: TargetFrontendConfig,
    libcalls: AtomicU64,
}

impl Abi {
    /// The conventions for a module under these options.
    ///
    /// # Errors
    ///
    /// When the module's context would exceed 2 GiB.
    pub fn new(
        module: &Module<'_>,
        function_records: usize,
        options: &Options,
        isa: &dyn TargetIsa,
    ) -> Result<Abi> {
        let counts = ContextCounts {
            imported_memories: module.imported_memories,
            defined_memories: module.memories.len() as u32 - module.imported_memories,
            imported_globals: module.imported_globals,
            defined_globals: module.globals.len() as u32 - module.imported_globals,
            imported_tables: module.imported_tables,
            defined_tables: module.tables.len() as u32 - module.imported_tables,
            imported_functions: module.imported_functions,
            function_records: function_records as u32,
            imported_tags: module.imported_tags,
            defined_tags: module.tags.len() as u32 - module.imported_tags,
        };
        let width = options.target.isa().pointer_width();
        let layout = ContextLayout::new(width, counts)
            .ok_or_else(|| CompileError::limit("the instance context would exceed 2 GiB"))?;
        Ok(Abi {
            isa: options.target.isa(),
            pointer: isa.pointer_type(),
            width,
            context_register: options.context_register(),
            host_call_conv: CallConv::triple_default(isa.triple()),
            is_bytecode: options.target.isa().is_bytecode(),
            relocation_model: options.relocation_model(),
            trap_mode: options.trap_mode,
            stack_checks: options.stack_checks,
            layout,
            frontend: isa.frontend_config(),
            libcalls: AtomicU64::new(0),
        })
    }

    /// Remembers that code calls this libcall. Functions are translated on several threads.
    fn note_libcall(&self, libcall: Libcall) {
        self.libcalls
            .fetch_or(1 << libcall as u64, Ordering::Relaxed);
    }

    /// The libcalls that code calls, as a set of bits.
    pub fn libcalls_used(&self) -> u64 {
        self.libcalls.load(Ordering::Relaxed)
    }

    /// The external name of something in the text or the loader.
    pub fn name(namespace: u32, index: u32) -> UserExternalName {
        UserExternalName { namespace, index }
    }
}
