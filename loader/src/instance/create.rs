//! Instantiation, in the order of the specification.
//!
//! ```text
//!   resolve imports -> enter and merge their groups -> memories, tables, context, records
//!   -> globals -> initial values of tables -> passive element segments
//!   -> the group adopts the instance
//!   -> active element segments -> active data segments -> start function
//! ```
//!
//! Whatever needs memory comes before the adoption: until then an error takes everything back.
//! From the adoption on, what goes wrong leaves prior effects in imported memories and tables as
//! they are, and the half-made instance in its group: functions of it may already be in a table.

use core::cell::{Cell, RefCell};
use core::ptr::NonNull;

use precast_format::Artifact;
use precast_format::context::Field;
use precast_format::trap::TrapCode;
use precast_format::types::ExternKind;

use crate::alloc::{Box, Category, OutOfMemory, Shared, Slab};
use crate::call::backtrace::Backtrace;
use crate::call::entry;
use crate::call::error::Trap;
use crate::call::host::HostFunction;
use crate::call::stack::CallStack;
use crate::exception::tag::TagRecordData;
use crate::facility::{Exceptions, Linking};
use crate::group::{Entered, GroupRef, Linked, Member, Membership};
use crate::instance::call_profile::books;
use crate::instance::context::ContextStorage;
use crate::instance::error::{ImportName, InstantiateError, LinkError};
use crate::instance::export::Extern;
use crate::instance::import::Imports;
use crate::instance::interrupt::{Interrupter, Interruption};
use crate::instance::memory::{MemoryObject, MemoryRef, SharedMemory, StorageChoice};
use crate::instance::record::{FunctionRecordData, HostRecord};
use crate::instance::table::TableObject;
use crate::instance::{
    ArrayCounts, Instance, InstanceData, InstanceOptions, data, element, expression,
};
use crate::limits::MAX_TABLE_ELEMENTS;
use crate::memory::app_heap::AppHeap;
use crate::module::Module;

/// Makes an instance of the module. Somebody may be given what interrupts it, before any of its code
/// runs.
pub(crate) fn instantiate(
    module: &Module,
    imports: &Imports,
    options: &InstanceOptions,
    stack: CallStack,
    interruptible: Option<&mut dyn FnMut(Interrupter)>,
) -> Result<Instance, InstantiateError> {
    if !imports.runtime().is_same(module.runtime()) {
        return Err(InstantiateError::OtherRuntime);
    }
    let resolved = imports.resolve(module)?;
    let groups = resolved.iter().filter_map(|item| item.group());
    let first = match Linking::IS_BUILT_IN {
        true => groups.clone().next(),
        false => None,
    };
    let group = match first {
        Some(group) => group.clone(),
        None => GroupRef::new(module.runtime())?,
    };
    let entered = group.enter()?;
    if Linking::IS_BUILT_IN {
        for other in groups {
            if !entered.contains(other) {
                entered.merge(&other.enter()?)?;
            }
        }
    }
    entered.admit(module)?;
    let plan = StorageChoice::new(module.artifact(), options)?;
    check_guards(module, resolved.as_slice(), &plan)?;
    let instance = build(module, resolved.as_slice(), &plan, options, &entered)?;
    prepare(&instance)?;
    let pointer = NonNull::from(&**instance);
    entered.adopt(Member::Instance(instance));
    // SAFETY: the group owns the instance, and `group` keeps the group.
    let instance = unsafe { pointer.as_ref() };
    if let Some(give) = interruptible {
        give(instance.interrupter()?);
    }
    initialize(instance)?;
    start(instance, &stack, &entered)?;
    Ok(Instance::from_data(instance))
}

/// Refuses memories that lack the guard pages on which the module's code relies.
fn check_guards(
    module: &Module,
    imports: &[&Extern],
    plan: &StorageChoice,
) -> Result<(), InstantiateError> {
    if !Linking::IS_BUILT_IN {
        return Ok(());
    }
    for (import, found) in module.artifact().imports().into_iter().zip(imports) {
        if let Extern::Memory(memory) = found
            && !plan.accepts(memory.object())
        {
            let import = ImportName::new(module, import.index);
            return Err(LinkError::Unguarded { import }.into());
        }
    }
    Ok(())
}

