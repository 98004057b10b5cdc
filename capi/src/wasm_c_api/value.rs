//! Values as C has them, and their way in and out.

use core::num::NonZeroUsize;
use core::ops::{Deref, DerefMut};
use core::ptr;

use precast_loader::{Extern, ExternRef, OutOfMemory, Value, ValueType};

use super::reference::wasm_ref_t;
use super::store::wasm_store_t;
use super::types::{EXTERNREF, FUNCREF, kind_of};
use super::vector::Element;
use crate::boundary::C;
use crate::value::Values;

/// A value.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wasm_val_t {
    /// Which part of `of` counts.
    pub kind: u8,
    /// The value.
    pub of: wasm_val_of,
}

/// The parts of a value.
#[repr(C)]
#[derive(Clone, Copy)]
pub union wasm_val_of {
    /// For kind 0.
    pub i32: i32,
    /// For kind 1.
    pub i64: i64,
    /// For kind 2, as bits.
    pub f32: u32,
    /// For kind 3, as bits.
    pub f64: u64,
    /// For references: null, or one that is owned.
    pub reference: *mut wasm_ref_t,
}

const I32: u8 = 0;
const I64: u8 = 1;
const F32: u8 = 2;
const F64: u8 = 3;

impl wasm_val_t {
    /// What a reference that is not there yet looks like.
    pub const NULL: wasm_val_t = wasm_val_t::reference(EXTERNREF, ptr::null_mut());

    const fn reference(kind: u8, reference: *mut wasm_ref_t) -> wasm_val_t {
        wasm_val_t {
            kind,
            of: wasm_val_of { reference },
        }
    }

    fn new(kind: u8, bits: u64) -> wasm_val_t {
        let of = match kind {
            I32 => wasm_val_of { i32: bits as i32 },
            F32 => wasm_val_of { f32: bits as u32 },
            F64 => wasm_val_of { f64: bits },
            _ => wasm_val_of { i64: bits as i64 },
        };
        wasm_val_t { kind, of }
    }

    /// The zero or null of a type.
    pub fn default_for(value_type: ValueType) -> wasm_val_t {
        match kind_of(value_type).unwrap_or(EXTERNREF) {
            kind @ (EXTERNREF | FUNCREF) => wasm_val_t::reference(kind, ptr::null_mut()),
            kind => wasm_val_t::new(kind, 0),
        }
    }

    /// The reference that C will own; none for null and for numbers.
    pub fn into_reference(self) -> Option<*mut wasm_ref_t> {
        self.as_reference()
    }

    /// The reference, if the value is one.
    fn as_reference(&self) -> Option<*mut wasm_ref_t> {
        match self.kind {
            // SAFETY: the kind says which part counts.
            EXTERNREF | FUNCREF => Some(unsafe { self.of.reference }),
            _ => None,
        }
    }
}

// SAFETY: zeros are a number.
unsafe impl Element for wasm_val_t {
    fn duplicate(self, c: C) -> Option<wasm_val_t> {
        let reference = match self.as_reference() {
            Some(reference) if !reference.is_null() => reference,
            _ => return Some(self),
        };
        let copy = c.look(reference.cast_const())?.another();
        Some(wasm_val_t::reference(self.kind, copy.into_raw()))
    }

    fn delete(self, c: C) {
        if let Some(reference) = self.as_reference() {
            drop(c.own_reference(reference));
        }
    }
}

/// Why a value is not passed.
pub enum Unfit {
    /// It is of another kind, or a reference to something of another kind.
    Kind,
    /// It is a reference to an object of another store.
    Store,
    /// There is no memory for it.
    OutOfMemory,
}

impl Unfit {
    /// In words.
    pub fn words(&self) -> &'static str {
        match self {
            Unfit::Kind => "a value is not of the type that is asked for",
            Unfit::Store => "a value is a reference to an object of another store",
            Unfit::OutOfMemory => "there is no memory for a value",
        }
    }
}

impl wasm_store_t {
    /// A value of C's as the loader has it. References stay C's.
    ///
    /// A reference may be called `externref` where one to a function is asked for: so does the
    /// standard's way to write one.
    pub fn lower(&self, c: C, value: &wasm_val_t, ty: ValueType) -> Result<Value, Unfit> {
        let of = value.of;
        match (value.kind, kind_of(ty).ok_or(Unfit::Kind)?) {
            // SAFETY: the kind says which part counts; as below.
            (I32, I32) => Ok(Value::I32(unsafe { of.i32 })),
            // SAFETY: as above.
            (I64, I64) => Ok(Value::I64(unsafe { of.i64 })),
            // SAFETY: as above.
            (F32, F32) => Ok(Value::F32(unsafe { of.f32 })),
            // SAFETY: as above.
            (F64, F64) => Ok(Value::F64(unsafe { of.f64 })),
            (EXTERNREF | FUNCREF, EXTERNREF | FUNCREF) => {
                // SAFETY: as above.
                self.lower_reference(c, unsafe { of.reference }, ty)
            }
            _ => Err(Unfit::Kind),
        }
    }

