//! A lock for the few structures that all threads of a runtime share.
//!
//! It is held for short, bounded work, never while host functions or compiled code run, and never
//! in a signal handler. Waiting spins a little and then yields the processor.

use core::cell::UnsafeCell;
use core::hint;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::Ordering;

use super::atomic::AtomicBool;

/// How often a waiting thread looks before it yields.
const SPINS: u32 = 64;

/// A value that one thread at a time may touch.
pub struct Lock<T> {
    locked: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: the value moves with the lock.
unsafe impl<T: Send> Send for Lock<T> {}
// SAFETY: the flag lets one thread at a time have the value.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Lock<T> {
        Lock {
            locked: AtomicBool::new(false),
            value: UnsafeCell::new(value),
        }
    }

    /// Waits for the value. A thread that holds the lock must not ask again.
    pub fn lock(&self) -> LockGuard<'_, T> {
        acquire(&self.locked);
        LockGuard { lock: self }
    }
}

/// Waits for a flag and sets it: one function for all types.
#[inline(never)]
fn acquire(locked: &AtomicBool) {
    let mut spins = 0;
    while locked
        .compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed)
        .is_err()
    {
        if spins < SPINS {
            spins += 1;
            hint::spin_loop();
        } else {
            super::thread::yield_now();
        }
    }
}

/// Holding a lock, until it is dropped.
pub struct LockGuard<'a, T> {
    lock: &'a Lock<T>,
}

impl<T> Deref for LockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the flag is ours, so nobody else has the value.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for LockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the flag is ours, so nobody else has the value.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for LockGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.locked.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_at_a_time_has_the_value() {
        let lock = Lock::new(0u64);
        std::thread::scope(|scope| {
            let count = || {
                for _ in 0..10_000 {
                    let mut value = lock.lock();
                    let seen = *value;
                    *value = core::hint::black_box(seen) + 1;
                }
            };
            for thread in [(); 4].map(|()| scope.spawn(count)) {
                thread.join().unwrap();
            }
        });
        assert_eq!(*lock.lock(), 40_000);
    }
}
