//! Defined globals.

use crate::bytes::Record;
use crate::error::{ErrorKind, FormatError};
use crate::layout::{SectionId, global};
use crate::types::{ExternKind, GlobalType};

use super::Artifact;
use super::collection::{Collection, Item};
use super::expressions::{Expression, Expressions};
use super::imports::global_type;
use super::types::check_value_type;
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
    type Pools = Expressions<'a>;

    const SECTION: SectionId = SectionId::Globals;

    fn read(record: Record<'a>, index: u32, pools: &Expressions<'a>) -> Result<Self, ErrorKind> {
        let ty = global_type(record.u32(global::TYPE), record.u32(global::FLAGS))?;
        Ok(Global {
            index,
            ty,
            init: pools.read(record.u32(global::INIT))?,
        })
    }
}

/// Checks initial values: they can name the globals before them.
pub(super) fn check(artifact: &Artifact<'_>, checker: &mut Checker) -> Result<(), FormatError> {
    let imported = artifact.imported_count(ExternKind::Global);
    artifact.globals().check_each(artifact, |global| {
        check_value_type(artifact, global.ty.value)?;
        checker.expression(
            artifact,
            &global.init,
            global.ty.value,
            imported + global.index,
        )
    })
}
