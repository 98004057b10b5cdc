//! Which defined functions can be referenced, and so need a function record in the context.

use std::collections::BTreeSet;

use wasmparser::ExternalKind;

use crate::module::{ConstantExpression, ConstantOp, ElementItems, Module};

/// The numbering of function records.
///
/// WebAssembly lets a body use `ref.func` only for functions that are declared outside bodies, so
/// the set is known without looking into one.
pub(crate) struct FunctionRecords {
    functions: Vec<u32>,
}

impl FunctionRecords {
    /// Numbers the records of a module in the order of the function index.
    pub fn new(module: &Module<'_>) -> FunctionRecords {
        let mut referenced = BTreeSet::new();
        for export in &module.exports {
            if matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact) {
                referenced.insert(export.index);
            }
        }
        let mut expression = |expression: &ConstantExpression| {
            for op in &expression.ops {
                if let ConstantOp::RefFunc(function) = op {
                    referenced.insert(*function);
                }
            }
        };
        for global in module
            .globals
            .iter()
            .filter_map(|global| global.init.as_ref())
        {
            expression(global);
        }
        for table in module.tables.iter().filter_map(|table| table.init.as_ref()) {
            expression(table);
        }
        for segment in &module.elements {
            if let ElementItems::Expressions(items) = &segment.items {
                items.iter().for_each(&mut expression);
            }
        }
        for segment in &module.elements {
            if let ElementItems::Functions(items) = &segment.items {
                referenced.extend(items);
            }
        }
        let functions = referenced
            .into_iter()
            .filter(|function| !module.is_imported_function(*function))
            .collect();
        FunctionRecords { functions }
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.functions.len()
    }

    /// The number of the record of a function, where it has one.
    pub fn number(&self, function: u32) -> Option<u32> {
        self.functions
            .binary_search(&function)
            .ok()
            .map(|number| number as u32)
    }

    /// The functions that have records, in the order of their numbers.
    pub fn functions(&self) -> &[u32] {
        &self.functions
    }
}
