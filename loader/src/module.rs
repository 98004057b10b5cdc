//! Modules: an artifact that has been checked, mapped and linked, ready to be instantiated.
//!
//! A [`Module`] is the last of a chain of types, each made from the one before it alone:
//! bytes -> [`Artifact`] (well formed) -> [`LinkPlan`] (fits this device; every relocation in
//! range) -> writable code -> executable code -> module.

mod exports;
mod functions;
mod stack;
mod types;

use core::fmt;
use core::ops::Range;

use precast_format::Artifact;
use precast_format::tunables::StackChecks;
use precast_format::types::{ExternKind, GlobalType, ImportType, TableType};

use crate::alloc::{Category, Shared};
use crate::call::error::CallError;
use crate::call::exec_env::{ExecutionEnvironment, Stack};
use crate::code::ExecutableCode;
use crate::error::LoadError;
use crate::facility::{Exceptions, Signals};
use crate::instance::create;
use crate::instance::error::InstantiateError;
use crate::instance::import::Imports;
use crate::instance::interrupt::Interrupter;
use crate::instance::{Instance, InstanceOptions};
use crate::link::plan::LinkPlan;
use crate::link::requirements::relies_on_faults;
use crate::open::file::FileMapping;
use crate::open::statics::StaticModule;
use crate::open::trust::Proof;
use crate::open::{ArtifactBytes, ArtifactUsage, OpenBytes, Source};
use crate::runtime::Runtime;
use crate::sys::lock::Lock;
use crate::trap::signals::registry::Registration;
use crate::types::{ExternType, FuncType};

pub use functions::FunctionCode;
pub use stack::StackDepth;
pub(crate) use types::ModuleTypes;
pub(crate) use types::is_grouped;

/// A loaded module. Clones are handles to the same one.
#[derive(Clone)]
pub struct Module(Shared<Inner>);

/// The fields are dropped in this order; the artifact borrows from the bytes.
struct Inner {
    /// Lets faults in `code` be looked up in the trap table; there if the code traps by faults.
    /// It points at `artifact`, and is therefore made when that does not move any more.
    registration: Lock<Option<Registration>>,
    types: ModuleTypes,
    /// The memory exported as `memory`, else memory 0: host functions ask for it at each call.
    main_memory: u32,
    /// Whether globals, tables or segments can hold references to exceptions.
    has_exception_roots: bool,
    code: ExecutableCode,
    /// Borrows from `bytes`; never handed out with this lifetime.
    artifact: Artifact<'static>,
    /// Keeps what `artifact` borrows from.
    bytes: ArtifactBytes,
    runtime: Runtime,
}

impl Module {
    /// Goes the whole way from a source to a module.
    pub(crate) fn load(
        runtime: &Runtime,
        source: Source<'_>,
        proof: Proof<'_>,
    ) -> Result<Module, LoadError> {
        let bytes = OpenBytes::open(runtime, source, &proof)?;
        proof.check(bytes.as_slice())?;
        let artifact = bytes.parse()?;
        let code = LinkPlan::new(runtime, &artifact)?.publish(runtime, &bytes)?;
        let outline = artifact.outline();
        let kept = match &code {
            Some(code) if code.is_in_place() => bytes.as_slice().len(),
            Some(_) => outline.resident_size(),
            None => artifact.size_to_text(),
        };
        let bytes = bytes.settle(runtime, kept)?;
        // SAFETY: `bytes` does not move or change what it refers to, and it goes into the same
        // value as the artifact, whose fields are dropped before it.
        let file: &'static [u8] = unsafe { &*core::ptr::from_ref(bytes.as_slice()) };
        // They are the first bytes of those that were checked.
        let artifact = outline.over(file).ok_or(LoadError::File { os_error: 0 })?;
        let code = match code {
            Some(code) => code,
            None => ExecutableCode::bytecode(runtime.allocator(), artifact.text()),
        };
        let types = ModuleTypes::new(runtime, &artifact)?;
        let exported = artifact.exports().lookup("memory");
        let exported = exported.filter(|export| export.kind == ExternKind::Memory);
        let main_memory = exported.map_or(0, |export| export.index);
        let inner = Inner {
            registration: Lock::new(None),
            types,
            main_memory,
            has_exception_roots: Exceptions::IS_BUILT_IN && has_exception_roots(&artifact),
            code,
            artifact,
            bytes,
            runtime: runtime.clone(),
        };
        let inner = Shared::new(runtime.allocator(), Category::Module, inner)?;
        *inner.registration.lock() = register_traps(&inner)?;
        Ok(Module(inner))
    }

