//! Values at the border between host and compiled code.
//!
//! Compiled code and host exchange values in an array of 16-byte slots. Numbers and references are at
//! the beginning of their slot in this machine's byte order. Vectors are as in a linear memory, lane 0
//! first and little-endian, whatever the machine. A [`Value`] is the untyped form that a host uses when
//! it learns a function's type at run time.
#![forbid(unsafe_code)]

use core::fmt;
use core::num::NonZeroUsize;

use precast_format::context::VALUE_SIZE;
#[cfg(not(feature = "std"))]
use precast_format::plain::Hexadecimal;
use precast_format::plain::{Decimal, HexDigits, Signed};

use crate::call::error::CallError;
use crate::call::func::Func;
use crate::exception::handle::Exception;
use crate::group::Entered;
use crate::types::ValueType;

/// One slot of a value array.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
pub struct Slot([u8; VALUE_SIZE as usize]);

impl Slot {
    /// A slot of zeros: the default value of every type.
    pub(crate) const ZERO: Slot = Slot([0; VALUE_SIZE as usize]);

    /// The first `N` bytes.
    pub(crate) fn low<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.0[..N]);
        bytes
    }

    /// A slot that begins with these bytes.
    pub(crate) fn from_low<const N: usize>(bytes: [u8; N]) -> Slot {
        let mut slot = Slot::ZERO;
        slot.0[..N].copy_from_slice(&bytes);
        slot
    }

    /// The reference in the slot: an address or a host value, zero for null.
    pub(crate) fn reference(&self) -> usize {
        usize::from_ne_bytes(self.low())
    }

    /// A slot that holds a reference.
    pub(crate) fn from_reference(reference: usize) -> Slot {
        Slot::from_low(reference.to_ne_bytes())
    }
}

/// A reference to something of the host, opaque to the program: any number but zero.
///
/// What the number means is the host's business: an index into a table of its own, as a rule. The
/// loader neither interprets nor counts it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ExternRef(NonZeroUsize);

impl ExternRef {
    /// Wraps a number.
    pub const fn new(number: NonZeroUsize) -> ExternRef {
        ExternRef(number)
    }

    /// The number.
    pub const fn get(self) -> usize {
        self.0.get()
    }
}

/// A WebAssembly value.
///
/// Floats are kept as bits, so that the payload of a NaN survives every copy.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Value {
    /// A 32-bit integer.
    I32(i32),
    /// A 64-bit integer.
    I64(i64),
    /// The bits of a 32-bit float.
    F32(u32),
    /// The bits of a 64-bit float.
    F64(u64),
    /// A vector, lane 0 in the lowest bits.
    V128(u128),
    /// A reference to a function, or null.
    FuncRef(Option<Func>),
    /// A reference to something of the host, or null.
    ExternRef(Option<ExternRef>),
    /// A reference to an exception, or null.
    ExnRef(Option<Exception>),
}

impl Value {
    /// The value's type.
    pub fn value_type(&self) -> ValueType {
        match self {
            Value::I32(_) => ValueType::I32,
            Value::I64(_) => ValueType::I64,
            Value::F32(_) => ValueType::F32,
            Value::F64(_) => ValueType::F64,
            Value::V128(_) => ValueType::V128,
            Value::FuncRef(_) => ValueType::FUNCREF,
            Value::ExternRef(_) => ValueType::EXTERNREF,
            Value::ExnRef(_) => ValueType::EXNREF,
        }
    }

    /// Whether the value is one of a type.
    pub(crate) fn is_a(&self, value_type: ValueType) -> bool {
        let own = match self {
            Value::FuncRef(None) => ValueType::NULLFUNCREF,
            Value::ExternRef(None) => ValueType::NULLEXTERNREF,
            Value::ExnRef(None) => ValueType::NULLEXNREF,
            Value::FuncRef(Some(func)) if value_type.function_type().is_some() => {
                func.borrowed_type().reference(false)
            }
            value => value.value_type().not_null(),
        };
        own.is_subtype_of(value_type)
    }

    /// The value that a local of this type starts with: zero or null.
    pub fn default_for(value_type: ValueType) -> Value {
        match value_type {
            ValueType::I32 => Value::I32(0),
            ValueType::I64 => Value::I64(0),
            ValueType::F32 => Value::F32(0),
            ValueType::F64 => Value::F64(0),
            ValueType::V128 => Value::V128(0),
            ty if ty.is_function() => Value::FuncRef(None),
            ty if ty.is_exception() => Value::ExnRef(None),
            _ => Value::ExternRef(None),
        }
    }

