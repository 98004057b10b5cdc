//! Atomic accesses that not every processor has.

use core::sync::atomic::Ordering;

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
