//! Exceptions: throwing, and the code that catches.
//!
//! A call inside of a `try_table` or `try` is a `try_call`: its exception table lists the clauses of
//! all enclosing trys of the function, inner ones first, up to the first that catches everything.
//! Each clause has a landing: a block that gets the exception, takes the values out of it, and goes
//! on as the clause says. What throws calls the loader, which finds the landing.
//!
//! The older `try` says behind its body what it catches. So a function that has one is read once
//! before, for the clauses of all of them (`legacy_try.rs`).

use std::collections::HashSet;

use cranelift_codegen::ir::{Block, ExceptionTableItem, InstBuilder, MemFlagsData, Value};
use precast_format::context::{ExceptionField, VALUE_SIZE};
use precast_format::libcall::Libcall;
use precast_format::trap::TrapCode;
use wasmparser::Catch;

use super::FunctionTranslator;
use crate::abi::{self, Callee, Clause, flags};

/// The clauses that hold for what is inside of a frame: which of the function's lists.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct HandlerList(u32);

/// Where a clause leads.
struct Landing {
    clause: Clause,
    /// The block that gets the exception, once a call can lead there.
    block: Option<Block>,
}

/// The landings of a function and the lists of them.
pub(super) struct Handlers {
    landings: Vec<Landing>,
    /// Indices of landings, innermost first; the first list is empty.
    lists: Vec<Vec<u32>>,
}

impl Default for Handlers {
    fn default() -> Handlers {
        Handlers {
            landings: Vec::new(),
            lists: vec![Vec::new()],
        }
    }
}

/// The landings of one try: consecutive ones of the function.
#[derive(Clone, Copy)]
pub(super) struct Landings {
    first: u32,
    count: u32,
}

impl Landings {
    /// The landing of the clause with this index.
    pub fn get(self, clause: usize) -> Option<u32> {
        let clause = u32::try_from(clause).ok()?;
        (clause < self.count).then(|| self.first + clause)
    }
}

impl FunctionTranslator<'_, '_> {
    /// The list for what comes next.
    pub(super) fn handlers_here(&self) -> HandlerList {
        self.control
            .last()
            .map_or(HandlerList::default(), |frame| frame.handlers)
    }

    /// Makes landings for the clauses of a try, and the list for its body.
    pub(super) fn add_handlers(
        &mut self,
        clauses: impl IntoIterator<Item = Clause>,
    ) -> (Landings, HandlerList) {
        let outer = self.handlers_here();
        let handlers = &mut self.handlers;
        let first = handlers.landings.len() as u32;
        let landing = |clause| Landing {
            clause,
            block: None,
        };
        handlers.landings.extend(clauses.into_iter().map(landing));
        let last = handlers.landings.len() as u32;
        // An outer clause that an inner one hides is left out.
        let mut seen = HashSet::new();
        let mut list = Vec::new();
        let outer = handlers.lists[outer.0 as usize].iter().copied();
        for landing in (first..last).chain(outer) {
            let tag = handlers.landings[landing as usize].clause.tag;
            if seen.insert(tag) {
                list.push(landing);
            }
            if tag.is_none() {
                break;
            }
        }
        self.shape.note_handlers(list.len());
        handlers.lists.push(list);
        let landings = Landings {
            first,
            count: last - first,
        };
        (landings, HandlerList(handlers.lists.len() as u32 - 1))
    }

    /// The exception table's items for a call at this place; none where nothing catches.
    fn handler_items(&mut self) -> Vec<ExceptionTableItem> {
        let list = self.handlers_here();
        if list == HandlerList::default() {
            return Vec::new();
        }
        let count = self.handlers.lists[list.0 as usize].len();
        self.shape.note_handlers(count);
        let mut items = Vec::with_capacity(count);
        for landing in &self.handlers.lists[list.0 as usize] {
            let landing = &mut self.handlers.landings[*landing as usize];
            let block = *landing.block.get_or_insert_with(|| {
                let block = self.builder.create_block();
                self.builder.append_block_param(block, self.abi.pointer);
                block
            });
            items.push(landing.clause.item(self.builder.func, block));
        }
        items
    }