/// Allocates everything and links it together. Nothing outside is changed.
fn build(
    module: &Module,
    imports: &[&Extern],
    plan: &StorageChoice,
    options: &InstanceOptions,
    group: &Entered<'_>,
) -> Result<Box<Linked<InstanceData>>, InstantiateError> {
    let artifact = module.artifact();
    let allocator = module.runtime().allocator();
    let layout = *artifact.context_layout();

    let functions = of_kind(module, imports, ExternKind::Function);
    let of_host = functions.filter(|import| host_function(import).is_some());
    let counts = ArrayCounts::new(artifact, of_host.count(), plan.heap(), options);
    let slab = Slab::new(allocator, Category::Instance, InstanceData::arrays(&counts))?;
    let instance = empty(module, slab, &counts, options, group);
    let mut boxed = Linked::new(module.runtime(), instance)?;
    let instance = &mut **boxed;
    // All arrays have room for what the artifact counts.
    for import in of_kind(module, imports, ExternKind::Memory) {
        if let Extern::Memory(memory) = import {
            instance.memories.push(memory.reference());
        }
    }
    for import in of_kind(module, imports, ExternKind::Table) {
        if let Extern::Table(table) = import {
            instance.tables.push(table.pointer());
        }
    }

    // Memory 0 holds the context below its base, where it is ours alone and cannot move.
    for memory in artifact.memories() {
        if memory.ty.shared {
            let memory = SharedMemory::create(module, plan, &memory)?;
            instance.memories.push(MemoryRef::Shared(memory));
            continue;
        }
        let below = if plan.holds_context(memory.index) {
            layout.size()
        } else {
            0
        };
        let object = MemoryObject::create(module, plan, &memory, below)?;
        if let Some(object) = instance._own_memories.push(object) {
            instance.memories.push(MemoryRef::Member(object));
        }
    }
    if let Some(heap) = plan.heap() {
        let heap = AppHeap::new(allocator, heap.address, heap.bytes)?;
        instance.app_heap.push(RefCell::new(heap));
    }
    instance.context = match instance._own_memories.first() {
        Some(memory) if plan.holds_context(0) => memory.base(),
        _ => {
            let storage = ContextStorage::new(allocator, &layout)?;
            instance._context_storage.insert(storage).pointer()
        }
    };

    check_table_elements(artifact)?;
    for table in artifact.tables() {
        let object = TableObject::new(module.runtime(), module.table_type(table.ty), 0)?;
        if let Some(object) = instance._own_tables.push(object) {
            instance.tables.push(object);
        }
    }
    let context = instance.context();
    for (index, table) in instance._own_tables.iter().enumerate() {
        // SAFETY: the pair is in the context, which lives as long as the table.
        unsafe { table.move_pair(context.defined_table(index as u32)) };
    }
    let imported = artifact.counts().imported_memories as usize;
    for (index, memory) in instance.memories.iter().skip(imported).enumerate() {
        let index = index as u32;
        match memory {
            MemoryRef::Member(memory) => {
                // SAFETY: the memory is one of our own, pushed above.
                let memory = unsafe { memory.as_ref() };
                // SAFETY: the pair is in the context, which lives as long as the memory.
                unsafe { memory.move_pair(context.defined_memory(index)) };
            }
            MemoryRef::Shared(memory) => context.set_shared_memory(index, memory.pair()),
        }
    }
    data::prepare(&mut boxed);
    element::prepare(&mut boxed);
    fill_context(&boxed, imports, options);
    link_functions(&mut boxed, imports)?;
    Ok(boxed)
}