    /// The number in an `i32`.
    pub fn i32(&self) -> Option<i32> {
        if let Value::I32(number) = self {
            Some(*number)
        } else {
            None
        }
    }

    /// The number in an `i64`.
    pub fn i64(&self) -> Option<i64> {
        if let Value::I64(number) = self {
            Some(*number)
        } else {
            None
        }
    }

    /// The number in an `f32`.
    pub fn f32(&self) -> Option<f32> {
        if let Value::F32(bits) = self {
            Some(f32::from_bits(*bits))
        } else {
            None
        }
    }

    /// The number in an `f64`.
    pub fn f64(&self) -> Option<f64> {
        if let Value::F64(bits) = self {
            Some(f64::from_bits(*bits))
        } else {
            None
        }
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Value {
        Value::I32(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Value {
        Value::I32(number as i32)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::I64(number)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Value {
        Value::I64(number as i64)
    }
}

impl From<f32> for Value {
    fn from(number: f32) -> Value {
        Value::F32(number.to_bits())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Value {
        Value::F64(number.to_bits())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::I32(number) => Signed(i64::from(*number)).fmt(f),
            Value::I64(number) => Signed(*number).fmt(f),
            #[cfg(feature = "std")]
            Value::F32(bits) => write!(f, "{}", f32::from_bits(*bits)),
            #[cfg(feature = "std")]
            Value::F64(bits) => write!(f, "{}", f64::from_bits(*bits)),
            // Finding the digits takes more room than a device has for it, and can panic.
            #[cfg(not(feature = "std"))]
            Value::F32(bits) => write!(f, "bits {}", Hexadecimal(u64::from(*bits))),
            #[cfg(not(feature = "std"))]
            Value::F64(bits) => write!(f, "bits {}", Hexadecimal(*bits)),
            Value::V128(bits) => {
                let high = HexDigits((*bits >> 64) as u64, 16);
                write!(f, "0x{high}{}", HexDigits(*bits as u64, 16))
            }
            Value::FuncRef(None) | Value::ExternRef(None) | Value::ExnRef(None) => {
                f.write_str("null")
            }
            Value::FuncRef(Some(_)) => f.write_str("funcref"),
            Value::ExternRef(Some(reference)) => {
                write!(f, "externref {}", Decimal(reference.get() as u64))
            }
            Value::ExnRef(Some(_)) => f.write_str("exnref"),
        }
    }
}

impl ExternRef {
    /// The reference with this number; zero is null.
    pub(crate) fn from_number(number: usize) -> Option<ExternRef> {
        NonZeroUsize::new(number).map(ExternRef)
    }
}

impl Value {
    /// Takes a value of this type out of a slot that code of the group wrote.
    pub(crate) fn lift(value_type: ValueType, slot: &Slot, group: &Entered<'_>) -> Value {
        match value_type {
            ValueType::I32 => Value::I32(i32::from_ne_bytes(slot.low())),
            ValueType::I64 => Value::I64(i64::from_ne_bytes(slot.low())),
            ValueType::F32 => Value::F32(u32::from_ne_bytes(slot.low())),
            ValueType::F64 => Value::F64(u64::from_ne_bytes(slot.low())),
            ValueType::V128 => Value::V128(u128::from_le_bytes(slot.low())),
            ty if ty.is_function() => Value::FuncRef(Func::lift(slot.reference(), group)),
            ty if ty.is_exception() => Value::ExnRef(Exception::lift(slot.reference(), group)),
            _ => Value::ExternRef(ExternRef::from_number(slot.reference())),
        }
    }

    /// Puts the value into a slot for code of the group that is entered.
    pub(crate) fn lower(&self, group: &Entered<'_>) -> Result<Slot, CallError> {
        Ok(match self {
            Value::I32(number) => Slot::from_low(number.to_ne_bytes()),
            Value::I64(number) => Slot::from_low(number.to_ne_bytes()),
            Value::F32(bits) => Slot::from_low(bits.to_ne_bytes()),
            Value::F64(bits) => Slot::from_low(bits.to_ne_bytes()),
            Value::V128(bits) => Slot::from_low(bits.to_le_bytes()),
            Value::FuncRef(None) | Value::ExternRef(None) | Value::ExnRef(None) => {
                Slot::from_reference(0)
            }
            Value::FuncRef(Some(func)) => Slot::from_reference(func.lower(group)?),
            Value::ExternRef(Some(reference)) => Slot::from_reference(reference.get()),
            Value::ExnRef(Some(exception)) => Slot::from_reference(exception.lower(group)?),
        })
    }
}
