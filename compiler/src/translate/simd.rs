//! 128-bit SIMD: how vectors are represented, and which file translates which instruction.
//!
//! A vector on the operand stack, in a local, in a global or in a parameter is always sixteen lanes
//! of bytes in CLIF, lane 0 first in memory on every target. An instruction views its operands as
//! the lanes that it works on, and leaves its result as bytes again. Such a view costs nothing at
//! run time. [`FunctionTranslator::lanes`] looks through the last one, so that instruction
//! selection sees a chain of vector instructions as one expression.
//!
//! The forms of CLIF here are those that the code generators select single instructions for. None
//! of them may become a call of Cranelift's own: no loader has those functions.

mod bits;
mod compare;
mod conversion;
mod float;
mod integer;
mod lane;
mod memory;
mod widening;

use cranelift_codegen::ir::{self, Endianness, Function, InstBuilder, InstructionData};
use cranelift_codegen::ir::{MemFlagsData, Opcode, Value, types};
use cranelift_frontend::FuncInstBuilder;
use wasmparser::Operator;

use super::FunctionTranslator;
use crate::error::Result;
use crate::target::Target;

/// Emits an instruction with one operand.
type Unary = fn(FuncInstBuilder<'_, '_>, Value) -> Value;

/// Emits an instruction with two operands.
type Binary = fn(FuncInstBuilder<'_, '_>, Value, Value) -> Value;

/// Refuses vectors where the code generator cannot compile all of them.
///
/// # Errors
///
/// When the target lacks the CPU feature that they need.
fn require_simd(target: &Target) -> Result<()> {
    target.require("SIMD", target.simd())
}

/// Refuses a function with a vector in it where [`require_simd`] refuses vectors. A local or a
/// parameter is enough, without any SIMD instruction.
///
/// # Errors
///
/// When the target lacks the CPU feature that vectors need.
pub(crate) fn check_vectors(function: &Function, target: &Target) -> Result<()> {
    let Err(error) = require_simd(target) else {
        return Ok(());
    };
    let dfg = &function.dfg;
    match dfg.values().any(|value| dfg.value_type(value).is_vector()) {
        true => Err(error),
        false => Ok(()),
    }
}

impl FunctionTranslator<'_, '_> {
    /// Translates a SIMD instruction; `false` if it is none.
    ///
    /// # Errors
    ///
    /// When the target has no SIMD.
    pub(super) fn simd(&mut self, operator: &Operator<'_>) -> Result<bool> {
        let translated = self.vector_memory(operator)?
            || self.vector_lane(operator)
            || self.vector_bits(operator)
            || self.vector_compare(operator)
            || self.vector_integer(operator)
            || self.vector_widening(operator)
            || self.vector_float(operator)
            || self.vector_conversion(operator)
            || self.relaxed_simd(operator)?;
        if translated {
            // CLIF that is not compiled does no harm, so the question can come last.
            require_simd(&self.environment.options.target)?;
        }
        Ok(translated)
    }

    /// A vector as lanes of this type.
    pub(super) fn lanes(&mut self, vector: Value, ty: ir::Type) -> Value {
        let dfg = &self.builder.func.dfg;
        let natural = self.natural_lanes(vector);
        if dfg.value_type(natural) == ty {
            return natural;
        }
        let definition = dfg.value_def(natural).inst().map(|inst| dfg.insts[inst]);
        if let Some(InstructionData::UnaryConst {
            opcode: Opcode::Vconst,
            constant_handle,
        }) = definition
        {
            return self.builder.ins().vconst(ty, constant_handle);
        }
        self.builder.ins().bitcast(ty, view(), natural)
    }

    /// The vector as the instruction that made it left it, before it was viewed as bytes.
    fn natural_lanes(&self, vector: Value) -> Value {
        let dfg = &self.builder.func.dfg;
        let Some(inst) = dfg.value_def(dfg.resolve_aliases(vector)).inst() else {
            return vector;
        };
        match dfg.insts[inst] {
            InstructionData::LoadNoOffset {
                opcode: Opcode::Bitcast,
                arg,
                ..
            } if dfg.value_type(arg).is_vector() => arg,
            _ => vector,
        }
    }

    /// Pops a vector as lanes of this type.
    pub(super) fn pop_lanes(&mut self, ty: ir::Type) -> Value {
        let vector = self.pop();
        self.lanes(vector, ty)
    }

    /// Pushes a vector with lanes of any type.
    pub(super) fn push_vector(&mut self, vector: Value) {
        let bytes = match self.builder.func.dfg.value_type(vector) {
            types::I8X16 => vector,
            _ => self.builder.ins().bitcast(types::I8X16, view(), vector),
        };
        self.push(bytes);
    }

    /// An instruction from one vector to one vector.
    pub(super) fn vector_unary(&mut self, ty: ir::Type, emit: Unary) {
        let operand = self.pop_lanes(ty);
        let result = emit(self.builder.ins(), operand);
        self.push_vector(result);
    }

    /// An instruction from two vectors to one vector.
    pub(super) fn vector_binary(&mut self, ty: ir::Type, emit: Binary) {
        let right = self.pop_lanes(ty);
        let left = self.pop_lanes(ty);
        let result = emit(self.builder.ins(), left, right);
        self.push_vector(result);
    }
}

/// The flags of a change of lanes: bytes keep their places in memory.
fn view() -> MemFlagsData {
    MemFlagsData::new().with_endianness(Endianness::Little)
}
