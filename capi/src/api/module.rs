//! Modules: loading artifacts, and what can be known of them.

use core::ffi::{c_char, c_void};

use precast_loader::{Category, ExternKind, Module, Source, StackDepth, Trust};

use super::runtime::precast_runtime;
use crate::boundary::C;
use crate::boundary::handle::{Object, create};
use crate::error::precast_error;
use crate::failure::Failure;
use crate::status::precast_status;
use crate::text::precast_text;
use crate::types::{extern_kind, kind_number, precast_item, precast_signature};

/// A loaded artifact, checked and ready to be instantiated any number of times.
pub struct precast_module {
    _private: [u8; 0],
}

impl Object for precast_module {
    type Value = Module;
    const KIND: u32 = 0x5043_0002;
}

/// What the symbol `precast_module_NAME` of an object file names that `precast compile --emit object`
/// wrote; the header that it writes beside it has the structure.
pub struct precast_static_module {
    _private: [u8; 0],
}

/// A public key of Ed25519.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_key {
    /// Its bytes.
    pub bytes: [u8; 32],
}

/// Where the bytes of an artifact are.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_artifact_usage {
    /// Size of this structure in bytes.
    pub size: usize,
    /// Bytes in memory of the runtime's.
    pub owned: usize,
    /// Bytes of the host's that the module refers to.
    pub borrowed: usize,
    /// Bytes in pages of a file that the module refers to.
    pub mapped: usize,
    /// Bytes that the module does without since it is loaded: of an artifact that is loaded in place,
    /// so many bytes at its end are never read again.
    pub released: usize,
}

/// What a call of an exported function can take of the native stack.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_stack_depth {
    /// Size of this structure in bytes.
    pub size: usize,
    /// Bytes that compiled code takes at most; zero if there is no bound.
    pub bytes: usize,
    /// Size of a region on which the call cannot overflow; zero if there is no bound.
    pub region: usize,
    /// One if imported functions can be called on the way, else zero.
    pub calls_imports: u32,
    /// If there is no bound, a function of a cycle, or one that calls whom nobody knows; else
    /// `UINT32_MAX`.
    pub unbounded_function: u32,
}

/// Stores a loaded module.
fn store(
    c: C,
    runtime: *const precast_runtime,
    module: *mut *mut precast_module,
    load: impl FnOnce(&precast_loader::Runtime) -> Result<Module, Failure>,
) -> Result<(), Failure> {
    let runtime = c.get(runtime, "runtime")?;
    let out = c.out(module, "module")?;
    let loaded = load(&runtime)?;
    out.set(create(runtime.allocator(), Category::Module, loaded)?);
    Ok(())
}

/// Loads an artifact that is signed by one of the keys.
///
/// The bytes are copied, but for those that only loading needs; they are the caller's again
/// afterwards. The handle is stored in `module`, and freed by `precast_module_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_module_load(
    runtime: *const precast_runtime,
    bytes: *const c_void,
    length: usize,
    keys: *const precast_key,
    key_count: usize,
    module: *mut *mut precast_module,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let keys = c.array(keys.cast::<[u8; 32]>(), key_count, "keys")?;
        store(c, runtime, module, |runtime| {
            let bytes = c.array(bytes.cast::<u8>(), length, "bytes")?;
            Ok(runtime.load(Source::copied(bytes), Trust::Keys(keys))?)
        })
    })
}

/// As `precast_module_load`, without asking who made the artifact. It is checked as any other, but its
/// machine code is run as it is: whoever made it can do anything that the process can do. Pass what
/// the Precast compiler made and nobody could change since.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_module_load_unverified(
    runtime: *const precast_runtime,
    bytes: *const c_void,
    length: usize,
    module: *mut *mut precast_module,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        store(c, runtime, module, |runtime| {
            let bytes = c.array(bytes.cast::<u8>(), length, "bytes")?;
            // SAFETY: C promises what the function's text says.
            Ok(unsafe { runtime.load_unverified(Source::copied(bytes)) }?)
        })
    })
}

