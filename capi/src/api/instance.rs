//! Instances: a module with memories, tables and globals of its own, and what it exports.

use core::ffi::{c_char, c_void};

use precast_loader::{
    Category, Extern, ExternType, GrowthFailure, GrowthObserver, Imports, Instance, InstanceOptions,
};

use super::env::precast_env;
use super::function::{self, precast_function};
use super::global::{self, precast_global};
use super::imports::precast_imports;
use super::memory::{self, precast_memory};
use super::module::precast_module;
use super::table::{self, precast_table};
use crate::boundary::C;
use crate::boundary::handle::{Object, create};
use crate::boundary::pointer::Out;
use crate::error::precast_error;
use crate::failure::Failure;
use crate::status::precast_status;
use crate::types::{precast_item, precast_signature};

/// A module with memories, tables and globals of its own.
///
/// It lives as long as a handle to it, or to anything that it is linked with. One thread at a time
/// may call into instances that are linked with each other; another one gets `PRECAST_BUSY`.
pub struct precast_instance {
    _private: [u8; 0],
}

impl Object for precast_instance {
    type Value = Instance;
    const KIND: u32 = 0x5043_0004;
}

/// What an instance may use. Zeros are the default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_instance_options {
    /// Size of this structure in bytes.
    pub size: usize,
    /// The size in bytes of the heap that the runtime keeps for the program at the end of its memory,
    /// for programs that export no allocator; zero for none.
    pub heap_size: usize,
    /// Lowers the maximum of the memories that the instance defines, in pages, if `limit_memory` is
    /// not zero.
    pub max_memory_pages: u64,
    /// Not zero: `max_memory_pages` counts.
    pub limit_memory: u32,
    /// Not zero: the memories that the instance defines are allocated at their maximum at once, and
    /// never move.
    pub fixed_memory: u32,
    /// How many paths of calls are told apart where the code counts calls, each for 24 bytes.
    pub call_paths: u32,
    /// Zero.
    pub reserved: u32,
    /// Who is told why a memory that the instance defines did not grow, or null. The structure stays
    /// where it is for as long as the instance and its memories.
    pub growth_observer: *const precast_growth_observer,
}

/// Who is told why memories did not grow.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_growth_observer {
    /// Size of this structure in bytes.
    pub size: usize,
    /// Passed to the function.
    pub user: *mut c_void,
    /// Called on the thread that asked for the growth, within `memory.grow` or `precast_memory_grow`:
    /// the memory's index, imports first; how many pages it would have had, `UINT64_MAX` where there is
    /// no such number; and how many it may have, `UINT64_MAX` where there was no memory for them. What
    /// it does to the instance has no effect on the outcome.
    pub failed:
        Option<unsafe extern "C" fn(user: *mut c_void, memory: u32, pages: u64, limit: u64)>,
}

/// Tells C. The number is the address of its structure.
fn growth_failed(observer: usize, failure: GrowthFailure) {
    let observer = core::ptr::with_exposed_provenance::<precast_growth_observer>(observer);
    // SAFETY: C promises that the structure stays for as long as the instance.
    let c = unsafe { C::promises() };
    let Ok(observer) = c.options(observer, "growth_observer") else {
        return;
    };
    let (memory, pages, limit) = match failure {
        GrowthFailure::LimitReached {
            memory,
            pages,
            limit,
        } => (memory, pages, limit),
        GrowthFailure::OutOfMemory { memory, pages, .. } => (memory, pages, u64::MAX),
        _ => return,
    };
    if let Some(failed) = observer.failed {
        // SAFETY: C gave the function for this pointer.
        unsafe { failed(observer.user, memory, pages, limit) };
    }
}

impl precast_instance_options {
    /// As the loader takes them.
    pub(crate) fn read(self) -> InstanceOptions {
        let mut options = InstanceOptions::default();
        options.heap_size = self.heap_size;
        options.max_memory_pages = (self.limit_memory != 0).then_some(self.max_memory_pages);
        options.fixed_memory = self.fixed_memory != 0;
        options.call_paths = self.call_paths;
        options.growth_observer = (!self.growth_observer.is_null())
            .then(|| GrowthObserver::new(self.growth_observer.expose_provenance(), growth_failed));
        options
    }
}

/// Makes an instance, and runs the module's start function if it has one.
///
/// `imports` may be null where the module imports nothing, `options` for the default. The start
/// function runs in the environment; if that is null, on the calling thread's stack. The handle is
/// stored in `instance`, and freed by `precast_instance_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_new(
    module: *const precast_module,
    imports: *const precast_imports,
    options: *const precast_instance_options,
    env: *mut precast_env,
    instance: *mut *mut precast_instance,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let module = c.get(module, "module")?;
        let out = c.out(instance, "instance")?;
        let options = c.options(options, "options")?.read();
        let (given, none);
        let imports: &Imports = if imports.is_null() {
            none = Imports::new(module.runtime());
            &none
        } else {
            given = c.get(imports, "imports")?;
            &given
        };
        let made = if env.is_null() {
            module.instantiate(imports, options)?
        } else {
            module.instantiate_in(&mut c.lock(env, "env")?.0, imports, options)?
        };
        out.set(create(
            module.runtime().allocator(),
            Category::Instance,
            made,
        )?);
        Ok(())
    })
}

/// Frees a handle to an instance; null is no handle. What it exports stays where there are handles to
/// it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_free(instance: *mut precast_instance) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| c.free(instance));
}

/// Stores a handle to the instance's module, freed by `precast_module_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_module(
    instance: *const precast_instance,
    module: *mut *mut precast_module,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let instance = c.get(instance, "instance")?;
        let out = c.out(module, "module")?;
        let module = instance.module().clone();
        let allocator = module.runtime().allocator().clone();
        out.set(create(&allocator, Category::Module, module)?);
        Ok(())
    })
}

