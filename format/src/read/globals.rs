//! Defined globals.

use crate::bytes::Record;
use crate::error::ErrorKind;
use crate::layout::{SectionId, global};
use crate::types::{ExternKind, GlobalType, ValueType};

use super::Artifact;
use super::collection::{Collection, Item};
use super::declarations::Declaration;
use super::expressions::Expression;
use super::validate::Checker;

/// The defined globals of a module.
pub type Globals<'a> = Collection<'a, Global<'a>>;

/// A defined global.
#[derive(Clone, Copy, Debug)]
pub struct Global<'a> {
    /// Its index among the defined globals.
    pub index: u32,
    /// Its type.
    pub ty: GlobalType,
    /// Its initial value.
    pub init: Expression<'a>,
}

impl<'a> Item<'a> for Global<'a> {
    const SECTION: SectionId = SectionId::Globals;

    fn read(artifact: &'a Artifact<'a>, record: &Record, index: u32) -> Self {
        Global {
            index,
            ty: Declaration::defined(ExternKind::Global, record).global(),
            init: Expression::at(artifact, record.u32(global::INIT)),
        }
    }
}

/// Checks the initial value: it can name the globals before this one.
pub(super) fn check(
    checker: &mut Checker<'_>,
    record: &Record,
    index: u32,
) -> Result<(), ErrorKind> {
    let before = checker.artifact.imported_count(ExternKind::Global) + index;
    let ty = ValueType::from_checked(record.u32(global::TYPE));
    checker.expression(record.u32(global::INIT), ty, before)
}
