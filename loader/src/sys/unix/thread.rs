//! What belongs to a thread: its identity, the bounds of its stack, its current activation, and
//! its alternate stack for signal handlers.
//!
//! The current activation is read by the signal handler. It is therefore kept where reading needs
//! neither lock nor allocation, and it is written before compiled code runs, so that the first
//! access of a thread is never the handler's.

use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::{hint, ptr};

use super::map::{Mapping, page_size};
use super::{OsError, check};
use crate::trap::Activation;

/// What the system puts on the stack of the program that faulted: nothing, since handlers have a stack
/// of their own.
pub const FAULT_STACK: usize = 0;

/// Whether the end of a region can be found out by touching the page below it.
pub const REGIONS_CAN_END_IN_FAULTS: bool = true;

/// What is kept per thread.
#[derive(Clone, Copy)]
enum Slot {
    /// Address of the current activation, or zero.
    Activation,
    /// Lowest address of the stack; zero before it is asked for.
    StackLowest,
    /// Address above the stack.
    StackHighest,
    /// One after an alternate stack for signal handlers was found or made.
    SignalStack,
}

/// Thread-local variables of the language: the fastest way.
#[cfg(feature = "std")]
mod slots {
    use super::Slot;
    use core::cell::Cell;

    std::thread_local! {
        static SLOTS: [Cell<usize>; 4] = const { [const { Cell::new(0) }; 4] };
    }

    pub(super) fn get(slot: Slot) -> usize {
        SLOTS
            .try_with(|slots| slots[slot as usize].get())
            .unwrap_or(0)
    }

    pub(super) fn set(slot: Slot, value: usize) {
        // Without a destructor the variable is there for as long as the thread.
        let _ = SLOTS.try_with(|slots| slots[slot as usize].set(value));
    }
}

/// Keys of the thread library, where the language has no thread-local variables.
#[cfg(not(feature = "std"))]
mod slots {
    use super::{Key, Slot};

    static KEYS: [Key; 4] = [const { Key::new(None) }; 4];

    pub(super) fn get(slot: Slot) -> usize {
        KEYS[slot as usize].get()
    }

    pub(super) fn set(slot: Slot, value: usize) {
        // A process that has used up all keys has no activations, and gets no traps by signal.
        let _ = KEYS[slot as usize].set(value);
    }
}

/// A key of the thread library, made when it is first needed.
struct Key {
    /// The key plus one; zero before there is one.
    number: AtomicUsize,
    destructor: Option<unsafe extern "C" fn(*mut libc::c_void)>,
}

impl Key {
    const fn new(destructor: Option<unsafe extern "C" fn(*mut libc::c_void)>) -> Key {
        Key {
            number: AtomicUsize::new(0),
            destructor,
        }
    }

    fn get(&self) -> usize {
        match self.number.load(Ordering::Acquire) {
            0 => 0,
            number => {
                let key = (number - 1) as libc::pthread_key_t;
                // SAFETY: the key exists; keys are never deleted.
                unsafe { libc::pthread_getspecific(key) }.addr()
            }
        }
    }

    fn set(&self, value: usize) -> Result<(), OsError> {
        let key = self.key()?;
        // SAFETY: the key exists; keys are never deleted.
        match unsafe { libc::pthread_setspecific(key, ptr::without_provenance(value)) } {
            0 => Ok(()),
            error => Err(OsError(error)),
        }
    }

    fn key(&self) -> Result<libc::pthread_key_t, OsError> {
        let known = self.number.load(Ordering::Acquire);
        if known != 0 {
            return Ok((known - 1) as libc::pthread_key_t);
        }
        let mut key: libc::pthread_key_t = 0;
        // SAFETY: there is room for the key; the destructor fits what is stored under it.
        let error = unsafe { libc::pthread_key_create(&raw mut key, self.destructor) };
        if error != 0 {
            return Err(OsError(error));
        }
        let number = key as usize + 1;
        match self
            .number
            .compare_exchange(0, number, Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(_) => Ok(key),
            Err(other) => {
                // SAFETY: another thread was faster; nobody knows this key.
                unsafe { libc::pthread_key_delete(key) };
                Ok((other - 1) as libc::pthread_key_t)
            }
        }
    }
}

/// A number that no other running thread has; never zero.
pub fn thread_token() -> usize {
    // SAFETY: always succeeds. The C library identifies threads by addresses.
    let thread = unsafe { libc::pthread_self() } as usize;
    thread.max(1)
}

/// Lets other threads run.
pub fn yield_now() {
    hint::spin_loop();
    // SAFETY: gives up the processor, nothing else.
    unsafe { libc::sched_yield() };
}

/// The innermost activation of this thread, or null. Safe to call in a signal handler.
pub fn current_activation() -> *mut Activation {
    ptr::with_exposed_provenance_mut(slots::get(Slot::Activation))
}

