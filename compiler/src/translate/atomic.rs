//! Atomic instructions: loads, stores, read-modify-write, fences, waiting and notification.
//!
//! Each access is checked as a plain one is, and for its alignment: the base of a memory is aligned to
//! 16, so that the address tells. All of them are sequentially consistent, as Cranelift's are. The
//! instructions work on memories of both kinds; only waiting needs a shared one, which the loader
//! says.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, AtomicRmwOp, InstBuilder, MemFlagsData, Value, types};
use precast_format::libcall::Libcall;
use precast_format::target::Isa;
use precast_format::trap::TrapCode;
use wasmparser::{MemArg, MemArgTarget, Operator};

use super::FunctionTranslator;
use crate::error::Result;
use crate::module::Module;
use crate::options::Options;

/// Refuses what the target has no instructions for, before any code is generated.
///
/// # Errors
///
/// When the module has a shared memory or atomic instructions, and the target no atomic ones.
pub(crate) fn check_threads(
    module: &Module<'_>,
    uses_threads: bool,
    options: &Options,
) -> Result<()> {
    let target = &options.target;
    match uses_threads || module.memories.iter().any(|memory| memory.shared) {
        true => target.require("threads", target.threads()),
        false => Ok(()),
    }
}

/// What becomes of the value in memory and the operand.
#[derive(Clone, Copy)]
enum Change {
    Rmw(AtomicRmwOp),
    CompareExchange,
}

/// What an instruction does.
#[derive(Clone, Copy)]
enum Access {
    Load,
    Store,
    Change(Change),
}

