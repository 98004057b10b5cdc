//! The boards. Each file has the same few items, and a board of one's own is one more of them:
//!
//! - `NAME`, for people;
//! - the start: memory and processor made ready, then [`run`];
//! - `write`, which puts bytes on the console;
//! - `microseconds` since some moment, which never go back;
//! - `Pins`: eight outputs that can be set and read back;
//! - `options`: what the loader has to know of the device.
//!
//! How the program ends is the emulator's: semihosting, which a debugger understands, too.

mod console;

#[cfg(target_arch = "aarch64")]
#[path = "aarch64_virt.rs"]
mod chosen;
#[cfg(any(target_arch = "riscv32", target_arch = "riscv64"))]
#[path = "riscv_virt.rs"]
mod chosen;
#[cfg(target_arch = "arm")]
#[path = "mps2_an386.rs"]
mod chosen;

pub use chosen::{NAME, Pins, microseconds, options, write};
pub use console::Console;

use core::panic::PanicInfo;

/// The status of a program that panicked.
const PANICKED: u8 = 101;
/// The status of a program that the processor stopped.
const FAULTED: u8 = 102;

/// Runs the program and ends with its status.
fn run() -> ! {
    exit(crate::main())
}

/// Ends the emulator with a status.
fn exit(status: u8) -> ! {
    semihosting::process::exit(i32::from(status))
}

/// Tells where the processor stopped and why, in its own words, and ends.
fn fault(cause: usize, place: usize, address: usize) -> ! {
    crate::println!("fault {cause:#x} at {place:#x}, address {address:#x}");
    exit(FAULTED)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    crate::println!("{info}");
    exit(PANICKED)
}
