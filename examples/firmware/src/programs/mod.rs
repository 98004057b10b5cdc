//! The programs: each is a module in flash and the code of the firmware that runs it, in a pool as large as
//! `precast memory` says that it needs.

pub mod adder;
pub mod faults;
pub mod thermostat;
pub mod work;

use crate::println;
use precast_loader::{Category, Runtime};

/// The stack of calls into a module, in bytes; what the build told `precast memory`.
const STACK: usize = {
    let text = env!("FIRMWARE_STACK").as_bytes();
    let (mut value, mut at) = (0, 0);
    while at < text.len() {
        value = value * 10 + (text[at] - b'0') as usize;
        at += 1;
    }
    value
};

/// Makes modules of the files that the build has written: one declares the module that is linked in, the
/// other has the figures of its memory. What a program takes beside, the pool has, too.
macro_rules! module_in_flash {
    ($name:literal) => {
        module_in_flash!($name, 0);
    };
    ($name:literal, $beside:expr) => {
        #[allow(dead_code, reason = "the file has figures for all tastes")]
        mod guest {
            include!(concat!(env!("OUT_DIR"), "/", $name, ".rs"));
        }
        #[allow(dead_code, reason = "the file has figures for all tastes")]
        mod memory {
            include!(concat!(env!("OUT_DIR"), "/", $name, "_memory.rs"));
        }
        /// All the memory that the program gets.
        static POOL: precast_loader::StaticPool<{ memory::POOL_BYTES + $beside }> =
            precast_loader::StaticPool::new();

        /// Prints what of it was taken.
        fn report(runtime: &precast_loader::Runtime) {
            super::report($name, runtime, memory::POOL_BYTES, $beside);
        }
    };
}
use module_in_flash;

/// Prints what a program takes of RAM. Its code is in flash, and does not count.
fn report(name: &str, runtime: &Runtime, planned: usize, beside: usize) {
    let Some(pool) = runtime.pool_usage() else {
        return;
    };
    // What the pool needs for itself is counted as the runtime's.
    let books = planned + beside - pool.capacity;
    let mut sum = 0;
    for category in Category::ALL {
        let mut bytes = runtime.usage(*category).current;
        match category {
            Category::Code => continue,
            Category::Runtime => bytes -= books,
            _ => {}
        }
        if bytes != 0 {
            println!("{name}: {bytes:>6} bytes of {}", category.name());
        }
        sum += bytes;
    }
    println!("{name}: {sum:>6} bytes in all");
    println!("{name}: {planned:>6} bytes of pool were planned");
    let most = books + pool.peak;
    println!("{name}: {most:>6} bytes of pool were used at most");
}
