//! What of garbage collection is not there: all but recursion groups of function types.
//!
//! The validator knows recursion groups as a part of garbage collection, so that it accepts all of
//! it. Types and instructions of the rest are refused here, by name.

use wasmparser::{AbstractHeapType, BlockType, HeapType, Operator, RefType, ValType};

use crate::error::{CompileError, Result};

/// The refusal.
pub(super) fn refused() -> CompileError {
    CompileError::unsupported("the module needs garbage collection")
}

/// Refuses a type of values that are objects of a collected heap.
///
/// # Errors
///
/// Where it is one.
pub(crate) fn check_type(ty: ValType) -> Result<()> {
    match ty {
        ValType::Ref(ty) => check_reference(ty),
        _ => Ok(()),
    }
}

/// Refuses such a type of references.
pub(super) fn check_reference(ty: RefType) -> Result<()> {
    check_heap(ty.heap_type())
}

fn check_heap(ty: HeapType) -> Result<()> {
    match ty {
        // What is defined is a function, or was refused.
        HeapType::Concrete(_) => Ok(()),
        HeapType::Abstract { shared: false, ty } => match ty {
            AbstractHeapType::Func
            | AbstractHeapType::NoFunc
            | AbstractHeapType::Extern
            | AbstractHeapType::NoExtern
            | AbstractHeapType::Exn
            | AbstractHeapType::NoExn => Ok(()),
            _ => Err(refused()),
        },
        HeapType::Abstract { .. } | HeapType::Exact(_) => Err(refused()),
    }
}

/// Refuses an instruction that belongs to garbage collection, or names a type that does.
///
/// # Errors
///
/// Where it does.
pub(crate) fn check_operator(operator: &Operator<'_>) -> Result<()> {
    match operator {
        Operator::Block { blockty }
        | Operator::Loop { blockty }
        | Operator::If { blockty }
        | Operator::Try { blockty } => check_block(*blockty),
        Operator::TryTable { try_table } => check_block(try_table.ty),
        Operator::RefNull { hty } => check_heap(*hty),
        Operator::TypedSelect { ty } => check_type(*ty),
        Operator::TypedSelectMulti { tys } => tys.iter().try_for_each(|ty| check_type(*ty)),
        operator if needs_collection(operator) => Err(refused()),
        _ => Ok(()),
    }
}

fn check_block(ty: BlockType) -> Result<()> {
    match ty {
        BlockType::Type(ty) => check_type(ty),
        BlockType::Empty | BlockType::FuncType(_) => Ok(()),
    }
}

/// Defines [`needs_collection`] from the parser's own list of instructions and proposals.
macro_rules! define_needs_collection {
    ($(@$proposal:ident $op:ident $({ $($payload:tt)* })? => $visit:ident ($($ann:tt)*))*) => {
        /// Whether the instruction is one of garbage collection.
        fn needs_collection(operator: &Operator<'_>) -> bool {
            match operator {
                $(Operator::$op { .. } => define_needs_collection!(@ $proposal),)*
                _ => false,
            }
        }
    };
    (@ gc) => { true };
    (@ $other:ident) => { false };
}

wasmparser::for_each_operator!(define_needs_collection);
