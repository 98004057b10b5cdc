//! Traps by fault and by call, with and without handlers of the host.
//!
//! Signal handlers belong to the process, so each test runs its body in a process of its own.

#![cfg(all(
    target_os = "linux",
    any(
        target_arch = "aarch64",
        target_arch = "riscv64",
        target_arch = "x86_64"
    )
))]

mod text;

use core::sync::atomic::{AtomicUsize, Ordering};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

use precast_format::trap::TrapCode;

use super::SignalHandlers;
use crate::sys::thread;
use crate::trap::unwind::backtrace::HOST;
use crate::trap::{Activation, Pending};
use text::{Place, Text, Values};

/// How a child says that it came to the end of its test.
const PASSED: i32 = 42;

/// This program once more, in the emulator that cargo was told to run it in.
fn this_program() -> Command {
    let program = std::env::current_exe().unwrap();
    let target = std::format!(
        "CARGO_TARGET_{}",
        std::env::consts::ARCH.to_ascii_uppercase()
    );
    let runner = std::env::vars()
        .find(|(name, _)| name.starts_with(&target) && name.ends_with("_RUNNER"))
        .map(|(_, runner)| runner);
    let mut words = runner.as_deref().unwrap_or("").split_whitespace();
    match words.next() {
        None => Command::new(program),
        Some(emulator) => {
            let mut command = Command::new(emulator);
            command.args(words).arg(program);
            command
        }
    }
}

/// Runs a test's body in a process of its own.
fn in_child(name: &str, body: fn()) -> ExitStatus {
    const VARIABLE: &str = "PRECAST_TRAP_TEST";
    if std::env::var_os(VARIABLE).is_some_and(|value| value == name) {
        body();
        std::process::exit(PASSED);
    }
    this_program()
        .args([
            "--exact",
            &std::format!("trap::signals::tests::{name}"),
            "--nocapture",
        ])
        .env(VARIABLE, name)
        .status()
        .unwrap()
}

/// An address that nothing is mapped at.
const NOWHERE: usize = 0x10_0000_0000_0000 >> 8 | 0x123;

fn trap_code(activation: &Activation) -> Option<TrapCode> {
    match activation.pending {
        Pending::Trap(info) => Some(info.code),
        _ => None,
    }
}

fn load_traps(text: &Text) {
    let (activation, status) = text.call(Place::Load, &mut [NOWHERE as u128, 0]);
    assert_eq!(status, 1);
    assert_eq!(trap_code(&activation), Some(TrapCode::MemoryOutOfBounds));
    let Pending::Trap(info) = activation.pending else {
        panic!()
    };
    assert_eq!(info.fault_address, Some(NOWHERE));
    assert_eq!(info.pc, text.address(Place::LoadSite));
    assert!(activation.backtrace.is_exact());
    let expected = [text.address(Place::LoadSite)];
    assert_eq!(activation.backtrace.addresses(), expected);
}

#[test]
fn faults_become_traps_and_the_thread_goes_on() {
    let status = in_child("faults_become_traps_and_the_thread_goes_on", || {
        let _handlers = SignalHandlers::acquire().unwrap();
        let text = Text::load();
        for _ in 0..3 {
            load_traps(&text);
            let value = 77u8;
            let mut values = [(&raw const value).addr() as u128, 0];
            assert_eq!(text.call(Place::Load, &mut values).1, 0);
            assert_eq!(values[0] as u8, 77);
            let (activation, status) = text.call(Place::Undefined, &mut [0; 2]);
            assert_eq!(
                (status, trap_code(&activation)),
                (1, Some(TrapCode::Unreachable))
            );
            let expected = [Place::UndefinedSite, Place::UndefinedReturn];
            assert_eq!(
                activation.backtrace.addresses(),
                expected.map(|at| text.address(at))
            );
            let (activation, status) = text.call(Place::Divide, &mut [0; 2]);
            assert_eq!(
                (status, trap_code(&activation)),
                (1, Some(TrapCode::IntegerDivideByZero))
            );
        }
    });
    assert_eq!(status.code(), Some(PASSED));
}

