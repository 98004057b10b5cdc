//! Types of values and of all that is imported and exported.
//!
//! A type of a function, a global and so on is a type of something imported or exported under another
//! name: C's pointers to them are pointers to one kind of block.

use core::ptr;
use std::boxed::Box;

use precast_loader::{ExternType, FuncType, GlobalType, Limits, Runtime, ValueType};

use super::blocks::{Block, give, try_box};
use super::vector::{Elements, Owned, Vector};
use crate::boundary::C;

/// `i32`, `i64`, `f32` and `f64` are 0 to 3.
const NUMBERS: [ValueType; 4] = [
    ValueType::I32,
    ValueType::I64,
    ValueType::F32,
    ValueType::F64,
];
/// References to something of the host's.
pub const EXTERNREF: u8 = 128;
/// References to functions.
pub const FUNCREF: u8 = 129;

/// The most pages or elements: there is no maximum.
const NO_MAXIMUM: u32 = u32::MAX;

/// The kind of a type's values; none for types that the standard has no number for.
pub fn kind_of(value_type: ValueType) -> Option<u8> {
    if let Some(number) = NUMBERS.iter().position(|number| *number == value_type) {
        return u8::try_from(number).ok();
    }
    match value_type {
        ValueType::V128 => None,
        ty if ty.is_exception() => None,
        ty if ty.is_function() => Some(FUNCREF),
        _ => Some(EXTERNREF),
    }
}

/// The type of a kind's values.
pub fn type_of(kind: u8) -> Option<ValueType> {
    match kind {
        EXTERNREF => Some(ValueType::EXTERNREF),
        FUNCREF => Some(ValueType::FUNCREF),
        number => NUMBERS.get(usize::from(number)).copied(),
    }
}

/// The type of a value.
#[repr(C)]
pub struct wasm_valtype_t {
    kind: u32,
    value_kind: u8,
}

// SAFETY: it begins with the number, which `value_type` writes.
unsafe impl Block for wasm_valtype_t {
    const KIND: u32 = 0x5743_0010;
}

impl Owned for wasm_valtype_t {
    fn duplicate(&self, _: C) -> Option<*mut wasm_valtype_t> {
        value_type(self.value_kind).map(Box::into_raw)
    }

    fn delete(c: C, pointer: *mut wasm_valtype_t) {
        drop(c.take(pointer));
    }

    fn look<'a>(c: C, pointer: *const wasm_valtype_t) -> Option<&'a wasm_valtype_t> {
        c.look(pointer)
    }
}

fn value_type(value_kind: u8) -> Option<Box<wasm_valtype_t>> {
    type_of(value_kind)?;
    try_box(wasm_valtype_t {
        kind: wasm_valtype_t::KIND,
        value_kind,
    })
}

/// Pages of a memory, or elements of a table.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wasm_limits_t {
    /// How many there are at least.
    pub min: u32,
    /// How many there may be; all ones without a maximum.
    pub max: u32,
}

impl wasm_limits_t {
    /// Numbers that are too large are the largest.
    fn new(limits: &Limits) -> wasm_limits_t {
        let fit = |number| u32::try_from(number).unwrap_or(u32::MAX);
        wasm_limits_t {
            min: fit(limits.min),
            max: limits.max.map_or(NO_MAXIMUM, fit),
        }
    }

    /// As the loader has them.
    pub fn limits(self) -> Limits {
        Limits {
            min: u64::from(self.min),
            max: (self.max != NO_MAXIMUM).then_some(u64::from(self.max)),
        }
    }
}

/// The type of anything that is imported or exported.
#[repr(C)]
pub struct wasm_externtype_t {
    kind: u32,
    of: TypeOf,
}

// SAFETY: it begins with the number, which `extern_type` writes.
unsafe impl Block for wasm_externtype_t {
    const KIND: u32 = 0x5743_0011;
}

