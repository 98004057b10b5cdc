//! Types of functions, as the runtime knows them: one number for each structure.
//!
//! Two modules that declare the same function type must agree when one calls the other through a
//! table. The runtime therefore keeps one [registry](registry) of structures; a [`FuncType`] is a
//! counted reference to an entry, and two of them are equal when their entries are the same.
//! Types of tables, memories and globals are plain values of the format crate.
#![forbid(unsafe_code)]

mod group;
mod registry;
#[cfg(test)]
mod tests;

use core::fmt;

use precast_format::plain::Decimal;

pub use precast_format::types::{ExternKind, GlobalType, Limits, MemoryType, TableType, ValueType};

use crate::alloc::OutOfMemory;
use crate::runtime::Runtime;

pub(crate) use group::{GroupStructure, OWN};
pub(crate) use registry::TypeRegistry;
use registry::{EntryRef, Structure};

/// The type of a function: parameters and results. Clones refer to the same entry.
///
/// Types are equal that have the same parameters and results, but for those of a module's recursion
/// groups: these equal the ones at the same place of an equal group.
///
/// It is empty where a damaged module does not have the type.
#[derive(Clone)]
pub struct FuncType(Option<EntryRef>);

impl FuncType {
    /// The type with these parameters and results. Allocates where the runtime does not have it yet.
    pub fn new(
        runtime: &Runtime,
        params: &[ValueType],
        results: &[ValueType],
    ) -> Result<FuncType, OutOfMemory> {
        let value_type = |index: usize| {
            let result = || results.get(index.wrapping_sub(params.len()));
            let found = params.get(index).or_else(result);
            found.copied().unwrap_or(ValueType::I32)
        };
        let refers = |ty: &ValueType| ty.function_type().is_some();
        if params.iter().chain(results).any(refers) {
            let group = GroupStructure {
                count: 1,
                counts: &|_| (params.len(), results.len()),
                value_type: &|_, index| value_type(index),
                entry: &|_, _| None,
            };
            return FuncType::group(runtime, group);
        }
        FuncType::with(runtime, params.len(), results.len(), &value_type)
    }

    /// The type of references to functions of this type. It names the type and does not keep it: once
    /// the last type that is equal is gone, the name means nothing.
    pub fn reference(&self, nullable: bool) -> ValueType {
        match ValueType::function(self.id(), nullable) {
            Some(reference) => reference,
            // There are no functions of a type that there is not.
            None if nullable => ValueType::NULLFUNCREF,
            None => ValueType::NULLFUNCREF.not_null(),
        }
    }

    /// The first type of a recursion group.
    pub(crate) fn group(
        runtime: &Runtime,
        structure: GroupStructure<'_>,
    ) -> Result<FuncType, OutOfMemory> {
        let entry = runtime.types().lock().intern_group(runtime, structure)?;
        Ok(FuncType(Some(entry)))
    }

    /// The type at a place of the recursion group that begins with this one.
    pub(crate) fn in_group(&self, place: usize) -> Option<FuncType> {
        let member = self.0.as_ref()?.group()?.member(place)?;
        Some(FuncType(Some(member)))
    }

    /// The entry of the type.
    pub(crate) fn entry(&self) -> Option<EntryRef> {
        self.0.clone()
    }

    /// The type with so many parameters and results, each told by its number, parameters first.
    pub(crate) fn with(
        runtime: &Runtime,
        params: usize,
        results: usize,
        value_type: &dyn Fn(usize) -> ValueType,
    ) -> Result<FuncType, OutOfMemory> {
        let structure = Structure {
            params,
            results,
            value_type,
        };
        let entry = runtime.types().lock().intern(runtime, structure)?;
        Ok(FuncType(Some(entry)))
    }

    /// What stands where a type should be that a damaged module does not have: it equals no type of
    /// a module, and calls through it fail.
    pub(crate) const fn nameless() -> FuncType {
        FuncType(None)
    }

