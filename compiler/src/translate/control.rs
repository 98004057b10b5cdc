//! Structured control: blocks, loops, branches, returns.

use cranelift_codegen::ir::{Block, BlockArg, BlockCall, InstBuilder, JumpTableData, Value};
use wasmparser::{BlockType, BrTable, Catch, TryTable};

use super::FunctionTranslator;
use super::exception::{HandlerList, Landings};
use super::legacy_try::LegacyTry;
use crate::abi::Clause;
use crate::error::Result;
use crate::limits::BRANCH_TABLE_ENTRIES;

/// An entry of the control stack.
pub(super) struct Frame {
    kind: FrameKind,
    /// Where a branch to this frame goes; takes the label's operands as parameters.
    target: Block,
    /// What follows the frame; takes its results as parameters. Same as `target` but for loops.
    next: Block,
    /// How many operands a branch to it takes.
    label_arity: usize,
    /// Depth of the operand stack below the frame's parameters.
    height: usize,
    /// Whether the frame itself can be entered.
    entered: bool,
    /// Whether anything continues at `next`.
    next_reached: bool,
    /// Where exceptions go from what is inside.
    pub(super) handlers: HandlerList,
}

impl Frame {
    /// Whether the frame itself can be entered.
    pub(super) fn entered(&self) -> bool {
        self.entered
    }

    /// Depth of the operand stack below the frame's parameters.
    pub(super) fn height(&self) -> usize {
        self.height
    }

    pub(super) fn kind_mut(&mut self) -> &mut FrameKind {
        &mut self.kind
    }
}

pub(super) enum FrameKind {
    Function,
    Block,
    Loop,
    /// An `if` whose `else` has not been seen: where it starts, with its parameters.
    If {
        otherwise: Block,
        params: Vec<Value>,
    },
    /// An `if` after its `else`.
    Else,
    /// A `try_table`: what it catches, and the code for it.
    TryTable {
        catches: Vec<Catch>,
        landings: Landings,
    },
    /// A `try` of the older form.
    LegacyTry(LegacyTry),
}

fn arguments(values: &[Value]) -> Vec<BlockArg> {
    values.iter().copied().map(BlockArg::from).collect()
}

impl FunctionTranslator<'_, '_> {
    /// Pushes the frame of the function itself.
    pub(super) fn enter_function(&mut self) {
        let next = self.builder.create_block();
        for ty in self.results.clone() {
            self.builder.append_block_param(next, ty);
        }
        self.control.push(Frame {
            kind: FrameKind::Function,
            target: next,
            next,
            label_arity: self.results.len(),
            height: 0,
            entered: true,
            next_reached: false,
            handlers: HandlerList::default(),
        });
    }

    fn block_types(&self, ty: BlockType) -> (Vec<wasmparser::ValType>, Vec<wasmparser::ValType>) {
        match ty {
            BlockType::Empty => (Vec::new(), Vec::new()),
            BlockType::Type(ty) => (Vec::new(), vec![ty]),
            BlockType::FuncType(index) => {
                let ty = &self.module.types[index as usize];
                (ty.params.clone(), ty.results.clone())
            }
        }
    }

    fn block_with_params(&mut self, types: &[wasmparser::ValType]) -> Block {
        let block = self.builder.create_block();
        for ty in types {
            self.builder
                .append_block_param(block, self.abi.value_type(*ty));
        }
        block
    }

    /// `block`, `loop` or `if` where nothing is executed: only the nesting counts.
    pub(super) fn begin_unreachable(&mut self) {
        // The blocks are never inserted, so any will do.
        let target = self.control[0].target;
        self.control.push(Frame {
            kind: FrameKind::Block,
            target,
            next: target,
            label_arity: 0,
            height: self.stack.len(),
            entered: false,
            next_reached: false,
            handlers: self.handlers_here(),
        });
    }

    pub(super) fn begin_block(&mut self, ty: BlockType) {
        let handlers = self.handlers_here();
        self.begin_protected(ty, FrameKind::Block, handlers);
    }

    pub(super) fn begin_try_table(&mut self, table: &TryTable) {
        let (landings, handlers) = self.add_handlers(table.catches.iter().map(Clause::of));
        let kind = FrameKind::TryTable {
            catches: table.catches.clone(),
            landings,
        };
        self.begin_protected(table.ty, kind, handlers);
    }

