//! Bounds: from an index into linear memory to an address that may be accessed.
//!
//! Four cases, decided once for each memory of a function:
//!
//! - **Guarded** memories have 4 GiB and a guard reserved behind their base. A 32-bit index plus a
//!   small offset cannot leave that; only larger offsets are compared.
//! - **Compared** memories are checked in code against the current length. Base and length are
//!   variables of the function, read again after whatever may have grown the memory; in a loop
//!   without calls they stay in registers.
//! - **Shared** memories are compared, too. They do not move, but another thread may make them longer
//!   at any time: each check reads the length atomically.
//! - **Unchecked** memories trust the program.

use std::collections::HashMap;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Endianness, InstBuilder, MemFlagsData, Value, types};
use cranelift_frontend::Variable;
use precast_format::trap::TrapCode;
use precast_format::tunables::BoundsChecks;
use wasmparser::{MemArg, MemArgTarget};

use super::FunctionTranslator;
use super::trap::clif_code;
use crate::abi::flags;
use crate::error::Result;

/// How a function accesses one memory.
#[derive(Clone, Copy)]
pub(super) enum MemoryPlan {
    /// The base is the context pointer; accesses fault beyond the reservation.
    AtContext,
    /// The base never changes and is loaded; accesses fault beyond the reservation.
    Guarded,
    /// Base and length are in variables.
    Movable { base: Variable, length: Variable },
    /// The base never changes and is loaded; the length is read for each check.
    Shared,
}

/// What is known of addresses, within one block and those that only it leads to.
#[derive(Default)]
pub(super) struct CheckedAddresses {
    /// Which bytes after which index values are in bounds.
    ends: HashMap<(u32, Value), u64>,
    /// The last sums of a base and an index, and where the next one goes. Fields of one structure are
    /// accessed one after the other; the optimiser would find the equal sums, but takes its time.
    sums: [Option<Sum>; RECENT_SUMS],
    next_sum: usize,
}

/// How many sums are remembered.
const RECENT_SUMS: usize = 4;

/// An address that was computed.
#[derive(Clone, Copy)]
struct Sum {
    base: Value,
    /// As the program has it.
    index: Value,
    /// The index as 64 bits.
    wide: Value,
    address: Value,
}

impl CheckedAddresses {
    pub(super) fn clear(&mut self) {
        self.ends.clear();
        self.sums = [None; RECENT_SUMS];
    }

    fn find(&self, matches: impl Fn(&Sum) -> bool) -> Option<Sum> {
        self.sums.iter().flatten().copied().find(matches)
    }

    fn remember(&mut self, sum: Sum) {
        self.sums[self.next_sum] = Some(sum);
        self.next_sum = (self.next_sum + 1) % RECENT_SUMS;
    }
}

impl FunctionTranslator<'_, '_> {
    /// Decides on every memory, at the function's entry.
    pub(super) fn plan_memories(&mut self) {
        for (index, memory) in self.module.memories.iter().enumerate() {
            let index = index as u32;
            let guarded = self.environment.options.bounds_checks.guards(memory);
            let plan = match guarded {
                true if index == 0 && self.module.imported_memories == 0 && !memory.shared => {
                    MemoryPlan::AtContext
                }
                true => MemoryPlan::Guarded,
                false if memory.shared => MemoryPlan::Shared,
                false => {
                    let base = self.builder.declare_var(self.abi.pointer);
                    let length = self.builder.declare_var(self.abi.pointer);
                    MemoryPlan::Movable { base, length }
                }
            };
            self.memories.push(plan);
        }
        self.refresh_memories();
    }

    /// Reads base and length of movable memories again, after anything that may have grown them.
    pub(super) fn refresh_memories(&mut self) {
        for index in 0..self.memories.len() as u32 {
            if let MemoryPlan::Movable { base, length } = self.memories[index as usize] {
                let (pair, offset) = self.memory_pair(index);
                let region = flags::region(self.builder.func, flags::Region::Context);
                let flags = MemFlagsData::trusted().with_alias_region(region);
                let pointer = self.abi.pointer;
                let value = self.builder.ins().load(pointer, flags, pair, offset);
                self.builder.def_var(base, value);
                let offset = offset + self.abi.width.bytes() as i32;
                let value = self.builder.ins().load(pointer, flags, pair, offset);
                self.builder.def_var(length, value);
            }
        }
    }

