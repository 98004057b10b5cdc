//! Typed calls: Rust types that stand for WebAssembly types, checked once.
//!
//! [`WasmValue`] is one value, [`WasmParams`] a tuple of parameters, [`WasmResults`] nothing, one
//! value or a tuple. A [`TypedFunc`] has been compared with the function's type, so that its calls
//! only copy.
#![forbid(unsafe_code)]

use core::fmt;
use core::marker::PhantomData;

use crate::call::error::CallError;
use crate::call::exec_env::CallContext;
use crate::call::func::Func;
use crate::call::value::{ExternRef, Slot};
use crate::exception::handle::Exception;
use crate::group::Entered;
use crate::types::ValueType;

mod sealed {
    /// Keeps the set of value types closed: their layout is the ABI's.
    pub trait Sealed {}
}

/// A Rust type that stands for one WebAssembly value type.
pub trait WasmValue: Sized + sealed::Sealed {
    /// The WebAssembly type.
    #[doc(hidden)]
    const TYPE: ValueType;

    /// Puts the value into a slot for code of the group that is entered.
    #[doc(hidden)]
    fn lower(self, group: &Entered<'_>) -> Result<Slot, CallError>;

    /// Takes the value out of a slot that code of the group wrote.
    #[doc(hidden)]
    fn lift(slot: &Slot, group: &Entered<'_>) -> Self;
}

macro_rules! number {
    ($rust:ty, $wasm:ident, $bytes:literal, $to:ident, $from:ident) => {
        impl sealed::Sealed for $rust {}

        impl WasmValue for $rust {
            const TYPE: ValueType = ValueType::$wasm;

            #[inline]
            fn lower(self, _: &Entered<'_>) -> Result<Slot, CallError> {
                Ok(Slot::from_low(self.$to()))
            }

            #[inline]
            fn lift(slot: &Slot, _: &Entered<'_>) -> $rust {
                <$rust>::$from(slot.low::<$bytes>())
            }
        }
    };
}

number!(i32, I32, 4, to_ne_bytes, from_ne_bytes);
number!(u32, I32, 4, to_ne_bytes, from_ne_bytes);
number!(i64, I64, 8, to_ne_bytes, from_ne_bytes);
number!(u64, I64, 8, to_ne_bytes, from_ne_bytes);
number!(f32, F32, 4, to_ne_bytes, from_ne_bytes);
number!(f64, F64, 8, to_ne_bytes, from_ne_bytes);
number!(u128, V128, 16, to_le_bytes, from_le_bytes);

impl sealed::Sealed for Option<ExternRef> {}

impl WasmValue for Option<ExternRef> {
    const TYPE: ValueType = ValueType::EXTERNREF;

    fn lower(self, _: &Entered<'_>) -> Result<Slot, CallError> {
        Ok(Slot::from_reference(self.map_or(0, ExternRef::get)))
    }

    fn lift(slot: &Slot, _: &Entered<'_>) -> Option<ExternRef> {
        ExternRef::from_number(slot.reference())
    }
}

impl sealed::Sealed for Option<Func> {}

impl WasmValue for Option<Func> {
    const TYPE: ValueType = ValueType::FUNCREF;

    fn lower(self, group: &Entered<'_>) -> Result<Slot, CallError> {
        match self {
            None => Ok(Slot::from_reference(0)),
            Some(func) => Ok(Slot::from_reference(func.lower(group)?)),
        }
    }

    fn lift(slot: &Slot, group: &Entered<'_>) -> Option<Func> {
        Func::lift(slot.reference(), group)
    }
}

impl sealed::Sealed for Option<Exception> {}

impl WasmValue for Option<Exception> {
    const TYPE: ValueType = ValueType::EXNREF;

    fn lower(self, group: &Entered<'_>) -> Result<Slot, CallError> {
        match self {
            None => Ok(Slot::from_reference(0)),
            Some(exception) => Ok(Slot::from_reference(exception.lower(group)?)),
        }
    }

    fn lift(slot: &Slot, group: &Entered<'_>) -> Option<Exception> {
        Exception::lift(slot.reference(), group)
    }
}

/// A tuple of Rust types that stands for a function's parameters.
pub trait WasmParams: Sized {
    /// The WebAssembly types.
    #[doc(hidden)]
    const TYPES: &'static [ValueType];

    /// Puts the values into the first slots.
    #[doc(hidden)]
    fn lower(self, slots: &mut [Slot], group: &Entered<'_>) -> Result<(), CallError>;

    /// Takes the values out of the first slots.
    #[doc(hidden)]
    fn lift(slots: &[Slot], group: &Entered<'_>) -> Self;
}

/// What a typed function returns: nothing, one value, or a tuple.
pub trait WasmResults: Sized {
    /// The WebAssembly types.
    #[doc(hidden)]
    const TYPES: &'static [ValueType];

    /// Puts the values into the first slots.
    #[doc(hidden)]
    fn lower(self, slots: &mut [Slot], group: &Entered<'_>) -> Result<(), CallError>;

    /// Takes the values out of the first slots.
    #[doc(hidden)]
    fn lift(slots: &[Slot], group: &Entered<'_>) -> Self;
}

impl<T: WasmValue> WasmResults for T {
    const TYPES: &'static [ValueType] = &[T::TYPE];

    fn lower(self, slots: &mut [Slot], group: &Entered<'_>) -> Result<(), CallError> {
        put(slots, 0, self, group)
    }

    fn lift(slots: &[Slot], group: &Entered<'_>) -> T {
        take(slots, 0, group)
    }
}

/// Stores one value.
fn put<T: WasmValue>(
    slots: &mut [Slot],
    index: usize,
    value: T,
    group: &Entered<'_>,
) -> Result<(), CallError> {
    let slot = value.lower(group)?;
    if let Some(place) = slots.get_mut(index) {
        *place = slot;
    }
    Ok(())
}

/// Loads one value; a slot that does not exist reads as zero.
fn take<T: WasmValue>(slots: &[Slot], index: usize, group: &Entered<'_>) -> T {
    T::lift(slots.get(index).unwrap_or(&Slot::ZERO), group)
}

macro_rules! tuple {
    ($($name:ident $index:tt),*) => {
        impl<$($name: WasmValue),*> WasmParams for ($($name,)*) {
            const TYPES: &'static [ValueType] = &[$($name::TYPE),*];

            #[allow(unused_variables)]
            fn lower(self, slots: &mut [Slot], group: &Entered<'_>) -> Result<(), CallError> {
                $(put(slots, $index, self.$index, group)?;)*
                Ok(())
            }

            #[allow(unused_variables, clippy::unused_unit)]
            fn lift(slots: &[Slot], group: &Entered<'_>) -> Self {
                ($(take::<$name>(slots, $index, group),)*)
            }
        }

        impl<$($name: WasmValue),*> WasmResults for ($($name,)*) {
            const TYPES: &'static [ValueType] = &[$($name::TYPE),*];

            fn lower(self, slots: &mut [Slot], group: &Entered<'_>) -> Result<(), CallError> {
                WasmParams::lower(self, slots, group)
            }

            fn lift(slots: &[Slot], group: &Entered<'_>) -> Self {
                WasmParams::lift(slots, group)
            }
        }
    };
}

tuple!();
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);

/// A function whose parameters and results are known to be `P` and `R`.
pub struct TypedFunc<P, R> {
    func: Func,
    types: PhantomData<fn(P) -> R>,
}

impl<P: WasmParams, R: WasmResults> TypedFunc<P, R> {
    /// Compares the types; `None` where they differ.
    pub(crate) fn new(func: Func) -> Option<TypedFunc<P, R>> {
        let matches = {
            let func_type = func.borrowed_type();
            func_type.params() == P::TYPES && func_type.results() == R::TYPES
        };
        matches.then_some(TypedFunc {
            func,
            types: PhantomData,
        })
    }

    /// Calls the function.
    pub fn call(&self, context: &mut impl CallContext, params: P) -> Result<R, CallError> {
        let stack = context.call_stack();
        self.func.call_slots(
            stack,
            P::TYPES.len().max(R::TYPES.len()),
            |slots, group| params.lower(slots, group),
            |slots, group| Ok(R::lift(slots, group)),
        )
    }

    /// The function without its Rust types.
    pub fn func(&self) -> &Func {
        &self.func
    }
}

impl<P, R> Clone for TypedFunc<P, R> {
    fn clone(&self) -> TypedFunc<P, R> {
        TypedFunc {
            func: self.func.clone(),
            types: PhantomData,
        }
    }
}

impl<P, R> fmt::Debug for TypedFunc<P, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.func.fmt(f)
    }
}
