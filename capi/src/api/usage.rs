//! What memory a runtime and its instances take, and where their time goes.

use precast_loader::{CallProfile, Category, Instance};

use super::instance::precast_instance;
use super::runtime::precast_runtime;
use crate::boundary::C;
use crate::error::precast_error;
use crate::failure::Failure;
use crate::status::precast_status;

/// What memory is for.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum precast_category {
    /// Runtime structures.
    PRECAST_CATEGORY_RUNTIME = 0,
    /// Host functions and the imports that name them.
    PRECAST_CATEGORY_HOST_FUNCTIONS = 1,
    /// The registry of function types.
    PRECAST_CATEGORY_TYPES = 2,
    /// What is kept per thread.
    PRECAST_CATEGORY_THREADS = 3,
    /// The artifact's bytes, where the runtime owns them.
    PRECAST_CATEGORY_ARTIFACT = 4,
    /// Module structures.
    PRECAST_CATEGORY_MODULE = 5,
    /// Code: a private copy or a mapping.
    PRECAST_CATEGORY_CODE = 6,
    /// Trap and name tables.
    PRECAST_CATEGORY_TRAP_TABLES = 7,
    /// Instance structures, and handles to what instances export.
    PRECAST_CATEGORY_INSTANCE = 8,
    /// The block that compiled code addresses.
    PRECAST_CATEGORY_CONTEXT = 9,
    /// Elements of tables.
    PRECAST_CATEGORY_TABLES = 10,
    /// Linear memories.
    PRECAST_CATEGORY_LINEAR_MEMORY = 11,
    /// Bookkeeping of the app heap.
    PRECAST_CATEGORY_APP_HEAP = 12,
    /// The WASI context.
    PRECAST_CATEGORY_WASI = 13,
    /// The WASI-NN context.
    PRECAST_CATEGORY_WASI_NN = 14,
    /// Call stacks that are the runtime's.
    PRECAST_CATEGORY_CALL_STACK = 15,
    /// Arguments and results of calls.
    PRECAST_CATEGORY_ARGUMENTS = 16,
    /// Alternate stacks for signal handlers.
    PRECAST_CATEGORY_SIGNAL_STACK = 17,
    /// Backtraces, and texts of failures.
    PRECAST_CATEGORY_BACKTRACE = 18,
    /// Exceptions.
    PRECAST_CATEGORY_EXCEPTIONS = 19,
}

/// How many categories there are: their numbers are those below.
pub const PRECAST_CATEGORY_COUNT: u32 = 20;

const _: () = assert!(PRECAST_CATEGORY_COUNT as usize == Category::COUNT);

/// What a category takes. Zeros if the library was built without the feature `accounting`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_usage {
    /// Size of this structure in bytes.
    pub size: usize,
    /// Bytes now.
    pub current: usize,
    /// The most bytes at any time.
    pub peak: usize,
    /// How many blocks there are now.
    pub blocks: usize,
}

/// How full a pool is. Sizes include what the pool adds to each block, where not said otherwise.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_pool_usage {
    /// Size of this structure in bytes.
    pub size: usize,
    /// Bytes of the region that blocks can take.
    pub capacity: usize,
    /// Bytes that no block takes now.
    pub free: usize,
    /// The size of the largest free block, without what the pool adds to it.
    pub largest_free: usize,
    /// The most bytes that blocks have taken at any time.
    pub peak: usize,
}

/// A linear memory's figures, in bytes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_memory_figures {
    /// Size of this structure in bytes.
    pub size: usize,
    /// The size that the module declares at least, with the app heap that is added to it.
    pub declared_min: u64,
    /// The largest size that module and host allow; `UINT64_MAX` where the module declares none.
    pub declared_max: u64,
    /// The size now.
    pub length: usize,
    /// Bytes that are set aside for it; reserved address space does not count.
    pub committed: usize,
    /// Bytes of these that the system holds in physical memory; `SIZE_MAX` where it does not tell.
    pub resident: usize,
    /// One if the instance imports the memory, else zero.
    pub is_imported: usize,
}

/// A table's figures.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_table_figures {
    /// Size of this structure in bytes.
    pub size: usize,
    /// How many elements there are.
    pub elements: usize,
    /// The most elements that there may be; `UINT64_MAX` where the module declares no maximum.
    pub max_elements: u64,
    /// Bytes of the elements.
    pub bytes: usize,
    /// One if the instance imports the table, else zero.
    pub is_imported: usize,
}

/// How full the heap is that the runtime keeps for a program.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_heap_usage {
    /// Size of this structure in bytes.
    pub size: usize,
    /// Where in the program's memory it begins.
    pub address: u64,
    /// Bytes of the heap.
    pub bytes: usize,
    /// Bytes that are allocated.
    pub used: usize,
    /// The most bytes that were allocated at any time.
    pub peak: usize,
    /// How many allocations there are.
    pub blocks: usize,
    /// The size of the largest hole.
    pub largest_free: usize,
}

/// The state of the stack that compilers of C keep in linear memory. It grows downwards.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_aux_stack_usage {
    /// Size of this structure in bytes.
    pub size: usize,
    /// The highest address: where the empty stack begins.
    pub base: u64,
    /// The lowest address that it may reach.
    pub limit: u64,
    /// How many bytes are in use.
    pub current: u64,
    /// How many bytes were in use at most since the stack was measured; `UINT64_MAX` where it was not.
    pub high_water: u64,
}

/// What the calls of a function were. Times are in nanoseconds.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_function_calls {
    /// How often it was called.
    pub calls: u64,
    /// How many of these calls have not ended. Their time is not in what follows.
    pub active: u64,
    /// Time in the function and in what it called.
    pub total: u64,
    /// Time in the function alone.
    pub own: u64,
    /// The function's index, imports first.
    pub function_index: u32,
    /// Zero.
    pub reserved: u32,
}

