//! Types of functions, and of all else that is imported and exported, as C reads them.
#![forbid(unsafe_code)]

use precast_loader::{ExternKind, ExternType, FuncType, Runtime};

use crate::boundary::C;
use crate::failure::Failure;
use crate::text::precast_text;
use crate::value::{Values, kind_of, type_of, value_kind};

/// What something imported or exported is.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum precast_extern_kind {
    /// A function.
    PRECAST_EXTERN_FUNCTION = 0,
    /// A table.
    PRECAST_EXTERN_TABLE = 1,
    /// A linear memory.
    PRECAST_EXTERN_MEMORY = 2,
    /// A global.
    PRECAST_EXTERN_GLOBAL = 3,
    /// A tag of exceptions.
    PRECAST_EXTERN_TAG = 4,
}

/// A kind as it stands in a structure.
pub type extern_kind = u32;

/// Where a function stores the type of another: set `size`, and arrays of yours with their
/// capacities; null and zero if only the numbers are asked for.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_signature {
    /// Size of this structure in bytes.
    pub size: usize,
    /// Where the kinds of the parameters go, or null.
    pub params: *mut value_kind,
    /// How many there is room for.
    pub param_capacity: usize,
    /// Stored: how many parameters there are.
    pub param_count: usize,
    /// Where the kinds of the results go, or null.
    pub results: *mut value_kind,
    /// How many there is room for.
    pub result_capacity: usize,
    /// Stored: how many results there are.
    pub result_count: usize,
}

/// What is imported or exported. Its texts are there for as long as a handle to the module is, or to
/// an instance of it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_item {
    /// Size of this structure in bytes.
    pub size: usize,
    /// The module name of an import; none for an export.
    pub module: precast_text,
    /// The name.
    pub name: precast_text,
    /// What it is.
    pub kind: extern_kind,
    /// What a global holds, or the elements of a table; zero for others.
    pub value_kind: value_kind,
    /// The least number of pages or elements of a memory or table; of an export, how many there are.
    pub minimum: u64,
    /// The largest number of pages or elements; `UINT64_MAX` without one.
    pub maximum: u64,
    /// One for a global that can be changed, else zero.
    pub is_mutable: u32,
    /// One for memories and tables with 64-bit addresses, else zero.
    pub is_64: u32,
    /// One for a memory that threads share, else zero.
    pub is_shared: u32,
    /// The binary logarithm of a memory's page size in bytes: 16 as a rule.
    pub page_size_log2: u32,
}

impl precast_item {
    /// What has this type.
    pub(crate) fn new(module: Option<&str>, name: &str, item: &ExternType) -> precast_item {
        let mut described = precast_item {
            size: size_of::<precast_item>(),
            module: precast_text::new(module),
            name: precast_text::new(Some(name)),
            kind: kind_number(item.kind()),
            value_kind: 0,
            minimum: 0,
            maximum: u64::MAX,
            is_mutable: 0,
            is_64: 0,
            is_shared: 0,
            page_size_log2: 0,
        };
        match item {
            ExternType::Table(table) => {
                described.value_kind = kind_of(table.element) as value_kind;
                described.minimum = table.limits.min;
                described.maximum = table.limits.max.unwrap_or(u64::MAX);
                described.is_64 = u32::from(table.is_64);
            }
            ExternType::Memory(memory) => {
                described.minimum = memory.limits.min;
                described.maximum = memory.limits.max.unwrap_or(u64::MAX);
                described.is_64 = u32::from(memory.is_64);
                described.is_shared = u32::from(memory.shared);
                described.page_size_log2 = u32::from(memory.page_size_log2);
            }
            ExternType::Global(global) => {
                described.value_kind = kind_of(global.value) as value_kind;
                described.is_mutable = u32::from(global.mutable);
            }
            ExternType::Function(_) | ExternType::Tag(_) => {}
        }
        described
    }
}

/// The number of a kind.
pub fn kind_number(kind: ExternKind) -> extern_kind {
    let kind = match kind {
        ExternKind::Function => precast_extern_kind::PRECAST_EXTERN_FUNCTION,
        ExternKind::Table => precast_extern_kind::PRECAST_EXTERN_TABLE,
        ExternKind::Memory => precast_extern_kind::PRECAST_EXTERN_MEMORY,
        ExternKind::Global => precast_extern_kind::PRECAST_EXTERN_GLOBAL,
        ExternKind::Tag => precast_extern_kind::PRECAST_EXTERN_TAG,
    };
    kind as extern_kind
}

impl C {
    /// The type of functions with these kinds of parameters and results.
    pub fn func_type(
        self,
        runtime: &Runtime,
        params: &[value_kind],
        results: &[value_kind],
    ) -> Result<FuncType, Failure> {
        let allocator = runtime.allocator();
        let none = precast_loader::ValueType::I32;
        let mut param_types = Values::new(allocator, params.len(), none)?;
        let mut result_types = Values::new(allocator, results.len(), none)?;
        for (place, kind) in param_types.iter_mut().zip(params) {
            *place = type_of(*kind, "param_kinds")?;
        }
        for (place, kind) in result_types.iter_mut().zip(results) {
            *place = type_of(*kind, "result_kinds")?;
        }
        Ok(FuncType::new(runtime, &param_types, &result_types)?)
    }

    /// Stores a function's type.
    pub fn store_type(
        self,
        signature: *mut precast_signature,
        func_type: &FuncType,
    ) -> Result<(), Failure> {
        let name = "signature";
        if signature.is_null() {
            return Err(Failure::Null(name));
        }
        let mut given = self.options(signature.cast_const(), name)?;
        given.param_count = func_type.params().len();
        given.result_count = func_type.results().len();
        self.fill(signature, &given, name)?;
        let lists = [
            (
                given.params,
                given.param_capacity,
                func_type.params(),
                "params",
            ),
            (
                given.results,
                given.result_capacity,
                func_type.results(),
                "results",
            ),
        ];
        for (list, capacity, types, name) in lists {
            if list.is_null() && capacity == 0 {
                continue;
            }
            let places = self.array_mut(list, capacity, name)?;
            if places.len() < types.len() {
                return Err(Failure::Short(name, types.len()));
            }
            for (place, value_type) in places.iter_mut().zip(types) {
                *place = kind_of(*value_type) as value_kind;
            }
        }
        Ok(())
    }
}
