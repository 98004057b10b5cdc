//! Custom sections that were carried through from the module.

use crate::bytes::{Bytes, Record};
use crate::error::{ErrorKind, FormatError};
use crate::layout::{SectionId, custom};

use super::Artifact;
use super::collection::{Collection, Item, string};
use super::validate::Checker;

/// The custom sections of an artifact, in the module's order.
pub type CustomSections<'a> = Collection<'a, CustomSection<'a>>;

/// A custom section.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CustomSection<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its contents.
    pub bytes: &'a [u8],
}

impl<'a> Item<'a> for CustomSection<'a> {
    type Pools = (&'a str, Bytes<'a>);

    const SECTION: SectionId = SectionId::Custom;

    fn read(record: Record<'a>, _: u32, pools: &Self::Pools) -> Result<Self, ErrorKind> {
        let name = string(
            pools.0,
            record.u32(custom::NAME_OFFSET),
            record.u32(custom::NAME_SIZE),
        )?;
        let bytes = pools
            .1
            .range(
                record.u32(custom::FIRST_BYTE),
                record.u32(custom::BYTE_COUNT),
            )
            .ok_or(ErrorKind::RangeOutOfBounds)?;
        Ok(CustomSection {
            name,
            bytes: bytes.as_slice(),
        })
    }
}

/// Checks names and ranges.
pub(super) fn check(artifact: &Artifact<'_>, checker: &mut Checker) -> Result<(), FormatError> {
    let sections = artifact.custom_sections();
    let (mut next_byte, mut index) = (0, 0);
    sections.check_each(artifact, |section| {
        let record = sections.record(index).ok_or(ErrorKind::IndexOutOfRange)?;
        index += 1;
        if record.u32(custom::FIRST_BYTE) != next_byte {
            return Err(ErrorKind::NotContiguous);
        }
        next_byte += record.u32(custom::BYTE_COUNT);
        checker.count_name(section.name)
    })?;
    if next_byte != artifact.section(SectionId::CustomBytes).size {
        return Err(artifact.error(ErrorKind::NotContiguous, SectionId::CustomBytes, next_byte));
    }
    Ok(())
}
