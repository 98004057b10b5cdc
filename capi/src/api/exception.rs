//! Exceptions of programs and their tags: caught by C, made by it, thrown by its functions.

use core::ffi::c_char;

use precast_loader::{Category, Exception, HostError, Runtime, Tag, Value, ValueType};

use super::imports::precast_imports;
use super::instance::precast_instance;
use super::runtime::precast_runtime;
use crate::boundary::C;
use crate::boundary::handle::{Object, create};
use crate::error::precast_error;
use crate::failure::Failure;
use crate::host::precast_caller;
use crate::status::precast_status;
use crate::types::precast_signature;
use crate::value::{Values, lend, precast_value, type_of, value_kind};

/// What kind of exception something is, and what it carries: exported by an instance, or made by the
/// host to be imported.
pub struct precast_tag {
    _private: [u8; 0],
}

impl Object for precast_tag {
    type Value = TagOf;
    const KIND: u32 = 0x5043_000e;
}

/// A tag, and where handles to its exceptions come from.
pub struct TagOf {
    /// The tag.
    pub tag: Tag,
    /// Its runtime.
    pub runtime: Runtime,
}

/// An exception: one that left a call, one that the host made, or a reference to one. It keeps what its
/// tag belongs to alive.
pub struct precast_exception {
    _private: [u8; 0],
}

impl Object for precast_exception {
    type Value = Exception;
    const KIND: u32 = 0x5043_000f;
}

/// Makes a handle to a tag.
pub fn tag_handle(runtime: &Runtime, tag: Tag) -> Result<*mut precast_tag, Failure> {
    let runtime = runtime.clone();
    let allocator = runtime.allocator().clone();
    let tag = TagOf { tag, runtime };
    Ok(create(&allocator, Category::Instance, tag)?)
}

/// Makes a handle to an exception.
pub fn handle(exception: Exception) -> Result<*mut precast_exception, Failure> {
    let allocator = exception.runtime().allocator().clone();
    Ok(create(&allocator, Category::Exceptions, exception)?)
}

/// Makes a tag whose exceptions carry values of these kinds. The handle is stored in `tag`, and freed
/// by `precast_tag_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_tag_new(
    runtime: *const precast_runtime,
    kinds: *const value_kind,
    count: usize,
    tag: *mut *mut precast_tag,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let runtime = c.get(runtime, "runtime")?;
        let out = c.out(tag, "tag")?;
        let kinds = c.array(kinds, count, "kinds")?;
        let mut types = Values::new(runtime.allocator(), kinds.len(), ValueType::I32)?;
        for (place, kind) in types.iter_mut().zip(kinds) {
            *place = type_of(*kind, "kinds")?;
        }
        out.set(tag_handle(&runtime, Tag::new(&runtime, &types)?)?);
        Ok(())
    })
}

/// Frees a handle to a tag; null is no handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_tag_free(tag: *mut precast_tag) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| c.free(tag));
}

/// Stores what the tag's exceptions carry, as the parameters of a type without results.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_tag_signature(
    tag: *const precast_tag,
    signature: *mut precast_signature,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let tag = c.get(tag, "tag")?;
        c.store_type(signature, &tag.tag.func_type())
    })
}

/// Stores whether exceptions of one tag are caught as exceptions of the other.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_tag_is_same(
    tag: *const precast_tag,
    other: *const precast_tag,
    is_same: *mut bool,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let (tag, other) = (c.get(tag, "tag")?, c.get(other, "other")?);
        c.out(is_same, "is_same")?.set(tag.tag == other.tag);
        Ok(())
    })
}

/// Stores a handle to the tag that is exported under a name, freed by `precast_tag_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_instance_tag(
    instance: *const precast_instance,
    name: *const c_char,
    tag: *mut *mut precast_tag,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let instance = c.get(instance, "instance")?;
        let out = c.out(tag, "tag")?;
        let export = instance.export(c.text(name, "name")?);
        let export = export.ok_or(Failure::NotFound("export"))?;
        let found = export.into_tag();
        let found = found.ok_or(Failure::Mismatch("the export is of another kind"))?;
        out.set(tag_handle(instance.module().runtime(), found)?);
        Ok(())
    })
}

/// Defines a tag.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_imports_define_tag(
    imports: *mut precast_imports,
    module: *const c_char,
    name: *const c_char,
    tag: *const precast_tag,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let mut imports = c.lock(imports, "imports")?;
        let (module, name) = (c.text(module, "module")?, c.text(name, "name")?);
        let tag = c.get(tag, "tag")?;
        Ok(imports.tag(module, name, &tag.tag)?)
    })
}

/// Makes an exception with values of the tag's kinds. The handle is stored in `exception`, and freed by
/// `precast_exception_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_exception_new(
    tag: *const precast_tag,
    values: *const precast_value,
    count: usize,
    exception: *mut *mut precast_exception,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let tag = c.get(tag, "tag")?;
        let out = c.out(exception, "exception")?;
        let expected = tag.tag.func_type();
        if count != expected.params().len() {
            return Err(precast_loader::CallError::TagMismatch { expected }.into());
        }
        let given = c.array(values, count, "values")?;
        let mut values = Values::new(tag.runtime.allocator(), count, Value::I32(0))?;
        for (value, given) in values.iter_mut().zip(given) {
            *value = c.value(given, "values")?;
        }
        out.set(handle(Exception::new(&tag.tag, &values)?)?);
        Ok(())
    })
}

/// Frees a handle to an exception; null is no handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_exception_free(exception: *mut precast_exception) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| c.free(exception));
}

/// Stores a handle to the exception's tag, freed by `precast_tag_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_exception_tag(
    exception: *const precast_exception,
    tag: *mut *mut precast_tag,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let exception = c.get(exception, "exception")?;
        let out = c.out(tag, "tag")?;
        out.set(tag_handle(exception.runtime(), exception.tag())?);
        Ok(())
    })
}

/// Stores what the exception carries, and how many values that are in `count`. Handles among them are
/// the caller's to free. `values` may be null with a capacity of zero, if only the number is asked for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_exception_values(
    exception: *const precast_exception,
    values: *mut precast_value,
    capacity: usize,
    count: *mut usize,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let exception = c.get(exception, "exception")?;
        let out = c.out(count, "count")?;
        let places = c.array_mut(values, capacity, "values")?;
        let carried = exception.tag().types().len();
        out.set(carried);
        if values.is_null() && capacity == 0 {
            return Ok(());
        }
        if places.len() < carried {
            return Err(Failure::Short("values", carried));
        }
        for (index, value) in exception.values()?.enumerate() {
            match (places.get_mut(index), lend(&value, exception.runtime())) {
                (Some(place), Ok(lent)) => *place = lent,
                (_, Err(failure)) => {
                    c.free_values(places.get(..index).unwrap_or_default());
                    places.fill(precast_value::ZERO);
                    return Err(failure);
                }
                (None, Ok(_)) => {}
            }
        }
        Ok(())
    })
}

/// Has a host function throw an exception, which the program can catch: the function returns what this
/// returns, which is `PRECAST_EXCEPTION`. The handle stays the function's own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_caller_throw(
    caller: *mut precast_caller,
    exception: *const precast_exception,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    let status = precast_status::PRECAST_EXCEPTION;
    let noted = c.run(core::ptr::null_mut(), || {
        let mut call = c.lock(caller, "caller")?;
        let exception = (*c.get(exception, "exception")?).clone();
        call.end_with(status, HostError::from(exception));
        Ok(())
    });
    match noted {
        precast_status::PRECAST_OK => status,
        other => other,
    }
}
