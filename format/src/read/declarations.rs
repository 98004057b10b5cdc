//! The type of an import or of a definition, as records store it.
//!
//! Imports and definitions of all kinds say the same things in records of different layout. Here they
//! are the same, so that types are decoded and checked in one place.

use crate::bytes::Record;
use crate::error::ErrorKind;
use crate::layout::{
    FLAG_64, FLAG_HAS_MAX, FLAG_MUTABLE, FLAG_SHARED, SectionId, function, function_type, global,
    import, memory, table, tag,
};
use crate::types::{
    ExternKind, GlobalType, ImportType, Limits, MemoryType, TableType, ValueType,
    WASM_PAGE_SIZE_LOG2,
};

use super::Artifact;
use super::types::check_value_type;

/// The section of what a module defines, by kind.
pub(super) const DEFINITIONS: [SectionId; ExternKind::ALL.len()] = [
    SectionId::Functions,
    SectionId::Tables,
    SectionId::Memories,
    SectionId::Globals,
    SectionId::Tags,
];

/// A type; what its kind does not use is zero.
#[derive(Clone, Copy)]
pub(super) struct Declaration {
    kind: ExternKind,
    /// A type's index, or a value type.
    pub(super) ty: u32,
    flags: u32,
    page_size_log2: u32,
    min: u64,
    max: u64,
}

impl Declaration {
    /// An import's.
    pub(super) fn imported(record: &Record) -> Declaration {
        Declaration {
            kind: ExternKind::from_u8(record.u8(import::KIND)).unwrap_or(ExternKind::Function),
            ty: record.u32(import::TYPE),
            flags: u32::from(record.u8(import::FLAGS)),
            page_size_log2: u32::from(record.u8(import::PAGE_SIZE_LOG2)),
            min: record.u64(import::MIN),
            max: record.u64(import::MAX),
        }
    }

    /// A definition's, of this kind.
    pub(super) fn defined(kind: ExternKind, record: &Record) -> Declaration {
        let mut declaration = Declaration {
            kind,
            ty: 0,
            flags: 0,
            page_size_log2: 0,
            min: 0,
            max: 0,
        };
        match kind {
            ExternKind::Function => declaration.ty = record.u32(function::TYPE),
            ExternKind::Tag => declaration.ty = record.u32(tag::TYPE),
            ExternKind::Global => {
                declaration.ty = record.u32(global::TYPE);
                declaration.flags = record.u32(global::FLAGS);
            }
            ExternKind::Table => {
                declaration.ty = record.u32(table::ELEMENT);
                declaration.flags = record.u32(table::FLAGS);
                declaration.min = record.u64(table::MIN);
                declaration.max = record.u64(table::MAX);
            }
            ExternKind::Memory => {
                declaration.flags = record.u32(memory::FLAGS);
                declaration.page_size_log2 = record.u32(memory::PAGE_SIZE_LOG2);
                declaration.min = record.u64(memory::MIN);
                declaration.max = record.u64(memory::MAX);
            }
        }
        declaration
    }

    const fn limits(&self) -> Limits {
        Limits {
            min: self.min,
            max: if self.flags & FLAG_HAS_MAX != 0 {
                Some(self.max)
            } else {
                None
            },
        }
    }

    /// The type of a table.
    pub(super) const fn table(&self) -> TableType {
        TableType {
            element: ValueType::from_checked(self.ty),
            limits: self.limits(),
            is_64: self.flags & FLAG_64 != 0,
        }
    }

    /// The type of a memory.
    pub(super) const fn memory(&self) -> MemoryType {
        MemoryType {
            limits: self.limits(),
            is_64: self.flags & FLAG_64 != 0,
            shared: self.flags & FLAG_SHARED != 0,
            // There are two page sizes.
            page_size_log2: if self.page_size_log2 == 0 {
                0
            } else {
                WASM_PAGE_SIZE_LOG2
            },
        }
    }

    /// The type of a global.
    pub(super) const fn global(&self) -> GlobalType {
        GlobalType {
            value: ValueType::from_checked(self.ty),
            mutable: self.flags & FLAG_MUTABLE != 0,
        }
    }

    /// The type with its kind.
    #[inline(never)]
    pub(super) const fn import_type(&self) -> ImportType {
        match self.kind {
            ExternKind::Function => ImportType::Function(self.ty),
            ExternKind::Table => ImportType::Table(self.table()),
            ExternKind::Memory => ImportType::Memory(self.memory()),
            ExternKind::Global => ImportType::Global(self.global()),
            ExternKind::Tag => ImportType::Tag(self.ty),
        }
    }

    /// The type of indices of a table or memory.
    pub(super) const fn index_type(&self) -> ValueType {
        if self.flags & FLAG_64 != 0 {
            ValueType::I64
        } else {
            ValueType::I32
        }
    }

    /// Checks everything that a type says.
    pub(super) fn check(&self, artifact: &Artifact<'_>) -> Result<(), ErrorKind> {
        let is_table = self.kind == ExternKind::Table;
        let is_memory = self.kind == ExternKind::Memory;
        let flags = match self.kind {
            ExternKind::Table => FLAG_HAS_MAX | FLAG_64,
            ExternKind::Memory => FLAG_HAS_MAX | FLAG_SHARED | FLAG_64,
            ExternKind::Global => FLAG_MUTABLE,
            ExternKind::Function | ExternKind::Tag => 0,
        };
        // What a kind does not use is zero, and so is a maximum that is not given.
        let limited = is_table || is_memory;
        let bounded = limited && self.flags & FLAG_HAS_MAX != 0;
        let unused = self.flags & !flags != 0
            || !limited && self.min != 0
            || !bounded && self.max != 0
            || !is_memory && self.page_size_log2 != 0
            || is_memory && self.ty != 0;
        if unused {
            return Err(ErrorKind::ReservedBits);
        }
        if is_table || self.kind == ExternKind::Global {
            let ty = check_value_type(artifact, self.ty)?;
            if is_table && !ty.is_reference() {
                return Err(ErrorKind::TypeMismatch);
            }
        } else if !is_memory {
            artifact.find(SectionId::Types, self.ty)?;
            let ty = artifact.record(SectionId::Types, self.ty);
            // An exception's values are the parameters.
            if self.kind == ExternKind::Tag && ty.u32(function_type::RESULT_COUNT) != 0 {
                return Err(ErrorKind::TypeMismatch);
            }
        } else if !matches!(self.page_size_log2, 0 | 16) {
            return Err(ErrorKind::UnknownNumber);
        }
        if limited {
            let reachable = if is_memory {
                self.memory().reachable_pages()
            } else if self.flags & FLAG_64 != 0 {
                u64::MAX
            } else {
                u64::from(u32::MAX)
            };
            // What threads share does not move, so its end is known.
            let endless = self.flags & FLAG_SHARED != 0 && !bounded;
            if endless || !self.limits().is_valid(reachable) {
                return Err(ErrorKind::InvalidLimits);
            }
        }
        Ok(())
    }
}

impl<'a> Artifact<'a> {
    /// The type of what has this index in the index space of its kind; some type where there is none.
    pub(super) fn declaration(&self, kind: ExternKind, index: u32) -> Declaration {
        match index.checked_sub(self.imported_count(kind)) {
            Some(defined) => {
                let record = self.record(DEFINITIONS[kind as usize], defined);
                Declaration::defined(kind, &record)
            }
            None => {
                let import = self.import_index(kind, index).unwrap_or(index);
                Declaration::imported(&self.record(SectionId::Imports, import))
            }
        }
    }
}
