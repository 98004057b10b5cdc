//! The matrix: when the host's handler came, how it was installed, which alternate stack its
//! threads have, which signal a fault raises, and on which thread all that happens.

use super::handlers::{self, HANDED_ON, TAKEN};
use super::hardware::{self, SIGNALS};
use super::program::{self, Program};
use super::{Expected, artifact};
use std::sync::atomic::Ordering;

/// When the host installs handlers.
const ORDERS: [&str; 3] = ["before", "after", "both"];
/// Whether they ask for details.
const DETAILS: [&str; 2] = ["plain", "siginfo"];
/// The alternate stack that the host gives its threads.
const STACKS: [&str; 4] = ["no-stack", "least-stack", "small-stack", "large-stack"];
/// The threads.
const THREADS: [&str; 3] = ["main-thread", "second-thread", "region"];

/// How often the host faults in each case.
const FAULTS: usize = 6;

/// All cases, whether they run on the first thread, and what is expected of them.
pub fn all() -> impl Iterator<Item = (String, bool, Expected)> {
    let lists = ORDERS.into_iter().flat_map(|order| {
        DETAILS.into_iter().flat_map(move |details| {
            STACKS.into_iter().flat_map(move |stack| {
                THREADS
                    .into_iter()
                    .map(move |thread| (order, details, stack, thread))
            })
        })
    });
    lists
        // Whoever comes after ours must hand on the details that ours needs.
        .filter(|(order, details, ..)| *order != "after" || *details == "siginfo")
        .flat_map(|(order, details, stack, thread)| {
            SIGNALS.into_iter().map(move |signal| {
                let name = hardware::name(signal);
                let case = format!("{order} {details} {stack} {thread} {name}");
                let expected = Expected {
                    signal: None,
                    taken: FAULTS,
                };
                (case, thread == "main-thread", expected)
            })
        })
}

/// Runs a case, if it is one of these.
pub fn run(case: &str) -> bool {
    let words: Vec<&str> = case.split(' ').collect();
    let [order, details, stack, thread, signal] = words[..] else {
        return false;
    };
    let signal = SIGNALS
        .into_iter()
        .find(|number| hardware::name(*number) == signal)
        .expect("it is one of the four");
    let body = || whole(order, details, stack, thread == "region", signal);
    match thread {
        "main-thread" => body(),
        _ => std::thread::scope(|scope| {
            scope.spawn(body).join().expect("the case does not panic");
        }),
    }
    true
}

fn whole(order: &str, details: &str, stack: &str, region: bool, signal: i32) {
    give_stack(stack);
    let first = install_first(order, details);
    let installed = handlers::installed();
    let module = program::load(&artifact("signals"));
    if order != "before" {
        for signal in SIGNALS {
            let handler = match order {
                "both" => handlers::hand_on,
                _ => handlers::choose,
            };
            // Whoever wants to hand on a stack overflow runs on the alternate stack, as ours does.
            let flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            handlers::install(signal, handler as *const () as usize, flags, false);
        }
    }
    let second = handlers::installed();
    let program = Program::new(&module, region.then_some(256 << 10));
    program.traps();
    assert_eq!(TAKEN.load(Ordering::SeqCst), 0, "traps are ours");
    // On this thread; with code of two instances on the stack, twice; on a thread that never ran
    // any.
    hardware::fault(signal);
    program.traps();
    program.fault_in_host(signal);
    program.traps();
    program.fault_in_host(signal);
    program.traps();
    fault_elsewhere(stack, signal);
    expect_taken(4, first);
    drop(program);
    drop(module);
    let left = handlers::installed();
    match order {
        "before" => assert_eq!(left, installed, "all is as before"),
        _ => assert_eq!(left, second, "what came later stays"),
    }
    hardware::fault(signal);
    fault_elsewhere(stack, signal);
    expect_taken(FAULTS, first);
}

/// What the host has before ours; whether that takes its faults.
fn install_first(order: &str, details: &str) -> bool {
    let (handler, flags) = match details {
        "siginfo" => (handlers::skip as *const () as usize, libc::SA_SIGINFO),
        _ => (handlers::leave as *const () as usize, 0),
    };
    for signal in SIGNALS {
        match order {
            "after" => handlers::install(signal, libc::SIG_DFL, 0, false),
            _ => handlers::install(signal, handler, flags, true),
        }
    }
    order != "after"
}

fn expect_taken(count: usize, first: bool) {
    assert_eq!(TAKEN.load(Ordering::SeqCst), count, "faults of the host");
    let blocked = handlers::USR1_BLOCKED.load(Ordering::SeqCst);
    // A handler that is handed the signal runs under the mask of whoever hands it on.
    let handed = HANDED_ON.load(Ordering::SeqCst) > 0;
    assert_eq!(blocked, first && !handed, "the handler's own mask");
}

fn fault_elsewhere(stack: &str, signal: i32) {
    std::thread::scope(|scope| {
        let body = || {
            give_stack(stack);
            hardware::fault(signal);
        };
        scope.spawn(body).join().expect("a fault is no panic");
    });
}

/// The alternate stack of the thread: none, the least that the system takes, one that is just too
/// small for ours, or a large one.
fn give_stack(stack: &str) {
    let least = handlers::least_alternate_stack();
    handlers::set_alternate_stack(match stack {
        "least-stack" => Some(least + 2048),
        "small-stack" => Some(least + 4095),
        "large-stack" => Some(256 << 10),
        _ => None,
    });
}