/// What it is the type of, in the order of the standard's numbers.
enum TypeOf {
    Function {
        params: Elements<*mut wasm_valtype_t>,
        results: Elements<*mut wasm_valtype_t>,
    },
    Global {
        content: Box<wasm_valtype_t>,
        mutability: u8,
    },
    Table {
        element: Box<wasm_valtype_t>,
        limits: wasm_limits_t,
    },
    Memory {
        limits: wasm_limits_t,
    },
    Tag {
        function: Box<wasm_externtype_t>,
    },
}

/// The type of a function.
pub type wasm_functype_t = wasm_externtype_t;
/// The type of a global.
pub type wasm_globaltype_t = wasm_externtype_t;
/// The type of a table.
pub type wasm_tabletype_t = wasm_externtype_t;
/// The type of a linear memory.
pub type wasm_memorytype_t = wasm_externtype_t;
/// The type of a tag.
pub type wasm_tagtype_t = wasm_externtype_t;

impl Owned for wasm_externtype_t {
    fn duplicate(&self, _: C) -> Option<*mut wasm_externtype_t> {
        self.clone_block().map(Box::into_raw)
    }

    fn delete(c: C, pointer: *mut wasm_externtype_t) {
        drop(c.take(pointer));
    }

    fn look<'a>(c: C, pointer: *const wasm_externtype_t) -> Option<&'a wasm_externtype_t> {
        c.look(pointer)
    }
}

fn extern_type(of: TypeOf) -> Option<Box<wasm_externtype_t>> {
    try_box(wasm_externtype_t {
        kind: wasm_externtype_t::KIND,
        of,
    })
}

impl wasm_externtype_t {
    fn clone_block(&self) -> Option<Box<wasm_externtype_t>> {
        let copy = |ty: &wasm_valtype_t| value_type(ty.value_kind);
        extern_type(match &self.of {
            TypeOf::Function { params, results } => TypeOf::Function {
                params: params.duplicate()?,
                results: results.duplicate()?,
            },
            TypeOf::Global {
                content,
                mutability,
            } => TypeOf::Global {
                content: copy(content)?,
                mutability: *mutability,
            },
            TypeOf::Table { element, limits } => TypeOf::Table {
                element: copy(element)?,
                limits: *limits,
            },
            TypeOf::Memory { limits } => TypeOf::Memory { limits: *limits },
            TypeOf::Tag { function } => TypeOf::Tag {
                function: function.clone_block()?,
            },
        })
    }

    /// A type of the loader's; none if the standard cannot say it, or without memory.
    pub fn describe(c: C, ty: &ExternType) -> Option<Box<wasm_externtype_t>> {
        extern_type(match ty {
            ExternType::Function(function) => return of_function(c, function),
            ExternType::Global(global) => TypeOf::Global {
                content: value_type(kind_of(global.value)?)?,
                mutability: u8::from(global.mutable),
            },
            ExternType::Table(table) => TypeOf::Table {
                element: value_type(kind_of(table.element)?)?,
                limits: wasm_limits_t::new(&table.limits),
            },
            ExternType::Memory(memory) => TypeOf::Memory {
                limits: wasm_limits_t::new(&memory.limits),
            },
            ExternType::Tag(tag) => TypeOf::Tag {
                function: of_function(c, tag)?,
            },
        })
    }

    /// The type as that of a function, as the loader has it.
    pub fn func_type(&self, c: C, runtime: &Runtime) -> Option<FuncType> {
        let TypeOf::Function { params, results } = &self.of else {
            return None;
        };
        let types = |list: &Elements<*mut wasm_valtype_t>| {
            let types = list.as_slice().iter();
            let types = types.map(|ty| type_of(c.look(ty.cast_const())?.value_kind));
            types.collect::<Option<std::vec::Vec<ValueType>>>()
        };
        FuncType::new(runtime, &types(params)?, &types(results)?).ok()
    }

    /// The type as that of a global, as the loader has it.
    pub fn global_type(&self) -> Option<GlobalType> {
        match &self.of {
            TypeOf::Global {
                content,
                mutability,
            } => Some(GlobalType {
                value: type_of(content.value_kind)?,
                mutable: *mutability != 0,
            }),
            _ => None,
        }
    }