/// As `precast_module_load`, of bytes that stay where they are: in flash, or in the program. They are
/// lent until the module, its instances and everything made from these is freed, and must not change.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_module_load_in_place(
    runtime: *const precast_runtime,
    bytes: *const c_void,
    length: usize,
    keys: *const precast_key,
    key_count: usize,
    module: *mut *mut precast_module,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let keys = c.array(keys.cast::<[u8; 32]>(), key_count, "keys")?;
        store(c, runtime, module, |runtime| {
            let bytes = c.lasting(bytes, length, "bytes")?;
            Ok(runtime.load(Source::borrowed(bytes), Trust::Keys(keys))?)
        })
    })
}

/// As `precast_module_load_in_place`, with the trust of `precast_module_load_unverified`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_module_load_in_place_unverified(
    runtime: *const precast_runtime,
    bytes: *const c_void,
    length: usize,
    module: *mut *mut precast_module,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        store(c, runtime, module, |runtime| {
            let bytes = c.lasting(bytes, length, "bytes")?;
            // SAFETY: C promises what the function's text says.
            Ok(unsafe { runtime.load_unverified(Source::borrowed(bytes)) }?)
        })
    })
}

/// As `precast_module_load`, of a file, by the system's name for it. It is read into memory, so that
/// what is verified is what is run.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_module_load_file(
    runtime: *const precast_runtime,
    path: *const c_char,
    keys: *const precast_key,
    key_count: usize,
    module: *mut *mut precast_module,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let keys = c.array(keys.cast::<[u8; 32]>(), key_count, "keys")?;
        store(c, runtime, module, |runtime| {
            let path = c.c_str(path, "path")?;
            Ok(runtime.load(Source::named(path), Trust::Keys(keys))?)
        })
    })
}

/// As `precast_module_load_file`, with the trust of `precast_module_load_unverified`. The file is
/// mapped, and must not change while the module lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_module_load_file_unverified(
    runtime: *const precast_runtime,
    path: *const c_char,
    module: *mut *mut precast_module,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        store(c, runtime, module, |runtime| {
            let path = c.c_str(path, "path")?;
            // SAFETY: C promises what the function's text says.
            Ok(unsafe { runtime.load_unverified(Source::named(path)) }?)
        })
    })
}

/// Takes a module that is linked into the program: the address of a symbol `precast_module_NAME`.
///
/// Nothing is mapped or copied for it, and it is trusted as the program is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_module_from_static(
    runtime: *const precast_runtime,
    static_module: *const precast_static_module,
    module: *mut *mut precast_module,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        store(c, runtime, module, |runtime| {
            let linked = c.linked(static_module.cast(), "static_module")?;
            Ok(Module::from_static(runtime, linked)?)
        })
    })
}

/// Frees a handle to a module; null is no handle. Its instances stay.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_module_free(module: *mut precast_module) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| c.free(module));
}

/// Stores the module's name, which is there for as long as a handle to the module or to an instance
/// of it is; no text if the artifact has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_module_name(
    module: *const precast_module,
    name: *mut precast_text,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let module = c.get(module, "module")?;
        c.out(name, "name")?.set(precast_text::new(module.name()));
        Ok(())
    })
}

/// Stores the name of a function by its index, imports first; no text if the artifact has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_module_function_name(
    module: *const precast_module,
    function_index: u32,
    name: *mut precast_text,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let module = c.get(module, "module")?;
        let function_name = module.function_name(function_index);
        c.out(name, "name")?.set(precast_text::new(function_name));
        Ok(())
    })
}

