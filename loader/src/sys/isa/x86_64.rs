//! x86-64: what its two calling conventions share, and whichever of them is the host's.

use core::arch::asm;
use core::ptr::NonNull;

#[cfg(not(windows))]
#[path = "x86_64/system_v.rs"]
mod convention;
#[cfg(windows)]
#[path = "x86_64/windows.rs"]
mod convention;

pub(crate) use convention::{
    call_on_stack, call_with_registers, exception_new, land, raise, rethrow, throw,
};

/// The machine's clock: ticks of constant length, whatever the processor does.
#[inline]
pub(crate) fn ticks() -> u64 {
    // SAFETY: every such processor has the instruction.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// The machine's number in ELF files.
#[cfg(feature = "profiling")]
pub(crate) const ELF_MACHINE: u32 = 62;

/// Size of what a frame pointer points to, in bytes.
pub(crate) const LINK_SIZE: usize = 16;

/// The caller's frame pointer, and the return address into the caller.
///
/// # Safety
///
/// The frame pointer is that of compiled code whose caller waits for it.
pub(crate) unsafe fn caller(frame: usize) -> (usize, usize) {
    // SAFETY: the caller's promise.
    let [next, address] = unsafe { core::ptr::with_exposed_provenance::<[usize; 2]>(frame).read() };
    (next, address)
}

/// Nothing: instruction fetches see what was written as data.
///
/// # Safety
///
/// None.
#[allow(dead_code, reason = "some systems have a call for it")]
pub(crate) unsafe fn flush_instruction_cache(_: *const u8, _: usize) {}

/// Goes on at an address with another stack and another frame.
///
/// # Safety
///
/// There is code at `pc` that can go on with this stack and this frame. The frames in between are
/// left without being unwound.
pub(crate) unsafe fn resume(pc: usize, stack_pointer: usize, frame_pointer: usize) -> ! {
    // SAFETY: the caller's promise. The operands are in registers that none of the moves changes
    // before it is read.
    unsafe {
        asm!(
            "mov rsp, {stack_pointer}",
            "mov rbp, {frame_pointer}",
            "jmp {pc}",
            pc = in(reg) pc,
            stack_pointer = in(reg) stack_pointer,
            frame_pointer = in(reg) frame_pointer,
            options(noreturn)
        )
    }
}

/// The registers of compiled code that calls keep, at a call that throws.
///
/// Throwing libcalls use the System V convention on every system: it is the one that has handlers.
/// Handlers of the frame that throws expect in them what was there at the call. Handlers of frames
/// above expect the context register only, which is one of them.
#[repr(C)]
pub(crate) struct CallerRegisters {
    r15: usize,
    r14: usize,
    r13: usize,
    r12: usize,
    rbx: usize,
    rbp: usize,
    return_address: usize,
}

impl CallerRegisters {
    /// What handlers above an adapter to the host expect, whose call returns to an address.
    pub(crate) fn of_adapter(
        context: NonNull<u8>,
        return_address: usize,
        frame_pointer: usize,
    ) -> CallerRegisters {
        CallerRegisters {
            // Where code keeps its context in a register, it is this one.
            r15: context.as_ptr().expose_provenance(),
            r14: 0,
            r13: 0,
            r12: 0,
            rbx: 0,
            rbp: frame_pointer,
            return_address,
        }
    }

    /// Where the call returns to.
    pub(crate) fn return_address(&self) -> usize {
        self.return_address
    }

    /// The frame pointer of the function that called.
    pub(crate) fn frame_pointer(&self) -> usize {
        self.rbp
    }
}
