//! Clauses of handlers, on their way through Cranelift.
//!
//! Cranelift carries one number for each clause from a call to the machine code's tables. It says
//! which tag the clause is for, and whether its code goes on to refer to the exception.

use cranelift_codegen::ir::{
    Block, BlockArg, BlockCall, ExceptionTableItem, ExceptionTag, Function,
};
use wasmparser::Catch;

/// What a clause catches.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Clause {
    /// The tag, imports first; none for exceptions of any tag.
    pub tag: Option<u32>,
    /// Whether the handler goes on to refer to the exception.
    pub keeps: bool,
}

/// Set in the number where the handler keeps the exception. A module has at most a million tags.
const KEEPS: u32 = 1 << 31;

/// The number for exceptions of any tag which are kept; those that are not are Cranelift's default.
const ANY_KEPT: u32 = u32::MAX - 1;

impl Clause {
    /// What a clause of a `try_table` catches.
    pub fn of(catch: &Catch) -> Clause {
        let (tag, keeps) = match *catch {
            Catch::One { tag, .. } => (Some(tag), false),
            Catch::OneRef { tag, .. } => (Some(tag), true),
            Catch::All { .. } => (None, false),
            Catch::AllRef { .. } => (None, true),
        };
        Clause { tag, keeps }
    }

    /// The clause as an item of an exception table. Control goes to the block with the exception as
    /// its argument.
    pub fn item(self, function: &mut Function, target: Block) -> ExceptionTableItem {
        let pool = &mut function.dfg.value_lists;
        let target = BlockCall::new(target, [BlockArg::TryCallExn(0)], pool);
        match (self.tag, self.keeps) {
            (None, false) => ExceptionTableItem::Default(target),
            (None, true) => ExceptionTableItem::Tag(ExceptionTag::from_u32(ANY_KEPT), target),
            (Some(tag), keeps) => {
                let keeps = if keeps { KEEPS } else { 0 };
                ExceptionTableItem::Tag(ExceptionTag::from_u32(tag | keeps), target)
            }
        }
    }

    /// The clause that Cranelift's number stands for; none is its default.
    pub fn from_number(number: Option<u32>) -> Clause {
        match number {
            None => Clause {
                tag: None,
                keeps: false,
            },
            Some(ANY_KEPT) => Clause {
                tag: None,
                keeps: true,
            },
            Some(number) => Clause {
                tag: Some(number & !KEEPS),
                keeps: number & KEEPS != 0,
            },
        }
    }
}