    /// The type as that of a table: what is in it, and how many.
    pub fn table_type(&self) -> Option<(ValueType, Limits)> {
        match &self.of {
            TypeOf::Table { element, limits } => {
                Some((type_of(element.value_kind)?, limits.limits()))
            }
            _ => None,
        }
    }

    /// The type as that of a memory: how many pages.
    pub fn memory_limits(&self) -> Option<Limits> {
        match &self.of {
            TypeOf::Memory { limits } => Some(limits.limits()),
            _ => None,
        }
    }

    /// The standard's number of the kind.
    fn number(&self) -> u8 {
        match &self.of {
            TypeOf::Function { .. } => 0,
            TypeOf::Global { .. } => 1,
            TypeOf::Table { .. } => 2,
            TypeOf::Memory { .. } => 3,
            TypeOf::Tag { .. } => 4,
        }
    }
}

fn of_function(c: C, function: &FuncType) -> Option<Box<wasm_externtype_t>> {
    let types = |types: &[ValueType]| {
        Elements::from_fn(c, types.len(), |index| {
            Some(Box::into_raw(value_type(kind_of(*types.get(index)?)?)?))
        })
    };
    extern_type(TypeOf::Function {
        params: types(function.params())?,
        results: types(function.results())?,
    })
}

/// The first type of values among these that the standard has no number for.
pub fn unknown_type(ty: &ExternType) -> Option<ValueType> {
    let unknown = |types: &[ValueType]| types.iter().find(|ty| kind_of(**ty).is_none()).copied();
    match ty {
        ExternType::Function(function) | ExternType::Tag(function) => {
            unknown(function.params()).or_else(|| unknown(function.results()))
        }
        ExternType::Global(global) => unknown(&[global.value]),
        ExternType::Table(table) => unknown(&[table.element]),
        ExternType::Memory(_) => None,
    }
}

/// Makes the type of values of a kind; null for a number that is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_valtype_new(kind: u8) -> *mut wasm_valtype_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| value_type(kind).map(Box::into_raw))
}

/// The kind of the values.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_valtype_kind(valtype: *const wasm_valtype_t) -> u8 {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.answer(0, || Some(c.look(valtype)?.value_kind))
}

/// Makes the type of a function. The vectors are taken.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_functype_new(
    params: *mut Vector<*mut wasm_valtype_t>,
    results: *mut Vector<*mut wasm_valtype_t>,
) -> *mut wasm_functype_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let (params, results) = (c.take_vector(params), c.take_vector(results));
        let mut types = params.as_slice().iter().chain(results.as_slice());
        if types.any(|ty| c.look(ty.cast_const()).is_none()) {
            return None;
        }
        extern_type(TypeOf::Function { params, results }).map(Box::into_raw)
    })
}

/// The types of the parameters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_functype_params(
    functype: *const wasm_functype_t,
) -> *const Vector<*mut wasm_valtype_t> {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| match &c.look(functype)?.of {
        TypeOf::Function { params, .. } => Some(ptr::from_ref(params.vector()).cast_mut()),
        _ => None,
    })
}

/// The types of the results.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_functype_results(
    functype: *const wasm_functype_t,
) -> *const Vector<*mut wasm_valtype_t> {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| match &c.look(functype)?.of {
        TypeOf::Function { results, .. } => Some(ptr::from_ref(results.vector()).cast_mut()),
        _ => None,
    })
}

/// Makes the type of a global. The type of its values is taken.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_globaltype_new(
    content: *mut wasm_valtype_t,
    mutability: u8,
) -> *mut wasm_globaltype_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let content = c.take(content)?;
        let of = TypeOf::Global {
            content,
            mutability: u8::from(mutability != 0),
        };
        extern_type(of).map(Box::into_raw)
    })
}