impl FunctionTranslator<'_, '_> {
    /// Translates an atomic instruction; says whether it was one.
    pub(super) fn atomic(&mut self, operator: &Operator<'_>) -> Result<bool> {
        use AtomicRmwOp::{Add, And, Or, Sub, Xchg, Xor};
        const CAS: Change = Change::CompareExchange;

        macro_rules! accesses {
            ($($load:ident $store:ident $add:ident $sub:ident $and:ident $or:ident $xor:ident
               $xchg:ident $cas:ident = $ty:ident in $result:ident;)*) => {
                match operator {
                    $(
                        Operator::$load { memarg } => {
                            (Access::Load, types::$ty, types::$result, memarg)
                        }
                        Operator::$store { memarg } => {
                            (Access::Store, types::$ty, types::$result, memarg)
                        }
                        Operator::$add { memarg } => {
                            (Access::Change(Change::Rmw(Add)), types::$ty, types::$result, memarg)
                        }
                        Operator::$sub { memarg } => {
                            (Access::Change(Change::Rmw(Sub)), types::$ty, types::$result, memarg)
                        }
                        Operator::$and { memarg } => {
                            (Access::Change(Change::Rmw(And)), types::$ty, types::$result, memarg)
                        }
                        Operator::$or { memarg } => {
                            (Access::Change(Change::Rmw(Or)), types::$ty, types::$result, memarg)
                        }
                        Operator::$xor { memarg } => {
                            (Access::Change(Change::Rmw(Xor)), types::$ty, types::$result, memarg)
                        }
                        Operator::$xchg { memarg } => {
                            (Access::Change(Change::Rmw(Xchg)), types::$ty, types::$result, memarg)
                        }
                        Operator::$cas { memarg } => {
                            (Access::Change(CAS), types::$ty, types::$result, memarg)
                        }
                    )*
                    Operator::MemoryAtomicNotify { memarg } => {
                        self.notify(memarg)?;
                        return Ok(true);
                    }
                    Operator::MemoryAtomicWait32 { memarg } => {
                        self.wait(Libcall::MemoryAtomicWait32, memarg)?;
                        return Ok(true);
                    }
                    Operator::MemoryAtomicWait64 { memarg } => {
                        self.wait(Libcall::MemoryAtomicWait64, memarg)?;
                        return Ok(true);
                    }
                    Operator::AtomicFence { .. } => {
                        self.builder.ins().fence();
                        return Ok(true);
                    }
                    _ => return Ok(false),
                }
            };
        }
        let (access, ty, result, memarg) = accesses! {
            I32AtomicLoad I32AtomicStore I32AtomicRmwAdd I32AtomicRmwSub I32AtomicRmwAnd
                I32AtomicRmwOr I32AtomicRmwXor I32AtomicRmwXchg I32AtomicRmwCmpxchg = I32 in I32;
            I64AtomicLoad I64AtomicStore I64AtomicRmwAdd I64AtomicRmwSub I64AtomicRmwAnd
                I64AtomicRmwOr I64AtomicRmwXor I64AtomicRmwXchg I64AtomicRmwCmpxchg = I64 in I64;
            I32AtomicLoad8U I32AtomicStore8 I32AtomicRmw8AddU I32AtomicRmw8SubU I32AtomicRmw8AndU
                I32AtomicRmw8OrU I32AtomicRmw8XorU I32AtomicRmw8XchgU I32AtomicRmw8CmpxchgU
                = I8 in I32;
            I32AtomicLoad16U I32AtomicStore16 I32AtomicRmw16AddU I32AtomicRmw16SubU
                I32AtomicRmw16AndU I32AtomicRmw16OrU I32AtomicRmw16XorU I32AtomicRmw16XchgU
                I32AtomicRmw16CmpxchgU = I16 in I32;
            I64AtomicLoad8U I64AtomicStore8 I64AtomicRmw8AddU I64AtomicRmw8SubU I64AtomicRmw8AndU
                I64AtomicRmw8OrU I64AtomicRmw8XorU I64AtomicRmw8XchgU I64AtomicRmw8CmpxchgU
                = I8 in I64;
            I64AtomicLoad16U I64AtomicStore16 I64AtomicRmw16AddU I64AtomicRmw16SubU
                I64AtomicRmw16AndU I64AtomicRmw16OrU I64AtomicRmw16XorU I64AtomicRmw16XchgU
                I64AtomicRmw16CmpxchgU = I16 in I64;
            I64AtomicLoad32U I64AtomicStore32 I64AtomicRmw32AddU I64AtomicRmw32SubU
                I64AtomicRmw32AndU I64AtomicRmw32OrU I64AtomicRmw32XorU I64AtomicRmw32XchgU
                I64AtomicRmw32CmpxchgU = I32 in I64;
        };
        match access {
            Access::Load => self.atomic_load(ty, result, memarg)?,
            Access::Store => self.atomic_store(ty, memarg)?,
            Access::Change(change) => self.atomic_change(change, ty, result, memarg)?,
        }
        Ok(true)
    }

    fn atomic_load(&mut self, ty: ir::Type, result: ir::Type, memarg: &MemArg) -> Result<()> {
        let (address, flags) = self.atomic_address(memarg, ty)?;
        let value = self.builder.ins().atomic_load(ty, flags, address);
        let value = self.widened(value, result);
        self.push(value);
        Ok(())
    }

    fn atomic_store(&mut self, ty: ir::Type, memarg: &MemArg) -> Result<()> {
        let value = self.pop();
        let (address, flags) = self.atomic_address(memarg, ty)?;
        let value = self.narrowed(value, ty);
        self.builder.ins().atomic_store(flags, value, address);
        Ok(())
    }

    /// Replaces the value in memory, and gives the old one.
    fn atomic_change(
        &mut self,
        change: Change,
        ty: ir::Type,
        result: ir::Type,
        memarg: &MemArg,
    ) -> Result<()> {
        let operand = self.pop();
        let expected = match change {
            Change::Rmw(_) => operand,
            Change::CompareExchange => self.pop(),
        };
        let (address, flags) = self.atomic_address(memarg, ty)?;
        let new = self.narrowed(operand, ty);
        let mut old = match change {
            Change::Rmw(operation) => self
                .builder
                .ins()
                .atomic_rmw(ty, flags, operation, address, new),
            Change::CompareExchange => {
                let narrow = self.narrowed(expected, ty);
                self.builder.ins().atomic_cas(flags, address, narrow, new)
            }
        };
        old = self.widened(old, result);
        self.push(old);
        Ok(())
    }

