//! Instances: a module with its own memories, tables and globals.
//!
//! [`InstanceData`] is what the group owns; [`Instance`] is a handle that keeps the group alive.
//! Compiled code sees an instance as its [context](context); the loader finds its way back through
//! a field of that.

pub(crate) mod aux_stack;
pub(crate) mod call_profile;
pub(crate) mod context;
pub(crate) mod create;
mod data;
mod element;
pub(crate) mod error;
pub(crate) mod export;
mod expression;
pub(crate) mod global;
pub(crate) mod heap;
pub(crate) mod host_reference;
mod identity;
pub(crate) mod import;
pub(crate) mod interrupt;
pub(crate) mod memory;
mod options;
pub(crate) mod record;
pub(crate) mod table;

use core::alloc::Layout;
use core::cell::{Cell, RefCell};
use core::fmt;
use core::num::NonZeroU64;
use core::ptr::NonNull;

use precast_format::Artifact;
use precast_format::brief::{self, MESSAGES};
use precast_format::context::Field;
use precast_format::types::ExternKind;

use crate::alloc::{Array, Slab, SlabLayout};
use crate::call::error::StackError;
use crate::call::exec_env::{ExecutionEnvironment, Stack};
use crate::call::func::Func;
use crate::call::typed::{TypedFunc, WasmParams, WasmResults};
use crate::call::value::Slot;
use crate::exception::tag::{Tag, TagRecordData};
use crate::group::{Group, GroupRef, Membership};
use crate::instance::call_profile::books::{self, CallBooks, CallCounter, PathNode};
use crate::instance::context::{Context, ContextStorage};
use crate::instance::element::ElementSegment;
use crate::instance::export::Extern;
use crate::instance::global::Global;
use crate::instance::heap::HeapPlan;
use crate::instance::interrupt::Interruption;
use crate::instance::memory::{AnyMemory, ClampedLimit, Memory, MemoryObject, MemoryRef};
use crate::instance::record::{FunctionRecordData, HostRecord};
use crate::instance::table::{Table, TableObject};
use crate::memory::app_heap::AppHeap;
use crate::module::Module;
use crate::runtime::Runtime;
use crate::types::FuncType;

pub use options::InstanceOptions;

/// How long the arrays of an instance are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ArrayCounts {
    /// Shared ones are nobody's own.
    pub(crate) own_memories: usize,
    pub(crate) own_tables: usize,
    /// Imported functions that are the host's.
    pub(crate) host_functions: usize,
    /// One, or none.
    pub(crate) app_heaps: usize,
    pub(crate) elements: usize,
    pub(crate) memories: usize,
    pub(crate) tables: usize,
    pub(crate) data: usize,
    /// One for each function, where calls are counted; else none.
    pub(crate) call_counters: usize,
    /// Paths of calls that are told apart.
    pub(crate) call_paths: usize,
}

impl ArrayCounts {
    /// For an instance of the artifact whose imports include so many host functions.
    pub(crate) fn new(
        artifact: &Artifact<'_>,
        host_functions: usize,
        app_heap: Option<&HeapPlan>,
        options: &InstanceOptions,
    ) -> ArrayCounts {
        let counts = artifact.counts();
        let defined_memories = artifact.memories().len();
        let own_tables = artifact.tables().len();
        let own_memories = artifact.memories().into_iter();
        let own_memories = own_memories.filter(|memory| !memory.ty.shared).count();
        ArrayCounts {
            own_memories,
            own_tables: own_tables as usize,
            host_functions,
            app_heaps: usize::from(app_heap.is_some()),
            elements: artifact.elements().len() as usize,
            memories: counts.imported_memories as usize + defined_memories as usize,
            tables: counts.imported_tables as usize + own_tables as usize,
            data: artifact.data().len() as usize,
            call_counters: books::count(artifact),
            call_paths: options.call_paths as usize,
        }
    }
}