/// An instance that has nothing yet, and room for everything. Its context comes with its memories.
fn empty(
    module: &Module,
    mut slab: Slab,
    counts: &ArrayCounts,
    options: &InstanceOptions,
    group: &Entered<'_>,
) -> InstanceData {
    // SAFETY: the array goes into one value with the slab, which is dropped after it.
    let own_memories = unsafe { slab.take(counts.own_memories) };
    // SAFETY: as above.
    let own_tables = unsafe { slab.take(counts.own_tables) };
    // SAFETY: as above.
    let app_heap = unsafe { slab.take(counts.app_heaps) };
    // SAFETY: as above.
    let host_records = unsafe { slab.take(counts.host_functions) };
    // SAFETY: as above.
    let elements = unsafe { slab.take(counts.elements) };
    // SAFETY: as above.
    let memories = unsafe { slab.take(counts.memories) };
    // SAFETY: as above.
    let tables = unsafe { slab.take(counts.tables) };
    // SAFETY: as above.
    let dropped_data = unsafe { slab.take(counts.data) };
    books::prepare(&mut slab, counts, options.call_observer);
    InstanceData {
        interruption: Interruption::new(),
        module: module.clone(),
        membership: Membership::new(group),
        context: NonNull::dangling(),
        memories,
        tables,
        dropped_data,
        elements,
        host_records,
        app_heap,
        awaited_stack: Cell::new(0),
        painted_stack: Cell::new(None),
        _own_tables: own_tables,
        _own_memories: own_memories,
        _context_storage: None,
        _slab: slab,
    }
}

/// Refuses tables that are larger than what the loader makes.
///
/// Tables are written when they are made, so a few bytes of artifact must not ask for all the memory
/// that there is.
fn check_table_elements(artifact: &Artifact<'_>) -> Result<(), OutOfMemory> {
    let elements = artifact.tables().into_iter();
    let elements = elements.fold(0u64, |sum, table| sum.saturating_add(table.ty.limits.min));
    if elements > MAX_TABLE_ELEMENTS {
        let bytes = usize::try_from(elements).unwrap_or(usize::MAX);
        let bytes = bytes.saturating_mul(size_of::<usize>());
        return Err(OutOfMemory::new(Category::Tables, bytes));
    }
    Ok(())
}

/// The host function that an import is, if no instance has it yet.
fn host_function(import: &Extern) -> Option<&Shared<HostFunction>> {
    match import {
        Extern::Func(func) => func.as_host_function(),
        _ => None,
    }
}

/// The imports of one kind, in the order of its index space.
fn of_kind<'a>(
    module: &'a Module,
    imports: &'a [&Extern],
    kind: ExternKind,
) -> impl Iterator<Item = &'a Extern> {
    // Nothing but functions of the host, where instances are not linked.
    let is_possible = Linking::IS_BUILT_IN || kind == ExternKind::Function;
    let count = module.artifact().imported_count(kind);
    let indices = 0..if is_possible { count } else { 0 };
    indices.filter_map(move |index| {
        let import = module.artifact().import_of(kind, index)?;
        imports.get(import.index as usize).copied()
    })
}

/// Writes the fixed fields and the pointers to what is imported, functions excepted.
fn fill_context(instance: &InstanceData, imports: &[&Extern], options: &InstanceOptions) {
    let (context, module) = (instance.context(), instance.module());
    context.set_field(
        Field::Libcalls,
        crate::libcall::table().as_ptr().expose_provenance(),
    );
    context.set_field(
        Field::TypeIds,
        module.types().ids().as_ptr().expose_provenance(),
    );
    context.set_field(
        Field::Instance,
        core::ptr::from_ref(instance).expose_provenance(),
    );
    instance.place_aux_stack(options.thread_aux_stack);
    // No call is in progress; should compiled code run without one, every stack check fails.
    context.set_field(Field::StackLimit, usize::MAX);
    for (index, import) in of_kind(module, imports, ExternKind::Memory).enumerate() {
        if let Extern::Memory(memory) = import {
            context.set_imported_memory(index as u32, memory.object().pair());
        }
    }
    for (index, import) in of_kind(module, imports, ExternKind::Table).enumerate() {
        if let Extern::Table(table) = import {
            context.set_imported_table(index as u32, table.object().pair());
        }
    }
    for (index, import) in of_kind(module, imports, ExternKind::Global).enumerate() {
        if let Extern::Global(global) = import {
            context.set_imported_global(index as u32, global.slot());
        }
    }
    for (index, import) in of_kind(module, imports, ExternKind::Tag).enumerate() {
        if let Extern::Tag(tag) = import {
            context.set_imported_tag(index as u32, tag.record());
        }
    }
    if !Exceptions::IS_BUILT_IN {
        return;
    }
    for tag in module.artifact().tags() {
        let record = TagRecordData::new(module.func_type(tag.type_index));
        // SAFETY: the record is in the context block.
        unsafe { context.defined_tag(tag.index).write(record) };
    }
}

