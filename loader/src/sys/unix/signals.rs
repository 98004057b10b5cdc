//! Hardware faults as signals: install a handler, hand on what is not ours, take it out again.
//!
//! The handler sits in front of whatever the host had. A fault that [`FaultHandler::handle`] does
//! not take goes to the host's handler as if ours were not there: with the same signal mask, with
//! its own flags, and with the meaning that the system gives to the default and to an ignored
//! fault.

use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use super::{OsError, check, registers};

/// Whether faults can be caught here.
pub const SUPPORTED: bool = registers::SUPPORTED;

/// The signals that a fault in compiled code can raise.
const SIGNALS: [i32; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];

/// Where the program stood when it faulted.
pub struct Fault<'a> {
    context: &'a mut libc::ucontext_t,
    address: Option<usize>,
}

impl Fault<'_> {
    /// Address of the faulting instruction.
    pub fn pc(&self) -> usize {
        registers::read(self.context).0
    }

    /// The stack pointer at the fault.
    pub fn stack_pointer(&self) -> usize {
        registers::read(self.context).1
    }

    /// The frame pointer at the fault.
    pub fn frame_pointer(&self) -> usize {
        registers::read(self.context).2
    }

    /// The address whose access failed, for faults of memory accesses.
    pub fn address(&self) -> Option<usize> {
        self.address
    }

    /// Lets the thread go on elsewhere after the handler.
    ///
    /// # Safety
    ///
    /// There is code at `pc` that can go on with this stack and this frame.
    pub unsafe fn resume_at(&mut self, pc: usize, stack_pointer: usize, frame_pointer: usize) {
        registers::write(self.context, pc, stack_pointer, frame_pointer);
    }
}

/// Decides about faults. Everything it does is safe in a signal handler: no lock, no allocation,
/// no unwinding.
pub trait FaultHandler {
    /// Takes the fault, having called [`Fault::resume_at`], or leaves it alone.
    fn handle(fault: &mut Fault<'_>) -> bool;
}

/// What was installed for a signal before us, in a form that a handler can read at any time.
struct Previous {
    handler: AtomicUsize,
    flags: AtomicI32,
    /// Whether ours is in front of it, or further back because the host has put another one in
    /// front. Kept for each signal: the system may refuse to take out some of ours and not others.
    replaced: AtomicBool,
}

static PREVIOUS: [Previous; SIGNALS.len()] = [const {
    Previous {
        handler: AtomicUsize::new(libc::SIG_DFL),
        flags: AtomicI32::new(0),
        replaced: AtomicBool::new(false),
    }
}; SIGNALS.len()];

/// Address of our handler as it was installed; zero before.
static INSTALLED: AtomicUsize = AtomicUsize::new(0);

impl Previous {
    fn of(signal: i32) -> Option<&'static Previous> {
        let index = SIGNALS.iter().position(|other| *other == signal)?;
        PREVIOUS.get(index)
    }

    fn remember(&self, action: &libc::sigaction) {
        self.flags.store(action.sa_flags, Ordering::Relaxed);
        self.handler.store(action.sa_sigaction, Ordering::Release);
    }
}

/// Reads what is installed for a signal.
fn present_action(signal: i32) -> Result<libc::sigaction, OsError> {
    // SAFETY: the structure is plain data, for which zeros are a value.
    let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
    // SAFETY: asks only; there is room for the answer.
    check(unsafe { libc::sigaction(signal, ptr::null(), &raw mut action) })?;
    Ok(action)
}

/// Installs an action.
///
/// # Safety
///
/// The handler in the action can be called for the signal at any time, from now on.
unsafe fn set_action(signal: i32, action: &libc::sigaction) -> Result<(), OsError> {
    // SAFETY: the caller's promise.
    check(unsafe { libc::sigaction(signal, action, ptr::null_mut()) }).map(drop)
}

/// Puts the handler in front of the host's, for all faults or for none of them. Where
/// [`uninstall`] left it, it stays.
///
/// Calls must not overlap with each other or with [`uninstall`].
pub fn install<H: FaultHandler>() -> Result<(), OsError> {
    let entry: unsafe extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) = enter::<H>;
    let address = entry as *const () as usize;
    INSTALLED.store(address, Ordering::Release);
    for (index, signal) in SIGNALS.into_iter().enumerate() {
        if let Err(error) = install_one(signal, address) {
            for signal in SIGNALS.into_iter().take(index) {
                // The first failure is the one to report.
                let _ = uninstall_one(signal, address);
            }
            return Err(error);
        }
    }
    Ok(())
}