    /// A reference of C's as the loader has it.
    pub fn lower_reference(
        &self,
        c: C,
        reference: *const wasm_ref_t,
        ty: ValueType,
    ) -> Result<Value, Unfit> {
        let is_function = kind_of(ty) == Some(FUNCREF);
        if reference.is_null() {
            return Ok(match is_function {
                true => Value::FuncRef(None),
                false => Value::ExternRef(None),
            });
        }
        let object = c.look(reference).ok_or(Unfit::Kind)?;
        if !self.has(object) {
            return Err(Unfit::Store);
        }
        if !is_function {
            let number = self.keep(object).and_then(NonZeroUsize::new);
            let number = number.ok_or(Unfit::OutOfMemory)?;
            return Ok(Value::ExternRef(Some(ExternRef::new(number))));
        }
        match object.item() {
            Some(Extern::Func(func)) => Ok(Value::FuncRef(Some(func.clone()))),
            _ => Err(Unfit::Kind),
        }
    }

    /// A value of the loader's for C, which owns the reference if it is one.
    pub fn raise(&self, value: &Value) -> Option<wasm_val_t> {
        Some(match value {
            Value::I32(number) => wasm_val_t::new(I32, u64::from(*number as u32)),
            Value::I64(number) => wasm_val_t::new(I64, *number as u64),
            Value::F32(bits) => wasm_val_t::new(F32, u64::from(*bits)),
            Value::F64(bits) => wasm_val_t::new(F64, *bits),
            Value::FuncRef(None) => wasm_val_t::reference(FUNCREF, ptr::null_mut()),
            Value::FuncRef(Some(func)) => {
                let reference = self.item(Extern::Func(func.clone()))?;
                wasm_val_t::reference(FUNCREF, reference.into_raw())
            }
            Value::ExternRef(None) => wasm_val_t::NULL,
            Value::ExternRef(Some(number)) => {
                wasm_val_t::reference(EXTERNREF, self.kept(number.get())?.into_raw())
            }
            _ => return None,
        })
    }
}

/// Values that the library owns.
pub struct OwnValues {
    values: Values<wasm_val_t>,
    c: C,
}

impl OwnValues {
    /// The zeros and nulls of these types.
    pub fn defaults(
        c: C,
        store: &wasm_store_t,
        types: &[ValueType],
    ) -> Result<OwnValues, OutOfMemory> {
        let mut values = Values::new(store.runtime().allocator(), types.len(), wasm_val_t::NULL)?;
        for (value, ty) in values.iter_mut().zip(types) {
            *value = wasm_val_t::default_for(*ty);
        }
        Ok(OwnValues { values, c })
    }

    /// These values of the loader's; none without memory.
    pub fn raised(c: C, store: &wasm_store_t, values: &[Value]) -> Option<OwnValues> {
        let allocator = store.runtime().allocator();
        let raised = Values::new(allocator, values.len(), wasm_val_t::NULL).ok()?;
        let mut raised = OwnValues { values: raised, c };
        for (place, value) in raised.iter_mut().zip(values) {
            *place = store.raise(value)?;
        }
        Some(raised)
    }

    /// Takes a value out.
    pub fn take(&mut self, index: usize) -> Option<wasm_val_t> {
        let place = self.values.get_mut(index)?;
        Some(core::mem::replace(place, wasm_val_t::NULL))
    }

    /// Forgets what is in it, without deleting.
    pub fn forget(&mut self) {
        self.values.fill(wasm_val_t::NULL);
    }
}

impl Deref for OwnValues {
    type Target = [wasm_val_t];

    fn deref(&self) -> &[wasm_val_t] {
        &self.values
    }
}

impl DerefMut for OwnValues {
    fn deref_mut(&mut self) -> &mut [wasm_val_t] {
        &mut self.values
    }
}

impl Drop for OwnValues {
    fn drop(&mut self) {
        for value in self.values.iter() {
            value.delete(self.c);
        }
    }
}

/// Deletes what a value owns, and leaves a null reference in place of one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_val_delete(value: *mut wasm_val_t) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| {
        let Ok(values) = c.array_mut(value, 1, "value") else {
            return;
        };
        for value in values {
            value.delete(c);
            if value.as_reference().is_some() {
                *value = wasm_val_t::reference(value.kind, ptr::null_mut());
            }
        }
    });
}

/// Stores a copy of a value.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_val_copy(out: *mut wasm_val_t, value: *const wasm_val_t) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| {
        let copy = c.array(value, 1, "value").ok();
        let copy = copy.and_then(|values| values.first()?.duplicate(c));
        c.store(out, copy.unwrap_or(wasm_val_t::NULL));
    });
}
