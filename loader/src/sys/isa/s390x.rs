//! z/Architecture with the ELF convention of Linux.
//!
//! There is no frame pointer register. What stands for a function's frame pointer is the stack
//! pointer that its caller has again when it returns. Compiled code writes it to the lowest word of
//! its frame, the back chain, and saves the return address, register 14, in slot 14 of the area that
//! lies there:
//!
//! ```text
//!   higher addresses
//!   |        ...                                  |
//!   | frame pointer + 112: the return address     |  the register save area: the caller's lowest
//!   | frame pointer + 48: registers 6 to 13       |  160 bytes, for whatever it calls
//!   | frame pointer: the caller's frame pointer   |
//!   | arguments on the stack, if any              |
//!   |        ...                                  |
//!   | stack pointer + 160: the rest of the frame  |
//!   | stack pointer: the frame pointer            |  the area for what this function calls
//!   lower addresses
//! ```
//!
//! So the caller's frame pointer is at the frame pointer, as elsewhere; only the return address is
//! further up. The distance from the stack pointer to the frame pointer is what the compiler records
//! for handlers. Code that goes on elsewhere needs the stack pointer only.

use core::arch::{asm, naked_asm};
use core::mem::offset_of;
use core::ptr::{self, NonNull};

use crate::libcall::exception::exception_new_here;
use crate::trap::unwind::raise_here;
use crate::trap::unwind::throw::{rethrow_here, throw_here};

/// The machine's clock: ticks of constant length, 4,096 in a microsecond.
#[inline]
pub(crate) fn ticks() -> u64 {
    let mut ticks = 0_u64;
    // SAFETY: every such processor that compiled code runs on has the instruction; it stores a word.
    unsafe {
        asm!(
            "stckf 0({place})",
            place = in(reg_addr) &raw mut ticks,
            options(nostack)
        );
    }
    ticks
}

/// The machine's number in ELF files.
#[cfg(feature = "profiling")]
pub(crate) const ELF_MACHINE: u32 = 22;

/// Size of what a frame pointer points to, in bytes: the register save area.
pub(crate) const LINK_SIZE: usize = 160;

/// Where the return address is in the register save area, in words.
const RETURN_ADDRESS: usize = 14;

/// The caller's frame pointer, and the return address into the caller.
///
/// # Safety
///
/// The frame pointer is that of compiled code whose caller waits for it.
pub(crate) unsafe fn caller(frame: usize) -> (usize, usize) {
    let area: *const usize = ptr::with_exposed_provenance(frame);
    // SAFETY: the caller's promise.
    let next = unsafe { area.read() };
    // SAFETY: the area is larger than that.
    let address = unsafe { area.add(RETURN_ADDRESS).read() };
    (next, address)
}

/// Nothing: instruction fetches see what was written as data.
///
/// # Safety
///
/// None.
pub(crate) unsafe fn flush_instruction_cache(_: *const u8, _: usize) {}

/// The `raise` libcall: context in `r2`, trap code in `r3`.
///
/// The return address is still in `r14`, and the caller's back chain on top of its stack.
///
/// # Safety
///
/// Only compiled code calls this, with its context pointer and a trap code.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn raise() {
    naked_asm!(
        "lgr %r4, %r14",
        "lg %r5, 0(%r15)",
        // A register that calls keep, but nobody comes back to whom it belongs.
        "lgr %r6, %r15",
        "jg {raise_here}",
        raise_here = sym raise_here,
    )
}

/// Goes on at an address with another stack. The frame is found through the stack.
///
/// # Safety
///
/// There is code at `pc` that can go on with this stack. The frames in between are left without
/// being unwound.
pub(crate) unsafe fn resume(pc: usize, stack_pointer: usize, _: usize) -> ! {
    // SAFETY: the caller's promise. The register of the address is not the one that is written.
    unsafe {
        asm!(
            "lgr %r15, %r3",
            "br %r4",
            in("r3") stack_pointer,
            in("r4") pc,
            options(noreturn)
        )
    }
}

