//! The record of the auxiliary stack.

use crate::aux_stack::{AuxStack, AuxStackBounds, AuxStackEvidence};
use crate::bytes::Record;
use crate::error::{ErrorKind, FormatError};
use crate::layout::{SectionId, aux_stack};
use crate::types::ValueType;

use super::Artifact;
use super::collection::{Collection, Item};

/// At most one record.
pub(super) type AuxStacks<'a> = Collection<'a, AuxStack>;

impl<'a> Item<'a> for AuxStack {
    type Pools = ();

    const SECTION: SectionId = SectionId::AuxStack;

    fn read(record: Record<'a>, _: u32, _: &()) -> Result<Self, ErrorKind> {
        let evidence = AuxStackEvidence::from_u8(record.u8(aux_stack::EVIDENCE));
        let bounds = AuxStackBounds::from_u8(record.u8(aux_stack::BOUNDS));
        if record.u8(aux_stack::RESERVED) != 0 {
            return Err(ErrorKind::ReservedBits);
        }
        Ok(AuxStack {
            global: record.u32(aux_stack::GLOBAL),
            evidence: evidence.ok_or(ErrorKind::UnknownNumber)?,
            bounds: bounds.ok_or(ErrorKind::UnknownNumber)?,
            checked: match record.u8(aux_stack::CHECKED) {
                0 => false,
                1 => true,
                _ => return Err(ErrorKind::UnknownNumber),
            },
            limit: record.u64(aux_stack::LIMIT),
            base: record.u64(aux_stack::BASE),
        })
    }
}

/// Checks that there is one stack at most, that its pointer can be one, and that its bounds are in
/// order.
pub(super) fn check(artifact: &Artifact<'_>) -> Result<(), FormatError> {
    let stacks = AuxStacks::new(artifact, ());
    if stacks.len() > 1 {
        return Err(artifact.error(ErrorKind::SectionSize, SectionId::AuxStack, 1));
    }
    stacks.check_each(artifact, |stack| {
        let global = artifact
            .global_type(stack.global)
            .ok_or(ErrorKind::IndexOutOfRange)?;
        let largest = match global.value {
            ValueType::I32 => u64::from(u32::MAX),
            ValueType::I64 => u64::MAX,
            _ => return Err(ErrorKind::TypeMismatch),
        };
        if !global.mutable {
            return Err(ErrorKind::TypeMismatch);
        }
        let unknown = stack.bounds == AuxStackBounds::Unknown;
        if stack.limit > stack.base
            || stack.base > largest
            || (unknown && (stack.checked || stack.limit != 0))
        {
            return Err(ErrorKind::InvalidLimits);
        }
        Ok(())
    })
}
