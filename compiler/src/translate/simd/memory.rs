//! Vector loads and stores, whole or in part.
//!
//! They are checked like scalar ones, each for exactly the bytes that it touches.

use cranelift_codegen::ir::types::{F32X4, F64X2, I8X16, I16X8, I32X4, I64X2};
use cranelift_codegen::ir::{self, InstBuilder, MemFlagsData, Value};
use cranelift_frontend::FuncInstBuilder;
use precast_format::target::Isa;
use precast_format::trap::TrapCode;
use wasmparser::{MemArg, Operator};

use crate::error::Result;
use crate::translate::{FunctionTranslator, clif_code};

/// Emits a load of eight bytes that widens each lane.
type WideningLoad = fn(FuncInstBuilder<'_, '_>, MemFlagsData, Value, i32) -> Value;

impl FunctionTranslator<'_, '_> {
    /// Translates a vector load or store; `false` if the instruction is none.
    pub(super) fn vector_memory(&mut self, operator: &Operator<'_>) -> Result<bool> {
        match operator {
            Operator::V128Load { memarg } => self.load(I8X16, memarg)?,
            Operator::V128Store { memarg } => self.store(I8X16, memarg)?,

            Operator::V128Load8Splat { memarg } => self.load_splat(I8X16, memarg)?,
            Operator::V128Load16Splat { memarg } => self.load_splat(I16X8, memarg)?,
            Operator::V128Load32Splat { memarg } => self.load_splat(I32X4, memarg)?,
            Operator::V128Load64Splat { memarg } => self.load_splat(I64X2, memarg)?,
            Operator::V128Load32Zero { memarg } => self.load_zero(I32X4, memarg)?,
            Operator::V128Load64Zero { memarg } => self.load_zero(I64X2, memarg)?,

            Operator::V128Load8x8S { memarg } => {
                self.load_widened(memarg, |i, flags, p, offset| i.sload8x8(flags, p, offset))?;
            }
            Operator::V128Load8x8U { memarg } => {
                self.load_widened(memarg, |i, flags, p, offset| i.uload8x8(flags, p, offset))?;
            }
            Operator::V128Load16x4S { memarg } => {
                self.load_widened(memarg, |i, flags, p, offset| i.sload16x4(flags, p, offset))?;
            }
            Operator::V128Load16x4U { memarg } => {
                self.load_widened(memarg, |i, flags, p, offset| i.uload16x4(flags, p, offset))?;
            }
            Operator::V128Load32x2S { memarg } => {
                self.load_widened(memarg, |i, flags, p, offset| i.sload32x2(flags, p, offset))?;
            }
            Operator::V128Load32x2U { memarg } => {
                self.load_widened(memarg, |i, flags, p, offset| i.uload32x2(flags, p, offset))?;
            }

            Operator::V128Load8Lane { memarg, lane } => self.load_lane(I8X16, memarg, *lane)?,
            Operator::V128Load16Lane { memarg, lane } => self.load_lane(I16X8, memarg, *lane)?,
            Operator::V128Load32Lane { memarg, lane } => self.load_lane(I32X4, memarg, *lane)?,
            Operator::V128Load64Lane { memarg, lane } => self.load_lane(I64X2, memarg, *lane)?,
            Operator::V128Store8Lane { memarg, lane } => self.store_lane(I8X16, memarg, *lane)?,
            Operator::V128Store16Lane { memarg, lane } => self.store_lane(I16X8, memarg, *lane)?,
            Operator::V128Store32Lane { memarg, lane } => self.store_lane(I32X4, memarg, *lane)?,
            Operator::V128Store64Lane { memarg, lane } => self.store_lane(I64X2, memarg, *lane)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Loads one lane of a vector of this type.
    fn load_scalar(&mut self, ty: ir::Type, memarg: &MemArg) -> Result<Value> {
        let scalar = ty.lane_type();
        let (address, offset, flags) = self.checked_address(memarg, scalar.bytes())?;
        Ok(self.builder.ins().load(scalar, flags, address, offset))
    }

    fn load_splat(&mut self, ty: ir::Type, memarg: &MemArg) -> Result<()> {
        let scalar = self.load_scalar(ty, memarg)?;
        let vector = self.builder.ins().splat(ty, scalar);
        self.push_vector(vector);
        Ok(())
    }

    fn load_zero(&mut self, ty: ir::Type, memarg: &MemArg) -> Result<()> {
        let scalar = self.load_scalar(ty, memarg)?;
        let vector = self.builder.ins().scalar_to_vector(ty, scalar);
        self.push_vector(vector);
        Ok(())
    }

    fn load_widened(&mut self, memarg: &MemArg, emit: WideningLoad) -> Result<()> {
        let (address, offset, mut flags) = self.checked_address(memarg, 8)?;
        if matches!(
            self.environment.options.target.isa(),
            Isa::Pulley32 | Isa::Pulley64
        ) {
            // Pulley has these loads only as such that may trap, checked before or not.
            flags = flags.with_trap_code(Some(clif_code(TrapCode::MemoryOutOfBounds)));
        }
        let vector = emit(self.builder.ins(), flags, address, offset);
        self.push_vector(vector);
        Ok(())
    }

    fn load_lane(&mut self, ty: ir::Type, memarg: &MemArg, lane: u8) -> Result<()> {
        let vector = self.pop_lanes(ty);
        let scalar = self.load_scalar(ty, memarg)?;
        let vector = self.builder.ins().insertlane(vector, scalar, lane);
        self.push_vector(vector);
        Ok(())
    }

    fn store_lane(&mut self, ty: ir::Type, memarg: &MemArg, lane: u8) -> Result<()> {
        // Lane 0 of floats is where the scalar is; for integers it would have to move.
        let ty = match (ty, lane) {
            (I32X4, 0) => F32X4,
            (I64X2, 0) => F64X2,
            _ => ty,
        };
        let vector = self.pop_lanes(ty);
        let (address, offset, flags) = self.checked_address(memarg, ty.lane_type().bytes())?;
        let scalar = self.builder.ins().extractlane(vector, lane);
        self.builder.ins().store(flags, scalar, address, offset);
        Ok(())
    }
}
