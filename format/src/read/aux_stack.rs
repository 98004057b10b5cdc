//! The record of the auxiliary stack.

use crate::aux_stack::{AuxStack, AuxStackBounds, AuxStackEvidence};
use crate::bytes::Record;
use crate::error::ErrorKind;
use crate::layout::{SectionId, aux_stack};
use crate::types::{ExternKind, ValueType};

use super::Artifact;
use super::collection::{Collection, Item};

/// At most one record.
pub(super) type AuxStacks<'a> = Collection<'a, AuxStack>;

impl<'a> Item<'a> for AuxStack {
    const SECTION: SectionId = SectionId::AuxStack;

    fn read(_: &'a Artifact<'a>, record: &Record, _: u32) -> Self {
        let evidence = AuxStackEvidence::from_u8(record.u8(aux_stack::EVIDENCE));
        let bounds = AuxStackBounds::from_u8(record.u8(aux_stack::BOUNDS));
        AuxStack {
            global: record.u32(aux_stack::GLOBAL),
            evidence: evidence.unwrap_or(AuxStackEvidence::Export),
            bounds: bounds.unwrap_or(AuxStackBounds::Unknown),
            checked: record.u8(aux_stack::CHECKED) != 0,
            limit: record.u64(aux_stack::LIMIT),
            base: record.u64(aux_stack::BASE),
        }
    }
}

/// Checks that the stack's pointer can be one, and that its bounds are in order.
pub(super) fn check(artifact: &Artifact<'_>, record: &Record) -> Result<(), ErrorKind> {
    let (limit, base) = (record.u64(aux_stack::LIMIT), record.u64(aux_stack::BASE));
    let global = record.u32(aux_stack::GLOBAL);
    artifact.find_in_space(ExternKind::Global, global)?;
    let global = artifact.declaration(ExternKind::Global, global).global();
    let largest = match global.value {
        ValueType::I32 => u64::from(u32::MAX),
        ValueType::I64 => u64::MAX,
        _ => return Err(ErrorKind::TypeMismatch),
    };
    if !global.mutable {
        return Err(ErrorKind::TypeMismatch);
    }
    // What is not known cannot be checked.
    let unknown = record.u8(aux_stack::BOUNDS) == AuxStackBounds::Unknown as u8;
    if limit > base
        || base > largest
        || unknown && (record.u8(aux_stack::CHECKED) != 0 || limit != 0)
    {
        return Err(ErrorKind::InvalidLimits);
    }
    Ok(())
}
