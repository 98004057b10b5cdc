//! Ranges at the edges, compared with arithmetic that cannot overflow.

use super::*;

fn region(address: u64, length: usize, native: usize) -> Region {
    Region {
        address,
        length,
        native: NonNull::without_provenance(core::num::NonZeroUsize::new(native).unwrap()),
    }
}

/// Numbers around those that matter.
fn edges(around: &[u64]) -> std::vec::Vec<u64> {
    let mut edges = std::vec::Vec::new();
    for number in around {
        for step in [0, 1, 2, 15, 16] {
            edges.push(number.wrapping_add(step));
            edges.push(number.wrapping_sub(step));
        }
    }
    edges
}

#[test]
fn ranges_are_what_arithmetic_says() {
    let regions = [
        region(0, 65536, 0x7000_0000),
        region(1 << 32, 4096, 0x10_0000),
        region(u64::MAX - 4095, 4096, 0x9000_0000),
    ];
    let around = [
        0,
        65536,
        1 << 31,
        1 << 32,
        (1 << 32) + 4096,
        u64::MAX - 4095,
    ];
    for address in edges(&around) {
        for length in edges(&[0, 4096, 65536, 1 << 32, u64::MAX]) {
            let end = u128::from(address) + u128::from(length);
            let expected = regions.iter().find(|region| {
                let first = u128::from(region.address);
                u128::from(address) >= first && end <= first + region.length as u128
            });
            let found = find(&regions, address, length);
            assert_eq!(
                found.as_ref().ok().map(|found| found.0),
                expected,
                "{address:#x} {length:#x}"
            );
            let native = native_address(&regions, address, length);
            match expected {
                None => {
                    let error = AddressError::OutOfRange { address, length };
                    assert_eq!(found, Err(error));
                    assert_eq!(native, Err(error));
                }
                Some(region) => {
                    let native = native.unwrap();
                    let offset = (address - region.address) as usize;
                    assert_eq!(native.addr().get(), region.native.addr().get() + offset);
                    let back = (length > 0).then_some(address);
                    if length > 0 {
                        assert_eq!(address_of(&regions, native.as_ptr()), back);
                    }
                }
            }
        }
    }
}

#[test]
fn pointers_of_others_have_no_address() {
    let regions = [region(0, 65536, 0x7000_0000)];
    for native in [0, 1, 0x6fff_ffff, 0x7001_0000, usize::MAX] {
        let native = core::ptr::without_provenance(native);
        assert_eq!(address_of(&regions, native), None);
    }
    for native in [0x7000_0000, 0x7000_ffff] {
        let native = core::ptr::without_provenance::<u8>(native);
        let address = native.addr() as u64 - 0x7000_0000;
        assert_eq!(address_of(&regions, native), Some(address));
    }
    let empty = [region(0, 0, 16)];
    assert_eq!(address_of(&empty, core::ptr::without_provenance(16)), None);
    assert!(native_address(&empty, 0, 0).is_ok());
    assert!(native_address(&empty, 0, 1).is_err());
    assert!(native_address(&empty, 1, 0).is_err());
    assert!(native_address(&[], 0, 0).is_err());
}

#[test]
fn strings_end_with_a_zero() {
    assert_eq!(string_length(5, b"abc\0def\0"), Ok(3));
    assert_eq!(string_length(5, b"\0"), Ok(0));
    let error = Err(AddressError::NotTerminated { address: 5 });
    assert_eq!(string_length(5, b"abc"), error);
    assert_eq!(string_length(5, b""), error);
}