/// The type of the global's values.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_globaltype_content(
    globaltype: *const wasm_globaltype_t,
) -> *const wasm_valtype_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| match &c.look(globaltype)?.of {
        TypeOf::Global { content, .. } => Some(ptr::from_ref(&**content).cast_mut()),
        _ => None,
    })
}

/// Whether the global's value can be changed: one, else zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_globaltype_mutability(globaltype: *const wasm_globaltype_t) -> u8 {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.answer(0, || {
        Some(u8::from(c.look(globaltype)?.global_type()?.mutable))
    })
}

/// Makes the type of a table. The type of its elements is taken.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_tabletype_new(
    element: *mut wasm_valtype_t,
    limits: *const wasm_limits_t,
) -> *mut wasm_tabletype_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let element = c.take(element)?;
        let limits = *c.array(limits, 1, "limits").ok()?.first()?;
        extern_type(TypeOf::Table { element, limits }).map(Box::into_raw)
    })
}

/// The type of the table's elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_tabletype_element(
    tabletype: *const wasm_tabletype_t,
) -> *const wasm_valtype_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| match &c.look(tabletype)?.of {
        TypeOf::Table { element, .. } => Some(ptr::from_ref(&**element).cast_mut()),
        _ => None,
    })
}

/// How many elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_tabletype_limits(
    tabletype: *const wasm_tabletype_t,
) -> *const wasm_limits_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| match &c.look(tabletype)?.of {
        TypeOf::Table { limits, .. } => Some(ptr::from_ref(limits).cast_mut()),
        _ => None,
    })
}

/// Makes the type of a memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memorytype_new(
    limits: *const wasm_limits_t,
) -> *mut wasm_memorytype_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let limits = *c.array(limits, 1, "limits").ok()?.first()?;
        extern_type(TypeOf::Memory { limits }).map(Box::into_raw)
    })
}

/// How many pages.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memorytype_limits(
    memorytype: *const wasm_memorytype_t,
) -> *const wasm_limits_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| match &c.look(memorytype)?.of {
        TypeOf::Memory { limits } => Some(ptr::from_ref(limits).cast_mut()),
        _ => None,
    })
}

/// Makes the type of a tag. The type of a function is taken.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_tagtype_new(functype: *mut wasm_functype_t) -> *mut wasm_tagtype_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let function = c.take(functype)?;
        if !matches!(function.of, TypeOf::Function { .. }) {
            return None;
        }
        extern_type(TypeOf::Tag { function }).map(Box::into_raw)
    })
}

/// What exceptions of the tag carry.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_tagtype_functype(
    tagtype: *const wasm_tagtype_t,
) -> *const wasm_functype_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| match &c.look(tagtype)?.of {
        TypeOf::Tag { function } => Some(ptr::from_ref(&**function).cast_mut()),
        _ => None,
    })
}

/// What it is the type of: the standard's number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_externtype_kind(externtype: *const wasm_externtype_t) -> u8 {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.answer(0, || Some(c.look(externtype)?.number()))
}

impl C {
    /// The same type under another name, if it is one of this kind.
    fn cast_type(self, ty: *const wasm_externtype_t, number: u8) -> *mut wasm_externtype_t {
        self.pointer(|| (self.look(ty)?.number() == number).then_some(ty.cast_mut()))
    }

    /// Deletes a block; null is none.
    pub fn delete_block<T: Owned>(self, pointer: *mut T) {
        self.quietly(|| T::delete(self, pointer));
    }

    /// A copy of a block.
    pub fn copy_block<T: Owned>(self, pointer: *const T) -> *mut T {
        self.pointer(|| T::look(self, pointer)?.duplicate(self))
    }

    /// A block that C will own.
    pub fn give_block<T: Block>(self, value: T) -> Option<*mut T> {
        give(value)
    }
}