    /// Where the (base, length) pair of a memory is: an address and an offset to it.
    fn memory_pair(&mut self, memory: u32) -> (Value, i32) {
        match self.pointer_to_pair(memory) {
            None => {
                let defined = memory - self.module.imported_memories;
                let offset = self.abi.layout.defined_memory(defined);
                (self.context.get(&mut self.builder), offset)
            }
            Some(offset) => {
                let context = self.context.get_shared(&mut self.builder);
                let pointer = self.abi.pointer;
                (
                    self.builder
                        .ins()
                        .load(pointer, flags::readonly(), context, offset),
                    0,
                )
            }
        }
    }

    /// Where in the context the pointer to a memory's pair is; none where the pair itself is there.
    fn pointer_to_pair(&self, memory: u32) -> Option<i32> {
        let layout = &self.abi.layout;
        match memory.checked_sub(self.module.imported_memories) {
            None => Some(layout.imported_memory(memory)),
            Some(defined) if self.module.memories[memory as usize].shared => {
                Some(layout.defined_memory(defined))
            }
            Some(_) => None,
        }
    }

    /// The current length of a memory in bytes, as an `i64`.
    pub(super) fn memory_length(&mut self, memory: u32) -> Value {
        let length = match self.memories[memory as usize] {
            MemoryPlan::Movable { length, .. } => self.builder.use_var(length),
            MemoryPlan::AtContext | MemoryPlan::Guarded | MemoryPlan::Shared => {
                let (pair, offset) = self.memory_pair(memory);
                let region = flags::region(self.builder.func, flags::Region::Context);
                let flags = MemFlagsData::trusted().with_alias_region(region);
                let offset = offset + self.abi.width.bytes() as i32;
                if self.module.memories[memory as usize].shared {
                    let place = self.builder.ins().iadd_imm_s(pair, i64::from(offset));
                    self.builder
                        .ins()
                        .atomic_load(self.abi.pointer, flags, place)
                } else {
                    self.builder
                        .ins()
                        .load(self.abi.pointer, flags, pair, offset)
                }
            }
        };
        self.extend_to_i64(length)
    }

    fn memory_base(&mut self, memory: u32) -> Value {
        match self.memories[memory as usize] {
            MemoryPlan::AtContext => self.context.get(&mut self.builder),
            MemoryPlan::Guarded | MemoryPlan::Shared => {
                let context = self.context.get_shared(&mut self.builder);
                let pointer = self.abi.pointer;
                match self.pointer_to_pair(memory) {
                    None => {
                        let defined = memory - self.module.imported_memories;
                        let offset = self.abi.layout.defined_memory(defined);
                        self.builder
                            .ins()
                            .load(pointer, flags::readonly(), context, offset)
                    }
                    Some(offset) => {
                        let pair =
                            self.builder
                                .ins()
                                .load(pointer, flags::readonly(), context, offset);
                        self.builder.ins().load(pointer, flags::readonly(), pair, 0)
                    }
                }
            }
            MemoryPlan::Movable { base, .. } => self.builder.use_var(base),
        }
    }

    /// Pops an index and turns it into an address for an access of `size` bytes: base, offset to
    /// add in the access, and its memory flags.
    ///
    /// Code that follows may rely on the bounds only for this access and smaller ones.
    pub(super) fn checked_address(
        &mut self,
        memarg: &MemArg,
        size: u32,
    ) -> Result<(Value, i32, MemFlagsData)> {
        self.checked_access(memarg, size, false)
    }

