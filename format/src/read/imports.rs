//! Imports: what an instance needs from others.

use crate::bytes::Record;
use crate::error::{ErrorKind, FormatError};
use crate::layout::{FLAG_64, FLAG_HAS_MAX, FLAG_MUTABLE, FLAG_SHARED, SectionId, import};
use crate::types::{ExternKind, GlobalType, ImportType, Limits, MemoryType, TableType, ValueType};

use super::Artifact;
use super::collection::{Collection, Item, string};
use super::tags::check_tag_type;
use super::types::check_value_type;
use super::validate::{Checker, check_memory_type, check_table_type};

/// The imports of a module, in its order.
pub type Imports<'a> = Collection<'a, Import<'a>>;

/// An import.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Import<'a> {
    /// Its index among all imports.
    pub index: u32,
    /// The name of the module that it comes from.
    pub module: &'a str,
    /// Its name there.
    pub name: &'a str,
    /// What it has to be.
    pub ty: ImportType,
}

impl<'a> Item<'a> for Import<'a> {
    type Pools = &'a str;

    const SECTION: SectionId = SectionId::Imports;

    fn read(record: Record<'a>, index: u32, strings: &&'a str) -> Result<Self, ErrorKind> {
        let module = string(
            strings,
            record.u32(import::MODULE_OFFSET),
            record.u32(import::MODULE_SIZE),
        )?;
        let name = string(
            strings,
            record.u32(import::NAME_OFFSET),
            record.u32(import::NAME_SIZE),
        )?;
        let flags = u32::from(record.u8(import::FLAGS));
        let (min, max) = (record.u64(import::MIN), record.u64(import::MAX));
        let page_size_log2 = record.u8(import::PAGE_SIZE_LOG2);
        let raw = record.u32(import::TYPE);
        let ty = match kind(record)? {
            ExternKind::Function => {
                no_more_than(flags, 0)?;
                ImportType::Function(raw)
            }
            ExternKind::Table => ImportType::Table(table_type(raw, flags, min, max)?),
            ExternKind::Memory => {
                ImportType::Memory(memory_type(flags, u32::from(page_size_log2), min, max)?)
            }
            ExternKind::Global => ImportType::Global(global_type(raw, flags)?),
            ExternKind::Tag => {
                no_more_than(flags, 0)?;
                ImportType::Tag(raw)
            }
        };
        // What a kind does not use is zero.
        let limited = matches!(ty, ImportType::Table(_) | ImportType::Memory(_));
        let unused = record.u8(import::RESERVED) != 0
            || (!limited && (min != 0 || max != 0))
            || (!matches!(ty, ImportType::Memory(_)) && page_size_log2 != 0)
            || (matches!(ty, ImportType::Memory(_)) && raw != 0);
        if unused {
            return Err(ErrorKind::ReservedBits);
        }
        Ok(Import {
            index,
            module,
            name,
            ty,
        })
    }
}

/// What is imported.
pub(super) fn kind(record: Record<'_>) -> Result<ExternKind, ErrorKind> {
    ExternKind::from_u8(record.u8(import::KIND)).ok_or(ErrorKind::UnknownNumber)
}

/// Refuses flags that the kind of type does not have.
fn no_more_than(flags: u32, known: u32) -> Result<(), ErrorKind> {
    if flags & !known == 0 {
        Ok(())
    } else {
        Err(ErrorKind::ReservedBits)
    }
}

/// Limits as they are stored: the maximum is zero where the flag says that there is none.
fn limits(flags: u32, min: u64, max: u64) -> Result<Limits, ErrorKind> {
    if flags & FLAG_HAS_MAX != 0 {
        Ok(Limits {
            min,
            max: Some(max),
        })
    } else if max == 0 {
        Ok(Limits { min, max: None })
    } else {
        Err(ErrorKind::ReservedBits)
    }
}

/// A table type from its stored parts.
pub(super) fn table_type(
    element: u32,
    flags: u32,
    min: u64,
    max: u64,
) -> Result<TableType, ErrorKind> {
    no_more_than(flags, FLAG_HAS_MAX | FLAG_64)?;
    Ok(TableType {
        element: ValueType::from_raw(element).ok_or(ErrorKind::UnknownNumber)?,
        limits: limits(flags, min, max)?,
        is_64: flags & FLAG_64 != 0,
    })
}

/// A memory type from its stored parts.
pub(super) fn memory_type(
    flags: u32,
    page_size_log2: u32,
    min: u64,
    max: u64,
) -> Result<MemoryType, ErrorKind> {
    no_more_than(flags, FLAG_HAS_MAX | FLAG_SHARED | FLAG_64)?;
    let page_size_log2 = u8::try_from(page_size_log2)
        .ok()
        .filter(|log2| matches!(log2, 0 | 16))
        .ok_or(ErrorKind::UnknownNumber)?;
    Ok(MemoryType {
        limits: limits(flags, min, max)?,
        is_64: flags & FLAG_64 != 0,
        shared: flags & FLAG_SHARED != 0,
        page_size_log2,
    })
}

/// A global type from its stored parts.
pub(super) fn global_type(value: u32, flags: u32) -> Result<GlobalType, ErrorKind> {
    no_more_than(flags, FLAG_MUTABLE)?;
    Ok(GlobalType {
        value: ValueType::from_raw(value).ok_or(ErrorKind::UnknownNumber)?,
        mutable: flags & FLAG_MUTABLE != 0,
    })
}

/// Checks types and names, and that the order is a permutation by kind.
pub(super) fn check(artifact: &Artifact<'_>, checker: &mut Checker) -> Result<(), FormatError> {
    let imports = artifact.imports();
    let type_count = artifact.types().len();
    imports.check_each(artifact, |import| {
        checker.count_name(import.module)?;
        checker.count_name(import.name)?;
        match import.ty {
            ImportType::Function(index) if index >= type_count => Err(ErrorKind::IndexOutOfRange),
            ImportType::Table(ty) => check_table_type(artifact, &ty),
            ImportType::Memory(ty) => check_memory_type(&ty),
            ImportType::Tag(index) => check_tag_type(artifact, index),
            ImportType::Global(ty) => check_value_type(artifact, ty.value),
            ImportType::Function(_) => Ok(()),
        }
    })?;
    let order = artifact.section_words(SectionId::ImportOrder);
    if order.len() != imports.len() {
        return Err(artifact.error(ErrorKind::SectionSize, SectionId::ImportOrder, 0));
    }
    let mut previous = None;
    for (place, index) in order.iter().enumerate() {
        let error = |kind| artifact.error(kind, SectionId::ImportOrder, place as u32);
        let import = imports.read(index).map_err(error)?;
        let key = (import.ty.kind(), index);
        // Strictly ascending and as many as there are imports: each occurs once.
        if previous.is_some_and(|previous| key <= previous) {
            return Err(error(ErrorKind::NotAscending));
        }
        previous = Some(key);
    }
    Ok(())
}
