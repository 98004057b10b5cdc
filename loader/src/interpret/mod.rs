//! Running bytecode: the text of an artifact for Pulley, in place of the processor.
//!
//! ```text
//!   thread's stack                         region
//!   activation
//!   machine: registers ------ runs ------> trampoline, bytecode, host adapter
//!   host function  (its stack pointer is noted in the activation)
//!   activation, machine ----- runs ------> trampoline, bytecode      (below the adapter)
//! ```
//!
//! Bytecode has the context, the trampolines, the adapters and the tables that native code has. Two
//! things are different. It calls the loader by number, because addresses of native code mean nothing
//! to it; the list of libcalls says what lies behind a number. And nothing is left without returning:
//! the interpreter gives back control at each trap and at each call of the loader, and is sent on to
//! where the activation continues. So a trap needs no signal, and an exception no assembly.
//!
//! The interpreter has a stack of its own, of which it checks the lower end; it gets one of no size,
//! for which it allocates nothing, and its stack pointer is set to our region. All that it then knows
//! is that stack pointers lie above a small number. Code compares them with the limit itself.
//!
//! The interpreter refuses nothing: bytecode can do to the process what native code can. Whoever loads
//! it vouches for it.

mod calls;
mod machine;

pub(crate) use machine::enter;

/// Size of what a frame pointer of bytecode points to, in bytes.
pub(crate) const LINK_SIZE: usize = 2 * size_of::<usize>();

/// The caller's frame pointer, and the return address into the caller.
///
/// # Safety
///
/// The frame pointer is that of bytecode whose caller waits for it.
pub(crate) unsafe fn caller(frame: usize) -> (usize, usize) {
    let link = core::ptr::with_exposed_provenance::<[usize; 2]>(frame);
    // SAFETY: the caller's promise; the interpreter pushes the return address and below it the frame
    // pointer.
    let [next, address] = unsafe { link.read() };
    (next, address)
}
