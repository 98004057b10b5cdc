//! Any bytes are an error or an artifact, and no accessor of an artifact panics.
//!
//! Truncations, mutations of every byte, and random damage from a small generator with fixed
//! seeds. Whatever still parses is walked through whole.

mod support;

use std::hint::black_box;

use precast_format::Artifact;
use precast_format::envelope::Signature;
use precast_format::error::ErrorKind;
use precast_format::layout::{self, SectionId, header, section};

use support::{rich, walk};

/// Parses, and walks through what parses. Says whether it did.
fn open(bytes: &[u8]) -> bool {
    match Artifact::parse(bytes) {
        Ok(artifact) => {
            walk(&artifact);
            let outline = artifact.outline();
            let kept = &bytes[..outline.resident_size()];
            glance(&outline.over(kept).expect("the bytes are the same"));
            true
        }
        Err(error) => {
            // Errors print, too.
            assert!(!error.to_string().is_empty());
            assert!(error.offset() as usize <= bytes.len().max(header::SIZE));
            false
        }
    }
}

/// Calls what reads bytes, of an artifact whose promises need not hold.
fn glance(artifact: &Artifact<'_>) {
    black_box(artifact.validate_diagnostics().is_ok());
    black_box((artifact.text(), artifact.module_name()));
    assert_eq!(artifact.relocations().get(0), None);
    for export in artifact.exports() {
        black_box(artifact.exports().lookup(export.name));
    }
    for import in artifact.imports() {
        black_box(artifact.import_of(import.ty.kind(), import.index));
    }
    for function in artifact.functions() {
        black_box(artifact.functions().containing(function.text_offset));
        black_box(artifact.traps().lookup(function.text_offset));
        black_box(artifact.call_sites().lookup(function.text_offset));
        black_box(artifact.function_name(function.index));
        black_box(artifact.function_type(function.index));
    }
    let bytes = artifact.image().iter().map(|part| part.bytes.len());
    let bytes = bytes.chain(artifact.data().iter().map(|segment| segment.bytes.len()));
    let items = artifact.elements().iter().map(|it| it.items.iter().count());
    black_box(bytes.chain(items).sum::<usize>());
    let expressions = artifact.expressions().iter();
    black_box(expressions.map(|it| it.operations().count()).sum::<usize>());
}

/// Numbers without a pattern (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ value >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

fn signed() -> Vec<u8> {
    let mut bytes = rich(0).write().unwrap();
    let signature = Signature {
        public_key: [1; 32],
        signature: [2; 64],
    };
    bytes.extend_from_slice(&signature.to_trailer());
    bytes
}

#[test]
fn every_truncation_is_refused() {
    let bytes = signed();
    let payload = bytes.len() - layout::trailer::SIZE;
    for length in 0..bytes.len() {
        // Without its trailer the file is whole, and merely not signed.
        assert_eq!(open(&bytes[..length]), length == payload, "{length}");
    }
    assert!(open(&bytes));
}

#[test]
fn every_byte_can_have_any_bit_flipped_or_any_extreme() {
    for page_size_log2 in [0, 6] {
        let original = rich(page_size_log2).write().unwrap();
        let mut bytes = original.clone();
        for place in 0..bytes.len() {
            let byte = original[place];
            let flips = (0..8).map(|bit| byte ^ 1 << bit);
            let extremes = [
                0,
                1,
                0x7f,
                0x80,
                0xff,
                byte.wrapping_add(1),
                byte.wrapping_sub(1),
            ];
            for value in flips.chain(extremes) {
                bytes[place] = value;
                open(&bytes);
            }
            bytes[place] = byte;
        }
    }
}

#[test]
fn every_word_can_be_extreme() {
    let original = signed();
    let mut bytes = original.clone();
    for place in 0..original.len() - 4 {
        for value in [
            0,
            1,
            u32::MAX,
            u32::MAX - 1,
            1 << 31,
            i32::MAX as u32,
            original.len() as u32,
        ] {
            bytes[place..place + 4].copy_from_slice(&value.to_le_bytes());
            open(&bytes);
        }
        bytes[place..place + 4].copy_from_slice(&original[place..place + 4]);
    }
}

/// An offset and a size whose sum is just around 4 GiB: what wraps where pointers have 32 bits.
#[test]
fn every_pair_of_words_can_reach_the_end_of_the_address_space() {
    let original = rich(0).write().unwrap();
    let mut bytes = original.clone();
    let length = original.len() as u32;
    for place in 0..original.len() - 8 {
        let pair = place..place + 8;
        for start in [4, length / 2, 1 << 31, u32::MAX - 16, u32::MAX] {
            for beyond in [0, 1, 16, length / 2] {
                let size = start.wrapping_neg().wrapping_add(beyond);
                bytes[place..place + 4].copy_from_slice(&start.to_le_bytes());
                bytes[place + 4..place + 8].copy_from_slice(&size.to_le_bytes());
                open(&bytes);
            }
        }
        bytes[pair.clone()].copy_from_slice(&original[pair]);
    }
}