/// Writes the records of defined functions and the pointers to those of imported ones.
fn link_functions(
    instance: &mut Linked<InstanceData>,
    imports: &[&Extern],
) -> Result<(), InstantiateError> {
    let module = instance.module().clone();
    let artifact = module.artifact();
    let context_pointer = instance.context().pointer().as_ptr().expose_provenance();
    for function in artifact.functions() {
        let (Some(number), Some(ty)) = (function.record, artifact.types().get(function.type_index))
        else {
            continue;
        };
        let record = FunctionRecordData {
            code: module.code_address(function.text_offset),
            context: context_pointer,
            foreign: ty
                .switch_adapter
                .map_or(0, |offset| module.code_address(offset)),
            type_id: module.types().id(function.type_index),
            local_type: ty.canonical,
        };
        // SAFETY: the record is in the context block.
        unsafe { instance.context().function_record(number).write(record) };
    }
    let functions = of_kind(&module, imports, ExternKind::Function);
    for (index, import) in functions.enumerate() {
        let index = index as u32;
        let Extern::Func(func) = import else { continue };
        let record = match func.as_host_function() {
            None if Linking::IS_BUILT_IN => func.importable_record(),
            None => None,
            Some(function) => host_record(instance, index, function),
        };
        let Some(record) = record else {
            let import = artifact.import_of(ExternKind::Function, index);
            let import = ImportName::new(&module, import.map_or(0, |import| import.index));
            return Err(InstantiateError::NoAdapter(import));
        };
        instance.context().set_imported_function(index, record);
    }
    Ok(())
}

/// Makes the record through which the instance calls a host function; none where the artifact has
/// no adapter to host functions of this type.
fn host_record(
    instance: &mut Linked<InstanceData>,
    index: u32,
    function: &Shared<HostFunction>,
) -> Option<NonNull<FunctionRecordData>> {
    let ty = instance.module().artifact().function_type(index)?;
    let host = HostRecord::new(instance, &ty, function)?;
    // There is room for as many as there are host functions among the imports.
    Some(instance.host_records.push(host)?.cast())
}

/// Gives globals and tables their first values, and computes passive segments. Nothing outside of
/// the instance is changed.
fn prepare(instance: &InstanceData) -> Result<(), InstantiateError> {
    let artifact = instance.module().artifact();
    for global in artifact.globals() {
        let value = expression::evaluate(instance, &global.init);
        // SAFETY: the slot is in the context block.
        unsafe { instance.context().defined_global(global.index).write(value) };
    }
    let imported = artifact.imported_count(ExternKind::Table);
    for table in artifact.tables() {
        let (Some(init), Some(object)) = (table.init, instance.table(imported + table.index))
        else {
            continue;
        };
        let reference = expression::evaluate(instance, &init).reference();
        let length = object.length() as u64;
        object.fill(0, reference, length).map_err(segment_trap)?;
    }
    Ok(element::compute_passive(instance)?)
}

/// Writes the active segments.
// As a function of its own it is smaller.
#[inline(never)]
fn initialize(instance: &InstanceData) -> Result<(), InstantiateError> {
    element::initialize(instance).map_err(segment_trap)?;
    data::initialize(instance).map_err(segment_trap)
}

/// A segment that does not fit.
fn segment_trap(code: TrapCode) -> InstantiateError {
    InstantiateError::Trap(Trap::new(code, Backtrace::empty()))
}

/// Calls the start function.
// As a function of its own it is smaller.
#[inline(never)]
fn start(
    instance: &InstanceData,
    stack: &CallStack,
    group: &Entered<'_>,
) -> Result<(), InstantiateError> {
    let module = instance.module();
    let artifact = module.artifact();
    let Some(index) = artifact.start_function() else {
        return Ok(());
    };
    match artifact.defined_function(index) {
        Some(function) => {
            let code = module.code_address(function.text_offset);
            // SAFETY: the group is entered, the code is the function's, and the reader has checked
            // that a start function takes and returns nothing.
            unsafe {
                entry::call_code(instance, code, function.type_index, &mut [], stack, group)
            }?;
        }
        None => {
            if let Some(record) = instance.function_record(index) {
                // SAFETY: as above; the record is an import's.
                unsafe { entry::call(record, &mut [], stack, group) }?;
            }
        }
    }
    Ok(())
}
