//! WebAssembly types as the artifact stores them: values, limits, tables, memories, globals.
//!
//! Reader and writer share these plain values. Function types are views of the reader and plain
//! lists of the writer, since they have no fixed size.

use core::fmt;

use crate::plain::{Decimal, Text, line};

macro_rules! value_types {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal, $heap:literal;)*) => {
        /// A value type: the lowest seven bits are the code of the binary format, the next one says
        /// that a reference is not null. The upper bits are zero but in references to functions of
        /// one type, which have the number of the type there.
        ///
        /// In an artifact the number is the type's index in the module, in the loader it is the
        /// runtime's number for it.
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct ValueType(u32);

        impl ValueType {
            $($(#[$doc])* pub const $name: ValueType = ValueType($code);)*

            /// Every value type that needs no type's number, in its form that can be null.
            pub const ALL: &'static [ValueType] = &[$(ValueType::$name,)*];

            /// The type's name in the text format; of a reference without its nullability and the
            /// number of its type.
            pub const fn name(self) -> &'static str {
                line(concat!($($text, "\n",)* "funcref"), self.position())
            }

            /// What references of the type refer to, in the text format.
            const fn heap_name(self) -> &'static str {
                line(concat!($($heap, "\n",)*), self.position())
            }

            /// The place of the type's code in the list of all; its length for others.
            const fn position(self) -> usize {
                let mut index = 0;
                while index < ValueType::ALL.len() && ValueType::ALL[index].0 != self.0 & CODE {
                    index += 1;
                }
                index
            }
        }
    };
}

value_types! {
    /// 32-bit integer.
    I32 = 0x7f, "i32", "";
    /// 64-bit integer.
    I64 = 0x7e, "i64", "";
    /// 32-bit float.
    F32 = 0x7d, "f32", "";
    /// 64-bit float.
    F64 = 0x7c, "f64", "";
    /// 128-bit vector.
    V128 = 0x7b, "v128", "";
    /// Reference to a function, or null.
    FUNCREF = 0x70, "funcref", "func";
    /// Reference to something of the host, or null.
    EXTERNREF = 0x6f, "externref", "extern";
    /// Reference to an exception, or null.
    EXNREF = 0x69, "exnref", "exn";
    /// The null reference to an exception, and nothing else.
    NULLEXNREF = 0x74, "nullexnref", "noexn";
    /// The null reference to a function, and nothing else.
    NULLFUNCREF = 0x73, "nullfuncref", "nofunc";
    /// The null reference to something of the host, and nothing else.
    NULLEXTERNREF = 0x72, "nullexternref", "noextern";
}

/// Where the code is.
const CODE: u32 = 0x7f;
/// Set in references that are not null.
const NOT_NULL: u32 = 0x80;
/// The code of references to functions of one type.
const TYPED: u32 = 0x63;
/// How far up the number of the type is.
const TYPE_SHIFT: u32 = 8;

impl ValueType {
    /// The number that the artifact stores.
    pub const fn raw(self) -> u32 {
        self.0
    }

    /// How many numbers of types there are in [`ValueType::function`].
    pub const TYPE_NUMBERS: u32 = 1 << (u32::BITS - TYPE_SHIFT);

    /// References to functions of the type with this number; `None` where the number is too large.
    pub const fn function(number: u32, nullable: bool) -> Option<ValueType> {
        if number >= ValueType::TYPE_NUMBERS {
            return None;
        }
        let not_null = if nullable { 0 } else { NOT_NULL };
        Some(ValueType(number << TYPE_SHIFT | not_null | TYPED))
    }

    /// The type that is stored as this number.
    pub const fn from_raw(raw: u32) -> Option<ValueType> {
        if raw & CODE == TYPED {
            return Some(ValueType(raw));
        }
        let ty = ValueType(raw);
        let has_code = ty.position() < ValueType::ALL.len() && raw & !(CODE | NOT_NULL) == 0;
        if has_code && (raw & NOT_NULL == 0 || ty.is_reference()) {
            Some(ty)
        } else {
            None
        }
    }

    /// The type that is stored as this number, of which it is known that it is one.
    pub(crate) const fn from_checked(raw: u32) -> ValueType {
        ValueType(raw)
    }