    /// The same, with bounds that are compared where asked for, whatever guards there are.
    pub(super) fn checked_access(
        &mut self,
        memarg: &MemArg,
        size: u32,
        compared: bool,
    ) -> Result<(Value, i32, MemFlagsData)> {
        let index = self.pop();
        let MemArgTarget::Memory(memory) = memarg.target else {
            return self.unsupported("garbage collection");
        };
        let region = flags::region(self.builder.func, flags::Region::Heap);
        let access = MemFlagsData::new()
            .with_endianness(Endianness::Little)
            .with_alias_region(region);
        let end = u128::from(memarg.offset) + u128::from(size);
        let known = self.checked.find(|sum| sum.index == index);
        let wide = known.map_or_else(|| self.extend_to_i64(index), |sum| sum.wide);

        let mut outside = None;
        let flags = match self.memories[memory as usize] {
            MemoryPlan::AtContext | MemoryPlan::Guarded => {
                if compared || !self.reservation_covers(end) {
                    outside = self.check_end(memory, index, wide, end);
                }
                access.with_trap_code(Some(clif_code(TrapCode::MemoryOutOfBounds)))
            }
            MemoryPlan::Movable { .. } | MemoryPlan::Shared => {
                if self.environment.options.bounds_checks != BoundsChecks::None {
                    outside = self.check_end(memory, index, wide, end);
                }
                access.with_notrap()
            }
        };
        let base = self.memory_base(memory);
        let known = self
            .checked
            .find(|sum| sum.index == index && sum.base == base);
        let mut address = known.map_or_else(
            || {
                let narrow = self.narrow_to_pointer(wide);
                let address = self.builder.ins().iadd(base, narrow);
                self.checked.remember(Sum {
                    base,
                    index,
                    wide,
                    address,
                });
                address
            },
            |sum| sum.address,
        );
        let offset = match i32::try_from(memarg.offset) {
            Ok(offset) => offset,
            Err(_) => {
                // The check has bounded the sum; in the pointer's width it cannot wrap.
                let offset = memarg.offset as i64;
                let offset = self.builder.ins().iconst(types::I64, offset);
                let offset = self.narrow_to_pointer(offset);
                address = self.builder.ins().iadd(address, offset);
                0
            }
        };
        if let (Some(outside), true) = (outside, self.environment.options.heap_spectre_guard) {
            let null = self.builder.ins().iconst(self.abi.pointer, 0);
            address = self
                .builder
                .ins()
                .select_spectre_guard(outside, null, address);
        }
        Ok((address, offset, flags))
    }

    /// Whether no 32-bit index with an access that ends so far behind it leaves what is reserved.
    fn reservation_covers(&self, end: u128) -> bool {
        let options = self.environment.options;
        let reserved = u128::from(options.memory_reservation) + u128::from(options.memory_guard);
        u128::from(u32::MAX) + end <= reserved
    }

    /// A checked or reserved 64-bit offset as a pointer.
    fn narrow_to_pointer(&mut self, value: Value) -> Value {
        if self.abi.pointer == types::I64 {
            return value;
        }
        self.builder.ins().ireduce(self.abi.pointer, value)
    }

    /// Traps where `index + end` exceeds the memory's length. Returns the condition that was tested,
    /// for a guard against speculation; none where an earlier test covers this one.
    fn check_end(&mut self, memory: u32, index: Value, wide: Value, end: u128) -> Option<Value> {
        let Ok(end) = u64::try_from(end) else {
            // No memory is that long.
            let always = self.builder.ins().iconst(types::I8, 1);
            self.trap_if(always, TrapCode::MemoryOutOfBounds);
            return None;
        };
        let known = self
            .checked
            .ends
            .get(&(memory, index))
            .copied()
            .unwrap_or(0);
        if end <= known {
            return None;
        }
        let length = self.memory_length(memory);
        let is_64 = self.module.memories[memory as usize].is_64;
        let offset = self.builder.ins().iconst(types::I64, end as i64);
        let outside = if is_64 {
            let (sum, carry) = self.builder.ins().uadd_overflow(wide, offset);
            let outside = self
                .builder
                .ins()
                .icmp(IntCC::UnsignedGreaterThan, sum, length);
            self.builder.ins().bor(carry, outside)
        } else {
            // A 32-bit index plus an offset below 2^33 does not wrap.
            let sum = self.builder.ins().iadd(wide, offset);
            self.builder
                .ins()
                .icmp(IntCC::UnsignedGreaterThan, sum, length)
        };
        self.trap_if(outside, TrapCode::MemoryOutOfBounds);
        // A speculated access relies on its own condition alone.
        if !self.environment.options.heap_spectre_guard {
            self.checked.ends.insert((memory, index), end);
        }
        Some(outside)
    }
}