/// Stores a handle to the instance's main memory, freed by `precast_memory_free`: the one that is
/// exported as `memory`, else the first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_main_memory(
    instance: *const precast_instance,
    memory: *mut *mut precast_memory,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let instance = c.get(instance, "instance")?;
        let out = c.out(memory, "memory")?;
        let found = instance.main_memory().ok_or(Failure::NotFound("memory"))?;
        out.set(memory::handle(instance.module().runtime(), found)?);
        Ok(())
    })
}

/// Stores what an export is, by its index: its type, with the number of pages or elements that there
/// are. `signature` may be null; for a function or a tag it gets the type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_export(
    instance: *const precast_instance,
    index: usize,
    item: *mut precast_item,
    signature: *mut precast_signature,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let instance = c.get(instance, "instance")?;
        let (name, export) = at(&instance, index)?;
        let ty = export.current_type()?;
        c.fill(item, &precast_item::new(None, name, &ty), "item")?;
        match ty {
            ExternType::Function(ty) | ExternType::Tag(ty) if !signature.is_null() => {
                c.store_type(signature, &ty)
            }
            _ => Ok(()),
        }
    })
}

/// The export with this index in the module's order.
fn at(instance: &Instance, index: usize) -> Result<(&str, Extern), Failure> {
    let exports = instance.module().artifact().exports();
    let export = exports.into_iter().nth(index);
    let export = export.ok_or(Failure::NotFound("export"))?;
    let item = instance.export(export.name);
    Ok((export.name, item.ok_or(Failure::NotFound("export"))?))
}

/// How an export is asked for.
enum Which {
    Name(*const c_char),
    Index(usize),
}

/// Stores a handle to an export, if it is of the kind that is asked for.
fn export<O>(
    c: C,
    instance: *const precast_instance,
    which: Which,
    out: Result<Out<*mut O>, Failure>,
    handle: impl FnOnce(&Instance, Extern) -> Result<Option<*mut O>, Failure>,
) -> Result<(), Failure> {
    let instance = c.get(instance, "instance")?;
    let out = out?;
    let item = match which {
        Which::Name(name) => {
            let item = instance.export(c.text(name, "name")?);
            item.ok_or(Failure::NotFound("export"))?
        }
        Which::Index(index) => at(&instance, index)?.1,
    };
    let found = handle(&instance, item)?;
    out.set(found.ok_or(Failure::Mismatch("the export is of another kind"))?);
    Ok(())
}

fn function_handle(
    instance: &Instance,
    item: Extern,
) -> Result<Option<*mut precast_function>, Failure> {
    let runtime = instance.module().runtime();
    let func = item.into_func();
    func.map(|func| function::handle(runtime, func)).transpose()
}

fn memory_handle(
    instance: &Instance,
    item: Extern,
) -> Result<Option<*mut precast_memory>, Failure> {
    let runtime = instance.module().runtime();
    let memory = item.into_memory();
    memory
        .map(|memory| memory::handle(runtime, memory))
        .transpose()
}

fn global_handle(
    instance: &Instance,
    item: Extern,
) -> Result<Option<*mut precast_global>, Failure> {
    let runtime = instance.module().runtime();
    let global = item.into_global();
    global
        .map(|global| global::handle(runtime, global))
        .transpose()
}

fn table_handle(instance: &Instance, item: Extern) -> Result<Option<*mut precast_table>, Failure> {
    let runtime = instance.module().runtime();
    let table = item.into_table();
    table.map(|table| table::handle(runtime, table)).transpose()
}

/// Stores a handle to the function that is exported under a name, freed by `precast_function_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_function(
    instance: *const precast_instance,
    name: *const c_char,
    function: *mut *mut precast_function,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let out = c.out(function, "function");
        export(c, instance, Which::Name(name), out, function_handle)
    })
}

/// As `precast_instance_function`, by the export's index.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_function_at(
    instance: *const precast_instance,
    index: usize,
    function: *mut *mut precast_function,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let out = c.out(function, "function");
        export(c, instance, Which::Index(index), out, function_handle)
    })
}

/// Stores a handle to the memory that is exported under a name, freed by `precast_memory_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_memory(
    instance: *const precast_instance,
    name: *const c_char,
    memory: *mut *mut precast_memory,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let out = c.out(memory, "memory");
        export(c, instance, Which::Name(name), out, memory_handle)
    })
}

/// As `precast_instance_memory`, by the export's index.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_memory_at(
    instance: *const precast_instance,
    index: usize,
    memory: *mut *mut precast_memory,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let out = c.out(memory, "memory");
        export(c, instance, Which::Index(index), out, memory_handle)
    })
}

/// Stores a handle to the global that is exported under a name, freed by `precast_global_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_global(
    instance: *const precast_instance,
    name: *const c_char,
    global: *mut *mut precast_global,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let out = c.out(global, "global");
        export(c, instance, Which::Name(name), out, global_handle)
    })
}

/// As `precast_instance_global`, by the export's index.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_global_at(
    instance: *const precast_instance,
    index: usize,
    global: *mut *mut precast_global,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let out = c.out(global, "global");
        export(c, instance, Which::Index(index), out, global_handle)
    })
}

/// Stores a handle to the table that is exported under a name, freed by `precast_table_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_table(
    instance: *const precast_instance,
    name: *const c_char,
    table: *mut *mut precast_table,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let out = c.out(table, "table");
        export(c, instance, Which::Name(name), out, table_handle)
    })
}

/// As `precast_instance_table`, by the export's index.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_table_at(
    instance: *const precast_instance,
    index: usize,
    table: *mut *mut precast_table,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let out = c.out(table, "table");
        export(c, instance, Which::Index(index), out, table_handle)
    })
}
