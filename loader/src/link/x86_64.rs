//! Relocations of 64-bit x86.
#![forbid(unsafe_code)]

use precast_format::relocation::RelocationKind;

use super::Patch;

pub(super) fn apply(mut patch: Patch<'_>) -> Option<()> {
    match patch.kind {
        RelocationKind::X86PcRelative4 => {
            let distance = i32::try_from(patch.distance()).ok()?;
            patch.put(distance.to_le_bytes())
        }
        _ => super::absolute(patch),
    }
}
