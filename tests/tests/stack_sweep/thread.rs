//! A thread whose stack is known to the byte, and how to get close to the end of it.

use std::hint::black_box;
use std::ptr;

/// Inaccessible bytes below the stack, as much as the largest step of a prologue.
const GUARD: usize = 64 << 10;

/// What runs on the thread: it gets the lowest address of the stack.
type Body<'a> = Box<dyn FnOnce(usize) + 'a>;

/// What is passed to the thread.
struct Start<'a> {
    body: Option<Body<'a>>,
    lowest: usize,
}

/// Runs a closure on a thread of its own, with a stack of so many bytes above a guard, and waits.
/// A panic ends the process.
pub fn with_stack(bytes: usize, body: impl FnOnce(usize) + Send) {
    let size = bytes + GUARD;
    let (access, kind) = (
        libc::PROT_READ | libc::PROT_WRITE,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
    );
    // SAFETY: a new mapping at an address of the system's choice.
    let base = unsafe { libc::mmap(ptr::null_mut(), size, access, kind, -1, 0) };
    assert_ne!(base, libc::MAP_FAILED);
    // SAFETY: the first part of the mapping, which nobody uses.
    assert_eq!(unsafe { libc::mprotect(base, GUARD, libc::PROT_NONE) }, 0);
    let lowest = base.wrapping_byte_add(GUARD);
    let mut start = Start {
        body: Some(Box::new(body)),
        lowest: lowest.addr(),
    };
    // SAFETY: plain data, initialised by the next call.
    let mut attributes: libc::pthread_attr_t = unsafe { std::mem::zeroed() };
    // SAFETY: there is room for the attributes.
    assert_eq!(unsafe { libc::pthread_attr_init(&raw mut attributes) }, 0);
    // SAFETY: the attributes are initialised, and the memory is the thread's from now on.
    let error = unsafe { libc::pthread_attr_setstack(&raw mut attributes, lowest, bytes) };
    assert_eq!(error, 0);
    let mut thread: libc::pthread_t = 0;
    let argument = (&raw mut start).cast();
    // SAFETY: `run` takes the argument, which outlives the thread: it is joined here.
    let error =
        unsafe { libc::pthread_create(&raw mut thread, &raw const attributes, run, argument) };
    assert_eq!(error, 0);
    // SAFETY: the thread was made and is joined once.
    assert_eq!(unsafe { libc::pthread_join(thread, ptr::null_mut()) }, 0);
    // SAFETY: initialised above, and not used again.
    unsafe { libc::pthread_attr_destroy(&raw mut attributes) };
    // SAFETY: the thread is gone, and nobody else knows the mapping.
    assert_eq!(unsafe { libc::munmap(base, size) }, 0);
}

extern "C" fn run(start: *mut libc::c_void) -> *mut libc::c_void {
    // SAFETY: `with_stack` passes its own value and waits.
    let start = unsafe { &mut *start.cast::<Start<'_>>() };
    if let Some(body) = start.body.take() {
        body(start.lowest);
    }
    ptr::null_mut()
}

/// Calls a closure with its stack at an address, or at most a small frame below it.
#[inline(never)]
pub fn descend(address: usize, run: &mut dyn FnMut()) {
    let here = 0u8;
    if black_box(&raw const here).addr() <= address {
        run();
    } else {
        descend(address, run);
    }
    black_box(&here);
}
