//! A program that computes, and how long it takes.

use super::{STACK, module_in_flash};
use crate::failure::Failure;
use crate::{board, println};
use precast_loader::{Imports, InstanceOptions, Module, Runtime, Stack};

module_in_flash!("work");

/// How often the work is done.
const TIMES: i32 = 100;
/// The checksum that it has then, on every machine.
const CHECKSUM: i32 = 35073;

/// Does the work, and tells how long it took.
pub fn run() -> Result<(), Failure> {
    let pool = POOL.take().ok_or(Failure::PoolIsTaken)?;
    let runtime = Runtime::with_pool(pool, board::options())?;
    let module = Module::from_static(&runtime, guest::module())?;
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
