//! Relocations of z/Architecture. Everything is big-endian, distances count halfwords.
#![forbid(unsafe_code)]

use precast_format::relocation::RelocationKind;

use super::Patch;

pub(super) fn apply(mut patch: Patch<'_>) -> Option<()> {
    match patch.kind {
        RelocationKind::Abs8 => patch.put(patch.target.to_be_bytes()),
        RelocationKind::Abs4 => patch.put(u32::try_from(patch.target).ok()?.to_be_bytes()),
        RelocationKind::S390xPcRelative32Half => {
            let distance = patch.distance();
            if distance % 2 != 0 {
                return None;
            }
            let halfwords = i32::try_from(distance / 2).ok()?;
            patch.put(halfwords.to_be_bytes())
        }
        _ => None,
    }
}