#[test]
fn random_damage_never_panics() {
    let original = rich(0).write().unwrap();
    let mut random = Random(42);
    let mut survivors = 0;
    for _ in 0..20_000 {
        let mut bytes = original.clone();
        for _ in 0..1 + random.below(4) {
            let place = random.below(bytes.len());
            match random.below(4) {
                0 => bytes[place] = random.next() as u8,
                1 => bytes[place] = bytes[place].wrapping_add(1),
                2 => {
                    let end = (place + 4).min(bytes.len());
                    bytes[place..end].fill(random.next() as u8);
                }
                _ => {
                    let (from, size) = (random.below(bytes.len()), random.below(16));
                    let size = size.min(bytes.len() - from).min(bytes.len() - place);
                    bytes.copy_within(from..from + size, place);
                }
            }
        }
        survivors += u32::from(open(&bytes));
    }
    // Damage to code, constants and names is not damage to the format.
    assert!(survivors > 100);
}

#[test]
fn random_bytes_behind_a_true_start_never_panic() {
    let original = rich(0).write().unwrap();
    let mut random = Random(7);
    let table = header::SIZE + SectionId::ALL.len() * section::SIZE;
    for _ in 0..2_000 {
        let mut bytes = original.clone();
        for byte in &mut bytes[table..] {
            if random.below(8) == 0 {
                *byte = random.next() as u8;
            }
        }
        open(&bytes);
        for byte in &mut bytes[table..] {
            *byte = random.next() as u8;
        }
        open(&bytes);
    }
    for length in 0..600 {
        let mut bytes: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
        open(&bytes);
        if let Some(start) = bytes.first_chunk_mut() {
            *start = layout::MAGIC;
        }
        open(&bytes);
    }
}

#[test]
fn the_first_words_have_errors_of_their_own() {
    let original = rich(12).write().unwrap();
    let kind = |place: usize, value: u8| {
        let mut bytes = original.clone();
        bytes[place] = value;
        Artifact::parse(&bytes).unwrap_err().kind()
    };
    assert_eq!(kind(0, b'x'), ErrorKind::NotAnArtifact);
    assert_eq!(
        kind(header::MAJOR.offset(), 9),
        ErrorKind::UnsupportedVersion
    );
    assert_eq!(
        kind(header::MINOR.offset(), 9),
        ErrorKind::UnsupportedVersion
    );
    assert_eq!(kind(header::ISA.offset(), 99), ErrorKind::UnknownNumber);
    assert_eq!(
        kind(header::POINTER_SIZE.offset(), 4),
        ErrorKind::InconsistentHeader
    );
    assert_eq!(
        kind(header::ENDIANNESS.offset(), 2),
        ErrorKind::InconsistentHeader
    );
    assert_eq!(
        kind(header::PAGE_SIZE_LOG2.offset(), 200),
        ErrorKind::InconsistentHeader
    );
    assert_eq!(kind(header::FORM.offset(), 2), ErrorKind::ReservedBits);
    assert_eq!(
        kind(header::CPU_FEATURES.offset() + 7, 1),
        ErrorKind::UnknownFeature
    );
    assert_eq!(
        kind(header::WASM_FEATURES.offset() + 7, 1),
        ErrorKind::UnknownFeature
    );
    assert_eq!(
        kind(header::LIBCALLS.offset() + 7, 1),
        ErrorKind::UnknownFeature
    );
    let mut longer = original.clone();
    longer.push(0);
    assert_eq!(
        Artifact::parse(&longer).unwrap_err().kind(),
        ErrorKind::TrailingBytes
    );
    let shorter = &original[..original.len() - 1];
    assert_eq!(
        Artifact::parse(shorter).unwrap_err().kind(),
        ErrorKind::Truncated
    );
}

#[test]
fn an_outline_over_other_bytes_never_panics() {
    let good = rich(6).write().unwrap();
    let outline = Artifact::parse(&good).unwrap().outline();
    let mut random = Random(5);
    for _ in 0..2_000 {
        let mut bytes = good[..outline.resident_size()].to_vec();
        for _ in 0..1 + random.below(200) {
            let place = random.below(bytes.len());
            bytes[place] = random.next() as u8;
        }
        if let Some(artifact) = outline.over(&bytes) {
            glance(&artifact);
        }
    }
}