    /// The number of the type of the functions that this refers to, where it is those of one type.
    pub const fn function_type(self) -> Option<u32> {
        if self.0 & CODE == TYPED {
            Some(self.0 >> TYPE_SHIFT)
        } else {
            None
        }
    }

    /// The same with another number of the type, where it has one.
    pub fn with_function_type(self, number: u32) -> ValueType {
        let renumbered = ValueType::function(number, self.is_nullable());
        match self.function_type() {
            Some(_) => renumbered.unwrap_or(self),
            None => self,
        }
    }

    /// The code alone, as the type of it that can be null.
    const fn code(self) -> ValueType {
        ValueType(self.0 & CODE)
    }

    /// Whether null is among the values.
    pub const fn is_nullable(self) -> bool {
        self.is_reference() && self.0 & NOT_NULL == 0
    }

    /// The same type of references without null.
    pub const fn not_null(self) -> ValueType {
        if self.is_reference() {
            ValueType(self.0 | NOT_NULL)
        } else {
            self
        }
    }

    /// Whether values of this type are references.
    pub const fn is_reference(self) -> bool {
        // Numbers and vectors have the largest codes.
        self.0 & CODE < ValueType::V128.0
    }

    /// Whether values of this type are references to functions.
    pub const fn is_function(self) -> bool {
        self.0 & CODE == TYPED || matches!(self.code(), ValueType::FUNCREF | ValueType::NULLFUNCREF)
    }

    /// Whether values of this type are references to something of the host.
    pub const fn is_external(self) -> bool {
        matches!(self.code(), ValueType::EXTERNREF | ValueType::NULLEXTERNREF)
    }

    /// Whether values of this type are references to exceptions.
    pub const fn is_exception(self) -> bool {
        matches!(self.code(), ValueType::EXNREF | ValueType::NULLEXNREF)
    }

    /// Whether each value of this type is one of the other.
    pub const fn is_subtype_of(self, other: ValueType) -> bool {
        // Null only where the other has it too.
        if self.0 == other.0 {
            return true;
        }
        if !other.is_reference() || self.is_nullable() && !other.is_nullable() {
            return false;
        }
        let same = self.0 & !NOT_NULL == other.0 & !NOT_NULL;
        same || match other.code() {
            ValueType::FUNCREF => self.is_function(),
            ValueType::EXTERNREF => self.is_external(),
            ValueType::EXNREF => self.is_exception(),
            // The least types are below all of their kind.
            _ if other.0 & CODE == TYPED => matches!(self.code(), ValueType::NULLFUNCREF),
            _ => false,
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let null = if self.is_nullable() { "null " } else { "" };
        match self.function_type() {
            Some(number) => write!(f, "(ref {}{})", Text(null), Decimal(u64::from(number))),
            None if self.0 & NOT_NULL != 0 => write!(f, "(ref {})", Text(self.heap_name())),
            None => f.write_str(self.name()),
        }
    }
}

impl fmt::Debug for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Sizes between which a table or memory may grow: elements or pages.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
// As many bytes on 32-bit x86, whose 64-bit numbers are aligned to four, as everywhere else.
#[repr(align(8))]
pub struct Limits {
    /// The initial size.
    pub min: u64,
    /// The largest size; `None` means whatever indices can reach.
    pub max: Option<u64>,
}

impl Limits {
    /// Whether minimum and maximum are in order and reachable.
    pub fn is_valid(&self, reachable: u64) -> bool {
        self.min <= self.max.unwrap_or(reachable) && self.max.unwrap_or(0) <= reachable
    }
}

/// The type of a table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TableType {
    /// What its elements are: a reference type.
    pub element: ValueType,
    /// Its size in elements.
    pub limits: Limits,
    /// Whether its indices are 64 bits wide.
    pub is_64: bool,
}

impl TableType {
    /// The type of the table's indices.
    pub const fn index_type(&self) -> ValueType {
        if self.is_64 {
            ValueType::I64
        } else {
            ValueType::I32
        }
    }
}

/// The page size of a memory unless it says otherwise, as a power of two.
pub const WASM_PAGE_SIZE_LOG2: u8 = 16;

/// The type of a linear memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MemoryType {
    /// Its size in pages.
    pub limits: Limits,
    /// Whether its indices are 64 bits wide.
    pub is_64: bool,
    /// Whether threads share it.
    pub shared: bool,
    /// Its page size as a power of two: 0 or 16.
    pub page_size_log2: u8,
}

