//! Cases beside the matrix: what the system would have done with a fault, the flags of the host's
//! handler, runtimes that come and go, several threads, and artifacts that need no handler.

use std::sync::atomic::Ordering;

use super::handlers::{self, FRAME, TAKEN};
use super::hardware::{self, SIGNALS};
use super::program::{self, Program};
use super::{Expected, artifact};

/// A case: its name, what it does, and how it ends for each signal, or for one of them.
type Case = (&'static str, fn(i32), Ends);

/// How a case ends.
#[derive(Clone, Copy)]
enum Ends {
    /// Comes to its end with so many faults taken, for each signal.
    Well(usize),
    /// Ends by the signal of the fault with so many faults taken, for each signal.
    ByFault(usize),
    /// Runs for SIGSEGV only, and ends by a signal.
    Once(Option<i32>, usize),
}

const CASES: &[Case] = &[
    ("default", default_action, Ends::ByFault(0)),
    ("default-elsewhere", default_elsewhere, Ends::ByFault(0)),
    ("ignored", ignored, Ends::ByFault(0)),
    ("ignored-sent", ignored_sent, Ends::Well(0)),
    ("sent", sent, Ends::Well(1)),
    ("sent-default", sent_default, Ends::ByFault(0)),
    ("reset", reset, Ends::ByFault(1)),
    ("no-defer", no_defer, Ends::Well(2)),
    ("nested", nested, Ends::ByFault(1)),
    ("raise-again", raise_again, Ends::ByFault(1)),
    ("returns-elsewhere", returns_elsewhere, Ends::Well(2)),
    ("flags", flags, Ends::Well(0)),
    ("restart", restart, Ends::Well(1)),
    ("own-stack", own_stack, Ends::Well(1)),
    ("smallest-stack", smallest_stack, Ends::Well(1)),
    ("second-runtime", second_runtime, Ends::Well(3)),
    ("many-runtimes", many_runtimes, Ends::Well(1)),
    ("deaf", deaf, Ends::Well(1)),
    ("threads", threads, Ends::Well(160)),
    ("explicit", explicit, Ends::Well(1)),
    ("overflow", overflow, Ends::Once(Some(libc::SIGABRT), 0)),
];

/// All cases and what is expected of them.
pub fn all() -> impl Iterator<Item = (String, Expected)> {
    CASES.iter().flat_map(|(name, _, ends)| {
        let expected = |signal, taken| Expected { signal, taken };
        let cases: Vec<(i32, Expected)> = match *ends {
            Ends::Once(signal, taken) => vec![(libc::SIGSEGV, expected(signal, taken))],
            Ends::Well(taken) => SIGNALS.map(|fault| (fault, expected(None, taken))).to_vec(),
            Ends::ByFault(taken) => SIGNALS
                .map(|fault| (fault, expected(Some(fault), taken)))
                .to_vec(),
        };
        let named =
            move |(fault, expected)| (format!("{name} {}", hardware::name(fault)), expected);
        cases.into_iter().map(named)
    })
}

/// Runs a case.
pub fn run(case: &str) {
    let (name, signal) = case.split_once(' ').expect("a case and a signal");
    let signal = SIGNALS
        .into_iter()
        .find(|number| hardware::name(*number) == signal)
        .expect("it is one of the four");
    let case = CASES.iter().find(|(other, ..)| *other == name);
    case.expect("it is one of the cases").1(signal);
}

fn address(handler: extern "C" fn(i32)) -> usize {
    handler as *const () as usize
}

/// Loads, and makes sure that traps are ours.
fn start() -> (precast_loader::Module, Program) {
    let module = program::load(&artifact("signals"));
    let program = Program::new(&module, None);
    program.traps();
    (module, program)
}

fn default_action(signal: i32) {
    handlers::install(signal, libc::SIG_DFL, 0, false);
    let (_module, program) = start();
    program.fault_in_host(signal);
}

fn default_elsewhere(signal: i32) {
    handlers::install(signal, libc::SIG_DFL, 0, false);
    let (_module, _program) = start();
    let thread = std::thread::spawn(move || hardware::fault(signal));
    let _ = thread.join();
}

fn ignored(signal: i32) {
    handlers::install(signal, libc::SIG_IGN, 0, false);
    let (_module, program) = start();
    program.fault_in_host(signal);
}

fn raise(signal: i32) {
    // SAFETY: sends a signal to this thread.
    unsafe { libc::raise(signal) };
}

fn ignored_sent(signal: i32) {
    handlers::install(signal, libc::SIG_IGN, 0, false);
    let (_module, program) = start();
    raise(signal);
    program.traps();
    // A signal that is ignored does not interrupt a call of the system.
    assert!(!interrupts(signal));
}

fn sent(signal: i32) {
    handlers::install(signal, address(handlers::only_note), 0, false);
    let (_module, program) = start();
    raise(signal);
    program.traps();
}

fn sent_default(signal: i32) {
    handlers::install(signal, libc::SIG_DFL, 0, false);
    let (_module, _program) = start();
    raise(signal);
}

fn reset(signal: i32) {
    handlers::install(signal, address(handlers::leave), libc::SA_RESETHAND, false);
    let (_module, program) = start();
    program.fault_in_host(signal);
    program.traps();
    program.fault_in_host(signal);
}

fn no_defer(signal: i32) {
    handlers::install(signal, address(handlers::nested), libc::SA_NODEFER, false);
    let (_module, program) = start();
    program.fault_in_host(signal);
    program.traps();
}

/// A fault whose signal is blocked ends the process.
fn nested(signal: i32) {
    handlers::install(signal, address(handlers::nested), 0, false);
    let (_module, program) = start();
    program.fault_in_host(signal);
}

fn raise_again(signal: i32) {
    handlers::install(signal, address(handlers::raise_again), 0, false);
    let (_module, program) = start();
    program.fault_in_host(signal);
}

/// With details, and yet not returning.
fn returns_elsewhere(signal: i32) {
    let handler = handlers::leave_with_details as *const () as usize;
    handlers::install(signal, handler, libc::SA_SIGINFO, false);
    let (_module, program) = start();
    program.fault_in_host(signal);
    program.traps();
    program.fault_in_host(signal);
    program.traps();
}

/// All flags and the mask are there again afterwards.
fn flags(signal: i32) {
    let handler = handlers::skip as *const () as usize;
    for flags in [
        0,
        libc::SA_SIGINFO,
        libc::SA_NODEFER | libc::SA_SIGINFO,
        libc::SA_ONSTACK,
        libc::SA_RESETHAND,
        libc::SA_RESTART | libc::SA_ONSTACK | libc::SA_SIGINFO,
    ] {
        for mask in [false, true] {
            handlers::install(signal, handler, flags, mask);
            let before = handlers::installed();
            drop(start());
            assert_eq!(handlers::installed(), before, "{flags:#x}");
        }
    }
}

/// Whether a signal that comes during a call of the system ends the call.
fn interrupts(signal: i32) -> bool {
    let mut ends = [0; 2];
    // SAFETY: there is room for two numbers.
    assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
    // SAFETY: always succeeds.
    let reader = unsafe { libc::pthread_self() } as usize;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(50));
            // SAFETY: the thread waits for this one.
            unsafe { libc::pthread_kill(reader as libc::pthread_t, signal) };
            std::thread::sleep(std::time::Duration::from_millis(50));
            // SAFETY: writes a byte that is there.
            unsafe { libc::write(ends[1], c"x".as_ptr().cast(), 1) };
        });
        let mut byte = 0u8;
        // SAFETY: there is room for a byte.
        let read = unsafe { libc::read(ends[0], (&raw mut byte).cast(), 1) };
        read != 1
    })
}

