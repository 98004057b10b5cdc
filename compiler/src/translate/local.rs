//! Locals: variables of Cranelift's frontend, or a place on the stack where there are too many.
//!
//! The frontend keeps, for each variable, what it holds in each block up to the last in which it is
//! used. With tens of thousands of locals and of blocks that is a table of gigabytes, and as many
//! values that live all through the function. There, locals lie on the stack, and nothing grows with
//! the product.

use cranelift_codegen::ir::{
    Block, InstBuilder, StackSlot, StackSlotData, StackSlotKind, Type, Value,
};
use cranelift_frontend::Variable;
use wasmparser::{BinaryReader, FuncValidator, FunctionBody, Operator, ValidatorResources};

use super::FunctionTranslator;
use crate::error::Result;
use crate::limits::MOST_VARIABLE_CELLS;
use crate::module::{FunctionType, check_type};

/// Bytes of a local on the stack: those of the largest type.
const SLOT_BYTES: u32 = 16;

/// Where the locals of a function are.
pub(super) enum Locals {
    /// By index.
    Variables(Vec<Variable>),
    /// One after the other in a stack slot.
    Stack {
        /// The slot.
        slot: StackSlot,
        /// By index.
        types: Vec<Type>,
    },
}

impl FunctionTranslator<'_, '_> {
    /// Reads the declarations, and gives parameters and locals their first values.
    ///
    /// # Errors
    ///
    /// When the declarations are malformed, or there are more locals than is allowed.
    pub(super) fn declare_locals(
        &mut self,
        entry: Block,
        ty: &FunctionType,
        reader: &mut BinaryReader<'_>,
        validator: &mut FuncValidator<ValidatorResources>,
    ) -> Result<()> {
        if self.wants_stack(ty)? {
            self.shape.note_locals_on_stack();
            let bytes = self.count_locals(ty)? as u32 * SLOT_BYTES;
            let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, bytes, 4);
            self.locals = Locals::Stack {
                slot: self.builder.create_sized_stack_slot(slot),
                types: Vec::new(),
            };
        }
        let params = self.builder.block_params(entry);
        let params = params[params.len() - ty.params.len()..].to_vec();
        for param in params {
            self.declare_local(self.builder.func.dfg.value_type(param), param);
        }
        for _ in 0..reader.read_var_u32()? {
            let offset = reader.original_position();
            let count = reader.read_var_u32()?;
            let ty = reader.read()?;
            self.shape
                .note_locals(count)
                .map_err(|error| error.at(offset as usize))?;
            validator.define_locals(offset, count, ty)?;
            check_type(ty).map_err(|error| error.at(offset as usize))?;
            let ty = self.abi.value_type(ty);
            let zero = self.zero(ty);
            for _ in 0..count {
                self.declare_local(ty, zero);
            }
        }
        Ok(())
    }

    fn declare_local(&mut self, ty: Type, value: Value) {
        let index = match &mut self.locals {
            Locals::Variables(variables) => {
                variables.push(self.builder.declare_var(ty));
                variables.len() - 1
            }
            Locals::Stack { types, .. } => {
                types.push(ty);
                types.len() - 1
            }
        };
        self.set_local(index as u32, value);
    }

    /// The value of a local.
    pub(super) fn get_local(&mut self, index: u32) -> Value {
        match &self.locals {
            Locals::Variables(variables) => self.builder.use_var(variables[index as usize]),
            Locals::Stack { slot, types } => {
                let (ty, offset) = (types[index as usize], index * SLOT_BYTES);
                self.builder
                    .ins()
                    .stack_load(self.abi.pointer, ty, *slot, offset as i32)
            }
        }
    }

    /// Gives a local another value.
    pub(super) fn set_local(&mut self, index: u32, value: Value) {
        match &self.locals {
            Locals::Variables(variables) => {
                self.builder.def_var(variables[index as usize], value);
            }
            Locals::Stack { slot, .. } => {
                let offset = index * SLOT_BYTES;
                let pointer = self.abi.pointer;
                self.builder
                    .ins()
                    .stack_store(pointer, value, *slot, offset as i32);
            }
        }
    }

    /// Whether there are too many locals and blocks for variables.
    fn wants_stack(&self, ty: &FunctionType) -> Result<bool> {
        let locals = self.count_locals(ty)?;
        let range = self.body.range();
        // Only where the bytes could hold so many blocks they are counted.
        let most = (range.end - range.start).saturating_mul(BLOCKS_OF_CONTROL);
        if locals.saturating_mul(most) <= MOST_VARIABLE_CELLS {
            return Ok(false);
        }
        let blocks = count_blocks(self.body, !self.faults_are_traps())?;
        Ok(locals.saturating_mul(blocks) > MOST_VARIABLE_CELLS)
    }

    /// Parameters and locals, as far as they are allowed.
    fn count_locals(&self, ty: &FunctionType) -> Result<u64> {
        let mut count = ty.params.len() as u64;
        for locals in self.body.get_locals_reader()? {
            count = count.saturating_add(locals?.0.into());
        }
        Ok(count.min(u64::from(crate::limits::MAX_LOCALS) + ty.params.len() as u64))
    }
}

/// Blocks that an instruction of control makes at most, but for branch tables.
const BLOCKS_OF_CONTROL: u64 = 3;

/// Not fewer than the blocks that a body is translated to.
fn count_blocks(body: &FunctionBody<'_>, checks_branch: bool) -> Result<u64> {
    let mut blocks = 0;
    let mut reader = body.get_operators_reader()?;
    while !reader.eof() {
        blocks += match reader.read()? {
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Else
            | Operator::BrIf { .. }
            | Operator::BrTable { .. }
            | Operator::TryTable { .. }
            | Operator::Try { .. }
            | Operator::Catch { .. }
            | Operator::CatchAll
            | Operator::Call { .. }
            | Operator::CallIndirect { .. } => BLOCKS_OF_CONTROL,
            _ if checks_branch => BLOCKS_OF_CONTROL,
            _ => 0,
        };
    }
    Ok(blocks)
}