/// Makes an activation the current one of this thread.
pub fn set_current_activation(activation: *mut Activation) {
    slots::set(Slot::Activation, activation.expose_provenance());
}

/// Lowest address of this thread's stack, and the address above it; `None` where the system does
/// not say. The system is asked once per thread.
pub fn stack_bounds() -> Option<(usize, usize)> {
    let lowest = slots::get(Slot::StackLowest);
    if lowest != 0 {
        return Some((lowest, slots::get(Slot::StackHighest)));
    }
    let (lowest, highest) = ask_stack_bounds()?;
    slots::set(Slot::StackHighest, highest);
    slots::set(Slot::StackLowest, lowest);
    Some((lowest, highest))
}

#[cfg(target_os = "linux")]
fn ask_stack_bounds() -> Option<(usize, usize)> {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: always succeeds.
    let thread = unsafe { libc::pthread_self() };
    // SAFETY: the thread is this one, and there is room for the answer.
    if unsafe { libc::pthread_getattr_np(thread, attributes.as_mut_ptr()) } != 0 {
        return None;
    }
    let mut lowest = ptr::null_mut();
    let mut size = 0;
    // SAFETY: the attributes were filled.
    let error =
        unsafe { libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut lowest, &raw mut size) };
    // SAFETY: the attributes were filled and are not used again.
    unsafe { libc::pthread_attr_destroy(attributes.as_mut_ptr()) };
    let highest = lowest.addr().checked_add(size)?;
    (error == 0 && !lowest.is_null()).then_some((lowest.addr(), highest))
}

#[cfg(target_vendor = "apple")]
fn ask_stack_bounds() -> Option<(usize, usize)> {
    // SAFETY: always succeeds.
    let thread = unsafe { libc::pthread_self() };
    // SAFETY: the thread is this one.
    let highest = unsafe { libc::pthread_get_stackaddr_np(thread) }.addr();
    // SAFETY: the thread is this one.
    let size = unsafe { libc::pthread_get_stacksize_np(thread) };
    Some((highest.checked_sub(size)?, highest))
}

#[cfg(target_os = "freebsd")]
fn ask_stack_bounds() -> Option<(usize, usize)> {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: there is room for the attributes.
    if unsafe { libc::pthread_attr_init(attributes.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: always succeeds.
    let thread = unsafe { libc::pthread_self() };
    let (mut lowest, mut size) = (ptr::null_mut(), 0);
    // SAFETY: the thread is this one, and the attributes are made.
    let mut error = unsafe { libc::pthread_attr_get_np(thread, attributes.as_mut_ptr()) };
    if error == 0 {
        let attributes = attributes.as_ptr();
        // SAFETY: the attributes were filled.
        error = unsafe { libc::pthread_attr_getstack(attributes, &raw mut lowest, &raw mut size) };
    }
    // SAFETY: the attributes are made and are not used again.
    unsafe { libc::pthread_attr_destroy(attributes.as_mut_ptr()) };
    let highest = lowest.addr().checked_add(size)?;
    (error == 0 && !lowest.is_null()).then_some((lowest.addr(), highest))
}

#[cfg(not(any(target_os = "linux", target_os = "freebsd", target_vendor = "apple")))]
fn ask_stack_bounds() -> Option<(usize, usize)> {
    None
}

/// What signal handlers of ours and of the host may use beyond the system's minimum.
const SIGNAL_STACK_ROOM: usize = 64 << 10;

/// What our own handler needs beyond the system's minimum.
const SIGNAL_STACK_NEED: usize = 4 << 10;

/// Holds the base of this thread's alternate stack where that is ours.
static SIGNAL_STACK: Key = Key::new(Some(drop_signal_stack));

/// Sees to it that this thread has an alternate stack for signal handlers, so that running out of
/// stack can be handled at all. One that the host set up and that is large enough is kept.
///
/// The system is asked once per thread: a host that takes its alternate stack away later has to do
/// without ours. The stack goes away with the thread.
pub fn ensure_signal_stack() -> Result<(), OsError> {
    if slots::get(Slot::SignalStack) != 0 {
        return Ok(());
    }
    find_or_make_signal_stack()?;
    slots::set(Slot::SignalStack, 1);
    Ok(())
}

#[cold]
fn find_or_make_signal_stack() -> Result<(), OsError> {
    if SIGNAL_STACK.get() != 0 {
        return Ok(());
    }
    let minimum = minimum_signal_stack();
    let mut present = MaybeUninit::<libc::stack_t>::uninit();
    // SAFETY: asks for the present one; there is room for the answer.
    check(unsafe { libc::sigaltstack(ptr::null(), present.as_mut_ptr()) })?;
    // SAFETY: the call succeeded and filled it.
    let present = unsafe { present.assume_init() };
    if present.ss_flags & libc::SS_DISABLE == 0 && present.ss_size >= minimum + SIGNAL_STACK_NEED {
        return Ok(());
    }
    let guard = page_size();
    let mut mapping = Mapping::writable(signal_stack_size())?;
    mapping.make_inaccessible(0, guard)?;
    let usable = mapping.size() - guard;
    let start = mapping.base().as_ptr().wrapping_add(guard);
    SIGNAL_STACK.set(mapping.base().as_ptr().expose_provenance())?;
    let stack = libc::stack_t {
        ss_sp: start.cast(),
        ss_flags: 0,
        ss_size: usable,
    };
    // SAFETY: the memory is ours and stays until the thread ends.
    match check(unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) }) {
        Ok(_) => {
            core::mem::forget(mapping);
            Ok(())
        }
        Err(error) => {
            SIGNAL_STACK.set(0)?;
            Err(error)
        }
    }
}

