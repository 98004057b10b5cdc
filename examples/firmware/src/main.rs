//! Firmware that runs modules where they lie in flash, with all that they need in pools of fixed size.
//!
//! What a board is stands in `board`; this file and all that it calls is the same for all of them.

#![no_std]
#![no_main]

mod board;
mod failure;
#[cfg(target_pointer_width = "32")]
mod nothing_allocates;
mod platform;
mod programs;

use failure::Failure;

/// The programs, and what runs them.
const PROGRAMS: [(&str, fn() -> Result<(), Failure>); 5] = [
    ("adder", programs::adder::run),
    ("work", programs::work::run),
    ("thermostat", programs::thermostat::run),
    ("faults", programs::faults::run),
    ("greeting", programs::greeting::run),
];

/// What the board calls when it is ready. The status becomes that of the emulator: how many programs
/// have failed.
fn main() -> u8 {
    println!("hello from {}", board::NAME);
    let mut failed = 0;
    for (name, run) in PROGRAMS {
        if let Err(failure) = run() {
            println!("{name}: failed: {failure}");
            failed += 1;
        }
    }
    println!("{failed} programs failed");
    failed
}
