//! Lets processors fetch what was written as data.
//!
//! Instructions may be fetched through a cache that does not see writes, and may have been fetched in
//! advance. Where that is so, code that was copied or patched must be made known before it runs, on
//! each processor on which it may run. Code in pages of a file is the system's business.

/// Lets all threads of this process fetch what was written to the range.
///
/// # Safety
///
/// The range is mapped and readable.
pub unsafe fn flush_instruction_cache(start: *const u8, size: usize) {
    #[cfg(target_vendor = "apple")]
    {
        unsafe extern "C" {
            fn sys_icache_invalidate(start: *mut libc::c_void, size: usize);
        }
        // SAFETY: the caller's promise; nothing is written.
        unsafe { sys_icache_invalidate(start.cast_mut().cast(), size) }
    }
    #[cfg(all(target_os = "linux", target_arch = "riscv64"))]
    {
        /// The number of the system call `riscv_flush_icache`.
        const FLUSH: libc::c_long = 259;
        /// On all processors on which a thread of this process runs or will.
        const ALL_THREADS: usize = 0;
        // The system knows no failure of the call with these arguments.
        // SAFETY: the call takes any addresses.
        unsafe { libc::syscall(FLUSH, start, start.wrapping_add(size), ALL_THREADS) };
    }
    #[cfg(not(any(
        target_vendor = "apple",
        all(target_os = "linux", target_arch = "riscv64")
    )))]
    {
        // SAFETY: the caller's promise.
        unsafe { crate::sys::isa::flush_instruction_cache(start, size) };
        #[cfg(all(target_os = "linux", target_arch = "aarch64"))]
        synchronise_threads();
    }
}

/// Lets processors that run other threads forget what they have fetched in advance. The caches are
/// one for all of them; this is not.
#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
fn synchronise_threads() {
    /// As [`REGISTER`] has asked for.
    const SYNCHRONISE: libc::c_int = 1 << 5;
    /// The process is going to ask.
    const REGISTER: libc::c_int = 1 << 6;
    let command = |number: libc::c_int| {
        // SAFETY: takes numbers only.
        unsafe { libc::syscall(libc::SYS_membarrier, number, 0, 0) }
    };
    if command(SYNCHRONISE) != 0 {
        // An old kernel knows neither. There, processors have forgotten by the time that they
        // come to code at an address at which none was before.
        let _ = command(REGISTER);
        let _ = command(SYNCHRONISE);
    }
}
