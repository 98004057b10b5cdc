//! What a device without an operating system offers, as functions of C's.

use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::ptr::NonNull;

use precast_loader::platform::{self, Platform, Refused, Stream, ThreadState};

use crate::boundary::C;
use crate::error::precast_error;
use crate::failure::Failure;
use crate::status::precast_status;

/// What a device offers, for devices without an operating system that the library knows; each function
/// may be null. They are called from any thread that uses the library, with `user`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct precast_platform {
    /// Size of this structure in bytes.
    pub size: usize,
    /// Passed to each function.
    pub user: *mut c_void,
    /// Where a word of the calling thread's is, which is zero at first: the same at every call, and no
    /// other thread's. Without it, one thread alone uses the library, and nothing that interrupts it.
    pub thread_state: Option<unsafe extern "C" fn(user: *mut c_void) -> *mut usize>,
    /// Lets other threads run; called by one that waits for them.
    pub yield_now: Option<unsafe extern "C" fn(user: *mut c_void)>,
    /// Stores the lowest address of the calling thread's stack and the address above it; false where
    /// that is not known.
    pub stack: Option<
        unsafe extern "C" fn(user: *mut c_void, lowest: *mut usize, above: *mut usize) -> bool,
    >,
    /// Stores nanoseconds of a clock that only goes forward; false where there is none.
    pub monotonic_time: Option<unsafe extern "C" fn(user: *mut c_void, time: *mut u64) -> bool>,
    /// Stores nanoseconds since the beginning of 1970 in UTC; false where there is no such clock.
    pub wall_clock_time: Option<unsafe extern "C" fn(user: *mut c_void, time: *mut u64) -> bool>,
    /// Fills bytes with random numbers that nobody can foretell; false where there are none.
    pub random:
        Option<unsafe extern "C" fn(user: *mut c_void, bytes: *mut c_void, length: usize) -> bool>,
    /// Writes bytes out, results to stream 1 and complaints to stream 2: how many of them, or a negative
    /// number where the device refuses.
    pub write: Option<
        unsafe extern "C" fn(
            user: *mut c_void,
            stream: u32,
            bytes: *const c_void,
            length: usize,
        ) -> isize,
    >,
    /// Gives a block for code, readable and writable, or null; for code that cannot run in place.
    pub map: precast_map,
    /// Makes such a block executable and no longer writable: zero, or an error number.
    pub protect: precast_protect,
    /// Lets instruction fetches see what was written to a block. Without it, the processor is told that
    /// runs the library.
    pub flush: precast_flush,
    /// Takes a block back, protected or not.
    pub unmap: precast_unmap,
}

/// A block for code of `size` bytes at a multiple of `alignment`, readable and writable, or null.
pub type precast_map =
    Option<unsafe extern "C" fn(user: *mut c_void, size: usize, alignment: usize) -> *mut c_void>;

/// Makes a block executable and no longer writable: zero, or an error number.
pub type precast_protect =
    Option<unsafe extern "C" fn(user: *mut c_void, block: *mut c_void, size: usize) -> i32>;

/// Lets instruction fetches see what was written to a block.
pub type precast_flush =
    Option<unsafe extern "C" fn(user: *mut c_void, block: *mut c_void, size: usize)>;

/// Takes a block back, protected or not.
pub type precast_unmap =
    Option<unsafe extern "C" fn(user: *mut c_void, block: *mut c_void, size: usize)>;

/// The platform as it was installed. It belongs to the device, of which there is one.
struct Installed(UnsafeCell<Option<precast_platform>>);

// SAFETY: it changes only where C promises that nothing else of the library runs.
unsafe impl Sync for Installed {}

static INSTALLED: Installed = Installed(UnsafeCell::new(None));

/// What the loader asks.
pub(super) struct FromC;

impl FromC {
    fn functions(&self) -> Option<&'static precast_platform> {
        // SAFETY: nothing changes it while the library is in use.
        unsafe { &*INSTALLED.0.get() }.as_ref()
    }

    /// A time of a clock.
    fn time(
        &self,
        clock: impl FnOnce(
            &precast_platform,
        ) -> Option<unsafe extern "C" fn(*mut c_void, *mut u64) -> bool>,
    ) -> Option<u64> {
        let functions = self.functions()?;
        let clock = clock(functions)?;
        let mut time = 0;
        // SAFETY: C gave the function for this pointer.
        unsafe { clock(functions.user, &raw mut time) }.then_some(time)
    }
}

