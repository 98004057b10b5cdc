//! Values of WebAssembly as C has them, and their way in and out.

use core::ops::{Deref, DerefMut};
use core::ptr;

use precast_loader::alloc::{Allocator, Vec};
use precast_loader::{Category, ExternRef, OutOfMemory, Runtime, Value, ValueType};

use crate::api::exception::{self, precast_exception};
use crate::api::function::{self, precast_function};
use crate::boundary::C;
use crate::failure::Failure;

/// What a value is: the numbers of WebAssembly's binary format.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum precast_value_kind {
    /// A 32-bit integer.
    PRECAST_I32 = 0x7f,
    /// A 64-bit integer.
    PRECAST_I64 = 0x7e,
    /// A 32-bit float.
    PRECAST_F32 = 0x7d,
    /// A 64-bit float.
    PRECAST_F64 = 0x7c,
    /// A vector of 16 bytes.
    PRECAST_V128 = 0x7b,
    /// A reference to a function, or null.
    PRECAST_FUNCREF = 0x70,
    /// A reference to something of the host, or null.
    PRECAST_EXTERNREF = 0x6f,
    /// A reference to an exception, or null.
    PRECAST_EXNREF = 0x69,
}

use precast_value_kind::*;

/// A kind as C passes it: any number.
pub type value_kind = u32;

/// A value of WebAssembly.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_value {
    /// Which part of `of` counts.
    pub kind: value_kind,
    /// Zero.
    pub reserved: u32,
    /// The value.
    pub of: precast_value_of,
}

/// The parts of a value.
#[repr(C)]
#[derive(Clone, Copy)]
pub union precast_value_of {
    /// For `PRECAST_I32`.
    pub i32: i32,
    /// For `PRECAST_I64`.
    pub i64: i64,
    /// For `PRECAST_F32`.
    pub f32: f32,
    /// For `PRECAST_F64`.
    pub f64: f64,
    /// For `PRECAST_V128`: as in a linear memory, lane 0 first and little-endian.
    pub v128: [u8; 16],
    /// For `PRECAST_FUNCREF`: a handle, or null. In a value that the library makes, the handle is
    /// yours to free, but for the parameters of host functions, which the library frees.
    pub function: *mut precast_function,
    /// For `PRECAST_EXNREF`: a handle, or null, with the same rules.
    pub exception: *mut precast_exception,
    /// For `PRECAST_EXTERNREF`: a number that means something to you; zero is null.
    pub external: usize,
}

impl precast_value {
    /// Zero, as an `i32`.
    pub const ZERO: precast_value = precast_value {
        kind: PRECAST_I32 as value_kind,
        reserved: 0,
        of: precast_value_of { v128: [0; 16] },
    };
}

/// The kind of a type's values.
pub fn kind_of(value_type: ValueType) -> precast_value_kind {
    match value_type {
        ValueType::I32 => PRECAST_I32,
        ValueType::I64 => PRECAST_I64,
        ValueType::F32 => PRECAST_F32,
        ValueType::F64 => PRECAST_F64,
        ValueType::V128 => PRECAST_V128,
        ty if ty.is_function() => PRECAST_FUNCREF,
        ty if ty.is_exception() => PRECAST_EXNREF,
        _ => PRECAST_EXTERNREF,
    }
}

/// The type of a kind's values.
pub fn type_of(kind: value_kind, name: &'static str) -> Result<ValueType, Failure> {
    let types = [
        (PRECAST_I32, ValueType::I32),
        (PRECAST_I64, ValueType::I64),
        (PRECAST_F32, ValueType::F32),
        (PRECAST_F64, ValueType::F64),
        (PRECAST_V128, ValueType::V128),
        (PRECAST_FUNCREF, ValueType::FUNCREF),
        (PRECAST_EXTERNREF, ValueType::EXTERNREF),
        (PRECAST_EXNREF, ValueType::EXNREF),
    ];
    let found = types.iter().find(|(known, _)| *known as value_kind == kind);
    let found = found.map(|(_, value_type)| *value_type);
    found.ok_or(Failure::Argument(name, "is not a kind of values"))
}