impl MemoryType {
    /// The type of the memory's indices.
    pub const fn index_type(&self) -> ValueType {
        if self.is_64 {
            ValueType::I64
        } else {
            ValueType::I32
        }
    }

    /// The most pages that indices can reach.
    pub const fn reachable_pages(&self) -> u64 {
        let index_bits = if self.is_64 { 64 } else { 32 };
        match 1u64.checked_shl(index_bits - self.page_size_log2 as u32) {
            Some(pages) => pages,
            None => u64::MAX,
        }
    }

    /// The initial size in bytes; saturates.
    pub const fn min_bytes(&self) -> u64 {
        self.limits.min.saturating_mul(1 << self.page_size_log2)
    }

    /// The largest size in bytes, given or reachable; saturates.
    pub fn max_bytes(&self) -> u64 {
        self.limits
            .max
            .unwrap_or(self.reachable_pages())
            .saturating_mul(1 << self.page_size_log2)
    }
}

/// The type of a global.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GlobalType {
    /// The type of its value.
    pub value: ValueType,
    /// Whether its value can change.
    pub mutable: bool,
}

/// What an import or export is, without its type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum ExternKind {
    /// A function.
    Function = 0,
    /// A table.
    Table = 1,
    /// A linear memory.
    Memory = 2,
    /// A global.
    Global = 3,
    /// A tag of exceptions.
    Tag = 4,
}

impl ExternKind {
    /// Every kind, in the order of its number.
    pub const ALL: &'static [ExternKind] = &[
        ExternKind::Function,
        ExternKind::Table,
        ExternKind::Memory,
        ExternKind::Global,
        ExternKind::Tag,
    ];

    /// The kind with this number, which is the one of the binary format.
    pub const fn from_u8(number: u8) -> Option<ExternKind> {
        match number {
            0 => Some(ExternKind::Function),
            1 => Some(ExternKind::Table),
            2 => Some(ExternKind::Memory),
            3 => Some(ExternKind::Global),
            4 => Some(ExternKind::Tag),
            _ => None,
        }
    }

    /// The kind's name in the text format.
    pub const fn name(self) -> &'static str {
        match self {
            ExternKind::Function => "func",
            ExternKind::Table => "table",
            ExternKind::Memory => "memory",
            ExternKind::Global => "global",
            ExternKind::Tag => "tag",
        }
    }
}

/// What an import has to be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ImportType {
    /// A function with this type index.
    Function(u32),
    /// A table.
    Table(TableType),
    /// A linear memory.
    Memory(MemoryType),
    /// A global.
    Global(GlobalType),
    /// A tag whose exceptions carry the parameters of the type with this index.
    Tag(u32),
}

impl ImportType {
    /// The kind alone.
    pub const fn kind(&self) -> ExternKind {
        match self {
            ImportType::Function(_) => ExternKind::Function,
            ImportType::Table(_) => ExternKind::Table,
            ImportType::Memory(_) => ExternKind::Memory,
            ImportType::Global(_) => ExternKind::Global,
            ImportType::Tag(_) => ExternKind::Tag,
        }
    }
}

/// One operation of a constant expression. Expressions are in postfix order on a stack of at most
/// [`EXPRESSION_DEPTH`] values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ConstOp {
    /// Pushes an `i32`.
    I32Const(i32),
    /// Pushes an `i64`.
    I64Const(i64),
    /// Pushes an `f32`, given by its bits.
    F32Const(u32),
    /// Pushes an `f64`, given by its bits.
    F64Const(u64),
    /// Pushes a `v128`, given by its bytes in the order of the binary format.
    V128Const([u8; 16]),
    /// Pushes the value of an immutable global.
    GlobalGet(u32),
    /// Pushes a null reference of this type.
    RefNull(ValueType),
    /// Pushes a reference to a function.
    RefFunc(u32),
    /// Adds two `i32`.
    I32Add,
    /// Subtracts two `i32`.
    I32Sub,
    /// Multiplies two `i32`.
    I32Mul,
    /// Adds two `i64`.
    I64Add,
    /// Subtracts two `i64`.
    I64Sub,
    /// Multiplies two `i64`.
    I64Mul,
}

/// How many values a constant expression may have on its stack.
pub const EXPRESSION_DEPTH: usize = 16;
