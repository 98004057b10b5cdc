//! A program with a mistake: what its host learns of it, and that the instance is usable afterwards.

use super::{STACK, linked_module, pool};
use crate::failure::Failure;
use crate::{board, println};
use precast_loader::{CallError, Imports, InstanceOptions};
use precast_loader::{Module, Runtime, Stack};

/// Room for the frames of a trap, which are in the pool as long as somebody has the trap.
const FRAMES: usize = 512;

linked_module!("faults");
pool!("faults", FRAMES);

/// Provokes traps, and calls again after each.
pub fn run() -> Result<(), Failure> {
    let pool = POOL.take().ok_or(Failure::PoolIsTaken)?;
    let runtime = Runtime::with_pool(pool, board::options())?;
    let module = Module::from_static(&runtime, guest::module())?;
    let imports = Imports::for_module(&module)?;
    let instance = module.instantiate(&imports, InstanceOptions::default())?;
    let mut environment = instance.execution_environment(Stack::Bytes(STACK))?;
    let mean = instance.func::<(i32,), i32>("mean")?;
    for count in [0, 4, 17, 3] {
        match mean.call(&mut environment, (count,)) {
            Ok(value) => println!("faults: the mean of {count} numbers is {value}"),
            Err(CallError::Trap(trap)) => println!("faults: {count} numbers: {trap}"),
            Err(error) => return Err(error.into()),
        }
    }
    report(&runtime);
    Ok(())
}