fn restart(signal: i32) {
    handlers::install(
        signal,
        address(handlers::only_note),
        libc::SA_RESTART,
        false,
    );
    let (_module, _program) = start();
    assert!(!interrupts(signal));
}

/// The host's own alternate stack is kept where it is large enough, and its handler runs there.
fn own_stack(signal: i32) {
    let size = 64 << 10;
    std::thread::spawn(move || {
        handlers::set_alternate_stack(Some(size));
        let own = handlers::alternate_stack();
        let handler = handlers::skip as *const () as usize;
        let flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        handlers::install(signal, handler, flags, false);
        let (_module, program) = start();
        program.fault_in_host(signal);
        assert_eq!(handlers::alternate_stack(), own);
        let frame = FRAME.load(Ordering::SeqCst);
        assert!((own.1..own.1 + own.2).contains(&frame));
    })
    .join()
    .expect("the case does not panic");
}

/// The smallest alternate stack of the host's that is kept is large enough for ours: also where
/// all vector registers are in use.
fn smallest_stack(signal: i32) {
    let handler = handlers::skip as *const () as usize;
    handlers::install(signal, handler, libc::SA_SIGINFO, false);
    std::thread::spawn(move || {
        handlers::set_alternate_stack(Some(handlers::least_alternate_stack() + 4096));
        let own = handlers::alternate_stack();
        let (_module, program) = start();
        assert_eq!(handlers::alternate_stack(), own, "it is just large enough");
        program.traps();
        program.fault_in_host(signal);
        let overflow = Program::new(&program::load(&artifact("signals")), Some(64 << 10));
        overflow.traps();
    })
    .join()
    .expect("the case does not panic");
}