    /// The parameters' types.
    pub fn params(&self) -> &[ValueType] {
        self.0.as_ref().map_or(&[], registry::params)
    }

    /// The results' types.
    pub fn results(&self) -> &[ValueType] {
        self.0.as_ref().map_or(&[], registry::results)
    }

    /// The number that compiled code compares; unique in the runtime while the type is in use.
    pub(crate) fn id(&self) -> u32 {
        self.0.as_ref().map_or(u32::MAX, |entry| entry.id())
    }

    /// Slots of a value array for a call: enough for parameters and for results.
    pub(crate) fn slots(&self) -> usize {
        self.params().len().max(self.results().len())
    }
}

impl Drop for FuncType {
    fn drop(&mut self) {
        if let Some(entry) = self.0.take() {
            // The entry may be the last to hold the runtime, whose lock is held while it goes.
            let runtime = entry.runtime().clone();
            runtime.types().lock().release(entry);
        }
    }
}

impl PartialEq for FuncType {
    fn eq(&self, other: &FuncType) -> bool {
        match (&self.0, &other.0) {
            (Some(first), Some(second)) if first.group().is_some() || second.group().is_some() => {
                EntryRef::is_same(first, second)
            }
            _ => self.params() == other.params() && self.results() == other.results(),
        }
    }
}

impl Eq for FuncType {}

impl fmt::Display for FuncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, self.params())?;
        f.write_str(" -> ")?;
        write_list(f, self.results())
    }
}

impl fmt::Debug for FuncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, types: &[ValueType]) -> fmt::Result {
    f.write_str("(")?;
    for (index, value_type) in types.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        fmt::Display::fmt(value_type, f)?;
    }
    f.write_str(")")
}

/// The type of something that a module imports or exports.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ExternType {
    /// A function.
    Function(FuncType),
    /// A table.
    Table(TableType),
    /// A linear memory.
    Memory(MemoryType),
    /// A global.
    Global(GlobalType),
    /// A tag, whose exceptions carry the parameters.
    Tag(FuncType),
}

impl ExternType {
    /// The kind alone.
    pub fn kind(&self) -> ExternKind {
        match self {
            ExternType::Function(_) => ExternKind::Function,
            ExternType::Table(_) => ExternKind::Table,
            ExternType::Memory(_) => ExternKind::Memory,
            ExternType::Global(_) => ExternKind::Global,
            ExternType::Tag(_) => ExternKind::Tag,
        }
    }
}

impl fmt::Display for ExternType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExternType::Function(func) => write!(f, "func {func}"),
            ExternType::Table(table) => {
                f.write_str("table")?;
                write_index_type(f, table.is_64)?;
                write_limits(f, &table.limits)?;
                write!(f, " {}", table.element)
            }
            ExternType::Memory(memory) => {
                f.write_str("memory")?;
                write_index_type(f, memory.is_64)?;
                write_limits(f, &memory.limits)?;
                if memory.shared {
                    f.write_str(" shared")?;
                }
                if memory.page_size_log2 != precast_format::types::WASM_PAGE_SIZE_LOG2 {
                    write!(f, " (pagesize {})", Decimal(1 << memory.page_size_log2))?;
                }
                Ok(())
            }
            ExternType::Global(global) if global.mutable => {
                write!(f, "global (mut {})", global.value)
            }
            ExternType::Global(global) => write!(f, "global {}", global.value),
            ExternType::Tag(tag) => {
                f.write_str("tag ")?;
                write_list(f, tag.params())
            }
        }
    }
}

fn write_index_type(f: &mut fmt::Formatter<'_>, is_64: bool) -> fmt::Result {
    if is_64 { f.write_str(" i64") } else { Ok(()) }
}

fn write_limits(f: &mut fmt::Formatter<'_>, limits: &Limits) -> fmt::Result {
    write!(f, " {}", Decimal(limits.min))?;
    if let Some(max) = limits.max {
        write!(f, " {}", Decimal(max))?;
    }
    Ok(())
}