/// Calls a function of the C convention with four arguments on another stack, and gives back what
/// it returns in the first result register.
///
/// The address from which on the present stack is free goes to `saved` before that, so that the
/// function can come back here for a while.
///
/// # Safety
///
/// 1. `code` is the address of a function that takes no more than these arguments, all of them
///    words or pointers, and the caller may call it with them.
/// 2. Below `stack`, which is a multiple of 16, is room for what the function needs, and nothing
///    that is still used.
/// 3. `saved` can be written.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn call_on_stack(
    first: *const (),
    second: *const (),
    third: *const (),
    fourth: *const (),
    code: *const (),
    stack: usize,
    saved: *mut usize,
) -> usize {
    naked_asm!(
        "stmg %r6, %r15, 48(%r15)",
        "lgr %r11, %r15",
        // The sixth and seventh argument lie above the register save area.
        "lg %r1, 168(%r15)",
        "stg %r15, 0(%r1)",
        "lg %r15, 160(%r15)",
        // Whoever is called has a register save area of its caller's.
        "aghi %r15, -160",
        "stg %r11, 0(%r15)",
        "basr %r14, %r6",
        "lmg %r6, %r15, 48(%r11)",
        "br %r14",
    )
}

/// The registers of compiled code that calls keep, at a call that throws: the caller's register save
/// area up to its last register.
///
/// Handlers of the frame that throws expect in them what was there at the call. Handlers of frames
/// above expect nothing but the stack pointer. Nobody expects anything in floating-point registers:
/// compiled code takes none for kept where it calls.
#[repr(C)]
pub(crate) struct CallerRegisters {
    /// The frame pointer.
    back_chain: usize,
    unused: [usize; 5],
    /// Registers 6 to 13.
    general: [usize; 8],
    return_address: usize,
    stack_pointer: usize,
}

impl CallerRegisters {
    /// What handlers above an adapter to the host expect, whose call returns to an address.
    pub(crate) fn of_adapter(
        _: NonNull<u8>,
        return_address: usize,
        frame_pointer: usize,
    ) -> CallerRegisters {
        CallerRegisters {
            back_chain: frame_pointer,
            unused: [0; 5],
            general: [0; 8],
            return_address,
            stack_pointer: 0,
        }
    }

    /// Where the call returns to.
    pub(crate) fn return_address(&self) -> usize {
        self.return_address
    }

    /// The frame pointer of the function that called.
    pub(crate) fn frame_pointer(&self) -> usize {
        self.back_chain
    }
}

/// The `exception_new` libcall: context in `r2`, tag record in `r3`.
///
/// Return address and frame pointer of the caller become arguments, for the case that it must be
/// stopped. The function returns to the caller itself.
///
/// # Safety
///
/// Only compiled code calls this, with its context pointer and the record of one of its tags.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn exception_new() {
    naked_asm!(
        "lgr %r4, %r14",
        "lg %r5, 0(%r15)",
        "jg {exception_new_here}",
        exception_new_here = sym exception_new_here,
    )
}

/// Saves the registers that calls keep in the caller's area and goes to a function that does not
/// return, with the area as the third argument and a new area below it.
macro_rules! throwing_stub {
    ($target:path) => {
        naked_asm!(
            "stmg %r6, %r15, {general}(%r15)",
            "lgr %r4, %r15",
            "aghi %r15, -160",
            "stg %r4, 0(%r15)",
            "jg {target}",
            general = const offset_of!(CallerRegisters, general),
            target = sym $target,
        )
    };
}

/// The `throw` libcall: context in `r2`, exception in `r3`.
///
/// # Safety
///
/// Only compiled code calls this, with its context pointer and an exception.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn throw() {
    throwing_stub!(throw_here)
}

/// The `rethrow` libcall: context in `r2`, exception in `r3`.
///
/// # Safety
///
/// Only adapters call this, with the context pointer of the instance that they return to, and an
/// exception.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn rethrow() {
    throwing_stub!(rethrow_here)
}

/// Goes on in a handler, with the exception in the first payload register, which is `r6`.
///
/// # Safety
///
/// There is a handler at `handler` that goes on with this stack, this frame and these registers. The
/// frames in between are left without being unwound.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn land(
    registers: &CallerRegisters,
    handler: usize,
    stack_pointer: usize,
    frame_pointer: usize,
    exception: usize,
) -> ! {
    naked_asm!(
        // The fifth argument is in the payload register already.
        "lmg %r7, %r13, {general} + 8(%r2)",
        "lgr %r15, %r4",
        "br %r3",
        general = const offset_of!(CallerRegisters, general),
    )
}

/// Writes the registers that calls keep to the stack, and calls a function with the first argument and
/// the stack pointer below them.
///
/// # Safety
///
/// The caller may call the function with these arguments.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn call_with_registers(
    first: *const (),
    code: unsafe extern "C" fn(*const (), usize),
) {
    naked_asm!(
        "stmg %r6, %r15, 48(%r15)",
        "lgr %r11, %r15",
        "aghi %r15, -224",
        "stg %r11, 0(%r15)",
        // A host's code may keep general registers in these.
        "std %f8, 160(%r15)",
        "std %f9, 168(%r15)",
        "std %f10, 176(%r15)",
        "std %f11, 184(%r15)",
        "std %f12, 192(%r15)",
        "std %f13, 200(%r15)",
        "std %f14, 208(%r15)",
        "std %f15, 216(%r15)",
        "lgr %r1, %r3",
        "lgr %r3, %r15",
        "basr %r14, %r1",
        "lmg %r6, %r15, 48(%r11)",
        "br %r14",
    )
}