#[test]
fn raising_needs_no_handler() {
    let text = Text::load();
    for code in TrapCode::ALL {
        let (activation, status) = text.call(Place::Raise, &mut [*code as u128, 0]);
        assert_eq!((status, trap_code(&activation)), (1, Some(*code)));
        assert!(!activation.backtrace.is_exact());
        let expected = [Place::RaiseReturn];
        assert_eq!(
            activation.backtrace.addresses(),
            expected.map(|at| text.address(at))
        );
    }
    // Zero says that the host's error is already there; unknown numbers stop the program, too.
    let (activation, status) = text.call(Place::Raise, &mut [0; 2]);
    assert_eq!((status, activation.pending), (1, Pending::None));
    let (activation, status) = text.call(Place::Raise, &mut [0xffff_ff01, 0]);
    assert_eq!(
        (status, trap_code(&activation)),
        (1, Some(TrapCode::Unreachable))
    );
}

/// Called by compiled code: calls compiled code again, and keeps its backtrace.
unsafe extern "C" fn reenter(values: *mut Values) {
    // SAFETY: compiled code passes its value array.
    let values = unsafe { &*values };
    let text = core::ptr::with_exposed_provenance::<Text>(values[0] as usize);
    // SAFETY: the first value is the address of the test's text.
    let text = unsafe { &*text };
    // In between, the host calls one of its own functions through the loader: an activation
    // without compiled code.
    let outer = thread::current_activation();
    let mut direct = Activation::new(outer, 0, 0);
    thread::set_current_activation(&raw mut direct);
    let (activation, status) = text.call(Place::Raise, &mut [1, 0]);
    thread::set_current_activation(outer);
    assert_eq!(status, 1);
    let addresses = activation.backtrace.addresses();
    // Then comes what lies between activations, twice, and who called the adapter: here that is the
    // outer trampoline, which is left out.
    assert_eq!(addresses, [text.address(Place::RaiseReturn), HOST, HOST]);
    assert!(!activation.previous.is_null());
}

#[test]
fn backtraces_cross_the_host() {
    let text = Text::load();
    let address = (&raw const text).expose_provenance() as u128;
    let entry = reenter as *const () as usize as u128;
    let (_, status) = text.call(Place::Leave, &mut [address, entry]);
    assert_eq!(status, 0);
    assert!(thread::current_activation().is_null());
}

/// What the host's handler saw last, and how often it was called.
static SEEN: AtomicUsize = AtomicUsize::new(0);
static CALLS: AtomicUsize = AtomicUsize::new(0);

/// A handler of the host: makes the page accessible, so that the access succeeds.
unsafe extern "C" fn repair(_: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the system passes a valid structure.
    let info = unsafe { &*info };
    // SAFETY: for this signal it has an address.
    let address = unsafe { info.si_addr() };
    SEEN.store(address.addr(), Ordering::SeqCst);
    CALLS.fetch_add(1, Ordering::SeqCst);
    let size = crate::sys::page_size();
    let page = address.map_addr(|address| address & !(size - 1));
    // SAFETY: the page is the test's.
    let result = unsafe { libc::mprotect(page, size, libc::PROT_READ | libc::PROT_WRITE) };
    assert_eq!(result, 0);
}

fn install_action(signal: i32, handler: usize, flags: i32) {
    // SAFETY: zeros are an action.
    let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = flags;
    // SAFETY: the handler fits the flags.
    let result = unsafe { libc::sigaction(signal, &raw const action, core::ptr::null_mut()) };
    assert_eq!(result, 0);
}

fn installed(signal: i32) -> (usize, i32) {
    // SAFETY: zeros are an action.
    let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
    // SAFETY: there is room for the answer.
    let result = unsafe { libc::sigaction(signal, core::ptr::null(), &raw mut action) };
    assert_eq!(result, 0);
    // The C library adds a flag of its own.
    (
        action.sa_sigaction,
        action.sa_flags & (libc::SA_SIGINFO | libc::SA_NODEFER | libc::SA_ONSTACK),
    )
}