/// Stores where the contents of a custom section are, by its name and, where several have it, by its
/// place among these; they are there for as long as a handle to the module or to an instance of it is.
/// Artifacts carry custom sections unless they are stripped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_module_custom_section(
    module: *const precast_module,
    name: *const c_char,
    place: usize,
    bytes: *mut *const c_void,
    length: *mut usize,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let module = c.get(module, "module")?;
        let name = c.text(name, "name")?;
        let (bytes, length) = (c.out(bytes, "bytes")?, c.out(length, "length")?);
        let sections = module.artifact().custom_sections().into_iter();
        let mut named = sections.filter(|section| section.name == name);
        let section = named
            .nth(place)
            .ok_or(Failure::NotFound("custom section"))?;
        bytes.set(section.bytes.as_ptr().cast());
        length.set(section.bytes.len());
        Ok(())
    })
}

/// Stores how many imports the module has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_module_import_count(
    module: *const precast_module,
    count: *mut usize,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let module = c.get(module, "module")?;
        c.out(count, "count")?.set(module.imports().count());
        Ok(())
    })
}

/// Stores what an import is, by its index. `signature` may be null; for a function or a tag it gets
/// the type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_module_import(
    module: *const precast_module,
    index: usize,
    item: *mut precast_item,
    signature: *mut precast_signature,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let module = c.get(module, "module")?;
        let import = module.imports().nth(index);
        let (from, name, ty) = import.ok_or(Failure::NotFound("import"))?;
        c.fill(item, &precast_item::new(Some(from), name, &ty), "item")?;
        match ty {
            _ if signature.is_null() => Ok(()),
            precast_loader::ExternType::Function(ty) | precast_loader::ExternType::Tag(ty) => {
                c.store_type(signature, &ty)
            }
            _ => Ok(()),
        }
    })
}

/// Stores how many exports the module has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_module_export_count(
    module: *const precast_module,
    count: *mut usize,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let module = c.get(module, "module")?;
        let exports = module.artifact().exports().len();
        c.out(count, "count")?.set(exports as usize);
        Ok(())
    })
}

/// Stores the name and the kind of an export, by its index; `precast_instance_export` has its type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_module_export(
    module: *const precast_module,
    index: usize,
    name: *mut precast_text,
    kind: *mut extern_kind,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let module = c.get(module, "module")?;
        let (name, kind) = (c.out(name, "name")?, c.out(kind, "kind")?);
        let export = module.artifact().exports().into_iter().nth(index);
        let export = export.ok_or(Failure::NotFound("export"))?;
        name.set(precast_text::new(Some(export.name)));
        kind.set(kind_number(export.kind));
        Ok(())
    })
}

/// Stores what a call of an exported function can take of the native stack, as the compiler proved it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_module_stack_depth(
    module: *const precast_module,
    export: *const c_char,
    depth: *mut precast_stack_depth,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let module = c.get(module, "module")?;
        let export = c.text(export, "export")?;
        let found = module.artifact().exports().lookup(export);
        if found.is_none_or(|export| export.kind != ExternKind::Function) {
            return Err(Failure::NotFound("function among the exports"));
        }
        let found = module.stack_depth(export);
        let found = found.ok_or(Failure::Unsupported("the artifact does not say"))?;
        let mut told = precast_stack_depth {
            size: size_of::<precast_stack_depth>(),
            bytes: 0,
            region: 0,
            calls_imports: 0,
            unbounded_function: u32::MAX,
        };
        match found {
            StackDepth::Bounded {
                bytes,
                region,
                imports,
                ..
            } => {
                told.bytes = bytes;
                told.region = region;
                told.calls_imports = u32::from(imports);
            }
            StackDepth::Recursion { function, .. } | StackDepth::UnknownCallee { function, .. } => {
                told.unbounded_function = function;
            }
            _ => return Err(Failure::Unsupported("the depth is of an unknown kind")),
        }
        c.fill(depth, &told, "depth")
    })
}

/// Stores where the bytes of the module's artifact are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_module_artifact_usage(
    module: *const precast_module,
    usage: *mut precast_artifact_usage,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let told = c.get(module, "module")?.artifact_usage();
        let told = precast_artifact_usage {
            size: size_of::<precast_artifact_usage>(),
            owned: told.owned,
            borrowed: told.borrowed,
            mapped: told.mapped,
            released: told.released,
        };
        c.fill(usage, &told, "usage")
    })
}
