//! Hardware faults as signals: install a handler, hand on what is not ours, take it out again.
//!
//! The handler sits in front of whatever the host had. A fault that [`FaultHandler::handle`] does
//! not take goes to the host's handler as if ours were not there: with the same signal mask, with
//! its own flags, and with the meaning that the system gives to the default and to an ignored
//! fault. One thing differs: it runs on the thread's alternate stack, where there is one, whether or
//! not it asked for that.
//!
//! # Layers
//!
//! A host may put a handler of its own in front of ours, and hand on to ours. Ours must then stay
//! where it is, and yet come first again when the next runtime needs it. So there are several
//! entries, each with a memory of its own of what was there before it:
//!
//! ```text
//!   signal -> layer 1 -> the host's second handler -> layer 0 -> the host's first handler
//! ```
//!
//! A layer that is in front when it is no longer needed is taken out; another stays in use for as
//! long as the process lives. When all are in use, the last one serves from where it is.

use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use super::{OsError, check, registers};

/// Whether faults can be caught here.
pub const SUPPORTED: bool = registers::SUPPORTED;

/// The signals that a fault in compiled code can raise.
const SIGNALS: [i32; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE];

/// The codes of signals that are raised by what the interrupted instruction did. All others were sent.
#[cfg(not(any(target_vendor = "apple", target_os = "freebsd")))]
const FAULT_CODES: core::ops::RangeInclusive<i32> = 1..=i32::MAX;
/// Those that were sent, by whatever means, have codes from 0x10001 on. Zero says that the kernel has no
/// name for what happened.
#[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
const FAULT_CODES: core::ops::RangeInclusive<i32> = 0..=0x10000;

/// Where the program stood when it faulted.
pub struct Fault<'a> {
    context: &'a mut libc::ucontext_t,
    signal: i32,
    address: Option<usize>,
}

impl Fault<'_> {
    /// Address of the faulting instruction.
    pub fn pc(&self) -> usize {
        registers::read(self.context, self.signal).0
    }

    /// The stack pointer at the fault.
    pub fn stack_pointer(&self) -> usize {
        registers::read(self.context, self.signal).1
    }

    /// The frame pointer at the fault.
    ///
    /// # Safety
    ///
    /// It was a fault of compiled code, which does not go on: where no register has it, the stack is
    /// read.
    pub unsafe fn frame_pointer(&self) -> usize {
        // SAFETY: the caller's promise.
        unsafe { registers::frame(self.context, self.signal, self.address) }
    }

    /// The address whose access failed, for faults of memory accesses; some systems round it down to
    /// its page.
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

/// How often ours can be in the chain of a signal's handlers.
const LAYERS: usize = 4;

/// What was installed for a signal before us, in a form that a handler can read at any time.
struct Previous {
    handler: AtomicUsize,
    flags: AtomicI32,
    /// Whether ours is in front of it, or further back because the host has put another one in
    /// front. Kept for each signal: the system may refuse to take out some of ours and not others.
    replaced: AtomicBool,
}

/// One of our places in the chains of handlers.
struct Layer {
    /// Address of our handler as it was installed; zero before.
    entry: AtomicUsize,
    previous: [Previous; SIGNALS.len()],
}

static LAYER: [Layer; LAYERS] = [const {
    Layer {
        entry: AtomicUsize::new(0),
        previous: [const {
            Previous {
                handler: AtomicUsize::new(libc::SIG_DFL),
                flags: AtomicI32::new(0),
                replaced: AtomicBool::new(false),
            }
        }; SIGNALS.len()],
    }
}; LAYERS];

impl Layer {
    fn previous(&self, signal: i32) -> Option<&Previous> {
        let index = SIGNALS.iter().position(|other| *other == signal)?;
        self.previous.get(index)
    }
}

impl Previous {
    fn remember(&self, action: &libc::sigaction) {
        self.flags.store(action.sa_flags, Ordering::Relaxed);
        self.handler.store(action.sa_sigaction, Ordering::Release);
    }

    /// The handler to call now and its flags. One that wants to be called once is so, however many
    /// threads fault at a time.
    fn take(&self) -> (usize, i32) {
        let flags = self.flags.load(Ordering::Relaxed);
        let handler = match flags & libc::SA_RESETHAND {
            0 => self.handler.load(Ordering::Acquire),
            _ => self.handler.swap(libc::SIG_DFL, Ordering::AcqRel),
        };
        (handler, flags)
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

/// Puts the handler in front of the host's, for all faults or for none of them. Where it is in
/// front already, it stays.
///
/// Calls must not overlap with each other or with [`uninstall`].
pub fn install<H: FaultHandler>() -> Result<(), OsError> {
    type Entry = unsafe extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void);
    let entries: [Entry; LAYERS] = [enter::<H, 0>, enter::<H, 1>, enter::<H, 2>, enter::<H, 3>];
    for (layer, entry) in LAYER.iter().zip(entries) {
        let address = entry as *const () as usize;
        // Where a function is compiled twice, the first address is as good as the second, and is
        // the one to recognise.
        let _ = layer
            .entry
            .compare_exchange(0, address, Ordering::AcqRel, Ordering::Acquire);
    }
    let mut installed = [false; SIGNALS.len()];
    for (signal, new) in SIGNALS.into_iter().zip(&mut installed) {
        match install_one(signal) {
            Ok(done) => *new = done,
            Err(error) => {
                // What was in front before serves others.
                for (signal, _) in SIGNALS.into_iter().zip(installed).filter(|(_, new)| *new) {
                    // The first failure is the one to report.
                    let _ = uninstall_front(signal);
                }
                return Err(error);
            }
        }
    }
    Ok(())
}

/// The layer whose handler an action is.
fn layer_of(action: &libc::sigaction) -> Option<&'static Layer> {
    LAYER
        .iter()
        .find(|layer| layer.entry.load(Ordering::Acquire) == action.sa_sigaction)
}

