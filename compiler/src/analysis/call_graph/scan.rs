//! The calls that function bodies make, and what they do to tables.

use wasmparser::Operator;

use crate::module::Module;

/// What a call names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Target {
    /// A function, imports first.
    Function(u32),
    /// Whatever function of the type is in the table.
    Table { table: u32, ty: u32 },
    /// Whatever function is behind a reference.
    Reference,
}

/// A call; the first of those that are the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Call {
    pub target: Target,
    /// Whether the caller's frame is gone by then.
    pub tail: bool,
    /// File offset of the instruction.
    pub offset: u32,
}

/// How instructions fill tables.
#[derive(Default)]
pub(super) struct TableUses {
    /// Tables that get references from the operand stack.
    pub set: Vec<u32>,
    /// Destination and source of copies.
    pub copied: Vec<(u32, u32)>,
    /// Table and segment of initialisations.
    pub initialised: Vec<(u32, u32)>,
}

/// The calls of every defined function, and the uses of tables. Nothing is validated yet.
#[derive(Default)]
pub(crate) struct CallScan {
    pub(super) bodies: Vec<Vec<Call>>,
    pub(super) tables: TableUses,
}

impl CallScan {
    /// The next body begins.
    pub fn begin_body(&mut self) {
        self.end_body();
        self.bodies.push(Vec::new());
    }

    /// Whether everything that is named is in the module. Bodies that are not validated may name
    /// anything.
    pub fn fits(&self, module: &Module<'_>) -> bool {
        let (functions, types) = (module.functions.len(), module.types.len());
        let (tables, segments) = (module.tables.len(), module.elements.len());
        let is = |index: u32, count: usize| (index as usize) < count;
        let uses = &self.tables;
        let mut calls = self.bodies.iter().flatten();
        calls.all(|call| match call.target {
            Target::Function(function) => is(function, functions),
            Target::Table { table, ty } => is(table, tables) && is(ty, types),
            Target::Reference => true,
        }) && uses.set.iter().all(|table| is(*table, tables))
            && (uses.copied.iter()).all(|(to, from)| is(*to, tables) && is(*from, tables))
            && (uses.initialised.iter())
                .all(|(table, segment)| is(*table, tables) && is(*segment, segments))
    }

    /// Takes note of an instruction at a file offset.
    pub fn observe(&mut self, operator: &Operator<'_>, offset: u32) {
        let tables = &mut self.tables;
        let (target, tail) = match *operator {
            Operator::Call { function_index } => (Target::Function(function_index), false),
            Operator::ReturnCall { function_index } => (Target::Function(function_index), true),
            Operator::CallIndirect {
                type_index,
                table_index,
            } => (Target::table(table_index, type_index), false),
            Operator::ReturnCallIndirect {
                type_index,
                table_index,
            } => (Target::table(table_index, type_index), true),
            Operator::CallRef { .. } => (Target::Reference, false),
            Operator::ReturnCallRef { .. } => (Target::Reference, true),
            Operator::TableSet { table }
            | Operator::TableFill { table }
            | Operator::TableGrow { table } => return tables.set.push(table),
            Operator::TableCopy {
                dst_table,
                src_table,
            } => return tables.copied.push((dst_table, src_table)),
            Operator::TableInit { elem_index, table } => {
                return tables.initialised.push((table, elem_index));
            }
            _ => return,
        };
        if let Some(calls) = self.bodies.last_mut() {
            calls.push(Call {
                target,
                tail,
                offset,
            });
        }
    }

    /// Adds the bodies that come behind.
    pub fn add(&mut self, behind: CallScan) {
        let behind = behind.finish();
        self.bodies.extend(behind.bodies);
        self.tables.set.extend(behind.tables.set);
        self.tables.copied.extend(behind.tables.copied);
        self.tables.initialised.extend(behind.tables.initialised);
    }

    /// No more bodies come.
    pub fn finish(mut self) -> CallScan {
        self.end_body();
        for pairs in [&mut self.tables.copied, &mut self.tables.initialised] {
            pairs.sort_unstable();
            pairs.dedup();
        }
        self.tables.set.sort_unstable();
        self.tables.set.dedup();
        self
    }

    fn end_body(&mut self) {
        if let Some(calls) = self.bodies.last_mut() {
            calls.sort_unstable();
            calls.dedup_by_key(|call| (call.target, call.tail));
            calls.shrink_to_fit();
        }
    }
}

impl Target {
    fn table(table: u32, ty: u32) -> Target {
        Target::Table { table, ty }
    }
}