/// Everything that belongs to one instance. The group owns it.
///
/// Compiled code changes the context and what it points to; all else here changes only through
/// cells, while the group is entered.
// As many bytes on 32-bit x86, whose 64-bit numbers are aligned to four, as everywhere else.
#[repr(align(8))]
pub(crate) struct InstanceData {
    /// Goes before everything that an interrupter reaches.
    interruption: Interruption,
    module: Module,
    membership: Membership,
    /// The context pointer.
    context: NonNull<u8>,
    /// The memories by index, imports first.
    memories: Array<MemoryRef>,
    /// The tables by index, imports first.
    tables: Array<NonNull<TableObject>>,
    /// Which data segments are dropped.
    dropped_data: Array<Cell<bool>>,
    elements: Array<ElementSegment>,
    /// The records of imported functions that are the host's.
    host_records: Array<HostRecord>,
    /// The heap at the end of memory 0, if there is one.
    app_heap: Array<RefCell<AppHeap>>,
    /// How large the auxiliary stack is that the first value of its pointer begins; zero where it is
    /// known where the stack is.
    awaited_stack: Cell<u64>,
    /// How many bytes of the auxiliary stack were filled to measure it, and one.
    painted_stack: Cell<Option<NonZeroU64>>,
    _own_tables: Array<TableObject>,
    /// Memory 0 may hold the context, so it goes after everything that looks there.
    _own_memories: Array<MemoryObject>,
    _context_storage: Option<ContextStorage>,
    /// What the arrays are in; dropped after them.
    _slab: Slab,
}

/// The layouts of what is in the arrays of an instance.
pub(crate) struct ArrayElements {
    pub(crate) own_memory: Layout,
    pub(crate) own_table: Layout,
    pub(crate) app_heap: Layout,
    pub(crate) host_function: Layout,
    pub(crate) element_segment: Layout,
    pub(crate) memory: Layout,
    pub(crate) table: Layout,
    pub(crate) call_counter: Layout,
    pub(crate) call_path: Layout,
    pub(crate) call_books: Layout,
}

impl ArrayElements {
    /// On this machine.
    pub(crate) const HERE: ArrayElements = ArrayElements {
        own_memory: Layout::new::<MemoryObject>(),
        own_table: Layout::new::<TableObject>(),
        app_heap: Layout::new::<RefCell<AppHeap>>(),
        host_function: Layout::new::<HostRecord>(),
        element_segment: Layout::new::<ElementSegment>(),
        memory: Layout::new::<MemoryRef>(),
        table: Layout::new::<NonNull<TableObject>>(),
        call_counter: Layout::new::<CallCounter>(),
        call_path: Layout::new::<PathNode>(),
        call_books: Layout::new::<CallBooks>(),
    };
}

impl ArrayCounts {
    /// What the arrays of an instance take, in the order in which they are cut off: what may have
    /// the larger alignment comes first.
    #[inline(always)]
    pub(crate) fn layout(&self, of: &ArrayElements) -> SlabLayout {
        let arrays = SlabLayout::new()
            .elements(of.own_memory, self.own_memories)
            .elements(of.own_table, self.own_tables)
            .elements(of.app_heap, self.app_heaps)
            .elements(of.host_function, self.host_functions)
            .elements(of.element_segment, self.elements)
            .elements(of.memory, self.memories)
            .elements(of.table, self.tables)
            .array::<Cell<bool>>(self.data);
        if self.call_counters == 0 {
            return arrays;
        }
        arrays
            .elements(of.call_counter, self.call_counters)
            .elements(of.call_path, self.call_paths)
            .elements(of.call_books, 1)
    }
}

impl InstanceData {
    /// What the arrays of an instance take on this machine.
    pub(crate) fn arrays(counts: &ArrayCounts) -> SlabLayout {
        counts.layout(&ArrayElements::HERE)
    }

    /// The instance whose context this is.
    ///
    /// # Safety
    ///
    /// The pointer is the context pointer of an instance that outlives `'a`.
    pub(crate) unsafe fn from_context<'a>(context: NonNull<u8>) -> &'a InstanceData {
        // SAFETY: the fixed field lies below every context pointer.
        let field =
            unsafe { context.offset(Field::Instance.offset(context::NATIVE_WIDTH) as isize) };
        // SAFETY: instantiation wrote the field before anybody got the pointer.
        let address = unsafe { field.cast::<usize>().read() };
        let data: *const InstanceData = core::ptr::with_exposed_provenance(address);
        // SAFETY: the field holds the address of the instance's data, which lives as long.
        unsafe { &*data }
    }

    pub(crate) fn module(&self) -> &Module {
        &self.module
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        self.module.runtime()
    }