/// What interrupted code had in the registers from which its frame is found.
pub(crate) struct Interrupted {
    /// Address of the instruction.
    pub pc: usize,
    /// Register 1, in which a prologue has the frame pointer before it writes it, and counts probes.
    pub scratch: usize,
    /// Register 14, the return address in a prologue.
    pub link: usize,
    /// Register 15.
    pub stack_pointer: usize,
    /// Whether the stack cannot be read where the stack pointer points to.
    pub overflown: bool,
}

/// The size of a page: of memory, and of the smallest guard of a stack.
const PAGE: usize = 4096;
/// The distance between a large frame's probes.
const PROBE: usize = 2048;
/// `aghi %r15, -2048`, in front of every probe.
const STEP: u32 = 0xa7fb_f800;
/// `mvi 0(%r15), 0`, the probe.
const TOUCH: u32 = 0x9200_f000;
/// The first four bytes of `stg %r1, 0(%r15)`, which writes the back chain.
const WRITE_CHAIN: u32 = 0xe310_f000;

/// The frame pointer of interrupted code.
///
/// Where the stack has come to its end, the code is in a prologue. Either it was writing the back
/// chain, and has it in register 1, or it was looking for room before anything was written: then the
/// stack pointer at its entry is in its place, and the return address is written there for whoever
/// follows the frames. Zero where it is neither.
///
/// # Safety
///
/// 1. This is code of the compiler that this thread was executing; it does not go on.
/// 2. The stack can be read and written from the stack pointer on, or from the frame on where it is
///    overflown.
pub(crate) unsafe fn interrupted_frame(at: &Interrupted) -> usize {
    if !at.overflown {
        // SAFETY: 2; behind the prologue the back chain is there at all times.
        return unsafe { ptr::with_exposed_provenance::<usize>(at.stack_pointer).read() };
    }
    // SAFETY: 1.
    match unsafe { at.instruction(0) } {
        WRITE_CHAIN => at.scratch,
        TOUCH => {
            // SAFETY: 1.
            let entry = at.stack_pointer + unsafe { at.probed() };
            let place = entry + RETURN_ADDRESS * size_of::<usize>();
            // SAFETY: 2; the caller's area for the function that does not go on.
            unsafe { ptr::with_exposed_provenance_mut::<usize>(place).write(at.link) };
            entry
        }
        _ => 0,
    }
}

impl Interrupted {
    /// How far below the stack pointer at the function's entry its prologue has got with its probes,
    /// being at one.
    ///
    /// # Safety
    ///
    /// 1 of [`interrupted_frame`].
    unsafe fn probed(&self) -> usize {
        // In front of the first step of a loop is the number of its rounds, of which register 1 has
        // those that are left, this one included: `lhi %r1, rounds`, or `iilf %r1, rounds`, which has
        // two bytes more.
        // SAFETY: the caller's promise.
        let (short, long) = unsafe { (self.instruction(8), self.instruction(10)) };
        let rounds = match (short >> 16, long >> 16) {
            (0xa718, _) => Some(short & 0xffff),
            (_, 0xc019) => Some(short),
            _ => None,
        };
        let left = self.scratch as u32;
        if let Some(done) = rounds.and_then(|rounds| rounds.checked_sub(left)) {
            return (done as usize + 1) * PROBE;
        }
        // Otherwise there are at most two, one behind the other.
        // SAFETY: the caller's promise.
        let before = unsafe { self.instruction(12) };
        if (before, short) == (STEP, TOUCH) {
            2 * PROBE
        } else {
            PROBE
        }
    }

    /// Four bytes of code so far in front of the program counter, the first the most significant;
    /// zero where they begin on the page before, which may not be there.
    ///
    /// # Safety
    ///
    /// 1 of [`interrupted_frame`].
    unsafe fn instruction(&self, distance: usize) -> u32 {
        let address = self.pc.wrapping_sub(distance);
        if address / PAGE != self.pc / PAGE {
            return 0;
        }
        // SAFETY: the instruction at the program counter was read. Others lie at even addresses only.
        unsafe { ptr::with_exposed_provenance::<u32>(address).read_unaligned() }
    }
}