    /// A frame that goes on at its end, with these handlers for what is inside.
    pub(super) fn begin_protected(
        &mut self,
        ty: BlockType,
        kind: FrameKind,
        handlers: HandlerList,
    ) {
        let (params, results) = self.block_types(ty);
        let next = self.block_with_params(&results);
        self.control.push(Frame {
            kind,
            target: next,
            next,
            label_arity: results.len(),
            height: self.stack.len() - params.len(),
            entered: true,
            next_reached: false,
            handlers,
        });
    }

    pub(super) fn begin_loop(&mut self, ty: BlockType) {
        self.shape.enter_loop();
        let (params, results) = self.block_types(ty);
        let header = self.block_with_params(&params);
        let next = self.block_with_params(&results);
        let values = self.pop_many(params.len());
        self.builder.ins().jump(header, &arguments(&values));
        self.control.push(Frame {
            kind: FrameKind::Loop,
            target: header,
            next,
            label_arity: params.len(),
            height: self.stack.len(),
            entered: true,
            next_reached: false,
            handlers: self.handlers_here(),
        });
        self.continue_at(header);
        self.check_interrupt();
    }

    pub(super) fn begin_if(&mut self, ty: BlockType) {
        let condition = self.pop();
        let (params, results) = self.block_types(ty);
        let next = self.block_with_params(&results);
        let then = self.builder.create_block();
        let otherwise = self.builder.create_block();
        self.builder
            .ins()
            .brif(condition, then, &[], otherwise, &[]);
        self.builder.seal_block(then);
        self.builder.seal_block(otherwise);
        let height = self.stack.len() - params.len();
        let params = self.stack[height..].to_vec();
        self.control.push(Frame {
            kind: FrameKind::If { otherwise, params },
            target: next,
            next,
            label_arity: results.len(),
            height,
            entered: true,
            next_reached: false,
            handlers: self.handlers_here(),
        });
        // What holds before the branch holds in its only successors.
        self.builder.switch_to_block(then);
    }

    pub(super) fn begin_else(&mut self) {
        let top = self.control.len() - 1;
        if !self.control[top].entered {
            return;
        }
        if self.reachable {
            self.leave_frame(top);
        }
        let frame = &mut self.control[top];
        let height = frame.height;
        if let FrameKind::If { otherwise, params } =
            std::mem::replace(&mut frame.kind, FrameKind::Else)
        {
            self.stack.truncate(height);
            self.stack.extend(params);
            self.switch_to(otherwise);
            self.reachable = true;
        }
    }

    /// Jumps from the end of a frame's body to what follows it.
    pub(super) fn leave_frame(&mut self, index: usize) {
        let (next, height) = (self.control[index].next, self.control[index].height);
        let values = self.stack.split_off(height);
        self.builder.ins().jump(next, &arguments(&values));
        self.control[index].next_reached = true;
    }

    pub(super) fn end(&mut self) {
        let top = self.control.len() - 1;
        if self.control[top].entered && self.reachable {
            self.leave_frame(top);
        }
        let Some(mut frame) = self.control.pop() else {
            return;
        };
        if !frame.entered {
            return;
        }
        self.stack.truncate(frame.height);
        let is_function = matches!(frame.kind, FrameKind::Function);
        match frame.kind {
            // Without an `else`, the parameters are the results.
            FrameKind::If { otherwise, params } => {
                self.switch_to(otherwise);
                self.builder.ins().jump(frame.next, &arguments(&params));
                frame.next_reached = true;
            }
            FrameKind::Loop => {
                self.shape.leave_loop();
                self.builder.seal_block(frame.target);
            }
            FrameKind::TryTable { catches, landings } => self.land_in_labels(&catches, landings),
            FrameKind::Function | FrameKind::Block | FrameKind::Else | FrameKind::LegacyTry(_) => {}
        }
        self.builder.seal_block(frame.next);
        self.reachable = frame.next_reached;
        if frame.next_reached {
            self.continue_at(frame.next);
            if is_function {
                let results = self.stack.split_off(frame.height);
                self.leave_profile();
                self.builder.ins().return_(&results);
                self.reachable = false;
            }
        }
    }

    /// Continues in a block whose parameters become the operands on top of the stack.
    fn continue_at(&mut self, block: Block) {
        self.switch_to(block);
        self.stack
            .extend_from_slice(self.builder.block_params(block));
    }

    pub(super) fn switch_to(&mut self, block: Block) {
        self.builder.switch_to_block(block);
        self.checked.clear();
        self.context.forget();
    }