    pub(crate) fn context(&self) -> Context<'_> {
        let layout = self.module.artifact().context_layout();
        // SAFETY: instantiation made the block for this layout, whose width is this machine's, or
        // the module would not have been loaded. It stays as long as the instance, and who holds
        // one has entered the group.
        unsafe { Context::new(self.context, layout) }
    }

    pub(crate) fn membership(&self) -> &Membership {
        &self.membership
    }

    pub(crate) fn group(&self) -> &Group {
        self.membership.group()
    }

    /// The memory with this index, imports first.
    pub(crate) fn memory(&self, index: u32) -> Option<AnyMemory<'_>> {
        let memory = self.memories.get(index as usize)?;
        // SAFETY: the group keeps own and imported memories as long as the instance, and who holds
        // one has entered the group.
        Some(unsafe { memory.get() })
    }

    /// The table with this index, imports first.
    pub(crate) fn table(&self, index: u32) -> Option<&TableObject> {
        let object = self.tables.get(index as usize)?;
        // SAFETY: the group keeps own and imported tables as long as the instance.
        Some(unsafe { object.as_ref() })
    }

    /// The slot of a global, imports first.
    pub(crate) fn global(&self, index: u32) -> Option<NonNull<Slot>> {
        let counts = self.module.artifact().counts();
        match index.checked_sub(counts.imported_globals) {
            None => self.context().imported_global(index),
            Some(defined) if defined < counts.defined_globals => {
                Some(self.context().defined_global(defined))
            }
            Some(_) => None,
        }
    }

    /// The record of a tag, imports first.
    pub(crate) fn tag(&self, index: u32) -> Option<NonNull<TagRecordData>> {
        let counts = self.module.artifact().counts();
        match index.checked_sub(counts.imported_tags) {
            None => self.context().imported_tag(index),
            Some(defined) if defined < counts.defined_tags => {
                Some(self.context().defined_tag(defined))
            }
            Some(_) => None,
        }
    }

    /// The record of a function, imports first; none for functions that nothing refers to.
    pub(crate) fn function_record(&self, index: u32) -> Option<NonNull<FunctionRecordData>> {
        let artifact = self.module.artifact();
        if index < artifact.counts().imported_functions {
            let address = self.context().imported_function(index);
            return NonNull::new(core::ptr::with_exposed_provenance_mut(address));
        }
        Some(
            self.context()
                .function_record(artifact.defined_function(index)?.record?),
        )
    }

    /// The memory that a host function of the caller's kind expects.
    pub(crate) fn main_memory(&self) -> Option<AnyMemory<'_>> {
        self.memory(self.module.main_memory())
    }

    /// A handle to that memory.
    pub(crate) fn main_memory_handle(&self) -> Option<Memory> {
        let memory = self.memories.get(self.module.main_memory() as usize)?;
        Some(Memory::from_reference(memory, self.group().reference()))
    }

    /// The export with this kind and index.
    fn export(&self, group: GroupRef, kind: ExternKind, index: u32) -> Option<Extern> {
        Some(match kind {
            ExternKind::Function => {
                Extern::Func(Func::from_record(group, self.function_record(index)?))
            }
            ExternKind::Table => {
                Extern::Table(Table::from_object(*self.tables.get(index as usize)?, group))
            }
            ExternKind::Memory => Extern::Memory(Memory::from_reference(
                self.memories.get(index as usize)?,
                group,
            )),
            ExternKind::Global => {
                let global_type = self.module.artifact().global_type(index)?;
                let global_type = self.module.global_type(global_type);
                Extern::Global(Global::from_slot(group, self.global(index)?, global_type))
            }
            ExternKind::Tag => Extern::Tag(Tag::from_record(group, self.tag(index)?)),
        })
    }
}

/// An instance of a module. Clones are handles to the same one.
///
/// The instance lives as long as a handle to it, or to anything that it is linked with.
#[derive(Clone)]
pub struct Instance {
    group: GroupRef,
    data: NonNull<InstanceData>,
}

// SAFETY: the data belongs to the group; what changes is only touched while that is entered.
unsafe impl Send for Instance {}
// SAFETY: as above.
unsafe impl Sync for Instance {}

