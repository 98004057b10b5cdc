//! Which instruction goes where.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::{InstBuilder, types};
use precast_format::libcall::Libcall;
use precast_format::trap::TrapCode;
use wasmparser::Operator;

use super::FunctionTranslator;
use super::numeric::Rounding;
use crate::error::Result;

impl FunctionTranslator<'_, '_> {
    /// Translates one instruction that the validator has accepted.
    pub(super) fn operator(&mut self, operator: &Operator<'_>) -> Result<()> {
        if !self.reachable {
            self.unreachable_operator(operator);
            return Ok(());
        }
        match *operator {
            Operator::Nop => {}
            Operator::Unreachable => self.trap_always(TrapCode::Unreachable),
            Operator::Block { blockty } => self.begin_block(blockty),
            Operator::Loop { blockty } => self.begin_loop(blockty),
            Operator::If { blockty } => self.begin_if(blockty),
            Operator::Else => self.begin_else(),
            Operator::End => self.end(),
            Operator::Br { relative_depth } => self.branch(relative_depth),
            Operator::BrIf { relative_depth } => self.branch_if(relative_depth),
            Operator::BrTable { ref targets } => self.branch_table(targets)?,
            Operator::Return => self.return_(),

            Operator::TryTable { ref try_table } => self.begin_try_table(try_table),
            Operator::Throw { tag_index } => self.throw(tag_index),
            Operator::ThrowRef => self.throw_ref(),
            Operator::Try { blockty } => self.begin_try(blockty)?,
            Operator::Catch { tag_index } => self.begin_catch(Some(tag_index)),
            Operator::CatchAll => self.begin_catch(None),
            Operator::Delegate { .. } => self.end(),
            Operator::Rethrow { relative_depth } => self.rethrow(relative_depth),

            Operator::Call { function_index } => self.call(function_index, false),
            Operator::ReturnCall { function_index } => self.call(function_index, true),
            Operator::CallIndirect {
                type_index,
                table_index,
            } => {
                self.call_indirect(table_index, type_index, false);
            }
            Operator::ReturnCallIndirect {
                type_index,
                table_index,
            } => {
                self.call_indirect(table_index, type_index, true);
            }

            Operator::CallRef { type_index } => self.call_ref(type_index, false),
            Operator::ReturnCallRef { type_index } => self.call_ref(type_index, true),

            Operator::Drop => {
                self.pop();
            }
            Operator::Select | Operator::TypedSelect { .. } => {
                let (first, second, condition) = self.pop3();
                let selected = self.builder.ins().select(condition, first, second);
                self.push(selected);
            }
            Operator::LocalGet { local_index } => {
                let value = self.get_local(local_index);
                self.push(value);
            }
            Operator::LocalSet { local_index } => {
                let value = self.pop();
                self.set_local(local_index, value);
            }
            Operator::LocalTee { local_index } => {
                let value = self.pop();
                self.set_local(local_index, value);
                self.push(value);
            }
            Operator::GlobalGet { global_index } => self.global_get(global_index),
            Operator::GlobalSet { global_index } => self.global_set(global_index),

            Operator::RefNull { .. } => self.ref_null(),
            Operator::RefIsNull => self.ref_is_null(),
            Operator::RefAsNonNull => self.ref_as_non_null(),
            Operator::BrOnNull { relative_depth } => self.branch_on_null(relative_depth),
            Operator::BrOnNonNull { relative_depth } => self.branch_on_non_null(relative_depth),
            Operator::RefFunc { function_index } => self.ref_func(function_index)?,

            Operator::TableGet { table } => self.table_get(table),
            Operator::TableSet { table } => self.table_set(table),
            Operator::TableSize { table } => self.table_size(table),
            Operator::TableGrow { table } => self.table_grow(table),
            Operator::TableFill { table } => self.fill(Libcall::TableFill, table),
            Operator::TableCopy {
                dst_table,
                src_table,
            } => {
                self.copy(Libcall::TableCopy, dst_table, src_table);
            }
            Operator::TableInit { elem_index, table } => {
                self.init(Libcall::TableInit, table, elem_index);
            }
            Operator::ElemDrop { elem_index } => self.drop_segment(Libcall::ElemDrop, elem_index),

            Operator::MemorySize { mem } => self.memory_size(mem),
            Operator::MemoryGrow { mem } => self.memory_grow(mem),
            Operator::MemoryFill { mem } => self.fill(Libcall::MemoryFill, mem),
            Operator::MemoryCopy { dst_mem, src_mem } => {
                self.copy(Libcall::MemoryCopy, dst_mem, src_mem);
            }
            Operator::MemoryInit { data_index, mem } => {
                self.init(Libcall::MemoryInit, mem, data_index);
            }
            Operator::DataDrop { data_index } => self.drop_segment(Libcall::DataDrop, data_index),

            _ => return self.memory_operator(operator),
        }
        Ok(())
    }