/// Deleting and copying.
macro_rules! block_functions {
    ($what:literal, $name:ident, $delete:ident, $copy:ident) => {
        #[doc = concat!("Deletes ", $what, "; null is none.")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $delete(block: *mut $name) {
            // SAFETY: C promises what this asks for.
            unsafe { C::promises() }.delete_block(block);
        }

        #[doc = concat!("Copies ", $what, ".")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $copy(block: *const $name) -> *mut $name {
            // SAFETY: C promises what this asks for.
            unsafe { C::promises() }.copy_block(block)
        }
    };
}
pub(super) use block_functions;

/// The ways between the names of a type.
macro_rules! type_casts {
    ($what:literal, $number:literal, $name:ident, $as_extern:ident, $from_extern:ident, $as_const:ident, $from_const:ident) => {
        #[doc = concat!("The type of ", $what, " as one of what is imported or exported.")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $as_extern(ty: *mut $name) -> *mut wasm_externtype_t {
            // SAFETY: C promises what this asks for.
            unsafe { C::promises() }.cast_type(ty, $number)
        }

        #[doc = concat!("The type as one of ", $what, ", or null.")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $from_extern(ty: *mut wasm_externtype_t) -> *mut $name {
            // SAFETY: C promises what this asks for.
            unsafe { C::promises() }.cast_type(ty, $number)
        }

        #[doc = concat!("The type of ", $what, " as one of what is imported or exported.")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $as_const(ty: *const $name) -> *const wasm_externtype_t {
            // SAFETY: C promises what this asks for.
            unsafe { C::promises() }.cast_type(ty, $number)
        }

        #[doc = concat!("The type as one of ", $what, ", or null.")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $from_const(ty: *const wasm_externtype_t) -> *const $name {
            // SAFETY: C promises what this asks for.
            unsafe { C::promises() }.cast_type(ty, $number)
        }
    };
}

block_functions!(
    "the type of a value",
    wasm_valtype_t,
    wasm_valtype_delete,
    wasm_valtype_copy
);
block_functions!(
    "the type of what is imported or exported",
    wasm_externtype_t,
    wasm_externtype_delete,
    wasm_externtype_copy
);
block_functions!(
    "the type of a function",
    wasm_functype_t,
    wasm_functype_delete,
    wasm_functype_copy
);
type_casts!(
    "a function",
    0,
    wasm_functype_t,
    wasm_functype_as_externtype,
    wasm_externtype_as_functype,
    wasm_functype_as_externtype_const,
    wasm_externtype_as_functype_const
);
block_functions!(
    "the type of a global",
    wasm_globaltype_t,
    wasm_globaltype_delete,
    wasm_globaltype_copy
);
type_casts!(
    "a global",
    1,
    wasm_globaltype_t,
    wasm_globaltype_as_externtype,
    wasm_externtype_as_globaltype,
    wasm_globaltype_as_externtype_const,
    wasm_externtype_as_globaltype_const
);
block_functions!(
    "the type of a table",
    wasm_tabletype_t,
    wasm_tabletype_delete,
    wasm_tabletype_copy
);
type_casts!(
    "a table",
    2,
    wasm_tabletype_t,
    wasm_tabletype_as_externtype,
    wasm_externtype_as_tabletype,
    wasm_tabletype_as_externtype_const,
    wasm_externtype_as_tabletype_const
);
block_functions!(
    "the type of a memory",
    wasm_memorytype_t,
    wasm_memorytype_delete,
    wasm_memorytype_copy
);
type_casts!(
    "a memory",
    3,
    wasm_memorytype_t,
    wasm_memorytype_as_externtype,
    wasm_externtype_as_memorytype,
    wasm_memorytype_as_externtype_const,
    wasm_externtype_as_memorytype_const
);
block_functions!(
    "the type of a tag",
    wasm_tagtype_t,
    wasm_tagtype_delete,
    wasm_tagtype_copy
);
type_casts!(
    "a tag",
    4,
    wasm_tagtype_t,
    wasm_tagtype_as_externtype,
    wasm_externtype_as_tagtype,
    wasm_tagtype_as_externtype_const,
    wasm_externtype_as_tagtype_const
);
