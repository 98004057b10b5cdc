//! A program that computes, and how long it takes.
//!
//! It is not linked in: it is an artifact in flash, as an update would be that came later than the firmware and
//! has a part of the flash of its own. Its code runs where it lies.

use super::{STACK, pool};
use crate::failure::Failure;
use crate::{board, println};
use precast_loader::{CodeMemory, Imports, InstanceOptions, Runtime, Source, Stack};

pool!("work", 0);

/// An artifact, at an address where code may begin.
#[repr(C, align(16))]
struct Stored<T: ?Sized>(T);

static ARTIFACT: &Stored<[u8]> =
    &Stored(*include_bytes!(concat!(env!("OUT_DIR"), "/work.precast")));

/// How often the work is done.
const TIMES: i32 = 100;
/// The checksum that it has then, on every machine.
const CHECKSUM: i32 = 35073;

/// Does the work, and tells how long it took.
pub fn run() -> Result<(), Failure> {
    let pool = POOL.take().ok_or(Failure::PoolIsTaken)?;
    // SAFETY: no other artifact is lent to this runtime, and this one is in flash, which is executable, never
    // written, and was so before the processor started.
    let memory = unsafe { CodeMemory::platform().in_place() };
    let runtime = Runtime::with_pool(pool, board::options().code_memory(memory))?;
    // SAFETY: the build had the compiler make it. Firmware that takes updates from others would have their
    // signature checked, by `load`.
    let module = unsafe { runtime.load_unverified(Source::borrowed(&ARTIFACT.0)) }?;
    let imports = Imports::for_module(&module)?;
    let instance = module.instantiate(&imports, InstanceOptions::default())?;
    let mut environment = instance.execution_environment(Stack::Bytes(STACK))?;
    let work = instance.func::<(i32,), i32>("run")?;
    let start = board::microseconds();
    let checksum = work.call(&mut environment, (TIMES,))?;
    let time = board::microseconds() - start;
    println!("work: {TIMES} times, checksum {checksum}, {time} microseconds");
    report(&runtime);
    match checksum {
        CHECKSUM => Ok(()),
        _ => Err(Failure::WrongResult),
    }
}