    /// A module that is linked into the program: what `precast compile --emit object` wrote.
    ///
    /// It is checked as any artifact. Nothing is mapped, copied or relocated for it: the code runs in
    /// the program's own text, and the tables are read where they lie. The runtime's allocator gives
    /// what every module takes beside its artifact, and nothing else is allocated.
    ///
    /// It needs no signature and no `unsafe`: a [`StaticModule`] is made by the linker, and what is
    /// linked is trusted as much as the program.
    pub fn from_static(
        runtime: &Runtime,
        module: &'static StaticModule,
    ) -> Result<Module, LoadError> {
        Module::load(runtime, Source::linked(module), Proof::VouchedFor)
    }

    /// The layout of a module's own block.
    #[cfg(feature = "plan")]
    pub(crate) const fn layout() -> core::alloc::Layout {
        Shared::<Inner>::layout()
    }

    /// Makes an instance, with everything that the module imports. The start function runs on the
    /// caller's stack.
    pub fn instantiate(
        &self,
        imports: &Imports,
        options: InstanceOptions,
    ) -> Result<Instance, InstantiateError> {
        let environment =
            ExecutionEnvironment::new(self.runtime(), Stack::Caller).map_err(CallError::from)?;
        create::instantiate(self, imports, &options, environment.stack(), None)
    }

    /// As [`Module::instantiate`]; the start function runs in the environment.
    pub fn instantiate_in(
        &self,
        environment: &mut ExecutionEnvironment<'_>,
        imports: &Imports,
        options: InstanceOptions,
    ) -> Result<Instance, InstantiateError> {
        create::instantiate(self, imports, &options, environment.stack(), None)
    }

    /// As [`Module::instantiate`]; `give` gets what interrupts the instance, before any of its code
    /// runs, so that a start function can be stopped.
    pub fn instantiate_interruptible(
        &self,
        imports: &Imports,
        options: InstanceOptions,
        mut give: impl FnMut(Interrupter),
    ) -> Result<Instance, InstantiateError> {
        let environment =
            ExecutionEnvironment::new(self.runtime(), Stack::Caller).map_err(CallError::from)?;
        let stack = environment.stack();
        create::instantiate(self, imports, &options, stack, Some(&mut give))
    }

    /// The module's name from its name section.
    pub fn name(&self) -> Option<&str> {
        self.artifact().module_name()
    }

    /// Whether two handles are to the same module.
    pub fn is_same(&self, other: &Module) -> bool {
        Shared::is_same(&self.0, &other.0)
    }

    /// The runtime that loaded the module.
    pub fn runtime(&self) -> &Runtime {
        &self.0.runtime
    }

    /// Whether the code is interpreted.
    pub(crate) fn is_bytecode(&self) -> bool {
        self.artifact().header().isa.is_bytecode()
    }

    /// Whether faults of the code are traps.
    pub(crate) fn relies_on_faults(&self) -> bool {
        Signals::IS_BUILT_IN && relies_on_faults(self.artifact())
    }

    /// Whether running out of stack is noticed by a fault, whose handler needs a stack of its own.
    pub(crate) fn guards_stack(&self) -> bool {
        Signals::IS_BUILT_IN && self.artifact().header().tunables.stack_checks == StackChecks::Guard
    }

    /// Where the bytes of the artifact are, and how many of them loading gave back.
    pub fn artifact_usage(&self) -> ArtifactUsage {
        self.0.bytes.usage()
    }

