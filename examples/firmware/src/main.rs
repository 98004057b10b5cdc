//! Firmware that runs modules where they lie in flash, with all that they need in pools of fixed size.
//!
//! What a board is stands in `board`; this file and all that it calls is the same for all of them.

#![no_std]
#![no_main]

mod board;

/// What the board calls when it is ready. The status becomes that of the emulator: 0 for success.
fn main() -> u8 {
    println!("hello from {}", board::NAME);
    let start = board::microseconds();
    while board::microseconds() == start {}
    println!("the clock runs");
    let mut pins = board::Pins;
    pins.set(1);
    println!("the pins hold {:02x}", pins.get());
    0
}
