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
        0xffe,
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

/// What a kind writes at its limits, and what it refuses beyond them. Distances are from the place to
/// the symbol.
struct Limits {
    isa: Isa,
    kind: RelocationKind,
    /// The instructions that it patches.
    fill: [u8; 8],
    smallest: i64,
    largest: i64,
    /// What distances are a multiple of.
    step: i64,
    /// Reads the distance back.
    decode: fn([u8; 8]) -> i64,
}

fn word(bytes: [u8; 8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

const LIMITS: &[Limits] = &[
    Limits {
        isa: Isa::X86_64,
        kind: RelocationKind::X86PcRelative4,
        fill: [0; 8],
        smallest: -(1 << 31),
        largest: (1 << 31) - 1,
        step: 1,
        decode: |bytes| i64::from(word(bytes) as i32),
    },
    Limits {
        isa: Isa::Aarch64,
        kind: RelocationKind::Aarch64Call26,
        fill: [0, 0, 0, 0x94, 0, 0, 0, 0],
        smallest: -(1 << 27),
        largest: (1 << 27) - 4,
        step: 4,
        decode: |bytes| i64::from((word(bytes) << 6) as i32 >> 6) * 4,
    },
    Limits {
        isa: Isa::Riscv64,
        kind: RelocationKind::Riscv64Call,
        fill: [0x97, 0, 0, 0, 0xe7, 0x80, 0, 0],
        smallest: -(1 << 31) - (1 << 11),
        largest: (1 << 31) - (1 << 11) - 2,
        step: 2,
        decode: |bytes| {
            let pair = u64::from_le_bytes(bytes);
            let (upper, lower) = (pair as u32 & 0xffff_f000, (pair >> 32) as u32);
            i64::from(upper as i32) + i64::from(lower as i32 >> 20)
        },
    },
    Limits {
        isa: Isa::S390x,
        kind: RelocationKind::S390xPcRelative32Half,
        fill: [0; 8],
        smallest: -(1 << 32),
        largest: (1 << 32) - 2,
        step: 2,
        decode: |bytes| i64::from(word(bytes).swap_bytes() as i32) * 2,
    },
];

#[test]
fn distances_are_written_up_to_their_limits_and_refused_beyond() {
    // Far enough from both ends of the address space.
    const PLACE: u64 = TEXT + 4;
    for limits in LIMITS {
        let apply = |distance: i64| {
            let symbol = PLACE.wrapping_add_signed(distance);
            let bytes = patched(limits.isa, limits.kind, limits.fill, symbol, 0);
            // The addend is the same as another symbol.
            let addend = patched(limits.isa, limits.kind, limits.fill, PLACE, distance);
            assert_eq!(bytes, addend);
            bytes
        };
        for distance in [
            limits.smallest,
            limits.smallest + limits.step,
            -limits.step,
            0,
            limits.step,
            limits.largest - limits.step,
            limits.largest,
        ] {
            let bytes = apply(distance).expect("it fits");
            assert_eq!((limits.decode)(bytes), distance, "{:?}", limits.kind);
        }
        for distance in [
            limits.smallest - limits.step,
            limits.largest + limits.step,
            1 << 40,
            -(1 << 40),
            i64::MAX,
            i64::MIN,
        ] {
            assert_eq!(apply(distance), None, "{:?} {distance}", limits.kind);
        }
        // Where instructions are aligned, nothing goes between them.
        for distance in 1..limits.step {
            assert_eq!(apply(distance), None, "{:?} {distance}", limits.kind);
        }
    }
}

#[test]
fn every_kind_with_a_distance_has_limits_here() {
    let distances = RelocationKind::ALL
        .iter()
        .filter(|kind| kind.isa().is_some());
    for kind in distances {
        let limits = LIMITS.iter().find(|limits| limits.kind == *kind);
        assert_eq!(limits.map(|limits| Some(limits.isa)), Some(kind.isa()));
    }
}

#[test]
fn absolute_addresses_at_their_limits() {
    for isa in [Isa::X86_64, Isa::Aarch64, Isa::Riscv64, Isa::S390x] {
        let value = |kind, symbol, addend| {
            let bytes = patched(isa, kind, [0; 8], symbol, addend)?;
            Some(match (kind, isa) {
                (RelocationKind::Abs8, Isa::S390x) => u64::from_be_bytes(bytes),
                (RelocationKind::Abs8, _) => u64::from_le_bytes(bytes),
                (_, Isa::S390x) => word(bytes).swap_bytes().into(),
                _ => word(bytes).into(),
            })
        };
        for symbol in [0, 1, u64::MAX] {
            assert_eq!(value(RelocationKind::Abs8, symbol, 0), Some(symbol));
        }
        // Addresses wrap around.
        assert_eq!(value(RelocationKind::Abs8, u64::MAX, 2), Some(1));
        assert_eq!(value(RelocationKind::Abs8, 0, -1), Some(u64::MAX));
        let most = u64::from(u32::MAX);
        for symbol in [0, 1, most] {
            assert_eq!(value(RelocationKind::Abs4, symbol, 0), Some(symbol));
        }
        assert_eq!(value(RelocationKind::Abs4, most + 1, 0), None);
        assert_eq!(value(RelocationKind::Abs4, most, 1), None);
        assert_eq!(value(RelocationKind::Abs4, 0, -1), None);
        assert_eq!(value(RelocationKind::Abs4, most + 1, -1), Some(most));
    }
}

#[test]
fn places_outside_of_the_text_are_refused() {
    for (isa, kind) in LIMITS
        .iter()
        .map(|limits| (limits.isa, limits.kind))
        .chain([
            (Isa::X86_64, RelocationKind::Abs4),
            (Isa::S390x, RelocationKind::Abs8),
        ])
    {
        let width = kind.width();
        let mut text = Vec::from([0; 32]);
        for (offset, fits) in [
            (32 - width, true),
            (32 - width + 1, false),
            (32, false),
            (u32::MAX, false),
        ] {
            let relocation = Relocation {
                offset,
                kind,
                symbol_kind: SymbolKind::Libcall,
                symbol: 0,
                addend: 0,
            };
            let before = text.clone();
            let symbol = u64::from(offset);
            let result = super::apply(isa, &mut text, 0, &relocation, symbol);
            assert_eq!(result.is_some(), fits, "{kind:?} at {offset}");
            if !fits {
                assert_eq!(text, before);
            }
        }
    }
}
