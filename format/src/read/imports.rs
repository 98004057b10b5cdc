//! Imports: what an instance needs from others.

use crate::bytes::Record;
use crate::error::ErrorKind;
use crate::layout::{SectionId, WORD, import};
use crate::types::{ExternKind, ImportType};

use super::Artifact;
use super::collection::{Collection, Item};
use super::declarations::Declaration;
use super::validate::Checker;

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
    const SECTION: SectionId = SectionId::Imports;

    fn read(artifact: &'a Artifact<'a>, record: &Record, index: u32) -> Self {
        let (module, name) = (import::MODULE_OFFSET, import::NAME_OFFSET);
        Import {
            index,
            module: artifact.name(record.u32(module), record.u32(import::MODULE_SIZE)),
            name: artifact.name(record.u32(name), record.u32(import::NAME_SIZE)),
            ty: Declaration::imported(record).import_type(),
        }
    }
}

/// Counts the imports of each kind.
pub(super) fn count(artifact: &Artifact<'_>) -> Result<[u32; ExternKind::ALL.len()], ErrorKind> {
    let mut counts = [0; ExternKind::ALL.len()];
    for index in 0..artifact.count(SectionId::Imports) {
        let record = artifact.record(SectionId::Imports, index);
        let count = counts.get_mut(usize::from(record.u8(import::KIND)));
        *count.ok_or(ErrorKind::UnknownNumber)? += 1;
    }
    Ok(counts)
}

/// Checks that the order is strictly ascending by kind and index. It has as many numbers as there are
/// imports, so that each of them is there once.
pub(super) fn check_order(checker: &mut Checker<'_>, record: &Record) -> Result<(), ErrorKind> {
    let index = record.u32(WORD);
    let import = checker.artifact.record(SectionId::Imports, index);
    let kind = u64::from(import.u8(import::KIND));
    checker.ascend((kind + 1) << 32 | u64::from(index), 1)
}
