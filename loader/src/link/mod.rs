//! Linking: what an artifact's code needs, whether this device has it, and what is patched in.
//!
//! The rules of [`plan`] and [`requirements`] are the same for all machines; how an address becomes
//! part of an instruction is in one file per instruction set.
#![forbid(unsafe_code)]

mod aarch64;
pub(crate) mod plan;
pub(crate) mod requirements;
mod riscv64;
mod s390x;
mod x86_64;

use precast_format::relocation::RelocationKind;
use precast_format::target::Isa;

/// A place in the text that a relocation patches, and what it needs to know.
struct Patch<'a> {
    kind: RelocationKind,
    /// As many bytes as the kind says.
    bytes: &'a mut [u8],
    /// Where the first of them will be when the code runs.
    address: u64,
    /// The address of the symbol, with the addend.
    target: u64,
}

impl Patch<'_> {
    /// The way from the place to the target.
    fn distance(&self) -> i64 {
        self.target.wrapping_sub(self.address) as i64
    }

    /// Overwrites the place.
    fn put<const N: usize>(&mut self, value: [u8; N]) -> Option<()> {
        self.bytes.get_mut(..N)?.copy_from_slice(&value);
        Some(())
    }

    /// The 32-bit little-endian instruction at a distance from the place.
    fn instruction(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }
}

/// Applies a relocation to the text, which will run at `text_address`. `None` where the value does
/// not fit, or where the instruction set has no such relocation; nothing has changed then.
fn apply(
    isa: Isa,
    text: &mut [u8],
    text_address: u64,
    relocation: &precast_format::read::Relocation,
    symbol: u64,
) -> Option<()> {
    let start = relocation.offset as usize;
    let end = start.checked_add(relocation.kind.width() as usize)?;
    let patch = Patch {
        kind: relocation.kind,
        bytes: text.get_mut(start..end)?,
        address: text_address.wrapping_add(u64::from(relocation.offset)),
        target: symbol.wrapping_add_signed(relocation.addend),
    };
    // An artifact for another device has been refused; its relocations are tested all the same.
    if isa != crate::sys::isa::ISA && !cfg!(test) {
        return None;
    }
    match isa {
        Isa::X86_64 => x86_64::apply(patch),
        Isa::Aarch64 => aarch64::apply(patch),
        Isa::Riscv64 => riscv64::apply(patch),
        Isa::S390x => s390x::apply(patch),
        // Bytecode has no relocations.
        _ => None,
    }
}

/// Writes an absolute address where all instruction sets have little-endian data.
fn absolute(mut patch: Patch<'_>) -> Option<()> {
    match patch.kind {
        RelocationKind::Abs8 => patch.put(patch.target.to_le_bytes()),
        RelocationKind::Abs4 => patch.put(u32::try_from(patch.target).ok()?.to_le_bytes()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