    /// The artifact. Text and relocations have been left behind, unless the code runs in place.
    pub fn artifact(&self) -> &Artifact<'_> {
        // The lifetime shrinks to that of the borrow.
        &self.0.artifact
    }

    /// What the module imports: module name, name, type, in the module's order.
    pub fn imports(&self) -> impl Iterator<Item = (&str, &str, ExternType)> {
        self.artifact()
            .imports()
            .into_iter()
            .map(|import| (import.module, import.name, self.import_type(&import.ty)))
    }

    /// Whether instantiating the module runs a function of it.
    pub fn has_start_function(&self) -> bool {
        self.artifact().start_function().is_some()
    }

    /// The function with this index in the name section, imports first.
    pub fn function_name(&self, index: u32) -> Option<&str> {
        self.artifact().function_name(index)
    }

    /// Whether the code counts calls and time per function: see
    /// [`Instance::call_profile`](crate::Instance::call_profile).
    pub fn counts_calls(&self) -> bool {
        self.artifact().header().tunables.call_profile
    }

    /// Module name and name of an imported function; `None` for a defined one.
    pub fn imported_function(&self, index: u32) -> Option<(&str, &str)> {
        let import = self.artifact().import_of(ExternKind::Function, index)?;
        Some((import.module, import.name))
    }

    /// The type with an index that the artifact uses.
    pub(crate) fn func_type(&self, index: u32) -> &FuncType {
        self.0.types.get(index)
    }

    /// The function types by the module's indices.
    pub(crate) fn types(&self) -> &ModuleTypes {
        &self.0.types
    }

    /// The memory that a host function of the caller's kind expects: the one that is exported as
    /// `memory`, else memory 0.
    pub(crate) fn main_memory(&self) -> u32 {
        self.0.main_memory
    }

    /// Whether globals, tables or segments of an instance can hold references to exceptions.
    pub(crate) fn has_exception_roots(&self) -> bool {
        self.0.has_exception_roots
    }

    /// The addresses of the text.
    pub(crate) fn text(&self) -> Range<usize> {
        self.0.code.range()
    }

    /// The bytes at addresses of the text; none of what is not.
    #[cfg(feature = "profiling")]
    pub(crate) fn code_bytes(&self, addresses: &Range<usize>) -> &[u8] {
        let start = self.text().start;
        let offsets = addresses.start.wrapping_sub(start)..addresses.end.wrapping_sub(start);
        self.0.code.bytes().get(offsets).unwrap_or_default()
    }

    /// The address of code at an offset of the text, which the reader has checked.
    pub(crate) fn code_address(&self, offset: u32) -> usize {
        self.0.code.range().start.wrapping_add(offset as usize)
    }

    /// The entry trampoline for functions of a type, if the artifact has one.
    pub(crate) fn entry_trampoline(&self, type_index: u32) -> Option<*const u8> {
        let offset = self.0.types.trampoline(type_index)?;
        self.0.code.address(offset)
    }

    /// Stack below the limit on which code may rely without asking.
    pub(crate) fn stack_reserve(&self) -> usize {
        self.artifact().header().tunables.stack_reserve as usize
    }

    /// The artifact's file, if it was mapped.
    pub(crate) fn file_mapping(&self) -> Option<&FileMapping> {
        self.0.bytes.file()
    }

    /// The type of an import.
    pub(crate) fn import_type(&self, import: &ImportType) -> ExternType {
        match *import {
            ImportType::Function(index) => ExternType::Function(self.func_type(index).clone()),
            ImportType::Table(table) => ExternType::Table(self.table_type(table)),
            ImportType::Memory(memory) => ExternType::Memory(memory),
            ImportType::Global(global) => ExternType::Global(self.global_type(global)),
            ImportType::Tag(index) => ExternType::Tag(self.func_type(index).clone()),
        }
    }

    /// A table's type of the artifact as the runtime has it.
    pub(crate) fn table_type(&self, mut table: TableType) -> TableType {
        table.element = self.0.types.value_type(table.element);
        table
    }

    /// A global's type of the artifact as the runtime has it.
    pub(crate) fn global_type(&self, mut global: GlobalType) -> GlobalType {
        global.value = self.0.types.value_type(global.value);
        global
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "module {}", self.name().unwrap_or("without a name"))
    }
}

/// Whether anything that the module defines can hold references to exceptions.
fn has_exception_roots(artifact: &Artifact<'_>) -> bool {
    let mut globals = artifact.globals().into_iter();
    let mut tables = artifact.tables().into_iter();
    let mut segments = artifact.elements().into_iter();
    globals.any(|global| global.ty.value.is_exception())
        || tables.any(|table| table.ty.element.is_exception())
        || segments.any(|segment| segment.element.is_exception())
}

/// Makes faults in the code traps, where the code relies on that.
fn register_traps(module: &Inner) -> Result<Option<Registration>, LoadError> {
    if !Signals::IS_BUILT_IN || !relies_on_faults(&module.artifact) {
        return Ok(None);
    }
    module.runtime.catch_faults()?;
    // SAFETY: the artifact is that of the code. Both live in the module, which drops the registration
    // first; instances keep the module, and nobody runs their code when the last one is gone.
    let registration = unsafe { Registration::new(module.code.range(), &module.artifact) }?;
    Ok(Some(registration))
}
