//! Values of scripts: arguments become the loader's values, results are held against patterns.

use precast_loader::{ExternRef, Value};
use std::num::NonZeroUsize;
use wast::core::{AbstractHeapType, HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::token::{F32, F64};

/// The value of an argument, or what is wrong with it.
pub fn argument(argument: &WastArgCore<'_>) -> Result<Value, String> {
    Ok(match argument {
        WastArgCore::I32(number) => Value::I32(*number),
        WastArgCore::I64(number) => Value::I64(*number),
        WastArgCore::F32(number) => Value::F32(number.bits),
        WastArgCore::F64(number) => Value::F64(number.bits),
        WastArgCore::V128(lanes) => Value::V128(u128::from_le_bytes(lanes.to_le_bytes())),
        WastArgCore::RefNull(heap) if is_func(heap) => Value::FuncRef(None),
        WastArgCore::RefNull(heap) if is_extern(heap) => Value::ExternRef(None),
        WastArgCore::RefNull(heap) if is_exn(heap) => Value::ExnRef(None),
        WastArgCore::RefExtern(number) => Value::ExternRef(Some(extern_ref(*number))),
        other => return Err(format!("the argument {other:?} is of an unsupported type")),
    })
}

/// Scripts number external references from zero, which would be null for the loader.
fn extern_ref(number: u32) -> ExternRef {
    ExternRef::new(NonZeroUsize::MIN.saturating_add(number as usize))
}

fn is_func(heap: &HeapType<'_>) -> bool {
    use AbstractHeapType::{Func, NoFunc};
    // All types that can be defined are those of functions.
    matches!(
        heap,
        HeapType::Concrete(_)
            | HeapType::Abstract {
                ty: Func | NoFunc,
                ..
            }
    )
}

fn is_extern(heap: &HeapType<'_>) -> bool {
    use AbstractHeapType::{Extern, NoExtern};
    matches!(
        heap,
        HeapType::Abstract {
            ty: Extern | NoExtern,
            ..
        }
    )
}

fn is_exn(heap: &HeapType<'_>) -> bool {
    use AbstractHeapType::{Exn, NoExn};
    matches!(
        heap,
        HeapType::Abstract {
            ty: Exn | NoExn,
            ..
        }
    )
}

/// Whether a result is what the script expects.
pub fn matches(expected: &WastRetCore<'_>, actual: &Value) -> bool {
    match (expected, actual) {
        (WastRetCore::I32(expected), Value::I32(actual)) => expected == actual,
        (WastRetCore::I64(expected), Value::I64(actual)) => expected == actual,
        (WastRetCore::F32(expected), Value::F32(actual)) => matches_f32(expected, *actual),
        (WastRetCore::F64(expected), Value::F64(actual)) => matches_f64(expected, *actual),
        (WastRetCore::V128(expected), Value::V128(actual)) => {
            matches_v128(expected, actual.to_le_bytes())
        }
        (WastRetCore::RefNull(heap), Value::FuncRef(None)) => heap.as_ref().is_none_or(is_func),
        (WastRetCore::RefNull(heap), Value::ExternRef(None)) => heap.as_ref().is_none_or(is_extern),
        (WastRetCore::RefNull(heap), Value::ExnRef(None)) => heap.as_ref().is_none_or(is_exn),
        (WastRetCore::RefFunc(_), Value::FuncRef(actual)) => actual.is_some(),
        (WastRetCore::RefExtern(None), Value::ExternRef(actual)) => actual.is_some(),
        (WastRetCore::RefExtern(Some(number)), Value::ExternRef(actual)) => {
            *actual == Some(extern_ref(*number))
        }
        (WastRetCore::Either(choices), actual) => {
            choices.iter().any(|choice| matches(choice, actual))
        }
        _ => false,
    }
}

/// A pattern in words, for messages.
pub fn describe(expected: &WastRetCore<'_>) -> String {
    match expected {
        WastRetCore::I32(number) => format!("i32 {number}"),
        WastRetCore::I64(number) => format!("i64 {number}"),
        WastRetCore::F32(NanPattern::Value(value)) => format!("f32 {}", f32::from_bits(value.bits)),
        WastRetCore::F64(NanPattern::Value(value)) => format!("f64 {}", f64::from_bits(value.bits)),
        WastRetCore::F32(NanPattern::CanonicalNan) => "f32 nan:canonical".to_owned(),
        WastRetCore::F64(NanPattern::CanonicalNan) => "f64 nan:canonical".to_owned(),
        WastRetCore::F32(NanPattern::ArithmeticNan) => "f32 nan:arithmetic".to_owned(),
        WastRetCore::F64(NanPattern::ArithmeticNan) => "f64 nan:arithmetic".to_owned(),
        WastRetCore::RefExtern(Some(number)) => format!("externref {number}"),
        WastRetCore::Either(choices) => choices
            .iter()
            .map(describe)
            .collect::<Vec<_>>()
            .join(" or "),
        other => format!("{other:?}"),
    }
}

fn matches_f32(expected: &NanPattern<F32>, actual: u32) -> bool {
    match expected {
        // The sign of a NaN is never decided.
        NanPattern::CanonicalNan => actual & 0x7fff_ffff == 0x7fc0_0000,
        NanPattern::ArithmeticNan => actual & 0x7fc0_0000 == 0x7fc0_0000,
        NanPattern::Value(value) => actual == value.bits,
    }
}

fn matches_f64(expected: &NanPattern<F64>, actual: u64) -> bool {
    match expected {
        NanPattern::CanonicalNan => actual & 0x7fff_ffff_ffff_ffff == 0x7ff8_0000_0000_0000,
        NanPattern::ArithmeticNan => actual & 0x7ff8_0000_0000_0000 == 0x7ff8_0000_0000_0000,
        NanPattern::Value(value) => actual == value.bits,
    }
}

fn matches_v128(expected: &V128Pattern, actual: [u8; 16]) -> bool {
    match expected {
        V128Pattern::I8x16(lanes) => same(lanes, &actual, i8::from_le_bytes),
        V128Pattern::I16x8(lanes) => same(lanes, &actual, i16::from_le_bytes),
        V128Pattern::I32x4(lanes) => same(lanes, &actual, i32::from_le_bytes),
        V128Pattern::I64x2(lanes) => same(lanes, &actual, i64::from_le_bytes),
        V128Pattern::F32x4(lanes) => lanes
            .iter()
            .zip(chunks::<4>(&actual))
            .all(|(lane, bytes)| matches_f32(lane, u32::from_le_bytes(bytes))),
        V128Pattern::F64x2(lanes) => lanes
            .iter()
            .zip(chunks::<8>(&actual))
            .all(|(lane, bytes)| matches_f64(lane, u64::from_le_bytes(bytes))),
    }
}

fn same<T: PartialEq, const N: usize>(
    lanes: &[T],
    actual: &[u8; 16],
    read: fn([u8; N]) -> T,
) -> bool {
    lanes
        .iter()
        .zip(chunks::<N>(actual))
        .all(|(lane, bytes)| *lane == read(bytes))
}

fn chunks<const N: usize>(bytes: &[u8; 16]) -> impl Iterator<Item = [u8; N]> + '_ {
    bytes.as_chunks::<N>().0.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_patterns_ignore_the_sign() {
        assert!(matches_f32(&NanPattern::CanonicalNan, 0xffc0_0000));
        assert!(!matches_f32(&NanPattern::CanonicalNan, 0x7fc0_0001));
        assert!(matches_f32(&NanPattern::ArithmeticNan, 0x7fc0_0001));
        assert!(!matches_f32(&NanPattern::ArithmeticNan, 0x7fa0_0000));
        assert!(!matches_f64(
            &NanPattern::ArithmeticNan,
            f64::INFINITY.to_bits()
        ));
    }

    #[test]
    fn lanes_are_little_endian() {
        let mut bytes = [0; 16];
        bytes[0] = 1;
        bytes[15] = 0x80;
        assert!(matches_v128(&V128Pattern::I64x2([1, i64::MIN]), bytes));
        assert!(!matches_v128(&V128Pattern::I32x4([1, 0, 0, 1]), bytes));
    }
}