fn install_one(signal: i32, address: usize) -> Result<(), OsError> {
    let Some(previous) = Previous::of(signal) else {
        return Ok(());
    };
    // A second one in front of a handler of the host's that hands on to the first would go round in
    // circles.
    if previous.replaced.load(Ordering::Relaxed) {
        return Ok(());
    }
    let mut action = present_action(signal)?;
    // Remembered first: the handler may run as soon as it is installed.
    previous.remember(&action);
    // The mask stays the host's, so that its handler runs under the mask that it asked for. Ours
    // leaves by the context of the fault, which restores the mask of the interrupted code.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | (action.sa_flags & libc::SA_NODEFER);
    action.sa_sigaction = address;
    // SAFETY: the handler touches only what is safe to touch in a handler.
    unsafe { set_action(signal, &action) }?;
    previous.replaced.store(true, Ordering::Relaxed);
    Ok(())
}

/// Takes the handler out again, for all faults or for none of them. Where the host has put a handler
/// of its own in front, ours stays where it is, because that one may hand on to it. Where the
/// system refuses, ours may stay for some faults, and does no harm.
pub fn uninstall() -> Result<(), OsError> {
    let address = INSTALLED.load(Ordering::Acquire);
    for signal in SIGNALS {
        if present_action(signal)?.sa_sigaction != address {
            return Ok(());
        }
    }
    SIGNALS
        .into_iter()
        .try_for_each(|signal| uninstall_one(signal, address))
}

fn uninstall_one(signal: i32, address: usize) -> Result<(), OsError> {
    let mut action = present_action(signal)?;
    let Some(previous) = Previous::of(signal) else {
        return Ok(());
    };
    if action.sa_sigaction != address {
        return Ok(());
    }
    action.sa_sigaction = previous.handler.load(Ordering::Acquire);
    action.sa_flags = previous.flags.load(Ordering::Relaxed);
    // SAFETY: the host installed this handler itself.
    unsafe { set_action(signal, &action) }?;
    previous.replaced.store(false, Ordering::Relaxed);
    Ok(())
}

/// The signal handler.
unsafe extern "C" fn enter<H: FaultHandler>(
    signal: i32,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: the system passes a valid structure.
    let details = unsafe { &*info };
    let raised_by_fault = details.si_code > 0;
    if raised_by_fault {
        let address = if signal == libc::SIGSEGV || signal == libc::SIGBUS {
            // SAFETY: for these signals the field is the faulting address.
            Some(unsafe { details.si_addr() }.addr())
        } else {
            None
        };
        // SAFETY: the system passes the registers of the interrupted thread, for us to change.
        let registers = unsafe { &mut *context.cast::<libc::ucontext_t>() };
        if H::handle(&mut Fault {
            context: registers,
            address,
        }) {
            return;
        }
    }
    // SAFETY: the arguments are the system's.
    unsafe { hand_on(signal, raised_by_fault, info, context) }
}

/// Does what would have happened without our handler.
///
/// # Safety
///
/// The arguments are those of a signal handler.
unsafe fn hand_on(
    signal: i32,
    raised_by_fault: bool,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    let Some(previous) = Previous::of(signal) else {
        return;
    };
    let handler = previous.handler.load(Ordering::Acquire);
    let flags = previous.flags.load(Ordering::Relaxed);
    match handler {
        libc::SIG_IGN if !raised_by_fault => {}
        // A fault cannot be ignored: the system ends the process, as it does by default.
        libc::SIG_DFL | libc::SIG_IGN => {
            // SAFETY: the structure is plain data, for which zeros are a value; it stands for the
            // default action without flags.
            let action: libc::sigaction = unsafe { core::mem::zeroed() };
            // SAFETY: the default action is always possible. It cannot fail for these signals.
            let _ = unsafe { set_action(signal, &action) };
            if !raised_by_fault {
                // A fault comes again by itself when the handler returns; this must be sent.
                // SAFETY: sends a signal to this thread.
                unsafe { libc::raise(signal) };
            }
        }
        handler => {
            if flags & libc::SA_RESETHAND != 0 {
                previous.handler.store(libc::SIG_DFL, Ordering::Release);
            }
            if flags & libc::SA_SIGINFO != 0 {
                // SAFETY: a handler with this flag takes three arguments.
                let handler = unsafe {
                    core::mem::transmute::<
                        usize,
                        unsafe extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void),
                    >(handler)
                };
                // SAFETY: the arguments are those of the system.
                unsafe { handler(signal, info, context) }
            } else {
                // SAFETY: a handler without the flag takes one argument.
                let handler =
                    unsafe { core::mem::transmute::<usize, unsafe extern "C" fn(i32)>(handler) };
                // SAFETY: the argument is the system's.
                unsafe { handler(signal) }
            }
        }
    }
}