// SAFETY: C promises what the structure's text says, which is what is asked for.
unsafe impl Platform for FromC {
    fn thread(&self) -> &ThreadState {
        let functions = self.functions();
        let Some((functions, thread)) = functions.and_then(|f| Some((f, f.thread_state?))) else {
            return DEFAULTS.thread();
        };
        // SAFETY: C gave the function for this pointer.
        let word = unsafe { thread(functions.user) }.cast::<ThreadState>();
        // SAFETY: C promises a word of this thread's, which stays as long as the thread.
        unsafe { word.as_ref() }.unwrap_or(DEFAULTS.thread())
    }

    fn yield_now(&self) {
        match self.functions().and_then(|f| Some((f, f.yield_now?))) {
            // SAFETY: C gave the function for this pointer.
            Some((functions, yield_now)) => unsafe { yield_now(functions.user) },
            None => DEFAULTS.yield_now(),
        }
    }

    fn stack(&self) -> Option<(usize, usize)> {
        let functions = self.functions()?;
        let stack = functions.stack?;
        let (mut lowest, mut above) = (0, 0);
        // SAFETY: C gave the function for this pointer.
        let known = unsafe { stack(functions.user, &raw mut lowest, &raw mut above) };
        known.then_some((lowest, above))
    }

    fn monotonic_time(&self) -> Option<u64> {
        self.time(|functions| functions.monotonic_time)
    }

    fn wall_clock_time(&self) -> Option<u64> {
        self.time(|functions| functions.wall_clock_time)
    }

    fn random(&self, bytes: &mut [u8]) -> bool {
        let Some((functions, random)) = self.functions().and_then(|f| Some((f, f.random?))) else {
            return false;
        };
        // SAFETY: C gave the function for this pointer; so many bytes are there.
        unsafe { random(functions.user, bytes.as_mut_ptr().cast(), bytes.len()) }
    }

    fn write(&self, stream: Stream, bytes: &[u8]) -> Result<usize, Refused> {
        let Some((functions, write)) = self.functions().and_then(|f| Some((f, f.write?))) else {
            return DEFAULTS.write(stream, bytes);
        };
        let stream = match stream {
            Stream::Output => 1,
            Stream::Error => 2,
        };
        // SAFETY: C gave the function for this pointer; so many bytes are there.
        let written = unsafe { write(functions.user, stream, bytes.as_ptr().cast(), bytes.len()) };
        usize::try_from(written).map_err(|_| Refused(i32::try_from(written).unwrap_or(-1)))
    }

    fn map(&self, size: usize, alignment: usize) -> Option<NonNull<u8>> {
        let functions = self.functions()?;
        let map = functions.map?;
        // SAFETY: C gave the function for this pointer.
        NonNull::new(unsafe { map(functions.user, size, alignment) }.cast())
    }

    fn protect(&self, block: NonNull<u8>, size: usize) -> Result<(), Refused> {
        let functions = self.functions().and_then(|f| Some((f, f.protect?)));
        let (functions, protect) = functions.ok_or(Refused(0))?;
        // SAFETY: C gave the function for this pointer, and the block.
        match unsafe { protect(functions.user, block.as_ptr().cast(), size) } {
            0 => Ok(()),
            number => Err(Refused(number)),
        }
    }

    fn flush(&self, block: NonNull<u8>, size: usize) {
        match self.functions().and_then(|f| Some((f, f.flush?))) {
            // SAFETY: C gave the function for this pointer, and the block.
            Some((functions, flush)) => unsafe {
                flush(functions.user, block.as_ptr().cast(), size)
            },
            None => DEFAULTS.flush(block, size),
        }
    }

    fn unmap(&self, block: NonNull<u8>, size: usize) {
        if let Some((functions, unmap)) = self.functions().and_then(|f| Some((f, f.unmap?))) {
            // SAFETY: C gave the function for this pointer, and the block.
            unsafe { unmap(functions.user, block.as_ptr().cast(), size) };
        }
    }
}

/// What the loader does where C has no function.
struct Defaults;

static DEFAULTS: Defaults = Defaults;

// SAFETY: where C says of no other thread, there is one.
unsafe impl Platform for Defaults {}

/// Says what the device offers. The structure is copied; what it leads to stays for as long as the
/// program. Nothing of the library was used before, or is by another thread meanwhile.
///
/// Where the library knows the operating system, it asks that, and none of the functions is called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_platform_install(
    platform: *const precast_platform,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        if platform.is_null() {
            return Err(Failure::Null("platform"));
        }
        let given = c.options(platform, "platform")?;
        // SAFETY: C promises that nothing of the library runs.
        unsafe { *INSTALLED.0.get() = Some(given) };
        // SAFETY: as above.
        unsafe { platform::install(&FromC) };
        Ok(())
    })
}