/// Whether a handler was installed.
fn install_one(signal: i32) -> Result<bool, OsError> {
    let mut action = present_action(signal)?;
    if layer_of(&action).is_some() {
        return Ok(false);
    }
    // The one in front may hand on to a layer that is in use; a second use of it would go round in
    // circles.
    let free = LAYER.iter().find_map(|layer| {
        let previous = layer.previous(signal)?;
        let free = !previous.replaced.load(Ordering::Relaxed);
        free.then_some((layer, previous))
    });
    let Some((layer, previous)) = free else {
        return Ok(false);
    };
    // Remembered first: the handler may run as soon as it is installed.
    previous.remember(&action);
    // The mask stays the host's, so that its handler runs under the mask that it asked for. Ours
    // leaves by the context of the fault, which restores the mask of the interrupted code.
    let mut kept = libc::SA_NODEFER | libc::SA_RESTART;
    kept &= action.sa_flags;
    if action.sa_sigaction == libc::SIG_IGN {
        // A signal that is ignored interrupts no call of the system.
        kept |= libc::SA_RESTART;
    }
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | kept;
    action.sa_sigaction = layer.entry.load(Ordering::Acquire);
    // SAFETY: the handler touches only what is safe to touch in a handler.
    unsafe { set_action(signal, &action) }?;
    previous.replaced.store(true, Ordering::Relaxed);
    Ok(true)
}

/// Takes the handler out again, for each fault for which it is in front. Where the host has put a
/// handler of its own in front, ours stays where it is, because that one may hand on to it. Where
/// the system refuses, ours may stay for some faults, and does no harm.
pub fn uninstall() -> Result<(), OsError> {
    let mut result = Ok(());
    for signal in SIGNALS {
        result = result.and(uninstall_one(signal));
    }
    result
}

/// Takes ours out for as long as one of them is in front: two can be next to each other where the
/// host took its own out in between.
fn uninstall_one(signal: i32) -> Result<(), OsError> {
    while uninstall_front(signal)? {}
    Ok(())
}

/// Takes ours out if it is in front; whether it was.
fn uninstall_front(signal: i32) -> Result<bool, OsError> {
    let mut action = present_action(signal)?;
    let previous = layer_of(&action).and_then(|layer| layer.previous(signal));
    let Some(previous) = previous else {
        return Ok(false);
    };
    action.sa_sigaction = previous.handler.load(Ordering::Acquire);
    action.sa_flags = previous.flags.load(Ordering::Relaxed);
    // SAFETY: the host installed this handler itself.
    unsafe { set_action(signal, &action) }?;
    previous.replaced.store(false, Ordering::Relaxed);
    Ok(true)
}

/// Whether the system reports what the interrupted instruction did, and not something that happened
/// at the same time or was sent.
fn is_raised_by_fault(details: &libc::siginfo_t, registers: &libc::ucontext_t) -> bool {
    // Of memory that has failed, while nobody has touched it.
    #[cfg(target_os = "linux")]
    if details.si_signo == libc::SIGBUS && details.si_code == libc::BUS_MCEERR_AO {
        return false;
    }
    FAULT_CODES.contains(&details.si_code) || registers::is_trap_without_code(details, registers)
}

/// The signal handler.
unsafe extern "C" fn enter<H: FaultHandler, const LEVEL: usize>(
    signal: i32,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: the system passes a valid structure.
    let details = unsafe { &*info };
    // SAFETY: the system passes the registers of the interrupted thread, for us to change.
    let registers = unsafe { &mut *context.cast::<libc::ucontext_t>() };
    let raised_by_fault = is_raised_by_fault(details, registers);
    if raised_by_fault {
        let address = if signal == libc::SIGSEGV || signal == libc::SIGBUS {
            // SAFETY: for these signals the field is the faulting address.
            Some(unsafe { details.si_addr() }.addr())
        } else {
            None
        };
        if H::handle(&mut Fault {
            context: registers,
            signal,
            address,
        }) {
            return;
        }
    }
    let previous = LAYER.get(LEVEL).and_then(|layer| layer.previous(signal));
    if let Some(previous) = previous {
        // SAFETY: the arguments are the system's.
        unsafe { hand_on(previous, signal, raised_by_fault, info, context) }
    }
}

/// Does what would have happened without our handler.
///
/// # Safety
///
/// The arguments are those of a signal handler.
unsafe fn hand_on(
    previous: &Previous,
    signal: i32,
    raised_by_fault: bool,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    let (handler, flags) = previous.take();
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
