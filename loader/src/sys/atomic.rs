//! Atomic accesses that not every processor has.
//!
//! Some small cores can read and write a word at once, and have no instruction that does both (Cortex-M0,
//! RISC-V without the extension A). They have one core, and there counts and locks are read and then
//! written. So on such a core the loader is for one thread: neither an interrupt handler nor a thread
//! that interrupts others may call it, or drop what belongs to it, while another call is under way.

use core::sync::atomic::Ordering;

#[cfg(not(target_has_atomic = "ptr"))]
use alone as types;
#[cfg(target_has_atomic = "ptr")]
use core::sync::atomic as types;

#[cfg(feature = "accounting")]
pub use types::AtomicU32;
pub use types::{AtomicBool, AtomicUsize};

/// What there is of the library's atomic types where the processor cannot read and write at once.
#[cfg(any(not(target_has_atomic = "ptr"), test))]
mod alone {
    use core::sync::atomic::{self, Ordering};

    /// A flag for one thread at a time.
    #[derive(Debug)]
    pub struct AtomicBool(atomic::AtomicBool);

    // As the library's.
    #[allow(dead_code)]
    impl AtomicBool {
        pub const fn new(value: bool) -> AtomicBool {
            AtomicBool(atomic::AtomicBool::new(value))
        }

        pub fn load(&self, order: Ordering) -> bool {
            self.0.load(order)
        }

        pub fn store(&self, value: bool, order: Ordering) {
            self.0.store(value, order);
        }

        pub fn swap(&self, value: bool, _: Ordering) -> bool {
            let old = self.0.load(Ordering::Acquire);
            self.0.store(value, Ordering::Release);
            old
        }

        pub fn compare_exchange_weak(
            &self,
            current: bool,
            new: bool,
            _: Ordering,
            _: Ordering,
        ) -> Result<bool, bool> {
            let old = self.0.load(Ordering::Acquire);
            if old != current {
                return Err(old);
            }
            self.0.store(new, Ordering::Release);
            Ok(old)
        }
    }

    macro_rules! numbers {
        ($($name:ident $number:ident;)*) => {
            $(
                /// A number for one thread at a time.
                #[derive(Debug)]
                #[repr(transparent)]
                pub struct $name(atomic::$name);

                // As the library's.
                #[allow(dead_code)]
                impl $name {
                    pub const fn new(value: $number) -> $name {
                        $name(atomic::$name::new(value))
                    }

                    pub fn load(&self, order: Ordering) -> $number {
                        self.0.load(order)
                    }

                    pub fn store(&self, value: $number, order: Ordering) {
                        self.0.store(value, order);
                    }

                    fn change(&self, change: impl FnOnce($number) -> $number) -> $number {
                        let old = self.0.load(Ordering::Acquire);
                        self.0.store(change(old), Ordering::Release);
                        old
                    }

                    pub fn fetch_add(&self, value: $number, _: Ordering) -> $number {
                        self.change(|old| old.wrapping_add(value))
                    }

                    pub fn fetch_sub(&self, value: $number, _: Ordering) -> $number {
                        self.change(|old| old.wrapping_sub(value))
                    }

                    pub fn fetch_max(&self, value: $number, _: Ordering) -> $number {
                        self.change(|old| old.max(value))
                    }

                    pub fn compare_exchange(
                        &self,
                        current: $number,
                        new: $number,
                        _: Ordering,
                        _: Ordering,
                    ) -> Result<$number, $number> {
                        let old = self.0.load(Ordering::Acquire);
                        if old != current {
                            return Err(old);
                        }
                        self.0.store(new, Ordering::Release);
                        Ok(old)
                    }
                }

                impl Default for $name {
                    fn default() -> $name {
                        $name::new(0)
                    }
                }
            )*
        };
    }

    numbers! {
        AtomicU32 u32;
        AtomicUsize usize;
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        const ORDER: Ordering = Ordering::AcqRel;

        #[test]
        fn numbers_count_as_those_of_the_library() {
            let (ours, theirs) = (AtomicUsize::new(3), atomic::AtomicUsize::new(3));
            assert_eq!(ours.fetch_add(4, ORDER), theirs.fetch_add(4, ORDER));
            assert_eq!(ours.fetch_sub(2, ORDER), theirs.fetch_sub(2, ORDER));
            assert_eq!(ours.fetch_max(9, ORDER), theirs.fetch_max(9, ORDER));
            for current in [1, 9] {
                let weak = Ordering::Relaxed;
                assert_eq!(
                    ours.compare_exchange(current, 11, ORDER, weak),
                    theirs.compare_exchange(current, 11, ORDER, weak)
                );
            }
            assert_eq!(ours.load(Ordering::Acquire), 11);
            assert_eq!(AtomicUsize::default().load(Ordering::Acquire), 0);
        }

        #[test]
        fn flags_are_taken_once() {
            let flag = AtomicBool::new(false);
            let weak = Ordering::Relaxed;
            assert_eq!(
                flag.compare_exchange_weak(false, true, ORDER, weak),
                Ok(false)
            );
            assert_eq!(
                flag.compare_exchange_weak(false, true, ORDER, weak),
                Err(true)
            );
            assert!(flag.swap(false, ORDER));
            assert!(!flag.load(Ordering::Acquire));
        }
    }
}

/// Reads eight bytes at once.
///
/// # Safety
///
/// The address is a multiple of eight, and so many bytes there can be read, whatever other threads do to
/// them atomically.
#[cfg(target_has_atomic = "64")]
pub unsafe fn load_u64(place: *mut u64) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { core::sync::atomic::AtomicU64::from_ptr(place) }.load(Ordering::SeqCst)
}

/// Reads eight bytes, four at a time. Bytecode alone runs on such a processor, and it has no atomic
/// instructions: no other thread writes eight bytes at once.
///
/// # Safety
///
/// The address is a multiple of eight, and so many bytes there can be read, whatever other threads do to
/// them atomically.
#[cfg(not(target_has_atomic = "64"))]
pub unsafe fn load_u64(place: *mut u64) -> u64 {
    use core::sync::atomic::AtomicU32;

    // SAFETY: the caller's promise, of which this is a half.
    let first = unsafe { AtomicU32::from_ptr(place.cast()) };
    // SAFETY: the other half is behind it.
    let second = unsafe { place.cast::<u32>().add(1) };
    // SAFETY: the caller's promise, of which this is the other half.
    let second = unsafe { AtomicU32::from_ptr(second) };
    let [a, b, c, d] = first.load(Ordering::SeqCst).to_ne_bytes();
    let [e, f, g, h] = second.load(Ordering::SeqCst).to_ne_bytes();
    u64::from_ne_bytes([a, b, c, d, e, f, g, h])
}
