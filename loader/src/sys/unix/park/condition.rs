//! Parking by the thread library's condition variables, where there is no system call for it.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ptr;

use super::Deadline;

/// What the mutex protects.
struct State {
    /// Made by the thread that waits; until then there is nobody to be woken.
    condition: Option<MaybeUninit<libc::pthread_cond_t>>,
    woken: bool,
}

/// Where one thread waits. It must not move from the first use on.
pub struct Parker {
    mutex: UnsafeCell<libc::pthread_mutex_t>,
    state: UnsafeCell<State>,
}

// SAFETY: the mutex lets one thread at a time have the state.
unsafe impl Send for Parker {}
// SAFETY: as above.
unsafe impl Sync for Parker {}

impl Parker {
    /// A place where nobody was woken yet.
    pub const fn new() -> Parker {
        Parker {
            mutex: UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER),
            state: UnsafeCell::new(State {
                condition: None,
                woken: false,
            }),
        }
    }

    /// Waits until another thread has called [`Parker::unpark`], or the deadline has passed; says
    /// whether it was the former.
    pub fn park(&self, deadline: Option<Deadline>) -> bool {
        self.locked(|state| {
            // SAFETY: the mutex is held; waiting gives it away and takes it again.
            let condition = unsafe { (*state).condition.insert(new_condition()).as_mut_ptr() };
            loop {
                // SAFETY: the mutex is held.
                if unsafe { (*state).woken } {
                    return true;
                }
                let mutex = self.mutex.get();
                let passed = match deadline {
                    None => {
                        // SAFETY: the condition is made, and the mutex is held.
                        unsafe { libc::pthread_cond_wait(condition, mutex) };
                        false
                    }
                    // SAFETY: as above.
                    Some(deadline) => unsafe { wait_until(condition, mutex, deadline) },
                };
                if passed {
                    // SAFETY: the mutex is held.
                    return unsafe { (*state).woken };
                }
            }
        })
    }

    /// Wakes the thread that waits here, or will.
    pub fn unpark(&self) {
        self.locked(|state| {
            // SAFETY: the mutex is held.
            let state = unsafe { &mut *state };
            state.woken = true;
            if let Some(condition) = &mut state.condition {
                // SAFETY: the condition is made.
                unsafe { libc::pthread_cond_signal(condition.as_mut_ptr()) };
            }
        });
    }

    fn locked<T>(&self, run: impl FnOnce(*mut State) -> T) -> T {
        // SAFETY: the mutex is made, and the functions that are run do not come here.
        unsafe { libc::pthread_mutex_lock(self.mutex.get()) };
        let result = run(self.state.get());
        // SAFETY: the mutex is held.
        unsafe { libc::pthread_mutex_unlock(self.mutex.get()) };
        result
    }
}

impl Drop for Parker {
    fn drop(&mut self) {
        if let Some(condition) = &mut self.state.get_mut().condition {
            // SAFETY: the condition is made, and nobody waits.
            unsafe { libc::pthread_cond_destroy(condition.as_mut_ptr()) };
        }
        // SAFETY: nobody has the mutex.
        unsafe { libc::pthread_mutex_destroy(self.mutex.get()) };
    }
}

/// A condition that measures time by the monotonic clock.
#[cfg(not(target_vendor = "apple"))]
fn new_condition() -> MaybeUninit<libc::pthread_cond_t> {
    let mut attributes = MaybeUninit::<libc::pthread_condattr_t>::uninit();
    let mut condition = MaybeUninit::new(libc::PTHREAD_COND_INITIALIZER);
    // SAFETY: there is room for the attributes.
    if unsafe { libc::pthread_condattr_init(attributes.as_mut_ptr()) } != 0 {
        return condition;
    }
    // SAFETY: the attributes are made.
    unsafe { libc::pthread_condattr_setclock(attributes.as_mut_ptr(), libc::CLOCK_MONOTONIC) };
    // SAFETY: there is room for a condition, and the attributes are made.
    unsafe { libc::pthread_cond_init(condition.as_mut_ptr(), attributes.as_ptr()) };
    // SAFETY: the attributes are made, and conditions do not need them any more.
    unsafe { libc::pthread_condattr_destroy(attributes.as_mut_ptr()) };
    condition
}

/// A condition; how time is measured is decided where one waits.
#[cfg(target_vendor = "apple")]
fn new_condition() -> MaybeUninit<libc::pthread_cond_t> {
    MaybeUninit::new(libc::PTHREAD_COND_INITIALIZER)
}

/// Waits until the condition is signalled, or for no reason; says whether the deadline has passed.
///
/// # Safety
///
/// The condition is made, and the mutex is held.
#[cfg(not(target_vendor = "apple"))]
unsafe fn wait_until(
    condition: *mut libc::pthread_cond_t,
    mutex: *mut libc::pthread_mutex_t,
    deadline: Deadline,
) -> bool {
    let time = deadline.timespec();
    // SAFETY: the caller's promise.
    let result = unsafe { libc::pthread_cond_timedwait(condition, mutex, ptr::from_ref(&time)) };
    result == libc::ETIMEDOUT
}

/// As elsewhere, where only a span can be given.
///
/// # Safety
///
/// The condition is made, and the mutex is held.
#[cfg(target_vendor = "apple")]
unsafe fn wait_until(
    condition: *mut libc::pthread_cond_t,
    mutex: *mut libc::pthread_mutex_t,
    deadline: Deadline,
) -> bool {
    let left = deadline.0.saturating_sub(super::now());
    let time = super::timespec(left);
    // SAFETY: the caller's promise.
    unsafe { libc::pthread_cond_timedwait_relative_np(condition, mutex, ptr::from_ref(&time)) };
    deadline.0 <= super::now()
}