/// Stores what a `precast_category` takes of the runtime's memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_runtime_usage(
    runtime: *const precast_runtime,
    category: u32,
    usage: *mut precast_usage,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let runtime = c.get(runtime, "runtime")?;
        let category = Category::ALL.get(category as usize);
        let category = category.ok_or(Failure::Argument("category", "is no category"))?;
        let told = runtime.usage(*category);
        let told = precast_usage {
            size: size_of::<precast_usage>(),
            current: told.current,
            peak: told.peak,
            blocks: told.blocks,
        };
        c.fill(usage, &told, "usage")
    })
}

/// Stores how full the runtime's pool is; `PRECAST_NOT_FOUND` if it lives in none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_runtime_pool_usage(
    runtime: *const precast_runtime,
    usage: *mut precast_pool_usage,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let runtime = c.get(runtime, "runtime")?;
        let told = runtime.pool_usage().ok_or(Failure::NotFound("pool"))?;
        let told = precast_pool_usage {
            size: size_of::<precast_pool_usage>(),
            capacity: told.capacity,
            free: told.free,
            largest_free: told.largest_free,
            peak: told.peak,
        };
        c.fill(usage, &told, "usage")
    })
}

/// Stores the figures of a memory of an instance, by its index, imports first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_memory_figures(
    instance: *const precast_instance,
    index: u32,
    figures: *mut precast_memory_figures,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let instance = c.get(instance, "instance")?;
        let profile = instance.memory_profile()?;
        let found = profile.memories().nth(index as usize);
        let found = found.ok_or(Failure::NotFound("memory"))?;
        let told = precast_memory_figures {
            size: size_of::<precast_memory_figures>(),
            declared_min: found.declared_min,
            declared_max: found.declared_max.unwrap_or(u64::MAX),
            length: found.length,
            committed: found.committed,
            resident: found.resident.unwrap_or(usize::MAX),
            is_imported: usize::from(found.imported),
        };
        c.fill(figures, &told, "figures")
    })
}

/// Stores the figures of a table of an instance, by its index, imports first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_table_figures(
    instance: *const precast_instance,
    index: u32,
    figures: *mut precast_table_figures,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let instance = c.get(instance, "instance")?;
        let profile = instance.memory_profile()?;
        let found = profile.tables().nth(index as usize);
        let found = found.ok_or(Failure::NotFound("table"))?;
        let told = precast_table_figures {
            size: size_of::<precast_table_figures>(),
            elements: found.elements,
            max_elements: found.max_elements.unwrap_or(u64::MAX),
            bytes: found.bytes,
            is_imported: usize::from(found.imported),
        };
        c.fill(figures, &told, "figures")
    })
}

/// Stores how full the heap is that the runtime keeps for the program; `PRECAST_NO_HEAP` if it keeps
/// none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_heap_usage(
    instance: *const precast_instance,
    usage: *mut precast_heap_usage,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let instance = c.get(instance, "instance")?;
        let told = instance.app_heap()?;
        let told = told.ok_or(precast_loader::HeapError::NoHeap)?;
        let told = precast_heap_usage {
            size: size_of::<precast_heap_usage>(),
            address: told.address,
            bytes: told.size,
            used: told.used,
            peak: told.peak,
            blocks: told.blocks,
            largest_free: told.largest_free,
        };
        c.fill(usage, &told, "usage")
    })
}

/// Fills what is free of the program's auxiliary stack, so that `precast_instance_aux_stack` can tell
/// how much of it is used from now on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_measure_aux_stack(
    instance: *const precast_instance,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        Ok(c.get(instance, "instance")?.measure_aux_stack()?)
    })
}

/// Stores the state of the program's auxiliary stack; `PRECAST_NOT_FOUND` where the compiler has
/// recognised none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_aux_stack(
    instance: *const precast_instance,
    usage: *mut precast_aux_stack_usage,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let instance = c.get(instance, "instance")?;
        let told = instance.aux_stack()?;
        let told = told.ok_or(Failure::NotFound("stack in the program's memory"))?;
        let told = precast_aux_stack_usage {
            size: size_of::<precast_aux_stack_usage>(),
            base: told.base,
            limit: told.limit,
            current: told.current,
            high_water: told.high_water.unwrap_or(u64::MAX),
        };
        c.fill(usage, &told, "usage")
    })
}

/// Stores what was counted of calls, for the functions that were called, by index; `count` gets how
/// many these are. `functions` may be null with a capacity of zero, if only the number is asked for.
///
/// `PRECAST_UNSUPPORTED` where the artifact was not compiled to count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_call_profile(
    instance: *const precast_instance,
    functions: *mut precast_function_calls,
    capacity: usize,
    count: *mut usize,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let instance = c.get(instance, "instance")?;
        let out = c.out(count, "count")?;
        let places = c.array_mut(functions, capacity, "functions")?;
        let profile = profile(&instance)?;
        let found = profile.functions().count();
        out.set(found);
        if places.is_empty() && functions.is_null() {
            return Ok(());
        }
        for (place, calls) in places.iter_mut().zip(profile.functions()) {
            *place = precast_function_calls {
                calls: calls.calls,
                active: calls.active,
                total: nanoseconds(calls.total),
                own: nanoseconds(calls.own),
                function_index: calls.index,
                reserved: 0,
            };
        }
        match found <= capacity {
            true => Ok(()),
            false => Err(Failure::Short("functions", found)),
        }
    })
}

fn profile(instance: &Instance) -> Result<CallProfile<'_>, Failure> {
    let profile = instance.call_profile()?;
    profile.ok_or(Failure::Unsupported(
        "the artifact was not compiled to count calls",
    ))
}

fn nanoseconds(time: core::time::Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
