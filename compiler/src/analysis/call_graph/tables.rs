//! Which functions a table can hold.
//!
//! A table holds what its initial value and its segments say. Where instructions store references
//! from the operand stack, it can hold every function that is referenced anywhere. A table that
//! others can write to, or into which references from elsewhere can flow, is open: what it holds is
//! not known.

use std::collections::BTreeSet;

use wasmparser::{AbstractHeapType, ExternalKind, HeapType, RefType, ValType};

use super::scan::TableUses;
use crate::module::{
    ConstantExpression, ConstantOp, ElementItems, ImportType, Module, SegmentMode,
};

/// What is known of a table.
#[derive(Clone, Default)]
pub(super) struct TableContents {
    /// Functions that it can hold, imports first.
    pub functions: BTreeSet<u32>,
    /// Whether it can hold functions of other instances or the host.
    pub open: bool,
}

/// What each table can hold.
pub(super) fn contents(module: &Module<'_>, uses: &TableUses) -> Vec<TableContents> {
    let any = TableContents {
        functions: referenced(module),
        open: references_cross_the_border(module),
    };
    let mut tables: Vec<TableContents> = module
        .tables
        .iter()
        .enumerate()
        .map(|(index, table)| {
            let mut contents = TableContents {
                open: index < module.imported_tables as usize,
                ..TableContents::default()
            };
            if let Some(init) = &table.init {
                contents.add_expression(init, &any);
            }
            contents
        })
        .collect();
    for export in &module.exports {
        if export.kind == ExternalKind::Table {
            tables[export.index as usize].open = true;
        }
    }
    for segment in &module.elements {
        if let SegmentMode::Active { index, .. } = segment.mode {
            tables[index as usize].add_items(&segment.items, &any);
        }
    }
    for &(table, segment) in &uses.initialised {
        let items = &module.elements[segment as usize].items;
        tables[table as usize].add_items(items, &any);
    }
    for &table in &uses.set {
        tables[table as usize].add(&any);
    }
    // What is copied may be copied on.
    loop {
        let mut changed = false;
        for &(destination, source) in &uses.copied {
            let source = tables[source as usize].clone();
            changed |= tables[destination as usize].add(&source);
        }
        if !changed {
            return tables;
        }
    }
}

impl TableContents {
    /// Adds what another can hold; whether that is new.
    fn add(&mut self, other: &TableContents) -> bool {
        let (count, open) = (self.functions.len(), self.open);
        self.functions.extend(&other.functions);
        self.open |= other.open;
        self.functions.len() > count || self.open != open
    }

    fn add_items(&mut self, items: &ElementItems, any: &TableContents) {
        match items {
            ElementItems::Functions(functions) => self.functions.extend(functions),
            ElementItems::Expressions(items) => {
                for item in items {
                    self.add_expression(item, any);
                }
            }
        }
    }

    fn add_expression(&mut self, expression: &ConstantExpression, any: &TableContents) {
        match expression.ops[..] {
            [ConstantOp::RefNull(_)] => {}
            [ConstantOp::RefFunc(function)] => {
                self.functions.insert(function);
            }
            _ => {
                self.add(any);
            }
        }
    }
}

/// Every function of which there can be a reference; a body can refer only to these.
fn referenced(module: &Module<'_>) -> BTreeSet<u32> {
    let mut functions: BTreeSet<u32> = module
        .exports
        .iter()
        .filter(|export| export.kind == ExternalKind::Func)
        .map(|export| export.index)
        .collect();
    let globals = module.globals.iter().filter_map(|it| it.init.as_ref());
    let tables = module.tables.iter().filter_map(|it| it.init.as_ref());
    let mut expressions: Vec<&ConstantExpression> = globals.chain(tables).collect();
    for segment in &module.elements {
        match &segment.items {
            ElementItems::Functions(items) => functions.extend(items),
            ElementItems::Expressions(items) => expressions.extend(items),
        }
    }
    for op in expressions.iter().flat_map(|expression| &expression.ops) {
        if let ConstantOp::RefFunc(function) = op {
            functions.insert(*function);
        }
    }
    functions
}

/// Whether a reference to a function can come from outside: through the type of an import or of an
/// export. What is handed out counts too: who holds it can call it with references of their own.
fn references_cross_the_border(module: &Module<'_>) -> bool {
    let is_function = |ty: &RefType| match ty.heap_type() {
        HeapType::Concrete(_) => true,
        HeapType::Abstract { ty, .. } => ty == AbstractHeapType::Func,
        HeapType::Exact(_) => true,
    };
    let is_reference = |ty: &ValType| matches!(ty, ValType::Ref(ty) if is_function(ty));
    let function = |ty: u32| {
        let ty = &module.types[ty as usize];
        ty.params.iter().chain(&ty.results).any(is_reference)
    };
    let import = |ty: &ImportType| match ty {
        ImportType::Function(ty) => function(*ty),
        ImportType::Table(ty) => is_function(&ty.element_type),
        ImportType::Global(ty) => is_reference(&ty.content_type),
        // An exception from elsewhere can carry one.
        ImportType::Tag(ty) => function(*ty),
        ImportType::Memory(_) => false,
    };
    module.imports.iter().any(|it| import(&it.ty))
        || module.exports.iter().any(|export| {
            let index = export.index as usize;
            match export.kind {
                ExternalKind::Func => function(module.functions[index]),
                ExternalKind::Table => is_function(&module.tables[index].ty.element_type),
                ExternalKind::Global => is_reference(&module.globals[index].ty.content_type),
                ExternalKind::Tag => function(module.tags[index]),
                _ => false,
            }
        })
}
