//! Types as the artifact has them, and which of WebAssembly's are not there.

use precast_format::types::{GlobalType, Limits, TableType, ValueType};
use wasmparser::{AbstractHeapType, HeapType, UnpackedIndex, ValType};

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

/// A reference type.
pub(super) fn reference_type(ty: wasmparser::RefType) -> Result<ValueType> {
    let unsupported =
        || CompileError::unsupported(format!("the module needs the reference type {ty}"));
    let nullable = match ty.heap_type() {
        HeapType::Concrete(UnpackedIndex::Module(index)) => {
            let reference = ValueType::function(index, ty.is_nullable());
            return reference.ok_or_else(unsupported);
        }
        HeapType::Abstract { shared: false, ty } => match ty {
            AbstractHeapType::Func => ValueType::FUNCREF,
            AbstractHeapType::NoFunc => ValueType::NULLFUNCREF,
            AbstractHeapType::Extern => ValueType::EXTERNREF,
            AbstractHeapType::NoExtern => ValueType::NULLEXTERNREF,
            AbstractHeapType::Exn => ValueType::EXNREF,
            AbstractHeapType::NoExn => ValueType::NULLEXNREF,
            _ => return Err(unsupported()),
        },
        _ => return Err(unsupported()),
    };
    Ok(match ty.is_nullable() {
        true => nullable,
        false => nullable.not_null(),
    })
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