    /// What cannot be executed counts for its nesting only.
    fn unreachable_operator(&mut self, operator: &Operator<'_>) {
        match operator {
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::TryTable { .. } => self.begin_unreachable(),
            Operator::Try { .. } => {
                self.legacy_tries.skip();
                self.begin_unreachable();
            }
            Operator::Catch { tag_index } => self.begin_catch(Some(*tag_index)),
            Operator::CatchAll => self.begin_catch(None),
            Operator::Else => self.begin_else(),
            Operator::End | Operator::Delegate { .. } => self.end(),
            _ => {}
        }
    }

    fn memory_operator(&mut self, operator: &Operator<'_>) -> Result<()> {
        match operator {
            Operator::I32Load { memarg } => self.load(types::I32, memarg),
            Operator::I64Load { memarg } => self.load(types::I64, memarg),
            Operator::F32Load { memarg } => self.load(types::F32, memarg),
            Operator::F64Load { memarg } => self.load(types::F64, memarg),
            Operator::I32Load8S { memarg } => {
                self.load_extended(types::I32, types::I8, true, memarg)
            }
            Operator::I32Load8U { memarg } => {
                self.load_extended(types::I32, types::I8, false, memarg)
            }
            Operator::I32Load16S { memarg } => {
                self.load_extended(types::I32, types::I16, true, memarg)
            }
            Operator::I32Load16U { memarg } => {
                self.load_extended(types::I32, types::I16, false, memarg)
            }
            Operator::I64Load8S { memarg } => {
                self.load_extended(types::I64, types::I8, true, memarg)
            }
            Operator::I64Load8U { memarg } => {
                self.load_extended(types::I64, types::I8, false, memarg)
            }
            Operator::I64Load16S { memarg } => {
                self.load_extended(types::I64, types::I16, true, memarg)
            }
            Operator::I64Load16U { memarg } => {
                self.load_extended(types::I64, types::I16, false, memarg)
            }
            Operator::I64Load32S { memarg } => {
                self.load_extended(types::I64, types::I32, true, memarg)
            }
            Operator::I64Load32U { memarg } => {
                self.load_extended(types::I64, types::I32, false, memarg)
            }
            Operator::I32Store { memarg } => self.store(types::I32, memarg),
            Operator::I64Store { memarg } => self.store(types::I64, memarg),
            Operator::F32Store { memarg } => self.store(types::F32, memarg),
            Operator::F64Store { memarg } => self.store(types::F64, memarg),
            Operator::I32Store8 { memarg } | Operator::I64Store8 { memarg } => {
                self.store(types::I8, memarg)
            }
            Operator::I32Store16 { memarg } | Operator::I64Store16 { memarg } => {
                self.store(types::I16, memarg)
            }
            Operator::I64Store32 { memarg } => self.store(types::I32, memarg),
            _ => self.numeric_operator(operator),
        }
    }

