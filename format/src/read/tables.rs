//! Defined tables.

use crate::bytes::Record;
use crate::error::ErrorKind;
use crate::layout::{SectionId, table};
use crate::types::{ExternKind, TableType, ValueType};

use super::Artifact;
use super::collection::{Collection, Item};
use super::declarations::Declaration;
use super::expressions::Expression;
use super::validate::Checker;

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
    const SECTION: SectionId = SectionId::Tables;

    fn read(artifact: &'a Artifact<'a>, record: &Record, index: u32) -> Self {
        let init = record.optional(table::INIT);
        Table {
            index,
            ty: Declaration::defined(ExternKind::Table, record).table(),
            init: init.map(|init| Expression::at(artifact, init)),
        }
    }
}

/// Checks the initial value.
pub(super) fn check(checker: &mut Checker<'_>, record: &Record) -> Result<(), ErrorKind> {
    let element = ValueType::from_checked(record.u32(table::ELEMENT));
    match record.optional(table::INIT) {
        // Tables come before globals, so that their initial values can only name imported globals.
        Some(init) => {
            let globals = checker.artifact.imported_count(ExternKind::Global);
            checker.expression(init, element, globals)
        }
        // Without an initial value, elements are null.
        None if !element.is_nullable() => Err(ErrorKind::TypeMismatch),
        None => Ok(()),
    }
}