/// The host hands on to ours, all runtimes go, and new ones come.
fn second_runtime(signal: i32) {
    let handler = handlers::skip as *const () as usize;
    handlers::install(signal, handler, libc::SA_SIGINFO, false);
    let (module, program) = start();
    let later = handlers::hand_on as *const () as usize;
    handlers::install(signal, later, libc::SA_SIGINFO | libc::SA_ONSTACK, false);
    let with_later = handlers::installed();
    program.traps();
    drop((module, program));
    hardware::fault(signal);
    let handed_on = handlers::HANDED_ON.load(Ordering::SeqCst);
    // Ours comes first again: traps of the second runtime are none of the host's business.
    let (module, program) = start();
    program.traps();
    assert_eq!(handlers::HANDED_ON.load(Ordering::SeqCst), handed_on);
    program.fault_in_host(signal);
    assert_eq!(handlers::HANDED_ON.load(Ordering::SeqCst), handed_on + 1);
    drop((module, program));
    assert_eq!(
        handlers::installed()[0].0 == later,
        with_later[0].0 == later
    );
    hardware::fault(signal);
}

/// A host that puts its handler in front again and again.
fn many_runtimes(signal: i32) {
    let handler = handlers::skip as *const () as usize;
    handlers::install(signal, handler, libc::SA_SIGINFO, false);
    let mut runtimes = Vec::new();
    for _ in 0..8 {
        runtimes.push(start().0);
        let chosen = handlers::choose as *const () as usize;
        if handlers::installed()
            .iter()
            .all(|(other, ..)| *other != chosen)
        {
            handlers::install(signal, chosen, libc::SA_SIGINFO | libc::SA_ONSTACK, false);
        }
    }
    let program = Program::new(&runtimes[0], None);
    program.fault_in_host(signal);
    program.traps();
    drop(program);
    drop(runtimes);
    drop(start());
}

/// A host whose later handler hands on nothing.
fn deaf(signal: i32) {
    let (module, program) = start();
    drop((module, program));
    let (module, program) = start();
    let handler = handlers::skip as *const () as usize;
    handlers::install(signal, handler, libc::SA_SIGINFO, false);
    drop((module, program));
    // The next runtime is in front of it.
    let (_module, program) = start();
    program.fault_in_host(signal);
    program.traps();
}

/// Several threads trap and fault at the same time.
fn threads(signal: i32) {
    let handler = handlers::skip as *const () as usize;
    handlers::install(signal, handler, libc::SA_SIGINFO, false);
    let module = program::load(&artifact("signals"));
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let module = &module;
            scope.spawn(move || {
                let program = Program::new(module, (thread % 2 == 1).then_some(128 << 10));
                for _ in 0..20 {
                    program.traps();
                    match thread % 4 {
                        0 => hardware::fault(signal),
                        _ => program.fault_in_host(signal),
                    }
                }
            });
        }
    });
    assert_eq!(TAKEN.load(Ordering::SeqCst), 160);
}

/// An artifact that needs no signals changes neither handlers nor the thread's alternate stack.
fn explicit(signal: i32) {
    let handler = handlers::skip as *const () as usize;
    handlers::install(signal, handler, libc::SA_SIGINFO, false);
    let before = (handlers::installed(), handlers::alternate_stack());
    let now = || (handlers::installed(), handlers::alternate_stack());
    let module = program::load(&artifact("explicit"));
    assert_eq!(now(), before, "after loading");
    for stack in [None, Some(256 << 10)] {
        let program = Program::new(&module, stack);
        program.traps();
        assert_eq!(now(), before, "after traps");
        if stack.is_none() {
            program.fault_in_host(signal);
        }
    }
    drop(module);
    assert_eq!(now(), before, "after unloading");
}

/// The host's own stack overflows inside of a call: the standard library's handler has the word.
fn overflow(_: i32) {
    let thread = std::thread::spawn(|| {
        let (_module, program) = start();
        program.fault_in_host(0);
    });
    let _ = thread.join();
}