    fn numeric_operator(&mut self, operator: &Operator<'_>) -> Result<()> {
        match *operator {
            Operator::I32Const { value } => {
                let value = self
                    .builder
                    .ins()
                    .iconst(types::I32, i64::from(value as u32));
                self.push(value);
            }
            Operator::I64Const { value } => {
                let value = self.builder.ins().iconst(types::I64, value);
                self.push(value);
            }
            Operator::F32Const { value } => {
                let value = self.builder.ins().f32const(Ieee32::with_bits(value.bits()));
                self.push(value);
            }
            Operator::F64Const { value } => {
                let value = self.builder.ins().f64const(Ieee64::with_bits(value.bits()));
                self.push(value);
            }
            Operator::I32Eqz | Operator::I64Eqz => self.equals_zero(),
            Operator::I32Eq | Operator::I64Eq => self.compare_integers(IntCC::Equal),
            Operator::I32Ne | Operator::I64Ne => self.compare_integers(IntCC::NotEqual),
            Operator::I32LtS | Operator::I64LtS => self.compare_integers(IntCC::SignedLessThan),
            Operator::I32LtU | Operator::I64LtU => self.compare_integers(IntCC::UnsignedLessThan),
            Operator::I32GtS | Operator::I64GtS => self.compare_integers(IntCC::SignedGreaterThan),
            Operator::I32GtU | Operator::I64GtU => {
                self.compare_integers(IntCC::UnsignedGreaterThan)
            }
            Operator::I32LeS | Operator::I64LeS => {
                self.compare_integers(IntCC::SignedLessThanOrEqual)
            }
            Operator::I32LeU | Operator::I64LeU => {
                self.compare_integers(IntCC::UnsignedLessThanOrEqual)
            }
            Operator::I32GeS | Operator::I64GeS => {
                self.compare_integers(IntCC::SignedGreaterThanOrEqual)
            }
            Operator::I32GeU | Operator::I64GeU => {
                self.compare_integers(IntCC::UnsignedGreaterThanOrEqual)
            }
            Operator::F32Eq | Operator::F64Eq => self.compare_floats(FloatCC::Equal),
            Operator::F32Ne | Operator::F64Ne => self.compare_floats(FloatCC::NotEqual),
            Operator::F32Lt | Operator::F64Lt => self.compare_floats(FloatCC::LessThan),
            Operator::F32Gt | Operator::F64Gt => self.compare_floats(FloatCC::GreaterThan),
            Operator::F32Le | Operator::F64Le => self.compare_floats(FloatCC::LessThanOrEqual),
            Operator::F32Ge | Operator::F64Ge => self.compare_floats(FloatCC::GreaterThanOrEqual),
            Operator::I32Clz | Operator::I64Clz => {
                self.unary(|t, a| t.builder.ins().clz(a));
            }
            Operator::I32Ctz | Operator::I64Ctz => {
                self.unary(|t, a| t.builder.ins().ctz(a));
            }
            Operator::I32Popcnt | Operator::I64Popcnt => {
                self.unary(|t, a| t.builder.ins().popcnt(a));
            }
            Operator::I32Add | Operator::I64Add => {
                self.binary(|t, a, b| t.builder.ins().iadd(a, b));
            }
            Operator::I32Sub | Operator::I64Sub => {
                self.binary(|t, a, b| t.builder.ins().isub(a, b));
            }
            Operator::I32Mul | Operator::I64Mul => {
                self.binary(|t, a, b| t.builder.ins().imul(a, b));
            }
            Operator::I32And | Operator::I64And => {
                self.binary(|t, a, b| t.builder.ins().band(a, b));
            }
            Operator::I32Or | Operator::I64Or => {
                self.binary(|t, a, b| t.builder.ins().bor(a, b));
            }
            Operator::I32Xor | Operator::I64Xor => {
                self.binary(|t, a, b| t.builder.ins().bxor(a, b));
            }
            Operator::I32Shl | Operator::I64Shl => {
                self.binary(|t, a, b| t.builder.ins().ishl(a, b));
            }
            Operator::I32ShrS | Operator::I64ShrS => {
                self.binary(|t, a, b| t.builder.ins().sshr(a, b));
            }
            Operator::I32ShrU | Operator::I64ShrU => {
                self.binary(|t, a, b| t.builder.ins().ushr(a, b));
            }
            Operator::I32Rotl | Operator::I64Rotl => {
                self.binary(|t, a, b| t.builder.ins().rotl(a, b));
            }
            Operator::I32Rotr | Operator::I64Rotr => {
                self.binary(|t, a, b| t.builder.ins().rotr(a, b));
            }
            Operator::I32DivS | Operator::I64DivS => self.divide_signed(),
            Operator::I32DivU | Operator::I64DivU => self.divide_unsigned(),
            Operator::I32RemS | Operator::I64RemS => self.remainder_signed(),
            Operator::I32RemU | Operator::I64RemU => self.remainder_unsigned(),
            Operator::F32Abs | Operator::F64Abs => {
                self.unary(|t, a| t.builder.ins().fabs(a));
            }
            Operator::F32Neg | Operator::F64Neg => {
                self.unary(|t, a| t.builder.ins().fneg(a));
            }
            Operator::F32Sqrt | Operator::F64Sqrt => {
                self.unary(|t, a| t.builder.ins().sqrt(a));
            }
            Operator::F32Ceil | Operator::F64Ceil => self.round(Rounding::Ceil),
            Operator::F32Floor | Operator::F64Floor => self.round(Rounding::Floor),
            Operator::F32Trunc | Operator::F64Trunc => self.round(Rounding::Trunc),
            Operator::F32Nearest | Operator::F64Nearest => self.round(Rounding::Nearest),
            Operator::F32Add | Operator::F64Add => {
                self.binary(|t, a, b| t.builder.ins().fadd(a, b));
            }
            Operator::F32Sub | Operator::F64Sub => {
                self.binary(|t, a, b| t.builder.ins().fsub(a, b));
            }
            Operator::F32Mul | Operator::F64Mul => {
                self.binary(|t, a, b| t.builder.ins().fmul(a, b));
            }
            Operator::F32Div | Operator::F64Div => {
                self.binary(|t, a, b| t.builder.ins().fdiv(a, b));
            }
            Operator::F32Min | Operator::F64Min => {
                self.binary(|t, a, b| t.builder.ins().fmin(a, b));
            }
            Operator::F32Max | Operator::F64Max => {
                self.binary(|t, a, b| t.builder.ins().fmax(a, b));
            }
            Operator::F32Copysign | Operator::F64Copysign => {
                self.binary(|t, a, b| t.builder.ins().fcopysign(a, b));
            }
            _ => return self.conversion_operator(operator),
        }
        Ok(())
    }

