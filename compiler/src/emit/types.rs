//! Types as the artifact has them, and which of WebAssembly's are not there.

use precast_format::types::{GlobalType, Limits, TableType, ValueType};
use wasmparser::{AbstractHeapType, HeapType, ValType};

use crate::error::{CompileError, Result};

/// A value type.
///
/// # Errors
///
/// When it is a reference type that is not supported, as with all functions here.
pub(super) fn value_type(ty: ValType) -> Result<ValueType> {
    Ok(match ty {
        ValType::I32 => ValueType::I32,
        ValType::I64 => ValueType::I64,
        ValType::F32 => ValueType::F32,
        ValType::F64 => ValueType::F64,
        ValType::V128 => ValueType::V128,
        ValType::Ref(ty) => reference_type(ty)?,
    })
}

/// The pattern of a heap type of exceptions.
macro_rules! exception_type {
    ($($name:ident)|+) => {
        HeapType::Abstract {
            shared: false,
            ty: $(AbstractHeapType::$name)|+,
        }
    };
}

/// A reference type.
pub(super) fn reference_type(ty: wasmparser::RefType) -> Result<ValueType> {
    match (ty.is_nullable(), ty.heap_type()) {
        (true, HeapType::FUNC) => Ok(ValueType::FUNCREF),
        (true, HeapType::EXTERN) => Ok(ValueType::EXTERNREF),
        (true, exception_type!(Exn)) => Ok(ValueType::EXNREF),
        (true, exception_type!(NoExn)) => Ok(ValueType::NULLEXNREF),
        _ => Err(CompileError::unsupported(format!(
            "the module needs the reference type {ty}"
        ))),
    }
}

/// A type in the type of a block. Between blocks, an exception may be known not to be null; nothing
/// that crosses a border is.
pub(super) fn block_type(ty: ValType) -> Result<ValueType> {
    match ty {
        ValType::Ref(ty) if matches!(ty.heap_type(), exception_type!(Exn | NoExn)) => {
            reference_type(ty.nullable())
        }
        ty => value_type(ty),
    }
}

/// The type of a table.
pub(super) fn table_type(ty: &wasmparser::TableType) -> Result<TableType> {
    Ok(TableType {
        element: reference_type(ty.element_type)?,
        limits: Limits {
            min: ty.initial,
            max: ty.maximum,
        },
        is_64: ty.table64,
    })
}

/// The type of a global.
pub(super) fn global_type(ty: &wasmparser::GlobalType) -> Result<GlobalType> {
    Ok(GlobalType {
        value: value_type(ty.content_type)?,
        mutable: ty.mutable,
    })
}
