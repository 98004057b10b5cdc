//! Relocations: checked places in the text.

use crate::bytes::Record;
use crate::error::ErrorKind;
use crate::layout::{SectionId, relocation};
use crate::libcall::Libcall;
use crate::relocation::{RelocationKind, SymbolKind};
use crate::tunables::RelocationModel;

use super::Artifact;
use super::collection::{Collection, Item};
use super::validate::Checker;

/// The relocations of an artifact, ascending by offset; they do not overlap.
pub type Relocations<'a> = Collection<'a, Relocation>;

/// A relocation. Its place is inside the text, aligned, and for the artifact's instruction set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Relocation {
    /// The place in the text.
    pub offset: u32,
    /// What to compute and how to store it.
    pub kind: RelocationKind,
    /// What the symbol is.
    pub symbol_kind: SymbolKind,
    /// Which one; for a libcall an index of [`Libcall::ALL`].
    pub symbol: u32,
    /// Added to the symbol's address.
    pub addend: i64,
}

impl Relocation {
    /// The libcall that the relocation names.
    pub const fn libcall(&self) -> Option<Libcall> {
        match self.symbol_kind {
            SymbolKind::Libcall => Libcall::from_index(self.symbol),
        }
    }
}

impl<'a> Item<'a> for Relocation {
    const SECTION: SectionId = SectionId::Relocations;

    fn read(_: &'a Artifact<'a>, record: &Record, _: u32) -> Self {
        let kind = RelocationKind::from_u8(record.u8(relocation::KIND));
        Relocation {
            offset: record.u32(relocation::OFFSET),
            // It has been checked that there is such a kind, and one kind of symbol.
            kind: kind.unwrap_or(RelocationKind::Abs8),
            symbol_kind: SymbolKind::Libcall,
            symbol: record.u32(relocation::SYMBOL),
            addend: record.u64(relocation::ADDEND) as i64,
        }
    }
}

/// Checks places, order, kinds and symbols.
pub(super) fn check(checker: &mut Checker<'_>, record: &Record) -> Result<(), ErrorKind> {
    let artifact = checker.artifact;
    let header = artifact.header();
    let relocation = Relocation::read(artifact, record, 0);
    if header.tunables.relocation_model == RelocationModel::Xip
        || relocation.kind.isa().is_some_and(|isa| isa != header.isa)
    {
        return Err(ErrorKind::InvalidRelocation);
    }
    if !relocation.kind.is_aligned(relocation.offset) {
        return Err(ErrorKind::Misaligned);
    }
    checker.text_range(relocation.offset, relocation.kind.width())?;
    match relocation.libcall() {
        Some(libcall) if header.libcalls.contains(libcall) => Ok(()),
        Some(_) => Err(ErrorKind::InvalidRelocation),
        None => Err(ErrorKind::IndexOutOfRange),
    }
}
