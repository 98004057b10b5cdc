//! How much of the auxiliary stack is used: the stack that compilers of C keep in linear memory.
//!
//! ```text
//!   limit                     lowest byte written      pointer            base
//!   | a5 a5 a5 a5 a5 a5 a5 a5 | ...................... | frames of callers |
//!     pattern                   was used, is free        in use
//! ```
//!
//! Compiled code checks the pointer and keeps no record of its lowest value. On request, the unused
//! part is filled with a pattern; later the first byte that differs says how far down programs wrote.
#![forbid(unsafe_code)]

use core::fmt;
use core::num::NonZeroU64;
use core::ops::RangeInclusive;

use precast_format::aux_stack::AuxStack;
use precast_format::brief::{self, MESSAGES};
use precast_format::context::Field;
use precast_format::trap::TrapCode;

use crate::facility::Threads;
use crate::group::{Busy, Entered};
use crate::instance::global::Global;
use crate::instance::memory::AnyMemory;
use crate::instance::{Instance, InstanceData};

/// What the unused part is filled with: neither zero nor text, nor the end of an address.
const PATTERN: u8 = 0xa5;

/// Frames begin and end at multiples of this address, by the ABI of C.
const ALIGNMENT: u64 = 16;

/// The state of the auxiliary stack. It grows downwards; addresses are those of the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct AuxStackUsage {
    /// The highest address: where the empty stack begins.
    pub base: u64,
    /// The lowest address that it may reach.
    pub limit: u64,
    /// How many bytes that are.
    pub size: u64,
    /// How many bytes are in use: from the pointer to the base.
    pub current: u64,
    /// How many bytes were in use at most since [`Instance::measure_aux_stack`], in multiples of
    /// 16; none where that was not called. What a frame reserves and does not write is not seen.
    pub high_water: Option<u64>,
}

/// Why the auxiliary stack is not measured.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum AuxStackError {
    /// The compiler has not recognised a stack, or not where it begins and ends. Link the program
    /// with `--export=__stack_pointer`, `--export=__data_end` and `--export=__heap_base`.
    Unknown,
    /// The pointer is outside of the stack: the program has switched to another one.
    Switched,
    /// A call is in progress, whose frames would be measured with it. Measure between calls.
    InCall,
    /// The instance is in use by another thread, or its memory is borrowed. Try again.
    Busy(Busy),
}

precast_format::brief!(AuxStackError: Unknown Switched InCall Busy);

impl From<Busy> for AuxStackError {
    fn from(busy: Busy) -> AuxStackError {
        AuxStackError::Busy(busy)
    }
}

impl fmt::Display for AuxStackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !MESSAGES {
            return brief::write(self, f);
        }
        match self {
            AuxStackError::Unknown => {
                f.write_str("where the auxiliary stack begins and ends is not known")
            }
            AuxStackError::Switched => {
                f.write_str("the stack pointer is outside of the auxiliary stack")
            }
            AuxStackError::InCall => f.write_str("a call is in progress"),
            AuxStackError::Busy(busy) => busy.fmt(f),
        }
    }
}

impl core::error::Error for AuxStackError {}

impl Instance {
    /// The state of the auxiliary stack, where the compiler has recognised one.
    ///
    /// After [`Instance::measure_aux_stack`], it takes time with the size of the stack.
    pub fn aux_stack(&self) -> Result<Option<AuxStackUsage>, Busy> {
        let entered = self.group.enter()?;
        let Some(stack) = self.data().sized_aux_stack() else {
            return Ok(None);
        };
        let Some(pointer) = self.stack_pointer(&stack, &entered)? else {
            return Ok(None);
        };
        let used = |lowest: u64| stack.base.saturating_sub(lowest);
        let current = used(pointer);
        let size = used(stack.limit);
        let painted = self.data().painted_stack.get();
        let high_water = painted.map(|painted| {
            let intact = self.data().intact(stack.limit, painted.get() - 1);
            let lowest = stack.limit + intact;
            used(lowest - lowest % ALIGNMENT).min(size).max(current)
        });
        Ok(Some(AuxStackUsage {
            base: stack.base,
            limit: stack.limit,
            size,
            current,
            high_water,
        }))
    }

