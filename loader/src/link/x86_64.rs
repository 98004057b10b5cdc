//! Relocations of x86-64: how an address is written into the text.
#![forbid(unsafe_code)]

use precast_format::relocation::RelocationKind;

/// Writes `symbol + addend` the way the kind says into the text, whose address will be
/// `text_address`. `None` where the value does not fit or the kind is not of this machine.
pub(crate) fn apply(
    text: &mut [u8],
    text_address: u64,
    kind: RelocationKind,
    offset: u32,
    symbol: u64,
    addend: i64,
) -> Option<()> {
    let value = symbol.wrapping_add_signed(addend);
    let start = offset as usize;
    let place = text.get_mut(start..start.checked_add(kind.width() as usize)?)?;
    match kind {
        RelocationKind::Abs8 => place.copy_from_slice(&value.to_le_bytes()),
        RelocationKind::Abs4 => {
            place.copy_from_slice(&u32::try_from(value).ok()?.to_le_bytes());
        }
        RelocationKind::X86PcRelative4 => {
            let distance = value.wrapping_sub(text_address.wrapping_add(u64::from(offset)));
            place.copy_from_slice(&i32::try_from(distance as i64).ok()?.to_le_bytes());
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_and_relative_values_are_written() {
        let mut text = [0; 16];
        let kind = RelocationKind::Abs8;
        apply(&mut text, 0x1000, kind, 4, 0x1122_3344_5566_7788, 1).expect("fits");
        assert_eq!(text[4..12], 0x1122_3344_5566_7789_u64.to_le_bytes());
        let kind = RelocationKind::X86PcRelative4;
        apply(&mut text, 0x1000, kind, 0, 0x2000, -4).expect("fits");
        assert_eq!(text[..4], 0xffc_u32.to_le_bytes());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut text = [0; 8];
        assert!(apply(&mut text, 0, RelocationKind::Abs4, 0, 1 << 32, 0).is_none());
        assert!(apply(&mut text, 0, RelocationKind::X86PcRelative4, 0, 1 << 31, 0).is_none());
        assert!(apply(&mut text, 0, RelocationKind::Abs8, 1, 0, 0).is_none());
        assert!(apply(&mut text, 0, RelocationKind::Aarch64Call26, 0, 0, 0).is_none());
        assert_eq!(text, [0; 8]);
    }
}
