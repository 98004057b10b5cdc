//! Relocations of 64-bit RISC-V. Instructions are little-endian words.
#![forbid(unsafe_code)]

use precast_format::relocation::RelocationKind;

use super::Patch;

/// Where `auipc` has the upper twenty bits.
const UPPER: u32 = 0xffff_f000;

/// Where `jalr` has the lower twelve bits.
const LOWER: u32 = 0xfff0_0000;

pub(super) fn apply(mut patch: Patch<'_>) -> Option<()> {
    match patch.kind {
        RelocationKind::Riscv64Call => {
            let distance = patch.distance();
            // `jalr` would go to the even address before.
            if distance % 2 != 0 {
                return None;
            }
            // `jalr` adds its part with a sign, so the upper part is rounded to make up for it.
            let upper = i32::try_from(distance.checked_add(0x800)?).ok()? as u32 & UPPER;
            let lower = (distance as u32) << 20;
            let auipc = patch.instruction(0)? & !UPPER | upper;
            let jalr = patch.instruction(4)? & !LOWER | lower & LOWER;
            let pair = u64::from(jalr) << 32 | u64::from(auipc);
            patch.put(pair.to_le_bytes())
        }
        _ => super::absolute(patch),
    }
}