fn install_repair() {
    install_action(
        libc::SIGSEGV,
        repair as *const () as usize,
        libc::SA_SIGINFO,
    );
}

/// Touches a page that nobody may touch, from Rust and from code without a trap table entry.
fn repairs(text: &Text) {
    let calls = CALLS.load(Ordering::SeqCst);
    let size = crate::sys::page_size();
    let mut page = crate::sys::map::Mapping::writable(2 * size).unwrap();
    page.make_inaccessible(0, 2 * size).unwrap();
    let first = page.base().as_ptr().wrapping_add(5);
    // SAFETY: the host's handler makes the page accessible.
    assert_eq!(unsafe { first.read_volatile() }, 0);
    assert_eq!(SEEN.load(Ordering::SeqCst), first.addr());
    let second = page.base().as_ptr().wrapping_add(size);
    let mut values: Values = [second.expose_provenance() as u128, 0];
    assert_eq!(text.call(Place::Unknown, &mut values).1, 0);
    assert_eq!(SEEN.load(Ordering::SeqCst), second.addr());
    assert_eq!(CALLS.load(Ordering::SeqCst), calls + 2);
}

#[test]
fn a_handler_that_was_there_first_gets_the_rest() {
    let status = in_child("a_handler_that_was_there_first_gets_the_rest", || {
        install_repair();
        let before = installed(libc::SIGSEGV);
        let handlers = SignalHandlers::acquire().unwrap();
        assert_ne!(installed(libc::SIGSEGV).0, before.0);
        let text = Text::load();
        load_traps(&text);
        repairs(&text);
        load_traps(&text);
        let more = handlers.clone();
        drop(handlers);
        load_traps(&text);
        drop(more);
        assert_eq!(installed(libc::SIGSEGV), before);
        assert_eq!(installed(libc::SIGILL).0, libc::SIG_DFL);
        repairs(&text);
    });
    assert_eq!(status.code(), Some(PASSED));
}

/// The address of our handler, for a host's handler that hands on to it.
static OURS: AtomicUsize = AtomicUsize::new(0);

/// A handler that the host installs after ours: hands on everything.
unsafe extern "C" fn pass_on(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    CALLS.fetch_add(1, Ordering::SeqCst);
    // SAFETY: the address is that of a handler with three arguments.
    let ours = unsafe {
        core::mem::transmute::<
            usize,
            unsafe extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void),
        >(OURS.load(Ordering::SeqCst))
    };
    // SAFETY: the arguments are the system's.
    unsafe { ours(signal, info, context) }
}

#[test]
fn a_handler_that_came_later_stays() {
    let status = in_child("a_handler_that_came_later_stays", || {
        install_repair();
        let text = Text::load();
        let handlers = SignalHandlers::acquire().unwrap();
        OURS.store(installed(libc::SIGSEGV).0, Ordering::SeqCst);
        install_action(
            libc::SIGSEGV,
            pass_on as *const () as usize,
            libc::SA_SIGINFO,
        );
        load_traps(&text);
        assert_eq!(CALLS.load(Ordering::SeqCst), 1);
        drop(handlers);
        let later = pass_on as *const () as usize;
        assert_eq!(installed(libc::SIGSEGV).0, later);
        // Acquired again, the handlers must not hand on to themselves.
        let handlers = SignalHandlers::acquire().unwrap();
        load_traps(&text);
        let size = crate::sys::page_size();
        let mut page = crate::sys::map::Mapping::writable(size).unwrap();
        page.make_inaccessible(0, size).unwrap();
        // SAFETY: the host's first handler makes the page accessible.
        assert_eq!(unsafe { page.base().as_ptr().read_volatile() }, 0);
        assert_eq!(SEEN.load(Ordering::SeqCst), page.base().as_ptr().addr());
        drop(handlers);
        assert_eq!(installed(libc::SIGSEGV).0, later);
    });
    assert_eq!(status.code(), Some(PASSED));
}