    /// Begins to measure the high-water mark of the auxiliary stack, or begins again.
    ///
    /// All of the stack that is not in use is overwritten, and so becomes resident. A program that
    /// keeps something there, because it switches between stacks of its own, must not be measured.
    ///
    /// # Errors
    ///
    /// See [`AuxStackError`]; nothing was written then.
    pub fn measure_aux_stack(&self) -> Result<(), AuxStackError> {
        let entered = self.group.enter()?;
        if !entered.is_outermost() {
            return Err(AuxStackError::InCall);
        }
        let data = self.data();
        let stack = data.sized_aux_stack().ok_or(AuxStackError::Unknown)?;
        let pointer = self.stack_pointer(&stack, &entered)?;
        let pointer = pointer.ok_or(AuxStackError::Unknown)?;
        if pointer < stack.limit || pointer > stack.base {
            return Err(AuxStackError::Switched);
        }
        let memory = data.memory(0).ok_or(AuxStackError::Unknown)?;
        let unused = pointer - stack.limit;
        memory
            .fill(stack.limit, PATTERN, unused)
            .map_err(|_| AuxStackError::Unknown)?;
        data.painted_stack.set(NonZeroU64::new(unused + 1));
        Ok(())
    }

    /// The value of the stack pointer.
    fn stack_pointer(&self, stack: &AuxStack, _: &Entered<'_>) -> Result<Option<u64>, Busy> {
        let data = self.data();
        let global_type = data.module().artifact().global_type(stack.global);
        let (Some(slot), Some(global_type)) = (data.global(stack.global), global_type) else {
            return Ok(None);
        };
        let value = Global::from_slot(self.group.clone(), slot, global_type).get()?;
        let narrow = value.i32().map(|value| u64::from(value as u32));
        Ok(narrow.or(value.i64().map(|value| value as u64)))
    }
}

/// The least and the largest stack that the C library of WASI gives a thread, in bytes.
const THREAD_STACKS: RangeInclusive<u64> = 128 << 10..=8 << 20;

impl InstanceData {
    /// The auxiliary stack, where it is known how large it is; that of a thread once it has begun.
    fn sized_aux_stack(&self) -> Option<AuxStack> {
        let mut stack = self.module().artifact().aux_stack()?;
        stack.size()?;
        if self.awaited_stack.get() != 0 {
            return None;
        }
        let context = self.context();
        stack.limit = context.field(Field::AuxStackLimit) as u64;
        stack.base = context.field(Field::AuxStackBase) as u64;
        Some(stack)
    }

    /// Writes the bounds of the stack pointer: those of the module, or for a thread none that any
    /// value is within.
    pub(super) fn place_aux_stack(&self, of_thread: Option<u64>) {
        let Some(stack) = self.module().artifact().aux_stack() else {
            return;
        };
        let Some(size) = stack.size() else { return };
        let is_shared = |memory: AnyMemory<'_>| memory.memory_type().shared;
        let mut bounds = (stack.limit, stack.base);
        if Threads::IS_BUILT_IN
            && let Some(bytes) = of_thread
            && self.memory(0).is_some_and(is_shared)
        {
            let bytes = match bytes {
                0 => size.clamp(*THREAD_STACKS.start(), *THREAD_STACKS.end()),
                bytes => bytes,
            };
            self.awaited_stack.set(bytes);
            bounds = (u64::MAX, 0);
        }
        let context = self.context();
        context.set_field(Field::AuxStackLimit, word(bounds.0));
        context.set_field(Field::AuxStackBase, word(bounds.1));
    }

    /// Decides on a value that is outside of the stack's bounds and is to become its pointer: it
    /// begins the stack of a thread, or leaves a stack.
    pub(crate) fn accept_aux_stack(&self, value: u64) -> Result<(), TrapCode> {
        let context = self.context();
        let awaited = self.awaited_stack.take();
        if Threads::IS_BUILT_IN && awaited != 0 {
            context.set_field(Field::AuxStackLimit, word(value.saturating_sub(awaited)));
            context.set_field(Field::AuxStackBase, word(value));
            return Ok(());
        }
        let base = context.field(Field::AuxStackBase) as u64;
        let is_64 = self
            .memory(0)
            .is_some_and(|memory| memory.memory_type().is_64);
        // A frame that is too large takes the pointer below zero: then it is far above the base,
        // but on the way down.
        let above = value.wrapping_sub(base) as i64;
        let below = if is_64 { above < 0 } else { (above as i32) < 0 };
        Err(if below {
            TrapCode::AuxStackOverflow
        } else {
            TrapCode::AuxStackUnderflow
        })
    }

    /// How many bytes from `limit` on still are the pattern, out of those that were filled.
    fn intact(&self, limit: u64, painted: u64) -> u64 {
        let (Some(memory), Ok(start)) = (self.memory(0), usize::try_from(limit)) else {
            return painted;
        };
        let intact = memory.count_while(start, |byte| byte == PATTERN);
        painted.min(intact as u64)
    }
}

/// A bound as a pointer; where pointers are narrower, no memory reaches as far.
fn word(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
