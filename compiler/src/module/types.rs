//! The parts of a module: types, imports, exports, segments, constant expressions.

use precast_format::types::MemoryType;
use wasmparser::ValType;

/// A function type.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct FunctionType {
    pub params: Vec<ValType>,
    pub results: Vec<ValType>,
}

/// A table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub ty: wasmparser::TableType,
    /// The initial value, where it is not null.
    pub init: Option<ConstantExpression>,
}

/// A global.
#[derive(Clone, Debug)]
pub(crate) struct Global {
    pub ty: wasmparser::GlobalType,
    /// The initial value; `None` for an import.
    pub init: Option<ConstantExpression>,
}

/// An import.
#[derive(Clone, Debug)]
pub(crate) struct Import<'a> {
    pub module: &'a str,
    pub name: &'a str,
    pub ty: ImportType,
}

/// What is imported.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ImportType {
    /// A function of the type with this index.
    Function(u32),
    Table(wasmparser::TableType),
    Memory(MemoryType),
    Global(wasmparser::GlobalType),
    /// A tag of the type with this index.
    Tag(u32),
}

/// An export.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Export<'a> {
    pub name: &'a str,
    pub kind: wasmparser::ExternalKind,
    pub index: u32,
}

/// An instruction of a constant expression.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum ConstantOp {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    V128(u128),
    GlobalGet(u32),
    RefNull(ValType),
    RefFunc(u32),
    I32Add,
    I32Sub,
    I32Mul,
    I64Add,
    I64Sub,
    I64Mul,
}

/// A constant expression without its `end`.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct ConstantExpression {
    pub ops: Vec<ConstantOp>,
}

impl ConstantExpression {
    /// The value as an address, where the expression is a single constant.
    pub fn constant_address(&self) -> Option<u64> {
        match self.ops[..] {
            [ConstantOp::I32(value)] => Some(u64::from(value as u32)),
            [ConstantOp::I64(value)] => Some(value as u64),
            _ => None,
        }
    }
}

/// Where a segment goes.
#[derive(Clone, Debug)]
pub(crate) enum SegmentMode {
    /// Into the table or memory with this index, at the offset, on instantiation.
    Active {
        index: u32,
        offset: ConstantExpression,
    },
    /// Where `table.init` or `memory.init` says.
    Passive,
    /// Nowhere: it only declares references.
    Declared,
}

/// What an element segment holds.
#[derive(Clone, Debug)]
pub(crate) enum ElementItems {
    /// Function indices.
    Functions(Vec<u32>),
    /// An expression for each element.
    Expressions(Vec<ConstantExpression>),
}

/// An element segment.
#[derive(Clone, Debug)]
pub(crate) struct ElementSegment {
    pub mode: SegmentMode,
    pub ty: wasmparser::RefType,
    pub items: ElementItems,
}

/// A data segment.
#[derive(Clone, Debug)]
pub(crate) struct DataSegment<'a> {
    pub mode: SegmentMode,
    pub bytes: &'a [u8],
}
