//! Each relocation writes what its formula says, and refuses what does not fit.
#![forbid(unsafe_code)]

use precast_format::read::Relocation;
use precast_format::relocation::{RelocationKind, SymbolKind};
use precast_format::target::Isa;
use std::vec::Vec;

/// Where the text of the tests runs.
const TEXT: u64 = 0x1_0000_0000;

/// Applies a relocation at offset 4 of a text of these bytes.
fn patched(
    isa: Isa,
    kind: RelocationKind,
    fill: [u8; 8],
    symbol: u64,
    addend: i64,
) -> Option<[u8; 8]> {
    let mut text = Vec::from([0xee; 16]);
    text[4..12].copy_from_slice(&fill);
    let relocation = Relocation {
        offset: 4,
        kind,
        symbol_kind: SymbolKind::Libcall,
        symbol: 0,
        addend,
    };
    let before = text.clone();
    let result = super::apply(isa, &mut text, TEXT, &relocation, symbol);
    assert_eq!((&text[..4], &text[12..]), (&[0xee; 4][..], &[0xee; 4][..]));
    if result.is_none() {
        assert_eq!(text, before, "a refusal changes nothing");
        return None;
    }
    text[4..12].try_into().ok()
}

#[test]
fn absolute_addresses() {
    let symbol = 0x1122_3344_5566_7700;
    for isa in [Isa::X86_64, Isa::Aarch64, Isa::Riscv64] {
        let bytes = patched(isa, RelocationKind::Abs8, [0; 8], symbol, 0x88);
        assert_eq!(bytes, Some(0x1122_3344_5566_7788_u64.to_le_bytes()));
        let bytes = patched(isa, RelocationKind::Abs4, [7; 8], 0x89ab_cdef, 0);
        assert_eq!(bytes, Some([0xef, 0xcd, 0xab, 0x89, 7, 7, 7, 7]));
        assert_eq!(patched(isa, RelocationKind::Abs4, [7; 8], 1 << 32, 0), None);
    }
    let bytes = patched(Isa::S390x, RelocationKind::Abs8, [0; 8], symbol, 0x88);
    assert_eq!(bytes, Some(0x1122_3344_5566_7788_u64.to_be_bytes()));
}

#[test]
fn x86_64_distances() {
    let kind = RelocationKind::X86PcRelative4;
    let bytes = patched(Isa::X86_64, kind, [9; 8], TEXT + 0x104, -4);
    assert_eq!(bytes, Some([0xfc, 0, 0, 0, 9, 9, 9, 9]));
    let bytes = patched(Isa::X86_64, kind, [9; 8], TEXT, 0);
    assert_eq!(bytes, Some([0xfc, 0xff, 0xff, 0xff, 9, 9, 9, 9]));
    assert_eq!(
        patched(Isa::X86_64, kind, [9; 8], TEXT + 4 + (1 << 31), 0),
        None
    );
}

#[test]
fn aarch64_branches() {
    let kind = RelocationKind::Aarch64Call26;
    let bl = [0, 0, 0, 0x94, 1, 2, 3, 4];
    let bytes = patched(Isa::Aarch64, kind, bl, TEXT + 4 + 0x1000, 0);
    assert_eq!(bytes, Some([0, 4, 0, 0x94, 1, 2, 3, 4]));
    let bytes = patched(Isa::Aarch64, kind, bl, TEXT, 0);
    assert_eq!(bytes, Some([0xff, 0xff, 0xff, 0x97, 1, 2, 3, 4]));
    assert_eq!(patched(Isa::Aarch64, kind, bl, TEXT + 2, 0), None);
    assert_eq!(
        patched(Isa::Aarch64, kind, bl, TEXT + 4 + (1 << 27), 0),
        None
    );
    assert!(patched(Isa::Aarch64, kind, bl, TEXT + 4 - (1 << 27), 0).is_some());
}

#[test]
fn riscv64_pairs() {
    let kind = RelocationKind::Riscv64Call;
    // auipc ra, 0; jalr ra, 0(ra)
    let pair = 0x0000_80e7_0000_0097_u64.to_le_bytes();
    let decode = |bytes: [u8; 8]| {
        let pair = u64::from_le_bytes(bytes);
        let (auipc, jalr) = (pair as u32, (pair >> 32) as u32);
        assert_eq!((auipc & 0xfff, jalr & 0xf_ffff), (0x097, 0x0_80e7));
        i64::from((auipc & 0xffff_f000) as i32) + i64::from(jalr as i32 >> 20)
    };
    for distance in [
        0,
        4,
        0x7fe,
        0x800,
        0xfff,
        -2,
        -0x800,
        -0x802,
        0x1234_5678,
        -0x1234_5678,
    ] {
        let symbol = TEXT.wrapping_add(4).wrapping_add_signed(distance);
        let bytes = patched(Isa::Riscv64, kind, pair, symbol, 0).expect("it fits");
        assert_eq!(decode(bytes), distance);
    }
    assert_eq!(
        patched(Isa::Riscv64, kind, pair, TEXT + 4 + (1 << 31), 0),
        None
    );
}

#[test]
fn s390x_halfwords() {
    let kind = RelocationKind::S390xPcRelative32Half;
    let bytes = patched(Isa::S390x, kind, [9; 8], TEXT + 4 + 0x100, 2);
    assert_eq!(bytes, Some([0, 0, 0, 0x81, 9, 9, 9, 9]));
    assert_eq!(patched(Isa::S390x, kind, [9; 8], TEXT + 5, 0), None);
    assert!(patched(Isa::S390x, kind, [9; 8], TEXT + 4 + (1 << 31), 0).is_some());
    assert_eq!(
        patched(Isa::S390x, kind, [9; 8], TEXT + 4 + (1 << 32), 0),
        None
    );
}

#[test]
fn strangers_are_refused() {
    let kind = RelocationKind::Aarch64Call26;
    assert_eq!(patched(Isa::X86_64, kind, [0; 8], TEXT, 0), None);
    let kind = RelocationKind::X86PcRelative4;
    assert_eq!(patched(Isa::S390x, kind, [0; 8], TEXT, 0), None);
    assert_eq!(
        patched(Isa::Pulley64, RelocationKind::Abs8, [0; 8], TEXT, 0),
        None
    );
}