impl Instance {
    /// A handle to a member of a group.
    pub(crate) fn from_data(data: &InstanceData) -> Instance {
        Instance {
            group: data.group().reference(),
            data: NonNull::from(data),
        }
    }

    pub(crate) fn data(&self) -> &InstanceData {
        // SAFETY: the handle keeps the group, and so the instance, alive.
        unsafe { self.data.as_ref() }
    }

    /// The module.
    pub fn module(&self) -> &Module {
        self.data().module()
    }

    /// Where calls into the instance have their native stack: see [`ExecutionEnvironment::new`].
    pub fn execution_environment<'a>(
        &self,
        stack: Stack<'a>,
    ) -> Result<ExecutionEnvironment<'a>, StackError> {
        ExecutionEnvironment::new(self.data().runtime(), stack)
    }

    /// What is exported under this name.
    pub fn export(&self, name: &str) -> Option<Extern> {
        let export = self.module().artifact().exports().lookup(name)?;
        self.data()
            .export(self.group.clone(), export.kind, export.index)
    }

    /// Every export with its name, in the module's order.
    pub fn exports(&self) -> impl Iterator<Item = (&str, Extern)> {
        self.module()
            .artifact()
            .exports()
            .into_iter()
            .filter_map(|export| {
                let item = self
                    .data()
                    .export(self.group.clone(), export.kind, export.index)?;
                Some((export.name, item))
            })
    }

    /// The memories that the instance defines for which
    /// [`max_memory_pages`](InstanceOptions::max_memory_pages) was clamped.
    pub fn clamped_limits(&self) -> impl Iterator<Item = ClampedLimit> {
        let data = self.data();
        let imported = data.module.artifact().counts().imported_memories;
        let count = data.memories.len() as u32;
        (imported..count).filter_map(|index| data.memory(index)?.clamped_limit())
    }

    /// The exported function with this name and these types.
    pub fn func<P: WasmParams, R: WasmResults>(
        &self,
        name: &str,
    ) -> Result<TypedFunc<P, R>, ExportError> {
        let func = self.untyped_func(name)?;
        func.typed().ok_or_else(|| ExportError::Mismatch {
            found: func.func_type(),
        })
    }

    /// The exported function with this name.
    pub fn untyped_func(&self, name: &str) -> Result<Func, ExportError> {
        let exports = self.module().artifact().exports();
        let export = exports.lookup(name).ok_or(ExportError::Missing)?;
        if export.kind != ExternKind::Function {
            return Err(ExportError::NotAFunction { found: export.kind });
        }
        let record = self.data().function_record(export.index);
        let record = record.ok_or(ExportError::Missing)?;
        Ok(Func::from_record(self.group.clone(), record))
    }

    /// The exported memory with this name.
    pub fn memory(&self, name: &str) -> Option<Memory> {
        self.export(name)?.into_memory()
    }

    /// The instance's main memory: the one exported as `memory`, else memory 0.
    pub fn main_memory(&self) -> Option<Memory> {
        self.data().main_memory_handle()
    }

    /// The exported table with this name.
    pub fn table(&self, name: &str) -> Option<Table> {
        self.export(name)?.into_table()
    }

    /// The exported tag with this name.
    pub fn tag(&self, name: &str) -> Option<Tag> {
        self.export(name)?.into_tag()
    }

    /// The exported global with this name.
    pub fn global(&self, name: &str) -> Option<Global> {
        self.export(name)?.into_global()
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "instance of {}",
            self.module().name().unwrap_or("a module without a name")
        )
    }
}

/// Why an export was not found.
#[must_use]
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ExportError {
    /// Nothing is exported under the name.
    Missing,
    /// The function has another type.
    Mismatch {
        /// Its type.
        found: FuncType,
    },
    /// Something else is exported under the name.
    NotAFunction {
        /// What.
        found: ExternKind,
    },
}

precast_format::brief!(ExportError: Missing Mismatch NotAFunction);

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !MESSAGES {
            return brief::write(self, f);
        }
        match self {
            ExportError::Missing => f.write_str("nothing is exported under this name"),
            ExportError::Mismatch { found } => write!(f, "the export is func {found}"),
            ExportError::NotAFunction { found } => write!(f, "the export is a {}", found.name()),
        }
    }
}

impl core::error::Error for ExportError {}
