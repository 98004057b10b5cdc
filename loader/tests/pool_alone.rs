//! A runtime in a pool never asks the process's allocator: this binary's aborts when it is asked.

#![cfg(all(
    unix,
    not(target_vendor = "apple"),
    any(
        target_arch = "aarch64",
        target_arch = "riscv64",
        target_arch = "s390x",
        target_arch = "x86_64"
    )
))]

#[path = "support/code/mod.rs"]
mod code;
#[path = "support/journey.rs"]
mod journey;
mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::process::Command;

use precast_loader::{Runtime, RuntimeOptions, StaticPool};

thread_local! {
    /// Whether this thread must do without the process's allocator.
    static ARMED: Cell<bool> = const { Cell::new(false) };
}

/// The system's allocator with an alarm.
struct Alarm;

impl Alarm {
    fn check(what: &str) {
        if ARMED.try_with(Cell::get) == Ok(true) {
            // The message may allocate.
            ARMED.set(false);
            eprintln!("the process's allocator was asked to {what}");
            std::process::abort();
        }
    }
}

// SAFETY: all is left to the system's allocator.
unsafe impl GlobalAlloc for Alarm {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Alarm::check("allocate");
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        Alarm::check("free");
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALARM: Alarm = Alarm;

#[test]
fn a_pool_is_all_that_a_runtime_needs() {
    static POOL: StaticPool<1_000_000> = StaticPool::new();
    let artifacts = journey::artifacts();
    ARMED.set(true);
    let region = POOL.take().expect("nobody else took it");
    let runtime = Runtime::with_pool(region, RuntimeOptions::default());
    let results = runtime.as_ref().ok().map(|runtime| {
        [
            journey::call(runtime, &artifacts),
            journey::fill(runtime, &artifacts, true),
            journey::call(runtime, &artifacts),
        ]
    });
    drop(runtime);
    ARMED.set(false);
    for result in results.expect("there is room for a runtime") {
        result.expect("there is room");
    }
}

/// Says to the next test that it runs in a process of its own.
const UNDER_ALARM: &str = "PRECAST_TEST_UNDER_ALARM";

#[test]
fn the_alarm_works() {
    if std::env::var_os(UNDER_ALARM).is_some() {
        ARMED.set(true);
        drop(std::hint::black_box(Box::new(1)));
        ARMED.set(false);
        return;
    }
    let program = std::env::current_exe().expect("this test has a name");
    // An emulator that runs this test is what runs it again.
    let runner = std::env::var("PRECAST_TEST_RUNNER").unwrap_or_default();
    let mut words: Vec<&str> = runner.split_whitespace().collect();
    words.extend(program.to_str());
    let output = Command::new(words[0])
        .args(&words[1..])
        .args(["--exact", "the_alarm_works", "--nocapture"])
        .env(UNDER_ALARM, "1")
        .output()
        .expect("this test can be run again");
    assert!(!output.status.success());
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("asked to allocate"), "{message}");
}
