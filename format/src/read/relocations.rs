//! Relocations: checked places in the text.

use crate::bytes::Record;
use crate::error::{ErrorKind, FormatError};
use crate::layout::{SectionId, relocation};
use crate::libcall::Libcall;
use crate::relocation::{RelocationKind, SymbolKind};
use crate::tunables::RelocationModel;

use super::Artifact;
use super::collection::{Collection, Item};

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
    type Pools = ();

    const SECTION: SectionId = SectionId::Relocations;

    fn read(record: Record<'a>, _: u32, _: &()) -> Result<Self, ErrorKind> {
        if record.u16(relocation::RESERVED) != 0 {
            return Err(ErrorKind::ReservedBits);
        }
        Ok(Relocation {
            offset: record.u32(relocation::OFFSET),
            kind: RelocationKind::from_u8(record.u8(relocation::KIND))
                .ok_or(ErrorKind::UnknownNumber)?,
            symbol_kind: SymbolKind::from_u8(record.u8(relocation::SYMBOL_KIND))
                .ok_or(ErrorKind::UnknownNumber)?,
            symbol: record.u32(relocation::SYMBOL),
            addend: record.u64(relocation::ADDEND) as i64,
        })
    }
}

/// Checks places, order, kinds and symbols.
pub(super) fn check(artifact: &Artifact<'_>) -> Result<(), FormatError> {
    let header = artifact.header();
    let text_size = artifact.section(SectionId::Text).size;
    let mut previous_end = 0;
    artifact.relocations().check_each(artifact, |relocation| {
        if header.tunables.relocation_model == RelocationModel::Xip
            || relocation.kind.isa().is_some_and(|isa| isa != header.isa)
        {
            return Err(ErrorKind::InvalidRelocation);
        }
        if relocation.offset % relocation.kind.alignment() != 0 {
            return Err(ErrorKind::Misaligned);
        }
        let end = relocation.offset.checked_add(relocation.kind.width());
        let end = end
            .filter(|end| *end <= text_size)
            .ok_or(ErrorKind::RangeOutOfBounds)?;
        if relocation.offset < previous_end {
            return Err(ErrorKind::NotAscending);
        }
        previous_end = end;
        match relocation.libcall() {
            Some(libcall) if header.libcalls.contains(libcall) => Ok(()),
            Some(_) => Err(ErrorKind::InvalidRelocation),
            None => Err(ErrorKind::IndexOutOfRange),
        }
    })
}
