//! Defined tags: what exceptions of the module carry.

use crate::bytes::Record;
use crate::error::{ErrorKind, FormatError};
use crate::layout::{SectionId, tag};

use super::Artifact;
use super::collection::{Collection, Item};

/// The defined tags of a module.
pub type Tags<'a> = Collection<'a, Tag>;

/// A defined tag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tag {
    /// Its index among the defined tags.
    pub index: u32,
    /// Its type, whose parameters are what an exception carries.
    pub type_index: u32,
}

impl<'a> Item<'a> for Tag {
    type Pools = ();

    const SECTION: SectionId = SectionId::Tags;

    fn read(record: Record<'a>, index: u32, _: &()) -> Result<Self, ErrorKind> {
        Ok(Tag {
            index,
            type_index: record.u32(tag::TYPE),
        })
    }
}

/// Checks that each tag has a type that a tag can have.
pub(super) fn check(artifact: &Artifact<'_>) -> Result<(), FormatError> {
    artifact
        .tags()
        .check_each(artifact, |tag| check_tag_type(artifact, tag.type_index))
}

/// A tag's type is there and has no results.
pub(super) fn check_tag_type(artifact: &Artifact<'_>, index: u32) -> Result<(), ErrorKind> {
    if artifact.types().read(index)?.results().is_empty() {
        Ok(())
    } else {
        Err(ErrorKind::TypeMismatch)
    }
}