/// Size of an alternate stack with its guard page; the same at every call.
pub fn signal_stack_size() -> usize {
    let size = minimum_signal_stack() + SIGNAL_STACK_ROOM + page_size();
    size.next_multiple_of(page_size())
}

/// The least that the system needs to call a handler: it saves all vector registers.
fn minimum_signal_stack() -> usize {
    #[cfg(target_os = "linux")]
    // SAFETY: asks for a number.
    let said = unsafe { libc::getauxval(libc::AT_MINSIGSTKSZ) } as usize;
    #[cfg(not(target_os = "linux"))]
    let said = 0;
    said.max(libc::MINSIGSTKSZ)
}

/// To be called after the stack has ended and the program has gone on further up. Guard pages stay as
/// they are.
pub fn restore_stack_guard() {}

/// Takes the alternate stack out of use and gives it back, when its thread ends.
unsafe extern "C" fn drop_signal_stack(base: *mut libc::c_void) {
    let none = libc::stack_t {
        ss_sp: ptr::null_mut(),
        ss_flags: libc::SS_DISABLE,
        ss_size: 0,
    };
    let mut present = MaybeUninit::<libc::stack_t>::uninit();
    // SAFETY: asks for the present one; there is room for the answer.
    if unsafe { libc::sigaltstack(ptr::null(), present.as_mut_ptr()) } != 0 {
        return;
    }
    // SAFETY: the call succeeded and filled it.
    let present = unsafe { present.assume_init() };
    if present.ss_sp.addr() == base.addr() + page_size() {
        // SAFETY: takes ours out of use.
        unsafe { libc::sigaltstack(&raw const none, ptr::null_mut()) };
    }
    // SAFETY: the mapping was made by this thread with this size; nobody uses it any more.
    unsafe { libc::munmap(base, signal_stack_size()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_on_the_stack() -> bool {
        let local = 0u8;
        let here = ptr::from_ref(&local).addr();
        stack_bounds().is_some_and(|(lowest, highest)| (lowest..highest).contains(&here))
    }

    #[test]
    fn every_thread_knows_its_stack_and_its_activation() {
        assert!(is_on_the_stack());
        let mut activation = Activation::new(ptr::null_mut(), 0, 0);
        let pointer = &raw mut activation;
        set_current_activation(pointer);
        let token = thread_token();
        let size = 256 << 10;
        let other = std::thread::Builder::new().stack_size(size).spawn(move || {
            assert!(is_on_the_stack() && is_on_the_stack());
            let (lowest, highest) = stack_bounds().unwrap();
            assert!(highest - lowest >= size && highest - lowest < 2 * size);
            assert!(current_activation().is_null());
            assert_ne!(thread_token(), token);
        });
        other.unwrap().join().unwrap();
        assert_eq!(current_activation(), pointer);
        set_current_activation(ptr::null_mut());
    }

    #[test]
    fn signal_stacks_come_and_go_with_their_threads() {
        let present = || {
            let mut present = MaybeUninit::<libc::stack_t>::uninit();
            // SAFETY: asks only; there is room for the answer.
            let result = unsafe { libc::sigaltstack(ptr::null(), present.as_mut_ptr()) };
            assert_eq!(result, 0);
            // SAFETY: the call succeeded and filled it.
            unsafe { present.assume_init() }
        };
        for _ in 0..100 {
            let thread = std::thread::spawn(move || {
                ensure_signal_stack().unwrap();
                ensure_signal_stack().unwrap();
                let stack = present();
                assert_eq!(stack.ss_flags & libc::SS_DISABLE, 0);
                assert!(stack.ss_size >= minimum_signal_stack() + SIGNAL_STACK_NEED);
            });
            thread.join().unwrap();
        }
    }
}