    /// Calls what may throw, and gives the results.
    pub(super) fn call_catching(&mut self, callee: Callee, arguments: &[Value]) -> Vec<Value> {
        let items = self.handler_items();
        if items.is_empty() {
            let call = callee.call(&mut self.builder, arguments);
            return self.builder.inst_results(call).to_vec();
        }
        let results = callee.try_call(&mut self.builder, arguments, items);
        self.context.forget();
        results
    }

    /// Emits the landings of a `try_table`, whose frame is gone, where calls lead there.
    pub(super) fn land_in_labels(&mut self, catches: &[Catch], landings: Landings) {
        let height = self.stack.len();
        for (index, catch) in catches.iter().enumerate() {
            let (Catch::One { label, .. }
            | Catch::OneRef { label, .. }
            | Catch::All { label }
            | Catch::AllRef { label }) = *catch;
            let clause = Clause::of(catch);
            let landing = landings.get(index);
            let Some(exception) = landing.and_then(|landing| self.land(landing, clause.tag)) else {
                continue;
            };
            if clause.keeps {
                self.push(exception);
            }
            self.branch(label);
            self.stack.truncate(height);
        }
    }

    /// Continues at a landing, if a call leads there: pushes the values that the tag's exceptions
    /// carry, and gives the exception. All calls that lead there have been emitted.
    pub(super) fn land(&mut self, landing: u32, tag: Option<u32>) -> Option<Value> {
        let block = self.handlers.landings[landing as usize].block?;
        self.builder.seal_block(block);
        self.switch_to(block);
        self.reachable = true;
        let exception = self.builder.block_params(block)[0];
        self.leave_import();
        let params = tag.map_or(&[][..], |tag| &self.module.tag_type(tag).params);
        for (index, ty) in params.iter().enumerate() {
            let ty = self.abi.value_type(*ty);
            let offset = self.payload_offset(index);
            let flags = MemFlagsData::trusted();
            let value = self.builder.ins().load(ty, flags, exception, offset);
            self.push(value);
        }
        self.refresh_memories();
        Some(exception)
    }

    /// Where an exception has a value.
    fn payload_offset(&self, index: usize) -> i32 {
        // A function type has at most 1,000 parameters.
        ExceptionField::payload_offset(self.abi.width) + index as i32 * VALUE_SIZE as i32
    }

    pub(super) fn throw(&mut self, tag: u32) {
        let values = self.pop_many(self.module.tag_type(tag).params.len());
        let record = self.tag_record(tag);
        let exception = self.call_libcall_for_result(Libcall::ExceptionNew, &[record]);
        self.trap_if_zero(exception, TrapCode::OutOfMemory);
        for (index, value) in values.into_iter().enumerate() {
            let offset = self.payload_offset(index);
            let flags = MemFlagsData::trusted();
            self.builder.ins().store(flags, value, exception, offset);
        }
        self.throw_exception(exception);
    }

    pub(super) fn throw_ref(&mut self) {
        let exception = self.pop();
        self.trap_if_zero(exception, TrapCode::NullReference);
        self.throw_exception(exception);
    }

    /// Throws an exception that there is, and ends the block.
    pub(super) fn throw_exception(&mut self, exception: Value) {
        self.makes_libcalls();
        let items = self.handler_items();
        abi::throw(
            &mut self.builder,
            self.abi,
            &mut self.context,
            Libcall::Throw,
            exception,
            items,
        );
        self.reachable = false;
    }

    /// The address of a tag's record.
    fn tag_record(&mut self, tag: u32) -> Value {
        let context = self.context.get(&mut self.builder);
        let (pointer, layout) = (self.abi.pointer, &self.abi.layout);
        match tag.checked_sub(self.module.imported_tags) {
            Some(defined) => {
                let offset = i64::from(layout.defined_tag(defined));
                self.builder.ins().iadd_imm_s(context, offset)
            }
            None => {
                let offset = layout.imported_tag(tag);
                let access = flags::readonly();
                self.builder.ins().load(pointer, access, context, offset)
            }
        }
    }
}
