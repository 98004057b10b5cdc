//! Handlers of a host, and the alternate stacks that it gives its threads.

use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::hardware::{self, SIGNALS};

/// Faults that a handler of the host took for its own.
pub static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// Handlers of the host that handed on to the one before.
pub static HANDED_ON: AtomicUsize = AtomicUsize::new(0);

/// Whether the last handler ran with SIGUSR1 blocked.
pub static USR1_BLOCKED: AtomicBool = AtomicBool::new(false);

/// Where the last handler had its frame.
pub static FRAME: AtomicUsize = AtomicUsize::new(0);

/// What `sigaction` said when the host put a handler in front, by signal.
static BEFORE: [AtomicUsize; 4] = [const { AtomicUsize::new(0) }; 4];

/// A handler as the system calls it when it asked for details.
pub type Handler = extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void);

/// Notes that the host takes a fault, also for whoever watches the process end.
fn note() {
    TAKEN.fetch_add(1, Ordering::SeqCst);
    let local = 0u8;
    FRAME.store(ptr::from_ref(&local).addr(), Ordering::SeqCst);
    USR1_BLOCKED.store(is_blocked(libc::SIGUSR1), Ordering::SeqCst);
    // SAFETY: writes a byte that is there.
    unsafe { libc::write(2, c"\x01".as_ptr().cast(), 1) };
}

/// Whether a signal is blocked on this thread.
pub fn is_blocked(signal: i32) -> bool {
    // SAFETY: zeros are a set.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: asks only; there is room for the answer.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), &raw mut set) };
    // SAFETY: the set was filled.
    unsafe { libc::sigismember(&raw const set, signal) == 1 }
}

/// Takes the fault and goes on behind the instruction.
pub extern "C" fn skip(signal: i32, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    note();
    // SAFETY: the system passes the registers of the interrupted thread.
    let context = unsafe { &mut *context.cast::<libc::ucontext_t>() };
    context.uc_mcontext.gregs[libc::REG_RIP as usize] += hardware::instruction_length(signal);
}

/// Takes the fault and leaves without returning.
pub extern "C" fn leave(signal: i32) {
    note();
    hardware::leave(signal)
}

/// As above, for a host that asked for details.
pub extern "C" fn leave_with_details(signal: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    leave(signal);
}

/// Takes the signal and does nothing about it.
pub extern "C" fn only_note(_: i32) {
    note();
}

/// Takes the fault, and faults itself the first time.
pub extern "C" fn nested(signal: i32) {
    note();
    if TAKEN.load(Ordering::SeqCst) == 1 {
        hardware::fault(signal);
    }
    hardware::leave(signal)
}

/// Takes the fault, and lets it end the process as if nobody had.
pub extern "C" fn raise_again(signal: i32) {
    note();
    install(signal, libc::SIG_DFL, 0, false);
    // SAFETY: sends a signal to this thread.
    unsafe { libc::raise(signal) };
}

/// Takes what is the host's and hands on the rest, as a host does that came second.
pub extern "C" fn choose(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    match hardware::is_faulting() {
        true => skip(signal, info, context),
        false => hand_on(signal, info, context),
    }
}

/// Hands on everything.
pub extern "C" fn hand_on(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    HANDED_ON.fetch_add(1, Ordering::SeqCst);
    let index = SIGNALS.iter().position(|other| *other == signal);
    let before = index.map_or(0, |index| BEFORE[index].load(Ordering::SeqCst));
    assert!(before > 1, "nothing to hand on to");
    // SAFETY: it is the handler that was there before, which asked for details.
    let before = unsafe { std::mem::transmute::<usize, Handler>(before) };
    before(signal, info, context);
}

/// Installs a handler; with `mask`, SIGUSR1 is blocked while it runs.
pub fn install(signal: i32, handler: usize, flags: i32, mask: bool) {
    // SAFETY: zeros are an action.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = flags;
    if mask {
        // SAFETY: the mask is a set.
        unsafe { libc::sigaddset(&raw mut action.sa_mask, libc::SIGUSR1) };
    }
    // SAFETY: zeros are an action.
    let mut before: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: the handler fits the flags.
    let result = unsafe { libc::sigaction(signal, &raw const action, &raw mut before) };
    assert_eq!(result, 0);
    if let Some(index) = SIGNALS.iter().position(|other| *other == signal)
        && (handler == choose as *const () as usize || handler == hand_on as *const () as usize)
    {
        BEFORE[index].store(before.sa_sigaction, Ordering::SeqCst);
    }
}

/// What is installed for the signals: handler, flags, mask as numbers.
pub fn installed() -> [(usize, i32, u64); 4] {
    SIGNALS.map(|signal| {
        // SAFETY: zeros are an action.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        // SAFETY: asks only; there is room for the answer.
        let result = unsafe { libc::sigaction(signal, ptr::null(), &raw mut action) };
        assert_eq!(result, 0);
        // SAFETY: a set begins with a word for the first 64 signals.
        let mask = unsafe { (&raw const action.sa_mask).cast::<u64>().read() };
        // The C library adds a flag of its own.
        (action.sa_sigaction, action.sa_flags & !0x0400_0000, mask)
    })
}

/// This thread's alternate stack: whether it has one, where, and how large it is.
pub fn alternate_stack() -> (bool, usize, usize) {
    // SAFETY: zeros are a description.
    let mut present: libc::stack_t = unsafe { std::mem::zeroed() };
    // SAFETY: asks only; there is room for the answer.
    let result = unsafe { libc::sigaltstack(ptr::null(), &raw mut present) };
    assert_eq!(result, 0);
    let there = present.ss_flags & libc::SS_DISABLE == 0;
    (there, present.ss_sp.addr(), present.ss_size)
}

/// Gives this thread an alternate stack of so many bytes that ends with an inaccessible page below;
/// or none.
pub fn set_alternate_stack(bytes: Option<usize>) {
    // SAFETY: zeros are a description.
    let mut stack: libc::stack_t = unsafe { std::mem::zeroed() };
    stack.ss_flags = libc::SS_DISABLE;
    if let Some(bytes) = bytes {
        let whole = bytes.next_multiple_of(4096) + 4096;
        let (protection, flags) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
        );
        // SAFETY: a new mapping touches nothing that is there.
        let base = unsafe { libc::mmap(ptr::null_mut(), whole, protection, flags, -1, 0) };
        assert_ne!(base, libc::MAP_FAILED);
        // SAFETY: the first page of the mapping.
        let result = unsafe { libc::mprotect(base, 4096, libc::PROT_NONE) };
        assert_eq!(result, 0);
        stack.ss_sp = base.wrapping_byte_add(4096);
        stack.ss_size = bytes;
        stack.ss_flags = 0;
    }
    // SAFETY: the memory stays for as long as the process.
    let result = unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) };
    assert_eq!(result, 0);
}

/// Lets the process end without a picture of its memory.
pub fn leave_no_core() {
    let none = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the limits are there.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) };
}

/// The least that the system takes as an alternate stack here.
pub fn least_alternate_stack() -> usize {
    // SAFETY: asks for a number.
    let said = unsafe { libc::getauxval(libc::AT_MINSIGSTKSZ) } as usize;
    said.max(libc::MINSIGSTKSZ)
}
