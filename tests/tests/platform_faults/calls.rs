//! Functions in front of the C library's, which count the calls of an armed thread and refuse some.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::fmt;
use std::sync::Mutex;

macro_rules! calls {
    ($($name:ident),*) => {
        /// A call that the loader makes of the system.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Call {
            $($name,)*
        }

        impl Call {
            /// All of them.
            pub const ALL: &[Call] = &[$(Call::$name),*];
        }
    };
}

calls!(
    Open,
    Status,
    Map,
    Unmap,
    Protect,
    Remap,
    Advise,
    SignalStack,
    SignalAction,
    KeyCreate,
    KeySet
);

/// Which calls are refused, counted from zero since the thread was armed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// None.
    Nothing,
    /// Exactly this one.
    Only(usize),
    /// This one and all that follow.
    From(usize),
    /// All calls of one kind.
    Kind(Call),
}

/// The calls that a thread made.
#[derive(Clone, Copy, Default)]
pub struct Seen {
    counts: [usize; Call::ALL.len()],
    refused: usize,
}

impl Seen {
    const NONE: Seen = Seen {
        counts: [0; Call::ALL.len()],
        refused: 0,
    };

    /// How many of a kind.
    pub fn count(&self, call: Call) -> usize {
        self.counts[call as usize]
    }

    /// How many were refused.
    pub fn refused(&self) -> usize {
        self.refused
    }

    /// Adds those of another thread.
    pub fn add(&mut self, other: &Seen) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.refused += other.refused;
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = Call::ALL.iter().map(|call| (call, self.count(*call)));
        f.debug_map()
            .entries(counts.filter(|(_, count)| *count > 0))
            .finish()
    }
}

thread_local! {
    /// What is refused, on a thread that is armed.
    static FAULT: Cell<Option<Fault>> = const { Cell::new(None) };
    static SEEN: RefCell<Seen> = const { RefCell::new(Seen::NONE) };
}

/// Mappings that should have gone, and did not because the call was refused.
static KEPT: Mutex<[(usize, usize); 64]> = Mutex::new([(0, 0); 64]);

/// Starts to count the calls of this thread, and refuses as told.
pub fn arm(fault: Fault) {
    SEEN.set(Seen::NONE);
    FAULT.set(Some(fault));
}

/// Refuses nothing from now on. What there was since the thread was armed.
pub fn disarm() -> Seen {
    FAULT.set(None);
    SEEN.with_borrow(|seen| *seen)
}

/// Whether a call is to be refused.
fn refuses(call: Call) -> bool {
    let Ok(Some(fault)) = FAULT.try_with(Cell::get) else {
        return false;
    };
    SEEN.with_borrow_mut(|seen| {
        let number: usize = seen.counts.iter().sum();
        seen.counts[call as usize] += 1;
        let refused = match fault {
            Fault::Nothing => false,
            Fault::Only(only) => number == only,
            Fault::From(first) => number >= first,
            Fault::Kind(kind) => kind == call,
        };
        seen.refused += usize::from(refused);
        refused
    })
}

/// The answer to a call that is refused.
fn out_of_memory() -> c_int {
    // SAFETY: the address is that of a variable of this thread.
    let error = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    unsafe { error.write(libc::ENOMEM) };
    -1
}

/// Makes the C library have one heap for all threads, which is no mapping.
pub fn one_heap() {
    for (what, value) in [(libc::M_ARENA_MAX, 1), (libc::M_MMAP_THRESHOLD, 32 << 20)] {
        // SAFETY: sets a number.
        let result = unsafe { libc::mallopt(what, value) };
        assert_eq!(result, 1);
    }
}

/// Takes away the alternate signal stack that the standard library gave this thread.
pub fn without_signal_stack() {
    let none = libc::stack_t {
        ss_sp: std::ptr::null_mut(),
        ss_flags: libc::SS_DISABLE,
        ss_size: 0,
    };
    // SAFETY: no handler runs on the stack.
    let result = unsafe { libc::sigaltstack(&raw const none, std::ptr::null_mut()) };
    assert_eq!(result, 0);
}

/// The handlers of the faults that compiled code can raise.
pub fn handlers() -> [usize; 4] {
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE].map(|signal| {
        // SAFETY: the structure is plain data, for which zeros are a value.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        // SAFETY: asks only; there is room for the answer.
        let result = unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut action) };
        assert_eq!(result, 0);
        action.sa_sigaction
    })
}

/// Does what was refused of calls that give mappings back.
pub fn unmap_what_was_kept() {
    let mut kept = KEPT.lock().expect("nobody panics while unmapping");
    for (address, size) in kept.iter_mut().filter(|(_, size)| *size != 0) {
        // SAFETY: whoever had the mapping has given it up.
        let result = unsafe { libc::syscall(libc::SYS_munmap, *address, *size) };
        assert_eq!(result, 0);
        (*address, *size) = (0, 0);
    }
}

/// The C library's function of a name.
fn next(name: &CStr) -> *mut c_void {
    // SAFETY: the name ends with a zero byte.
    let function = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
    assert!(!function.is_null());
    function
}

/// Opens a file.
#[unsafe(no_mangle)]
unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    if refuses(Call::Open) {
        return out_of_memory();
    }
    // SAFETY: the arguments are the caller's.
    unsafe { libc::syscall(libc::SYS_open, path, flags, mode) as c_int }
}

