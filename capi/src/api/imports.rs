//! Imports: what the host offers to modules, by module name and name.

use core::ffi::{c_char, c_void};

use precast_loader::{Category, Extern, Imports};

use super::function::precast_function;
use super::global::precast_global;
use super::instance::precast_instance;
use super::memory::precast_memory;
use super::module::precast_module;
use super::runtime::precast_runtime;
use super::table::precast_table;
use crate::boundary::C;
use crate::boundary::handle::{Object, create};
use crate::error::precast_error;
use crate::failure::Failure;
use crate::host::{self, User, precast_finalizer, precast_host_function};
use crate::status::precast_status;
use crate::value::value_kind;

/// What modules can import. One serves any number of instances; defining a name again replaces what
/// was there.
///
/// Instances that import a table, a memory, a global or another instance's function share a life with
/// it: they are freed together.
pub struct precast_imports {
    _private: [u8; 0],
}

impl Object for precast_imports {
    type Value = Imports;
    const KIND: u32 = 0x5043_0003;
}

/// Makes an empty list of imports. The handle is stored in `imports`, and freed by
/// `precast_imports_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_imports_new(
    runtime: *const precast_runtime,
    imports: *mut *mut precast_imports,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let runtime = c.get(runtime, "runtime")?;
        let out = c.out(imports, "imports")?;
        let allocator = runtime.allocator();
        out.set(create(
            allocator,
            Category::HostFunctions,
            Imports::new(&runtime),
        )?);
        Ok(())
    })
}

/// As `precast_imports_new`, with room for as many as the module has, and no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_imports_new_for_module(
    module: *const precast_module,
    imports: *mut *mut precast_imports,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let module = c.get(module, "module")?;
        let out = c.out(imports, "imports")?;
        let allocator = module.runtime().allocator();
        let list = Imports::for_module(&module)?;
        out.set(create(allocator, Category::HostFunctions, list)?);
        Ok(())
    })
}

/// Frees a handle to imports; null is no handle. Instances made with them stay.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_imports_free(imports: *mut precast_imports) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| c.free(imports));
}

/// Defines a function of the host with these kinds of parameters and results.
///
/// `user` is passed to it. `finalizer`, if not null, is called with `user` when the function is no
/// longer needed: after the imports and the last instance that imports it are freed, or at once if
/// this fails. The function can be called from any thread that calls into such an instance.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_imports_define_host_function(
    imports: *mut precast_imports,
    module: *const c_char,
    name: *const c_char,
    param_kinds: *const value_kind,
    param_count: usize,
    result_kinds: *const value_kind,
    result_count: usize,
    function: precast_host_function,
    user: *mut c_void,
    finalizer: precast_finalizer,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let user = User {
            pointer: user,
            finalizer,
        };
        let mut imports = c.lock(imports, "imports")?;
        let names = (c.text(module, "module")?, c.text(name, "name")?);
        let params = c.array(param_kinds, param_count, "param_kinds")?;
        let results = c.array(result_kinds, result_count, "result_kinds")?;
        let func_type = c.func_type(imports.runtime(), params, results)?;
        host::define(c, &mut imports, names, func_type, function, user)
    })
}

/// Defines anything that is there already.
fn define(
    c: C,
    imports: *mut precast_imports,
    names: (*const c_char, *const c_char),
    item: impl FnOnce() -> Result<Extern, Failure>,
) -> Result<(), Failure> {
    let mut imports = c.lock(imports, "imports")?;
    let (module, name) = (c.text(names.0, "module")?, c.text(names.1, "name")?);
    Ok(imports.define(module, name, item()?)?)
}

/// Defines a function that another instance exports.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_imports_define_function(
    imports: *mut precast_imports,
    module: *const c_char,
    name: *const c_char,
    function: *const precast_function,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let item = || Ok(c.get(function, "function")?.func.clone().into());
        define(c, imports, (module, name), item)
    })
}

/// Defines a memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_imports_define_memory(
    imports: *mut precast_imports,
    module: *const c_char,
    name: *const c_char,
    memory: *const precast_memory,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let item = || Ok(Extern::from((*c.get(memory, "memory")?).clone()));
        define(c, imports, (module, name), item)
    })
}

/// Defines a global.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_imports_define_global(
    imports: *mut precast_imports,
    module: *const c_char,
    name: *const c_char,
    global: *const precast_global,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let item = || Ok(c.get(global, "global")?.global.clone().into());
        define(c, imports, (module, name), item)
    })
}

/// Defines a table.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_imports_define_table(
    imports: *mut precast_imports,
    module: *const c_char,
    name: *const c_char,
    table: *const precast_table,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let item = || Ok(c.get(table, "table")?.table.clone().into());
        define(c, imports, (module, name), item)
    })
}

/// Defines everything that an instance exports, under a module name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_imports_define_instance(
    imports: *mut precast_imports,
    module: *const c_char,
    instance: *const precast_instance,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let mut imports = c.lock(imports, "imports")?;
        let module = c.text(module, "module")?;
        let instance = c.get(instance, "instance")?;
        Ok(imports.instance(module, &instance)?)
    })
}