    /// The target of a branch, and the operands that it takes from the top of the stack.
    fn branch_target(&mut self, depth: u32) -> (Block, Vec<BlockArg>) {
        let index = self.control.len() - 1 - depth as usize;
        let frame = &mut self.control[index];
        if !matches!(frame.kind, FrameKind::Loop) {
            frame.next_reached = true;
        }
        let (target, arity) = (frame.target, frame.label_arity);
        (target, arguments(&self.stack[self.stack.len() - arity..]))
    }

    pub(super) fn branch(&mut self, depth: u32) {
        let (target, values) = self.branch_target(depth);
        self.builder.ins().jump(target, &values);
        self.reachable = false;
    }

    pub(super) fn branch_if(&mut self, depth: u32) {
        let condition = self.pop();
        let (target, values) = self.branch_target(depth);
        let next = self.builder.create_block();
        self.builder
            .ins()
            .brif(condition, target, &values, next, &[]);
        self.builder.seal_block(next);
        // What was checked before the branch is checked after it: `next` has one predecessor.
        self.builder.switch_to_block(next);
    }

    /// Branches without the reference where it is null, and goes on with it elsewhere.
    pub(super) fn branch_on_null(&mut self, depth: u32) {
        let reference = self.pop();
        let (target, values) = self.branch_target(depth);
        let next = self.builder.create_block();
        self.builder
            .ins()
            .brif(reference, next, &[], target, &values);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
        self.push(reference);
    }

    /// Branches with the reference where it is not null, and goes on without it elsewhere.
    pub(super) fn branch_on_non_null(&mut self, depth: u32) {
        let (target, values) = self.branch_target(depth);
        let reference = self.pop();
        let next = self.builder.create_block();
        self.builder
            .ins()
            .brif(reference, target, &values, next, &[]);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
    }

    pub(super) fn branch_table(&mut self, targets: &BrTable<'_>) -> Result<()> {
        let index = self.pop();
        let depths = targets
            .targets()
            .collect::<wasmparser::Result<Vec<u32>>>()?;
        if depths.len() <= BRANCH_TABLE_ENTRIES {
            self.jump_table(index, &depths, targets.default());
        } else {
            self.table_of_jump_tables(index, &depths, targets.default());
        }
        self.reachable = false;
        Ok(())
    }

    fn jump_table(&mut self, index: Value, depths: &[u32], default: u32) {
        let calls: Vec<_> = depths
            .iter()
            .map(|depth| self.branch_call(*depth))
            .collect();
        let default = self.branch_call(default);
        let table = JumpTableData::new(default, &calls);
        let table = self.builder.create_jump_table(table);
        self.builder.ins().br_table(index, table);
    }

    /// A large branch table: the upper bits of the index choose a jump table, the lower ones an
    /// entry of it. What Cranelift does for a jump table is quadratic in its entries.
    fn table_of_jump_tables(&mut self, index: Value, depths: &[u32], default: u32) {
        let entries = BRANCH_TABLE_ENTRIES as i64;
        let upper = i64::from(BRANCH_TABLE_ENTRIES.trailing_zeros());
        let upper = self.builder.ins().ushr_imm_u(index, upper);
        let lower = self.builder.ins().band_imm_u(index, entries - 1);
        let blocks: Vec<_> = depths
            .chunks(BRANCH_TABLE_ENTRIES)
            .map(|part| (self.builder.create_block(), part))
            .collect();
        let calls: Vec<_> = blocks
            .iter()
            .map(|(block, _)| BlockCall::new(*block, [], &mut self.builder.func.dfg.value_lists))
            .collect();
        let outside = self.branch_call(default);
        let table = JumpTableData::new(outside, &calls);
        let table = self.builder.create_jump_table(table);
        self.builder.ins().br_table(upper, table);
        for (block, part) in blocks {
            self.builder.seal_block(block);
            self.builder.switch_to_block(block);
            self.jump_table(lower, part, default);
        }
    }

    fn branch_call(&mut self, depth: u32) -> BlockCall {
        let (target, values) = self.branch_target(depth);
        BlockCall::new(target, values, &mut self.builder.func.dfg.value_lists)
    }

    pub(super) fn return_(&mut self) {
        let results = self.pop_many(self.results.len());
        self.leave_profile();
        self.builder.ins().return_(&results);
        self.reachable = false;
    }
}
