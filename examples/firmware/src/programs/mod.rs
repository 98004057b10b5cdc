//! The programs: each is a module in flash and the code of the firmware that runs it, in a pool as large as
//! `precast memory` says that it needs.

pub mod adder;
pub mod faults;
pub mod greeting;
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

/// Declares the module that is linked in, as the build has written it: `guest::module`.
macro_rules! linked_module {
    ($name:literal) => {
        #[allow(dead_code, reason = "the file has figures for all tastes")]
        mod guest {
            include!(concat!(env!("OUT_DIR"), "/", $name, ".rs"));
        }
    };
}
use linked_module;

/// A pool as large as the build was told that a program needs, and what the program takes beside: `POOL`. And
/// `report`, which prints what of it was taken.
macro_rules! pool {
    ($name:literal, $beside:expr) => {
        #[allow(dead_code, reason = "the file has figures for all tastes")]
        mod memory {
            include!(concat!(env!("OUT_DIR"), "/", $name, "_memory.rs"));
        }

        static POOL: precast_loader::StaticPool<{ memory::POOL_BYTES + $beside }> =
            precast_loader::StaticPool::new();

        #[allow(dead_code, reason = "not every program has a plan without guesses")]
        fn report(runtime: &precast_loader::Runtime) {
            super::report($name, runtime, memory::POOL_BYTES, $beside);
        }
    };
}
use pool;

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
