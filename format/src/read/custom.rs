//! Custom sections that were carried through from the module.

use crate::bytes::Record;
use crate::layout::{SectionId, custom};

use super::Artifact;
use super::collection::{Collection, Item};

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
    const SECTION: SectionId = SectionId::Custom;

    fn read(artifact: &'a Artifact<'a>, record: &Record, _: u32) -> Self {
        let (first, count) = (
            record.u32(custom::FIRST_BYTE),
            record.u32(custom::BYTE_COUNT),
        );
        CustomSection {
            name: artifact.name(
                record.u32(custom::NAME_OFFSET),
                record.u32(custom::NAME_SIZE),
            ),
            bytes: artifact.bytes_of(SectionId::CustomBytes, first, count),
        }
    }
}