/// Asks about a file.
#[unsafe(no_mangle)]
unsafe extern "C" fn fstat(file: c_int, status: *mut libc::stat) -> c_int {
    if refuses(Call::Status) {
        return out_of_memory();
    }
    // SAFETY: the arguments are the caller's.
    unsafe { libc::syscall(libc::SYS_fstat, file, status) as c_int }
}

/// Maps. Where the addresses are fixed and the call is refused, what was there is gone: so it is on
/// many systems when memory runs out in the middle of the call.
#[unsafe(no_mangle)]
unsafe extern "C" fn mmap(
    address: *mut c_void,
    size: usize,
    protection: c_int,
    flags: c_int,
    file: c_int,
    offset: i64,
) -> *mut c_void {
    if refuses(Call::Map) {
        if flags & libc::MAP_FIXED != 0 {
            // SAFETY: the caller wanted something else there.
            unsafe { libc::syscall(libc::SYS_munmap, address, size) };
        }
        out_of_memory();
        return libc::MAP_FAILED;
    }
    // SAFETY: the arguments are the caller's.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mmap,
            address,
            size,
            protection,
            flags,
            file,
            offset,
        )
    };
    std::ptr::with_exposed_provenance_mut(result as usize)
}

/// Unmaps.
#[unsafe(no_mangle)]
unsafe extern "C" fn munmap(address: *mut c_void, size: usize) -> c_int {
    if refuses(Call::Unmap) {
        let mut kept = KEPT.lock().expect("nobody panics while unmapping");
        let place = kept.iter_mut().find(|(_, size)| *size == 0);
        *place.expect("there is room for all mappings") = (address.addr(), size);
        return out_of_memory();
    }
    // SAFETY: the arguments are the caller's.
    unsafe { libc::syscall(libc::SYS_munmap, address, size) as c_int }
}

/// Changes the protection.
#[unsafe(no_mangle)]
unsafe extern "C" fn mprotect(address: *mut c_void, size: usize, protection: c_int) -> c_int {
    if refuses(Call::Protect) {
        return out_of_memory();
    }
    // SAFETY: the arguments are the caller's.
    unsafe { libc::syscall(libc::SYS_mprotect, address, size, protection) as c_int }
}

/// Changes the size of a mapping.
#[unsafe(no_mangle)]
unsafe extern "C" fn mremap(
    address: *mut c_void,
    old: usize,
    new: usize,
    flags: c_int,
    place: *mut c_void,
) -> *mut c_void {
    if refuses(Call::Remap) {
        out_of_memory();
        return libc::MAP_FAILED;
    }
    // SAFETY: the arguments are the caller's.
    let result = unsafe { libc::syscall(libc::SYS_mremap, address, old, new, flags, place) };
    std::ptr::with_exposed_provenance_mut(result as usize)
}

/// Gives advice about a mapping.
#[unsafe(no_mangle)]
unsafe extern "C" fn madvise(address: *mut c_void, size: usize, advice: c_int) -> c_int {
    if refuses(Call::Advise) {
        return out_of_memory();
    }
    // SAFETY: the arguments are the caller's.
    unsafe { libc::syscall(libc::SYS_madvise, address, size, advice) as c_int }
}

/// Sets or asks for the alternate signal stack.
#[unsafe(no_mangle)]
unsafe extern "C" fn sigaltstack(new: *const libc::stack_t, old: *mut libc::stack_t) -> c_int {
    if refuses(Call::SignalStack) {
        return out_of_memory();
    }
    // SAFETY: the arguments are the caller's.
    unsafe { libc::syscall(libc::SYS_sigaltstack, new, old) as c_int }
}

/// Sets or asks for a signal's action.
#[unsafe(no_mangle)]
unsafe extern "C" fn sigaction(
    signal: c_int,
    new: *const libc::sigaction,
    old: *mut libc::sigaction,
) -> c_int {
    type Function =
        unsafe extern "C" fn(c_int, *const libc::sigaction, *mut libc::sigaction) -> c_int;
    if refuses(Call::SignalAction) {
        return out_of_memory();
    }
    // SAFETY: the C library's function has this type.
    let function = unsafe { std::mem::transmute::<*mut c_void, Function>(next(c"sigaction")) };
    // SAFETY: the arguments are the caller's.
    unsafe { function(signal, new, old) }
}

/// Makes a key for what is kept per thread.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_key_create(
    key: *mut libc::pthread_key_t,
    destructor: Option<unsafe extern "C" fn(*mut c_void)>,
) -> c_int {
    type Function = unsafe extern "C" fn(
        *mut libc::pthread_key_t,
        Option<unsafe extern "C" fn(*mut c_void)>,
    ) -> c_int;
    if refuses(Call::KeyCreate) {
        return libc::ENOMEM;
    }
    // SAFETY: the C library's function has this type.
    let function =
        unsafe { std::mem::transmute::<*mut c_void, Function>(next(c"pthread_key_create")) };
    // SAFETY: the arguments are the caller's.
    unsafe { function(key, destructor) }
}

/// Sets what a thread keeps under a key.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_setspecific(key: libc::pthread_key_t, value: *const c_void) -> c_int {
    type Function = unsafe extern "C" fn(libc::pthread_key_t, *const c_void) -> c_int;
    if refuses(Call::KeySet) {
        return libc::ENOMEM;
    }
    // SAFETY: the C library's function has this type.
    let function =
        unsafe { std::mem::transmute::<*mut c_void, Function>(next(c"pthread_setspecific")) };
    // SAFETY: the arguments are the caller's.
    unsafe { function(key, value) }
}
