//! Defined tables.

use crate::bytes::Record;
use crate::error::{ErrorKind, FormatError};
use crate::layout::{SectionId, table};
use crate::types::{ExternKind, TableType};

use super::Artifact;
use super::collection::{Collection, Item};
use super::expressions::{Expression, Expressions};
use super::imports::table_type;
use super::validate::{Checker, check_table_type};

/// The defined tables of a module.
pub type Tables<'a> = Collection<'a, Table<'a>>;

/// A defined table.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// Its index among the defined tables.
    pub index: u32,
    /// Its type.
    pub ty: TableType,
    /// The initial value of its elements; null where there is none.
    pub init: Option<Expression<'a>>,
}

impl<'a> Item<'a> for Table<'a> {
    type Pools = Expressions<'a>;

    const SECTION: SectionId = SectionId::Tables;

    fn read(record: Record<'a>, index: u32, pools: &Expressions<'a>) -> Result<Self, ErrorKind> {
        if record.u32(table::RESERVED) != 0 {
            return Err(ErrorKind::ReservedBits);
        }
        let ty = table_type(
            record.u32(table::ELEMENT),
            record.u32(table::FLAGS),
            record.u64(table::MIN),
            record.u64(table::MAX),
        )?;
        let init = record
            .optional(table::INIT)
            .map(|init| pools.read(init))
            .transpose()?;
        Ok(Table { index, ty, init })
    }
}

/// Checks types and initial values.
pub(super) fn check(artifact: &Artifact<'_>, checker: &mut Checker) -> Result<(), FormatError> {
    // Tables come before globals, so that their initial values can only name imported globals.
    let globals = artifact.imported_count(ExternKind::Global);
    artifact.tables().check_each(artifact, |table| {
        check_table_type(artifact, &table.ty)?;
        match table.init {
            Some(init) => checker.expression(artifact, &init, table.ty.element, globals),
            // Without an initial value, elements are null.
            None if !table.ty.element.is_nullable() => Err(ErrorKind::TypeMismatch),
            None => Ok(()),
        }
    })
}
