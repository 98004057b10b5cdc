//! Defined tags: what exceptions of the module carry.

use crate::bytes::Record;
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
    const SECTION: SectionId = SectionId::Tags;

    fn read(_: &'a Artifact<'a>, record: &Record, index: u32) -> Self {
        Tag {
            index,
            type_index: record.u32(tag::TYPE),
        }
    }
}