    fn narrowed(&mut self, value: Value, ty: ir::Type) -> Value {
        if self.builder.func.dfg.value_type(value) == ty {
            return value;
        }
        self.builder.ins().ireduce(ty, value)
    }

    fn widened(&mut self, value: Value, ty: ir::Type) -> Value {
        if self.builder.func.dfg.value_type(value) == ty {
            return value;
        }
        self.builder.ins().uextend(ty, value)
    }

    /// Pops an index and turns it into the address of an aligned access.
    fn atomic_address(&mut self, memarg: &MemArg, ty: ir::Type) -> Result<(Value, MemFlagsData)> {
        // Where a fault in an atomic instruction could not be told apart, the bounds are compared.
        let compared = self.environment.options.target.isa() == Isa::Riscv64;
        let (base, offset, flags) = self.checked_access(memarg, ty.bytes(), compared)?;
        let address = match offset {
            0 => base,
            offset => self.builder.ins().iadd_imm_s(base, i64::from(offset)),
        };
        if ty.bytes() > 1 {
            let mask = i64::from(ty.bytes() - 1);
            let misaligned = self.builder.ins().band_imm_u(address, mask);
            self.trap_if(misaligned, TrapCode::UnalignedAtomic);
        }
        Ok((address, flags))
    }

    /// `memory.atomic.wait32` and `wait64`.
    fn wait(&mut self, libcall: Libcall, memarg: &MemArg) -> Result<()> {
        let (index, expected, timeout) = self.pop3();
        let (memory, address) = self.effective_address(memarg, index)?;
        self.call_atomic_libcall(libcall, &[memory, address, expected, timeout]);
        Ok(())
    }

    /// `memory.atomic.notify`.
    fn notify(&mut self, memarg: &MemArg) -> Result<()> {
        let (index, count) = self.pop2();
        let (memory, address) = self.effective_address(memarg, index)?;
        self.call_atomic_libcall(Libcall::MemoryAtomicNotify, &[memory, address, count]);
        Ok(())
    }

    /// The number of a memory, and an address in it that the loader checks.
    fn effective_address(&mut self, memarg: &MemArg, index: Value) -> Result<(Value, Value)> {
        let MemArgTarget::Memory(memory) = memarg.target else {
            return self.unsupported("garbage collection");
        };
        let wide = self.extend_to_i64(index);
        let address = match memarg.offset {
            0 => wide,
            offset => {
                let offset = self.builder.ins().iconst(types::I64, offset as i64);
                if self.module.memories[memory as usize].is_64 {
                    let (sum, carry) = self.builder.ins().uadd_overflow(wide, offset);
                    self.trap_if(carry, TrapCode::MemoryOutOfBounds);
                    sum
                } else {
                    // A 32-bit index plus an offset below 2^32 does not wrap.
                    self.builder.ins().iadd(wide, offset)
                }
            }
        };
        let memory = self.builder.ins().iconst(types::I32, i64::from(memory));
        Ok((memory, address))
    }

    /// Calls a libcall whose result is a number, or a trap code negated.
    fn call_atomic_libcall(&mut self, libcall: Libcall, arguments: &[Value]) {
        let result = self.call_libcall_for_result(libcall, arguments);
        let failed = self
            .builder
            .ins()
            .icmp_imm_s(IntCC::SignedLessThan, result, 0);
        self.raise_if(failed, |translator| {
            let code = translator.builder.ins().ineg(result);
            translator.builder.ins().ireduce(types::I32, code)
        });
        let number = self.builder.ins().ireduce(types::I32, result);
        self.push(number);
    }
}
