//! When a program with threads has ended, nothing of it is left in the process: no thread, no open
//! descriptor. The one test here has the process to itself.
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod threaded;

use precast_wasi::ThreadOptions;
use std::time::{Duration, Instant};
use threaded::{Program, strategies};

const ENDS: &str = include_str!("../threads/ends.wat");
const JOIN: &str = include_str!("../threads/join.wat");

fn entries(folder: &str) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

/// Threads and open descriptors of the process.
fn left() -> (usize, usize) {
    (entries("/proc/self/task"), entries("/proc/self/fd"))
}

#[test]
fn no_thread_and_no_descriptor_is_left() {
    // What the process keeps from the first time on, it keeps.
    let round = |number: i32| {
        for strategy in strategies() {
            let program = Program::new(JOIN, strategy);
            program.run_main().0.unwrap();
            // Main returns, or another thread traps, or exits; the others loop, wait, sleep, read.
            for (main, one) in [(7, 1), (10, 1), (1, 5), (1, 9)] {
                let program = Program::new(ENDS, strategy);
                drop(program.run("main", (main, number % 5, one)).0);
            }
            let mut program = Program::new(ENDS, strategy);
            program.options = ThreadOptions::default().max_threads(2);
            program.run("many", (10, 7)).0.unwrap();
        }
    };
    round(0);
    let before = left();
    for number in 0..20 {
        round(number);
    }
    // The system takes a moment to take a thread out of its list that has been joined; one of the
    // first round may have been counted before.
    let more = |(threads, open): (usize, usize)| threads > before.0 || open > before.1;
    let start = Instant::now();
    while more(left()) {
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", left());
        std::thread::sleep(Duration::from_millis(5));
    }
}
