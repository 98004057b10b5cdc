//! Faults of the host, made by one instruction each, and a way out of a signal handler that does
//! not return: what `setjmp` and `longjmp` are in C.

use std::arch::naked_asm;
use std::cell::Cell;

/// The signals that faults raise.
pub const SIGNALS: [i32; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];

/// The name of one of them.
pub fn name(signal: i32) -> &'static str {
    match signal {
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGBUS => "SIGBUS",
        libc::SIGILL => "SIGILL",
        libc::SIGFPE => "SIGFPE",
        libc::SIGABRT => "SIGABRT",
        _ => "another signal",
    }
}

#[unsafe(naked)]
unsafe extern "C" fn store(_address: usize) {
    naked_asm!("mov byte ptr [rdi], 0", "ret")
}

#[unsafe(naked)]
unsafe extern "C" fn undefined(_: usize) {
    naked_asm!("ud2", "ret")
}

#[unsafe(naked)]
unsafe extern "C" fn divide(_: usize) {
    naked_asm!("xor ecx, ecx", "div ecx", "ret")
}

/// Length of the instruction in the functions above that raises the signal.
pub fn instruction_length(signal: i32) -> i64 {
    match signal {
        libc::SIGSEGV | libc::SIGBUS => 3,
        _ => 2,
    }
}

/// A page of a file beyond its end, or one that nobody may access.
fn bad_address(signal: i32) -> usize {
    let name = c"precast-signals";
    // SAFETY: the name is a text; the rest are numbers.
    let file = unsafe { libc::memfd_create(name.as_ptr(), 0) };
    let (protection, flags, file) = match signal {
        libc::SIGBUS => (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED, file),
        _ => (libc::PROT_NONE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1),
    };
    // SAFETY: a new mapping touches nothing that is there.
    let page = unsafe { libc::mmap(std::ptr::null_mut(), 4096, protection, flags, file, 0) };
    assert_ne!(page, libc::MAP_FAILED);
    page.addr()
}

thread_local! {
    /// Whether the host is about to fault.
    static FAULTING: Cell<bool> = const { Cell::new(false) };
    /// Where `attempt` can be left: its stack pointer.
    static WAY_OUT: Cell<usize> = const { Cell::new(0) };
}

/// Whether this thread is in a fault of the host's own making.
pub fn is_faulting() -> bool {
    FAULTING.get()
}

/// Faults on this thread. Comes back if a handler skips the instruction or leaves by [`leave`].
pub fn fault(signal: i32) {
    type Instruction = unsafe extern "C" fn(usize);
    let (instruction, argument): (Instruction, usize) = match signal {
        libc::SIGILL => (undefined, 0),
        libc::SIGFPE => (divide, 0),
        _ => (store, bad_address(signal)),
    };
    // A handler may fault itself.
    let outer = (FAULTING.replace(true), WAY_OUT.get());
    // SAFETY: a handler of the test's catches the fault, or the process ends.
    unsafe { attempt(instruction, argument, WAY_OUT.with(Cell::as_ptr)) };
    FAULTING.set(outer.0);
    WAY_OUT.set(outer.1);
}

/// Calls the function; returns when it does, or when [`jump`] is called.
#[unsafe(naked)]
unsafe extern "C" fn attempt(
    _function: unsafe extern "C" fn(usize),
    _argument: usize,
    _way_out: *mut usize,
) {
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "sub rsp, 8",
        "mov [rdx], rsp",
        "mov rax, rdi",
        "mov rdi, rsi",
        "call rax",
        "add rsp, 8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}

/// Leaves the `attempt` with this stack pointer.
#[unsafe(naked)]
unsafe extern "C" fn jump(_stack_pointer: usize) -> ! {
    naked_asm!(
        "mov rsp, rdi",
        "add rsp, 8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbx",
        "pop rbp",
        "ret",
    )
}

/// Leaves the handler of a fault without returning from it, as `siglongjmp` does: the signal is
/// no longer blocked.
pub fn leave(signal: i32) -> ! {
    // SAFETY: zeros are a set.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: there is a set.
    unsafe { libc::sigemptyset(&raw mut set) };
    // SAFETY: the set is made and the signal exists.
    unsafe { libc::sigaddset(&raw mut set, signal) };
    // SAFETY: the set is made.
    unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut()) };
    // SAFETY: the handler interrupted the `attempt` of this thread; between the two are the
    // frames of handlers, which own nothing.
    unsafe { jump(WAY_OUT.get()) }
}