    fn conversion_operator(&mut self, operator: &Operator<'_>) -> Result<()> {
        match operator {
            Operator::I32WrapI64 => self.unary(|t, a| t.builder.ins().ireduce(types::I32, a)),
            Operator::I64ExtendI32S => self.unary(|t, a| t.builder.ins().sextend(types::I64, a)),
            Operator::I64ExtendI32U => self.unary(|t, a| t.builder.ins().uextend(types::I64, a)),
            Operator::I32Extend8S | Operator::I64Extend8S => self.extend_low(types::I8),
            Operator::I32Extend16S | Operator::I64Extend16S => self.extend_low(types::I16),
            Operator::I64Extend32S => self.extend_low(types::I32),
            Operator::I32TruncF32S | Operator::I32TruncF64S => self.truncate(types::I32, true),
            Operator::I32TruncSatF32S | Operator::I32TruncSatF64S => {
                self.truncate_saturating(types::I32, true);
            }
            Operator::I32TruncF32U | Operator::I32TruncF64U => self.truncate(types::I32, false),
            Operator::I32TruncSatF32U | Operator::I32TruncSatF64U => {
                self.truncate_saturating(types::I32, false);
            }
            Operator::I64TruncF32S | Operator::I64TruncF64S => self.truncate(types::I64, true),
            Operator::I64TruncSatF32S | Operator::I64TruncSatF64S => {
                self.truncate_saturating(types::I64, true);
            }
            Operator::I64TruncF32U | Operator::I64TruncF64U => self.truncate(types::I64, false),
            Operator::I64TruncSatF32U | Operator::I64TruncSatF64U => {
                self.truncate_saturating(types::I64, false);
            }
            Operator::F32ConvertI32S | Operator::F32ConvertI64S => {
                self.unary(|t, a| t.builder.ins().fcvt_from_sint(types::F32, a));
            }
            Operator::F32ConvertI32U | Operator::F32ConvertI64U => {
                self.unary(|t, a| t.builder.ins().fcvt_from_uint(types::F32, a));
            }
            Operator::F64ConvertI32S | Operator::F64ConvertI64S => {
                self.unary(|t, a| t.builder.ins().fcvt_from_sint(types::F64, a));
            }
            Operator::F64ConvertI32U | Operator::F64ConvertI64U => {
                self.unary(|t, a| t.builder.ins().fcvt_from_uint(types::F64, a));
            }
            Operator::F32DemoteF64 => self.unary(|t, a| t.builder.ins().fdemote(types::F32, a)),
            Operator::F64PromoteF32 => self.unary(|t, a| t.builder.ins().fpromote(types::F64, a)),
            Operator::I32ReinterpretF32 => self.reinterpret(types::I32),
            Operator::I64ReinterpretF64 => self.reinterpret(types::I64),
            Operator::F32ReinterpretI32 => self.reinterpret(types::F32),
            Operator::F64ReinterpretI64 => self.reinterpret(types::F64),
            _ => {
                let known = self.wide_arithmetic(operator) || self.atomic(operator)?;
                if !known && !self.simd(operator)? {
                    return self.unsupported(&format!("the instruction {operator:?}"));
                }
            }
        }
        Ok(())
    }
}
