//! Exports: what an instance offers, by name.

use crate::bytes::Record;
use crate::error::ErrorKind;
use crate::layout::{SectionId, export};
use crate::types::ExternKind;

use super::Artifact;
use super::collection::{Collection, Item};
use super::functions::check_referenced;

/// The exports of a module, in its order.
pub type Exports<'a> = Collection<'a, Export<'a>>;

/// An export.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Export<'a> {
    /// Its place among the exports.
    pub position: u32,
    /// Its name.
    pub name: &'a str,
    /// What it is.
    pub kind: ExternKind,
    /// Its index in the index space of its kind, imports first.
    pub index: u32,
}

impl<'a> Item<'a> for Export<'a> {
    const SECTION: SectionId = SectionId::Exports;

    fn read(artifact: &'a Artifact<'a>, record: &Record, position: u32) -> Self {
        Export {
            position,
            name: artifact.name(
                record.u32(export::NAME_OFFSET),
                record.u32(export::NAME_SIZE),
            ),
            kind: kind(record),
            index: record.u32(export::INDEX),
        }
    }
}

/// The kind, once it has been checked that there is one.
fn kind(record: &Record) -> ExternKind {
    ExternKind::from_u8(record.u32(export::KIND) as u8).unwrap_or(ExternKind::Function)
}

impl<'a> Exports<'a> {
    /// The export with this name; logarithmic in the number of exports.
    pub fn lookup(&self, name: &str) -> Option<Export<'a>> {
        let place = self.search(|place| Some(name_at(self.artifact, place).cmp(name)))?;
        self.get(self.artifact.word(SectionId::ExportOrder, place)?)
    }
}

/// The name at a place in the order; empty where there is none.
fn name_at<'a>(artifact: &'a Artifact<'a>, place: u32) -> &'a str {
    let index = artifact.word(SectionId::ExportOrder, place);
    let export = index.and_then(|index| artifact.exports().get(index));
    export.map_or("", |export| export.name)
}

/// Checks that what is exported is there.
pub(super) fn check(artifact: &Artifact<'_>, record: &Record) -> Result<(), ErrorKind> {
    let (kind, index) = (kind(record), record.u32(export::INDEX));
    match kind {
        ExternKind::Function => check_referenced(artifact, index),
        _ => artifact.find_in_space(kind, index),
    }
}

/// Checks that the order is strictly ascending by name. It has as many numbers as there are exports, so
/// that each of them is there once, and all names differ.
pub(super) fn check_order(artifact: &Artifact<'_>, place: u32) -> Result<(), ErrorKind> {
    match place.checked_sub(1) {
        Some(before) if name_at(artifact, before) >= name_at(artifact, place) => {
            Err(ErrorKind::NotAscending)
        }
        _ => Ok(()),
    }
}