impl C {
    /// A value that C passes. Handles in it stay C's.
    pub fn value(self, value: &precast_value, name: &'static str) -> Result<Value, Failure> {
        let of = &value.of;
        Ok(match type_of(value.kind, name)? {
            // SAFETY: any four bytes are a number; as are those below.
            ValueType::I32 => Value::I32(unsafe { of.i32 }),
            // SAFETY: as above.
            ValueType::I64 => Value::I64(unsafe { of.i64 }),
            // SAFETY: as above.
            ValueType::F32 => Value::F32(unsafe { of.f32 }.to_bits()),
            // SAFETY: as above.
            ValueType::F64 => Value::F64(unsafe { of.f64 }.to_bits()),
            // SAFETY: as above.
            ValueType::V128 => Value::V128(u128::from_le_bytes(unsafe { of.v128 })),
            // SAFETY: as above; whether the address is a function's is seen where it is used.
            ValueType::FUNCREF => match unsafe { of.function } {
                function if function.is_null() => Value::FuncRef(None),
                function => Value::FuncRef(Some(self.get(function, name)?.func.clone())),
            },
            ValueType::EXTERNREF => {
                // SAFETY: as above.
                let number = core::num::NonZeroUsize::new(unsafe { of.external });
                Value::ExternRef(number.map(ExternRef::new))
            }
            // SAFETY: as above; whether the address is an exception's is seen where it is used.
            _ => match unsafe { of.exception } {
                exception if exception.is_null() => Value::ExnRef(None),
                exception => Value::ExnRef(Some((*self.get(exception, name)?).clone())),
            },
        })
    }

    /// Frees the handles that the library made for values.
    pub fn free_values(self, values: &[precast_value]) {
        for value in values {
            if value.kind == PRECAST_FUNCREF as value_kind {
                // SAFETY: the library made the value, so that is the part that counts.
                self.free(unsafe { value.of.function });
            }
            if value.kind == PRECAST_EXNREF as value_kind {
                // SAFETY: as above.
                self.free(unsafe { value.of.exception });
            }
        }
    }
}

/// A value for C, with a handle of its own where it is a reference to a function or an exception.
pub fn lend(value: &Value, runtime: &Runtime) -> Result<precast_value, Failure> {
    // Zeros first: whoever reads another part finds nothing that was there before.
    let mut lent = precast_value {
        kind: kind_of(value.value_type()) as value_kind,
        ..precast_value::ZERO
    };
    match value {
        Value::I32(number) => lent.of.i32 = *number,
        Value::I64(number) => lent.of.i64 = *number,
        Value::F32(bits) => lent.of.f32 = f32::from_bits(*bits),
        Value::F64(bits) => lent.of.f64 = f64::from_bits(*bits),
        Value::V128(bits) => lent.of.v128 = bits.to_le_bytes(),
        Value::FuncRef(func) => {
            lent.of.function = match func {
                Some(func) => function::handle(runtime, func.clone())?,
                None => ptr::null_mut(),
            }
        }
        Value::ExternRef(reference) => {
            lent.of.external = reference.map_or(0, |reference| reference.get());
        }
        Value::ExnRef(thrown) => {
            lent.of.exception = match thrown {
                Some(thrown) => exception::handle(thrown.clone())?,
                None => ptr::null_mut(),
            }
        }
        _ => return Err(Failure::Unsupported("there are no such values in C")),
    }
    Ok(lent)
}

/// How many values have no block of their own.
const INLINE: usize = 8;

/// A few values, which take no memory of the runtime's, or many, which do.
pub enum Values<T> {
    /// The first so many.
    Inline([T; INLINE], usize),
    /// All of them.
    Block(Vec<T>),
}

impl<T: Clone> Values<T> {
    /// So many copies of a value.
    pub fn new(allocator: &Allocator, count: usize, value: T) -> Result<Values<T>, OutOfMemory> {
        if count <= INLINE {
            return Ok(Values::Inline(
                core::array::from_fn(|_| value.clone()),
                count,
            ));
        }
        let mut block = Vec::new_in(allocator, Category::Arguments);
        block.try_resize(count, value)?;
        Ok(Values::Block(block))
    }
}

impl<T> Deref for Values<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Values::Inline(values, count) => values.get(..*count).unwrap_or_default(),
            Values::Block(values) => values.as_slice(),
        }
    }
}

impl<T> DerefMut for Values<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Values::Inline(values, count) => values.get_mut(..*count).unwrap_or_default(),
            Values::Block(values) => values.as_mut_slice(),
        }
    }
}