#[test]
fn a_fault_of_the_host_ends_the_process_as_before() {
    let status = in_child("a_fault_of_the_host_ends_the_process_as_before", || {
        install_action(libc::SIGSEGV, libc::SIG_DFL, 0);
        let _handlers = SignalHandlers::acquire().unwrap();
        let text = Text::load();
        load_traps(&text);
        text.call(Place::Unknown, &mut [NOWHERE as u128, 0]);
    });
    assert_eq!(status.signal(), Some(libc::SIGSEGV));
}

#[test]
fn a_signal_that_was_sent_is_not_a_trap() {
    let status = in_child("a_signal_that_was_sent_is_not_a_trap", || {
        install_action(libc::SIGFPE, libc::SIG_IGN, 0);
        let _handlers = SignalHandlers::acquire().unwrap();
        // SAFETY: sends a signal, which was ignored.
        unsafe { libc::raise(libc::SIGFPE) };
        install_action(libc::SIGILL, libc::SIG_DFL, 0);
        // SAFETY: sends a signal, which ends the process.
        unsafe { libc::raise(libc::SIGILL) };
    });
    assert_eq!(status.signal(), Some(libc::SIGILL));
}

#[test]
fn the_end_of_the_stack_is_a_trap() {
    let status = in_child("the_end_of_the_stack_is_a_trap", || {
        let _handlers = SignalHandlers::acquire().unwrap();
        let overflow = || {
            thread::ensure_signal_stack().unwrap();
            let text = Text::load();
            for _ in 0..2 {
                let (activation, status) = text.call(Place::Recurse, &mut [0; 2]);
                assert_eq!(
                    (status, trap_code(&activation)),
                    (1, Some(TrapCode::StackOverflow))
                );
                assert!(activation.backtrace.is_truncated());
                load_traps(&text);
            }
        };
        // A thread that the language set up, with a signal stack of its own, and one without.
        std::thread::Builder::new()
            .stack_size(256 << 10)
            .spawn(overflow)
            .unwrap()
            .join()
            .unwrap();
        std::thread::spawn(move || {
            let none = libc::stack_t {
                ss_sp: core::ptr::null_mut(),
                ss_flags: libc::SS_DISABLE,
                ss_size: 0,
            };
            // SAFETY: takes the signal stack of this thread out of use.
            let result = unsafe { libc::sigaltstack(&raw const none, core::ptr::null_mut()) };
            assert_eq!(result, 0);
            overflow();
        })
        .join()
        .unwrap();
    });
    assert_eq!(status.code(), Some(PASSED));
}

#[test]
fn the_main_threads_stack_ends_in_a_trap_too() {
    // The harness runs tests on threads of its own, unless it may use only one.
    let name = "the_main_threads_stack_ends_in_a_trap_too";
    if std::env::var_os("PRECAST_TRAP_TEST").is_none() {
        let status = this_program()
            .args([
                "--exact",
                &std::format!("trap::signals::tests::{name}"),
                "--test-threads=1",
            ])
            .env("PRECAST_TRAP_TEST", name)
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(PASSED));
        return;
    }
    let _handlers = SignalHandlers::acquire().unwrap();
    thread::ensure_signal_stack().unwrap();
    let text = Text::load();
    let (activation, status) = text.call(Place::Recurse, &mut [0; 2]);
    assert_eq!(
        (status, trap_code(&activation)),
        (1, Some(TrapCode::StackOverflow))
    );
    std::process::exit(PASSED);
}

#[test]
fn threads_trap_while_others_load_and_unload() {
    let status = in_child("threads_trap_while_others_load_and_unload", || {
        let threads: std::vec::Vec<_> = (0..4)
            .map(|_| {
                std::thread::spawn(|| {
                    for round in 0..50 {
                        let _handlers = SignalHandlers::acquire().unwrap();
                        // More texts than a chunk of the registry has slots.
                        let count = if round % 10 == 0 { 60 } else { 3 };
                        let texts: std::vec::Vec<_> = (0..count).map(|_| Text::load()).collect();
                        texts.iter().for_each(load_traps);
                    }
                })
            })
            .collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_eq!(installed(libc::SIGILL).0, libc::SIG_DFL);
    });
    assert_eq!(status.code(), Some(PASSED));
}
