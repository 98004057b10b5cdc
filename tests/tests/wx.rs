//! No mapping is ever writable and executable, looked at after every call that changes mappings.
//!
//! The test puts its own `mmap` and `mprotect` in front of the C library's: those of the loader
//! end up here, and each looks at `/proc/self/maps` before it returns.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::ffi::{c_int, c_void};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use precast_compiler::{Silent, compile};
use precast_loader::{Caller, Imports, InstanceOptions, Runtime, Source, Stack};
use precast_tests::configuration;

/// How often the mappings were looked at, and how many of those looks found what must not be.
static LOOKS: AtomicUsize = AtomicUsize::new(0);
static FOUND: AtomicUsize = AtomicUsize::new(0);

/// What `/proc/self/maps` said. Of fixed size, because a look must not map memory itself.
static MAPS: Mutex<[u8; 1 << 20]> = Mutex::new([0; 1 << 20]);

/// Looks at all mappings.
fn look() {
    let mut maps = MAPS.lock().expect("nobody panics while looking");
    // SAFETY: the path ends with a zero byte.
    let file = unsafe { libc::open(c"/proc/self/maps".as_ptr(), libc::O_RDONLY) };
    let mut length = 0;
    while let Some(rest) = maps.get_mut(length..).filter(|rest| !rest.is_empty()) {
        // SAFETY: the buffer has so much room.
        let count = unsafe { libc::read(file, rest.as_mut_ptr().cast(), rest.len()) };
        match usize::try_from(count) {
            Ok(count) if count > 0 => length += count,
            _ => break,
        }
    }
    // SAFETY: the descriptor is ours.
    unsafe { libc::close(file) };
    assert!(length > 0 && length < maps.len());
    let bad = maps[..length]
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.split(|byte| *byte == b' ').nth(1))
        .any(|protection| protection.contains(&b'w') && protection.contains(&b'x'));
    LOOKS.fetch_add(1, Ordering::SeqCst);
    FOUND.fetch_add(usize::from(bad), Ordering::SeqCst);
}

/// The C library's function of this name, with a look afterwards.
#[unsafe(no_mangle)]
unsafe extern "C" fn mmap(
    address: *mut c_void,
    size: usize,
    protection: c_int,
    flags: c_int,
    file: c_int,
    offset: i64,
) -> *mut c_void {
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
    look();
    std::ptr::with_exposed_provenance_mut(result as usize)
}

/// The C library's function of this name, with a look afterwards.
#[unsafe(no_mangle)]
unsafe extern "C" fn mprotect(address: *mut c_void, size: usize, protection: c_int) -> c_int {
    // SAFETY: the arguments are the caller's.
    let result = unsafe { libc::syscall(libc::SYS_mprotect, address, size, protection) };
    look();
    result as c_int
}

const MODULE: &str = r#"
    (module
        (import "host" "twice" (func $twice (param i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "some bytes that are there at first")
        (func (export "grow") (param i32) (result i32)
            (memory.grow (call $twice (local.get 0))))
        (func (export "load") (param i32) (result i32)
            (i32.load (local.get 0))))
"#;

#[test]
#[cfg_attr(
    target_pointer_width = "32",
    ignore = "there is no native code for this machine"
)]
fn nothing_is_writable_and_executable_at_any_time() {
    let wasm = wat::parse_str(MODULE).expect("the module is well formed");
    for configuration in configuration::ALL {
        let compiled = compile(&wasm, &configuration.options(), &Silent).expect("it compiles");
        let name = format!("precast-wx-{}.precast", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, &compiled.artifact).expect("there is room for a small file");
        for source in [Source::file(&path), Source::copied(&compiled.artifact)] {
            let before = LOOKS.load(Ordering::SeqCst);
            let runtime = Runtime::system().expect("there is memory");
            // SAFETY: the compiler made the artifact, and nobody changes the file.
            let module = unsafe { runtime.load_unverified(source) }.expect("it loads");
            let mut imports = Imports::new(&runtime);
            imports
                .func("host", "twice", |_: &mut Caller<'_>, value: i32| 2 * value)
                .expect("there is memory");
            let instance = module
                .instantiate(&imports, InstanceOptions::default())
                .expect("it can be instantiated");
            let mut env = instance.execution_environment(Stack::Caller).unwrap();
            let grow = instance
                .func::<(i32,), i32>("grow")
                .expect("it is exported");
            assert_eq!(grow.call(&mut env, (2,)).expect("it grows"), 1);
            let load = instance
                .func::<(i32,), i32>("load")
                .expect("it is exported");
            assert!(load.call(&mut env, (4 << 16,)).is_ok());
            assert!(load.call(&mut env, (5 << 16,)).is_err());
            // Code at least is mapped, and published where it is not mapped from the file.
            assert!(
                LOOKS.load(Ordering::SeqCst) > before,
                "{}",
                configuration.name
            );
        }
        std::fs::remove_file(&path).expect("the file is ours");
    }
    assert_eq!(FOUND.load(Ordering::SeqCst), 0);

    // The look sees what it looks for.
    let both = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: maps a page that nobody uses.
    let page = unsafe { mmap(std::ptr::null_mut(), 4096, both, flags, -1, 0) };
    assert_eq!(FOUND.load(Ordering::SeqCst), 1);
    // SAFETY: the page is ours.
    unsafe { libc::munmap(page, 4096) };
}
