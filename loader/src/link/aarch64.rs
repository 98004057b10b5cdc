//! Relocations of 64-bit Arm. Instructions are little-endian words.
#![forbid(unsafe_code)]

use precast_format::relocation::RelocationKind;

use super::Patch;

/// `b` and `bl` reach 128 MiB in both directions.
const REACH: i64 = 1 << 27;

/// Where `b` and `bl` have the distance, in words.
const OFFSET_26: u32 = (1 << 26) - 1;

pub(super) fn apply(mut patch: Patch<'_>) -> Option<()> {
    match patch.kind {
        RelocationKind::Aarch64Call26 => {
            let distance = patch.distance();
            if distance % 4 != 0 || !(-REACH..REACH).contains(&distance) {
                return None;
            }
            let opcode = patch.instruction(0)? & !OFFSET_26;
            let offset = (distance >> 2) as u32 & OFFSET_26;
            patch.put((opcode | offset).to_le_bytes())
        }
        _ => super::absolute(patch),
    }
}
