//! Exports: what an instance offers, by name.

use core::cmp::Ordering;

use crate::bytes::{Record, Words};
use crate::error::{ErrorKind, FormatError};
use crate::layout::{SectionId, export};
use crate::types::ExternKind;

use super::Artifact;
use super::collection::{Collection, Item, string};
use super::validate::Checker;

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
    type Pools = (&'a str, Words<'a>);

    const SECTION: SectionId = SectionId::Exports;

    fn read(record: Record<'a>, position: u32, pools: &Self::Pools) -> Result<Self, ErrorKind> {
        let name = string(
            pools.0,
            record.u32(export::NAME_OFFSET),
            record.u32(export::NAME_SIZE),
        )?;
        let kind = u8::try_from(record.u32(export::KIND))
            .ok()
            .and_then(ExternKind::from_u8)
            .ok_or(ErrorKind::UnknownNumber)?;
        Ok(Export {
            position,
            name,
            kind,
            index: record.u32(export::INDEX),
        })
    }
}

impl<'a> Exports<'a> {
    /// The export with this name; logarithmic in the number of exports.
    pub fn lookup(&self, name: &str) -> Option<Export<'a>> {
        let order = self.pools.1;
        let (mut low, mut high) = (0, order.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let export = self.get(order.get(middle)?)?;
            match export.name.cmp(name) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Some(export),
            }
        }
        None
    }
}

/// Checks indices and names, and that the order is a permutation by name.
pub(super) fn check(artifact: &Artifact<'_>, checker: &mut Checker) -> Result<(), FormatError> {
    let exports = artifact.exports();
    exports.check_each(artifact, |export| {
        checker.count_name(export.name)?;
        if export.kind == ExternKind::Function {
            return super::functions::check_referenced(artifact, export.index);
        }
        if export.index < artifact.index_space(export.kind) {
            Ok(())
        } else {
            Err(ErrorKind::IndexOutOfRange)
        }
    })?;
    let order = exports.pools.1;
    if order.len() != exports.len() {
        return Err(artifact.error(ErrorKind::SectionSize, SectionId::ExportOrder, 0));
    }
    let mut previous: Option<&str> = None;
    for (place, index) in order.iter().enumerate() {
        let error = |kind| artifact.error(kind, SectionId::ExportOrder, place as u32);
        let export = exports.read(index).map_err(error)?;
        // Strictly ascending and as many as there are exports: each occurs once, names differ.
        if previous.is_some_and(|previous| export.name <= previous) {
            return Err(error(ErrorKind::NotAscending));
        }
        previous = Some(export.name);
    }
    Ok(())
}
